using System.Globalization;
using System.Text;

namespace Footfall.Leads;

/// <summary>Text in the form that mail has (RFC 5322, MIME).</summary>
internal static class MailText
{
    public static string Date(DateTimeOffset at) => at.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture);

    public static string Body(string text) =>
        Convert.ToBase64String(Encoding.UTF8.GetBytes(text.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\r\n");

    /// <summary>A header's free text as encoded words (RFC 2047): whatever it holds, it can neither end the line nor begin another.</summary>
    public static string Encoded(string text)
    {
        const int most = 45;      // bytes in a word of at most 75 characters
        List<string> words = [];
        var word = new List<byte>(most);
        Span<byte> bytes = stackalloc byte[4];
        foreach (var rune in text.EnumerateRunes())
        {
            var n = rune.EncodeToUtf8(bytes);
            if (word.Count + n > most)
            {
                words.Add(Convert.ToBase64String([.. word]));
                word.Clear();
            }
            for (var i = 0; i < n; i++) word.Add(bytes[i]);
        }
        if (word.Count > 0) words.Add(Convert.ToBase64String([.. word]));
        return string.Join("\r\n ", words.Select(w => $"=?utf-8?B?{w}?="));
    }
}
