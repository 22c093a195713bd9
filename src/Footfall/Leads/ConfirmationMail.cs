using System.Globalization;
using System.Text;

namespace Footfall.Leads;

/// <summary>The mail that asks a person to confirm: plain text, in the form of RFC 5322 and MIME. Nothing in it was written by whoever sent the form, or strangers could send their words to anyone.</summary>
internal static class ConfirmationMail
{
    public static string Write(Confirmation c, EmailAddress from, string? fromName, DateTimeOffset now)
    {
        var body = $"""
            Someone entered this address in a form of {c.PropertyName}.

            If it was you, please confirm that we may write to you:

            {c.Link}

            The link holds until {c.ExpiresAt.UtcDateTime.ToString("d MMMM yyyy, HH:mm", CultureInfo.InvariantCulture)} UTC.
            If it was not you, do nothing: without confirmation you get no mail.

            No more mail to this address, ever: {c.Unsubscribe}
            """;
        string[] headers =
        [
            $"From: {(string.IsNullOrEmpty(fromName) ? "" : Encoded(fromName) + " ")}<{from.Address}>",
            $"To: <{c.Address}>",
            $"Subject: {Encoded($"Please confirm: {c.PropertyName}")}",
            $"Date: {now.UtcDateTime.ToString("ddd, dd MMM yyyy HH:mm:ss '+0000'", CultureInfo.InvariantCulture)}",
            $"Message-ID: <{c.Id:N}.{now.ToUnixTimeSeconds()}@{from.Domain}>",
            $"List-Unsubscribe: <{c.Unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
        ];
        var text = Convert.ToBase64String(Encoding.UTF8.GetBytes(body.ReplaceLineEndings("\r\n")), Base64FormattingOptions.InsertLineBreaks).ReplaceLineEndings("\r\n");
        return string.Join("\r\n", headers) + "\r\n\r\n" + text;
    }

    /// <summary>A header's free text as encoded words (RFC 2047): whatever it holds, it can neither end the line nor begin another.</summary>
    private static string Encoded(string text)
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
