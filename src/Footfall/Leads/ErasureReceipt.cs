using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using System.Text.Json.Serialization;

namespace Footfall.Leads;

/// <summary>How many rows of what an erasure took.</summary>
/// <param name="ConsentEvents">Rows of the ledger that stay, without anything personal.</param>
/// <param name="Days">Days of properties whose figures are computed anew.</param>
internal sealed record ErasureCounts(
    long Leads, long Submissions, long ConsentRequests, long ConsentEvents, long Links, long Visitors, long Sessions, long Events, long EventKeys,
    long Accounts, long ReadModelRows, long Files, long Days);

/// <summary>
/// Proof of an erasure: what went, and nothing about whom. The hash is the SHA-256, in hexadecimal, of the receipt without it, as
/// <see cref="Text"/> writes it, so that a copy kept elsewhere can be compared.
/// </summary>
internal sealed record ErasureReceipt(Guid Id, DateTimeOffset ErasedAt, ErasureCounts Counts, string Hash)
{
    public static ErasureReceipt Of(Guid id, DateTimeOffset erasedAt, ErasureCounts counts) =>
        new(id, erasedAt, counts, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Text(id, erasedAt, counts)))));

    /// <summary>Id, instant and counts, a line each: <c>events 120</c>. Instants in UTC with six decimals.</summary>
    public static string Text(Guid id, DateTimeOffset erasedAt, ErasureCounts c) => string.Join('\n',
    [
        $"id {id}", $"erasedAt {erasedAt.UtcDateTime:yyyy-MM-ddTHH:mm:ss.ffffff}Z",
        $"leads {c.Leads}", $"submissions {c.Submissions}", $"consentRequests {c.ConsentRequests}", $"consentEvents {c.ConsentEvents}", $"links {c.Links}",
        $"visitors {c.Visitors}", $"sessions {c.Sessions}", $"events {c.Events}", $"eventKeys {c.EventKeys}", $"accounts {c.Accounts}",
        $"readModelRows {c.ReadModelRows}", $"files {c.Files}", $"days {c.Days}",
    ]);

    public bool IsWhole() => this == Of(Id, ErasedAt, Counts);
}

/// <summary>The answer of POST /v1/leads/delete.</summary>
/// <param name="DryRun">Nothing was erased: the counts are what would go.</param>
/// <param name="Receipt">Null on a dry run.</param>
internal sealed record ErasureBody(bool DryRun, ErasureCounts Counts, ErasureReceipt? Receipt)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>What the scrub looks for after the transaction: kept encrypted until it is done.</summary>
/// <param name="Addresses">In every form in which they may stand somewhere.</param>
/// <param name="Tables">Large tables that held an address or anon id in a row that was deleted.</param>
internal sealed record ScrubWork(
    IReadOnlyList<string> Addresses, IReadOnlyList<string> Accounts, IReadOnlyList<int> VisitorNumbers, IReadOnlyList<int> AccountNumbers, IReadOnlyList<string> Tables)
{
    private const int NonceBytes = 12;
    private const int TagBytes = 16;

    public byte[] Encrypt(byte[] key)
    {
        var plain = JsonSerializer.SerializeToUtf8Bytes(this, ErasureJson.Default.ScrubWork);
        var sealedBytes = new byte[NonceBytes + TagBytes + plain.Length];
        var nonce = sealedBytes.AsSpan(0, NonceBytes);
        RandomNumberGenerator.Fill(nonce);
        using var aes = new AesGcm(key, TagBytes);
        aes.Encrypt(nonce, plain, sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes));
        return sealedBytes;
    }

    /// <summary>Null when it was encrypted with another server's key.</summary>
    public static ScrubWork? Decrypt(byte[] sealedBytes, byte[] key)
    {
        if (sealedBytes.Length < NonceBytes + TagBytes) return null;
        var plain = new byte[sealedBytes.Length - NonceBytes - TagBytes];
        using var aes = new AesGcm(key, TagBytes);
        try
        {
            aes.Decrypt(sealedBytes.AsSpan(0, NonceBytes), sealedBytes.AsSpan(NonceBytes + TagBytes), sealedBytes.AsSpan(NonceBytes, TagBytes), plain);
        }
        catch (AuthenticationTagMismatchException)
        {
            return null;
        }
        return JsonSerializer.Deserialize(plain, ErasureJson.Default.ScrubWork);
    }
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(ErasureReceipt))]
[JsonSerializable(typeof(ErasureCounts))]
[JsonSerializable(typeof(ScrubWork))]
internal sealed partial class ErasureJson : JsonSerializerContext;
