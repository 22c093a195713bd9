using System.Buffers;
using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Leads;

/// <summary>A row of the ledger as it is hashed: docs/leads.md has the format. Instants count in whole microseconds, as they are stored.</summary>
/// <param name="Salt">Null, like all that is personal, after erasure.</param>
internal sealed record ConsentRow(
    Guid? LeadId, ConsentStatus Status, ConsentMethod Method, ConsentBasis? Basis, string? Purpose, string? Source, byte[]? IpHash,
    string PropertyId, DateTimeOffset OccurredAt, DateTimeOffset? ExpiresAt, byte[]? Salt, byte[] PersonalDigest)
{
    private const int SaltBytes = 16;

    public static ConsentRow Of(Guid leadId, ConsentChange change)
    {
        var salt = RandomNumberGenerator.GetBytes(SaltBytes);
        return new(
            leadId, change.Status, change.Method, change.Basis, change.Purpose, change.Source, change.IpHash,
            change.PropertyId, change.OccurredAt, change.ExpiresAt, salt, Digest(salt, leadId, change.Purpose, change.Source, change.IpHash));
    }

    /// <summary>True also where the personal part was erased, and nothing is left to compare.</summary>
    public bool PersonalPartHolds() =>
        Salt is null ? LeadId is null && Source is null && IpHash is null : LeadId is { } lead && Digest(Salt, lead, Purpose, Source, IpHash).AsSpan().SequenceEqual(PersonalDigest);

    /// <summary>32 bytes: what of the row goes into the chain, beside its place.</summary>
    public byte[] Content()
    {
        var output = new ArrayBufferWriter<byte>(256);
        Text(output, Status.Text());
        Text(output, Method.Text());
        Text(output, Basis?.Text());
        Text(output, PropertyId);
        Text(output, Instant(OccurredAt));
        Text(output, ExpiresAt is { } expires ? Instant(expires) : null);
        output.Write(PersonalDigest);
        return SHA256.HashData(output.WrittenSpan);
    }

    public static byte[] HashOf(byte[] previous, long id, byte[] content)
    {
        Span<byte> place = stackalloc byte[8];
        BinaryPrimitives.WriteInt64BigEndian(place, id);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        hash.AppendData(previous);
        hash.AppendData(place);
        hash.AppendData(content);
        return hash.GetHashAndReset();
    }

    private static byte[] Digest(byte[] salt, Guid leadId, string? purpose, string? source, byte[]? ipHash)
    {
        var output = new ArrayBufferWriter<byte>(256);
        output.Write(salt);
        output.Write(leadId.ToByteArray(bigEndian: true));
        Text(output, purpose);
        Text(output, source);
        Text(output, ipHash is null ? null : Convert.ToHexStringLower(ipHash));
        return SHA256.HashData(output.WrittenSpan);
    }

    private static string Instant(DateTimeOffset instant) => instant.UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.ffffff'Z'");

    /// <summary>With its length in front; -1 for what is absent, so that nothing and an empty text differ.</summary>
    private static void Text(ArrayBufferWriter<byte> output, string? text)
    {
        var bytes = text is null ? -1 : Encoding.UTF8.GetByteCount(text);
        BinaryPrimitives.WriteInt32BigEndian(output.GetSpan(4), bytes);
        output.Advance(4);
        if (bytes <= 0) return;
        Encoding.UTF8.GetBytes(text, output.GetSpan(bytes));
        output.Advance(bytes);
    }
}
