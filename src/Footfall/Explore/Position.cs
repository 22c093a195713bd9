using System.Buffers.Text;
using System.Globalization;
using System.Security.Cryptography;
using System.Text;

namespace Footfall.Explore;

/// <summary>
/// A place in an ordered answer: behind the group of this order value and key. It stays where it is when rows come and go. Keys can
/// be longer than a URL allows, so that a beginning and a hash stand for the key, in the order and here.
/// </summary>
/// <param name="Order">What the groups are ordered by, descending; -1 for none.</param>
/// <param name="HasKey">False for the group without a value, which comes after those with one.</param>
internal sealed record Position(double Order, bool HasKey, string Beginning, byte[] Hash)
{
    /// <summary>Characters (not UTF-16 units) of a key that its order begins with.</summary>
    public const int BeginningCharacters = 100;

    public static Position Of(double? order, string? key) => new(
        order ?? -1, key is not null, key is null ? "" : BeginningOf(key), SHA256.HashData(Encoding.UTF8.GetBytes(key ?? "")));

    /// <summary>As text for a URL, together with the fingerprint of the question that it belongs to.</summary>
    public string Encode(string fingerprint)
    {
        var text = string.Join('\n', fingerprint, Order.ToString("R", CultureInfo.InvariantCulture), HasKey ? "1" : "0", Convert.ToHexStringLower(Hash), Beginning);
        return Base64Url.EncodeToString(Encoding.UTF8.GetBytes(text));
    }

    /// <summary>Null when the text is none of ours, or of another question.</summary>
    public static Position? Decode(string text, string fingerprint)
    {
        if (text.Length > 4_096 || !Base64Url.IsValid(text)) return null;
        var parts = Encoding.UTF8.GetString(Base64Url.DecodeFromChars(text)).Split('\n', 5);
        if (parts is not [var of, var order, "0" or "1", { Length: 64 } hash, var beginning] || of != fingerprint) return null;
        if (!double.TryParse(order, NumberStyles.Float, CultureInfo.InvariantCulture, out var value) || !double.IsFinite(value)) return null;
        if (!hash.All(char.IsAsciiHexDigit) || !StorableText.Is(beginning)) return null;
        return new Position(value, parts[2] == "1", beginning, Convert.FromHexString(hash));
    }

    public static string BeginningOf(string key)
    {
        var n = 0;
        var characters = 0;
        while (n < key.Length && characters < BeginningCharacters)
        {
            n += char.IsHighSurrogate(key[n]) && n + 1 < key.Length ? 2 : 1;
            characters++;
        }
        return key[..n];
    }
}
