using System.Security.Cryptography;

namespace Footfall.Leads;

/// <summary>A letter as mail: the same as plain text and as HTML, of which the reader's program shows one.</summary>
internal static class LetterMail
{
    public static string Write(Letter letter, EmailAddress from, string? fromName, DateTimeOffset now)
    {
        var between = $"=_{Convert.ToHexStringLower(RandomNumberGenerator.GetBytes(12))}";   // nothing in base64 begins so
        string[] headers =
        [
            $"From: {(string.IsNullOrEmpty(fromName) ? "" : MailText.Encoded(fromName) + " ")}<{from.Address}>",
            $"To: <{letter.Address}>",
            $"Subject: {MailText.Encoded(letter.Subject)}",
            $"Date: {MailText.Date(now)}",
            $"Message-ID: <{letter.Id:N}@{from.Domain}>",
            $"List-Unsubscribe: <{letter.Unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            $"Content-Type: multipart/alternative; boundary=\"{between}\"",
        ];
        return $"{string.Join("\r\n", headers)}\r\n\r\n{Part(between, "text/plain", letter.Text)}{Part(between, "text/html", letter.Html)}--{between}--\r\n";
    }

    private static string Part(string between, string type, string text) =>
        $"--{between}\r\nContent-Type: {type}; charset=utf-8\r\nContent-Transfer-Encoding: base64\r\n\r\n{MailText.Body(text)}\r\n";
}
