using System.Buffers.Binary;
using System.Security.Cryptography;

namespace Footfall.Cli.Import;

/// <summary>
/// Gives each page view of a log an event id of its own: a hash of what the line says, and the how-manieth of its likes it
/// is. The same line in a rotated or an overlapping file has the same id, two clicks in one second have two.
/// </summary>
internal sealed class LineIdentity(int remembered = 500_000)
{
    // Lines are alike only within a second, and logs are nearly in order: what is long past need not be remembered.
    private Dictionary<UInt128, int> recent = [];
    private Dictionary<UInt128, int> older = [];

    public string Of(in AccessLogLine line)
    {
        Span<byte> number = stackalloc byte[8];
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        BinaryPrimitives.WriteInt64BigEndian(number, line.Time.UtcTicks);
        hash.AppendData(number);
        BinaryPrimitives.WriteInt64BigEndian(number, line.Status);
        hash.AppendData(number);
        Add(hash, line.Address);
        Add(hash, line.Target);
        Add(hash, line.Referrer);
        Add(hash, line.UserAgent);
        Span<byte> result = stackalloc byte[32];
        hash.GetHashAndReset(result);
        return $"log-{Convert.ToHexStringLower(result[..16])}-{Ordinal(BinaryPrimitives.ReadUInt128BigEndian(result))}";
    }

    private int Ordinal(UInt128 key)
    {
        if (!recent.TryGetValue(key, out var seen)) older.TryGetValue(key, out seen);
        recent[key] = seen + 1;
        if (recent.Count >= remembered) (older, recent) = (recent, []);
        return seen;
    }

    private static void Add(IncrementalHash hash, ReadOnlySpan<byte> field)
    {
        Span<byte> length = stackalloc byte[4];
        BinaryPrimitives.WriteInt32BigEndian(length, field.Length);
        hash.AppendData(length);
        hash.AppendData(field);
    }
}
