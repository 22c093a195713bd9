using System.Diagnostics.CodeAnalysis;
using System.Text;

namespace Footfall.Leads;

/// <summary>Why a text is no address that mail can be sent to.</summary>
internal enum AddressFault
{
    Empty,
    TooLong,
    ControlCharacters,
    NoAtSign,
    LocalPartTooLong,
    LocalPartNotAscii,
    LocalPartInvalid,
    DomainInvalid,
    DomainMixesScripts,
}

/// <summary>
/// An address of the subset of RFC 5321 and 5322 that mail is really sent to: a dot-atom or quoted local part in ASCII, and a
/// domain of several labels, which may be international. No comments, display names, address literals.
/// </summary>
/// <param name="Address">The local part as typed, the domain in its ASCII form: where mail goes.</param>
/// <param name="Normalized">All in lower case: what is compared. Plus tags and dots stay, since only some hosts ignore them.</param>
/// <param name="Domain">ASCII, lower case.</param>
internal sealed record EmailAddress(string Address, string Normalized, string Domain)
{
    // RFC 5321, 4.5.3.1: a path has at most 256 octets, two of which are its angle brackets; a local part 64.
    private const int MaxLength = 254;
    private const int MaxLocal = 64;

    // Longer than any address in any form: not looked at.
    private const int MaxRead = 1024;

    private const string Atom = "!#$%&'*+-/=?^_`{|}~";

    /// <summary>Reads an address as a person types it. White space around it is overlooked.</summary>
    public static bool TryParse(string? text, [NotNullWhen(true)] out EmailAddress? address, out AddressFault fault)
    {
        address = null;
        var trimmed = (text ?? "").Trim();
        if (trimmed.Length == 0) return Fault(AddressFault.Empty, out fault);
        if (trimmed.Length > MaxRead) return Fault(AddressFault.TooLong, out fault);
        foreach (var c in trimmed)
        {
            if (char.IsControl(c)) return Fault(AddressFault.ControlCharacters, out fault);
        }
        var at = trimmed.LastIndexOf('@');
        if (at < 0) return Fault(AddressFault.NoAtSign, out fault);
        if (Local(trimmed[..at], out fault) is not { } local) return false;
        if (MailDomain.Read(trimmed[(at + 1)..], out fault) is not { } domain) return false;
        if (local.Length + 1 + domain.Length > MaxLength) return Fault(AddressFault.TooLong, out fault);
        address = new EmailAddress($"{local}@{domain}", $"{local.ToLowerInvariant()}@{domain}", domain);
        return true;
    }

    /// <summary>For people; repeats nothing of what they typed.</summary>
    public static string Message(AddressFault fault) => fault switch
    {
        AddressFault.Empty => "an e-mail address is required",
        AddressFault.TooLong => $"an e-mail address has at most {MaxLength} characters",
        AddressFault.ControlCharacters => "control characters are not allowed in an e-mail address",
        AddressFault.NoAtSign => "expected an e-mail address such as ann@example.org: it has no @",
        AddressFault.LocalPartTooLong => $"the part before the @ has at most {MaxLocal} characters",
        AddressFault.LocalPartNotAscii => "the part before the @ may only have the letters a to z, digits and ASCII signs: few mail servers take others",
        AddressFault.LocalPartInvalid => "the part before the @ is none that mail can be sent to: letters, digits and signs such as . + - _, no dot at its ends, no two dots together, no spaces",
        AddressFault.DomainInvalid => "the part behind the @ is no domain such as example.org",
        AddressFault.DomainMixesScripts => "the domain mixes letters of several scripts, which look alike; type it anew",
        _ => throw new ArgumentOutOfRangeException(nameof(fault), fault, null),
    };

    private static bool Fault(AddressFault which, out AddressFault fault)
    {
        fault = which;
        return false;
    }

    private static string? Local(string text, out AddressFault fault)
    {
        fault = AddressFault.LocalPartInvalid;
        if (text.Length > 2 && text[0] == '"' && text[^1] == '"')
        {
            if (Unquoted(text[1..^1]) is not { Length: > 0 } content) return null;
            // "ann"@ and ann@ are one mailbox (RFC 5322, 3.2.4): the shorter form stands for both.
            text = IsDotAtom(content) ? content : Quoted(content);
        }
        else if (!IsDotAtom(text))
        {
            if (text.Any(c => c > '~')) fault = AddressFault.LocalPartNotAscii;
            return null;
        }
        if (text.Length <= MaxLocal) return text;
        fault = AddressFault.LocalPartTooLong;
        return null;
    }

    private static bool IsDotAtom(string text)
    {
        var afterDot = true;
        foreach (var c in text)
        {
            if (c == '.')
            {
                if (afterDot) return false;
                afterDot = true;
                continue;
            }
            if (!char.IsAsciiLetterOrDigit(c) && !Atom.Contains(c, StringComparison.Ordinal)) return false;
            afterDot = false;
        }
        return !afterDot;
    }

    private static string? Unquoted(string text)
    {
        var content = new StringBuilder(text.Length);
        for (var i = 0; i < text.Length; i++)
        {
            var c = text[i];
            if (c == '"') return null;
            if (c == '\\' && ++i == text.Length) return null;
            c = text[i];
            if (c is < ' ' or > '~') return null;
            content.Append(c);
        }
        return content.ToString();
    }

    private static string Quoted(string content) =>
        $"\"{content.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal)}\"";
}
