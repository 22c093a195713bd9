using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Access;

/// <summary>A token as the table has it, all but its hash.</summary>
internal sealed record AccessToken(
    Guid Id, string Name, AccessRole Role, AccessPlan Plan, string? PropertyId,
    DateTimeOffset CreatedAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt);

/// <summary>The text that its owner sends: <c>fft_</c>, so that scanners for leaked secrets can tell, and 256 random bits in base64url.</summary>
internal static class TokenText
{
    public const string Prefix = "fft_";
    private const int RandomBytes = 32;
    private static readonly int Length = Prefix.Length + Base64Url.GetEncodedLength(RandomBytes);

    public static string New()
    {
        Span<byte> random = stackalloc byte[RandomBytes];
        RandomNumberGenerator.Fill(random);
        return Prefix + Base64Url.EncodeToString(random);
    }

    /// <summary>Whether it can be one at all; only such are looked for in the database.</summary>
    public static bool IsOne(string text) => text.Length == Length && text.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(text.AsSpan(Prefix.Length));

    public static byte[] Hash(string token) => SHA256.HashData(Encoding.UTF8.GetBytes(token));
}
