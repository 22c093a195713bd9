using System.Globalization;

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
            $"From: {(string.IsNullOrEmpty(fromName) ? "" : MailText.Encoded(fromName) + " ")}<{from.Address}>",
            $"To: <{c.Address}>",
            $"Subject: {MailText.Encoded($"Please confirm: {c.PropertyName}")}",
            $"Date: {MailText.Date(now)}",
            $"Message-ID: <{c.Id:N}.{now.ToUnixTimeSeconds()}@{from.Domain}>",
            $"List-Unsubscribe: <{c.Unsubscribe}>",
            "List-Unsubscribe-Post: List-Unsubscribe=One-Click",
            "Auto-Submitted: auto-generated",
            "MIME-Version: 1.0",
            "Content-Type: text/plain; charset=utf-8",
            "Content-Transfer-Encoding: base64",
        ];
        return string.Join("\r\n", headers) + "\r\n\r\n" + MailText.Body(body);
    }
}
