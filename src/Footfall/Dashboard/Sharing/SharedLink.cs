using System.Buffers.Text;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Dashboard.Sharing;

/// <summary>A link to the figures of one property, all but its secret.</summary>
/// <param name="FrameAncestors">Origins whose pages may show it in a frame; empty: none.</param>
internal sealed record SharedLink(
    Guid Id, string PropertyId, string Name, bool HasPassword, IReadOnlyList<string> FrameAncestors, DateTimeOffset CreatedAt, DateTimeOffset? ExpiresAt, DateTimeOffset? LastUsedAt, DateTimeOffset? RevokedAt)
{
    public bool HasExpired(DateTimeOffset now) => ExpiresAt <= now;

    public bool Works(DateTimeOffset now) => RevokedAt is null && !HasExpired(now);
}

/// <summary>The secret of a link: <c>ffs_</c>, so that scanners for leaked secrets can tell, and 256 random bits in base64url.</summary>
internal static class SharedLinkText
{
    private const string Prefix = "ffs_";
    private const int RandomBytes = 32;
    private static readonly int Length = Prefix.Length + Base64Url.GetEncodedLength(RandomBytes);

    public static string New() => Prefix + Base64Url.EncodeToString(RandomNumberGenerator.GetBytes(RandomBytes));

    /// <summary>Whether it can be one at all; only such are looked for in the database.</summary>
    public static bool IsOne(string text) => text.Length == Length && text.StartsWith(Prefix, StringComparison.Ordinal) && Base64Url.IsValid(text.AsSpan(Prefix.Length));

    public static byte[] Hash(string text) => SHA256.HashData(Encoding.UTF8.GetBytes(text));
}

/// <summary>A password as it is stored: people choose them, and use them elsewhere.</summary>
internal sealed record PasswordHash(byte[] Salt, byte[] Hash)
{
    public const int Fewest = 8, Most = 128;

    // What OWASP recommends for PBKDF2 with SHA-256: https://cheatsheetseries.owasp.org/cheatsheets/Password_Storage_Cheat_Sheet.html
    private const int Rounds = 600_000;

    public static PasswordHash Of(string password)
    {
        var salt = RandomNumberGenerator.GetBytes(16);
        return new PasswordHash(salt, Derive(password, salt));
    }

    public bool Matches(string password) => password.Length <= Most && CryptographicOperations.FixedTimeEquals(Hash, Derive(password, Salt));

    private static byte[] Derive(string password, byte[] salt) => Rfc2898DeriveBytes.Pbkdf2(password, salt, Rounds, HashAlgorithmName.SHA256, 32);
}
