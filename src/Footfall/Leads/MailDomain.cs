using System.Globalization;
using System.Text;

namespace Footfall.Leads;

/// <summary>The domain of an address, in the ASCII form that DNS knows (RFC 5890: international labels begin with xn--).</summary>
internal static class MailDomain
{
    private const int MaxDomain = 253;
    private const int MaxLabel = 63;

    private static readonly IdnMapping Idn = new() { AllowUnassigned = false, UseStd3AsciiRules = true };

    private enum Script
    {
        None,
        Latin,
        Greek,
        Cyrillic,
        Other,
    }

    /// <summary>Lower case; null with the fault when the text is no domain of at least two labels.</summary>
    public static string? Read(string text, out AddressFault fault)
    {
        fault = AddressFault.DomainInvalid;
        if (text.Length == 0) return null;
        string domain;
        try
        {
            domain = text.All(char.IsAscii) ? text.ToLowerInvariant() : International(text, ref fault);
        }
        catch (ArgumentException)
        {
            return null;        // a label that cannot be encoded, or would be too long
        }
        if (domain.Length is 0 or > MaxDomain) return null;
        var labels = domain.Split('.');
        if (labels.Length < 2 || !labels.All(IsLabel)) return null;
        return labels[^1].All(char.IsAsciiDigit) ? null : domain;
    }

    private static string International(string text, ref AddressFault fault)
    {
        // Letters that were typed with an input method for Chinese or Japanese come with their full stop.
        text = text.Normalize(NormalizationForm.FormC).Replace('\u3002', '.').ToLowerInvariant();
        foreach (var label in text.Split('.'))
        {
            if (!label.EnumerateRunes().All(IsLetter)) return "";
            if (!MixesScripts(label)) continue;
            fault = AddressFault.DomainMixesScripts;
            return "";
        }
        return Idn.GetAscii(text);
    }

    // No signs, no invisible characters, no wide or otherwise dressed-up forms of plain letters.
    private static bool IsLetter(Rune rune)
    {
        if (rune.IsAscii) return Rune.IsLetterOrDigit(rune) || rune.Value == '-';
        if (rune.Value is (>= 0xFF00 and <= 0xFFEF) or (>= 0x1D400 and <= 0x1D7FF) or (>= 0x2100 and <= 0x218F) or (>= 0xFB00 and <= 0xFB06)) return false;
        return Rune.GetUnicodeCategory(rune) is UnicodeCategory.LowercaseLetter or UnicodeCategory.OtherLetter or UnicodeCategory.ModifierLetter
            or UnicodeCategory.NonSpacingMark or UnicodeCategory.SpacingCombiningMark or UnicodeCategory.DecimalDigitNumber;
    }

    /// <summary>Whether letters that look alike stand for different ones: "paypal" with a Cyrillic a.</summary>
    private static bool MixesScripts(string label)
    {
        var seen = Script.None;
        foreach (var rune in label.EnumerateRunes())
        {
            var script = ScriptOf(rune);
            if (script is Script.None) continue;
            if (seen is not Script.None && script != seen && (seen, script) is not ((Script.Latin, Script.Other) or (Script.Other, Script.Latin))) return true;
            if (seen is Script.None or Script.Latin) seen = script;
        }
        return false;
    }

    private static Script ScriptOf(Rune rune) => rune.Value switch
    {
        _ when !Rune.IsLetter(rune) => Script.None,
        < 0x0250 or (>= 0x1E00 and <= 0x1EFF) => Script.Latin,
        (>= 0x0370 and <= 0x03FF) or (>= 0x1F00 and <= 0x1FFF) => Script.Greek,
        >= 0x0400 and <= 0x052F => Script.Cyrillic,
        _ => Script.Other,
    };

    private static bool IsLabel(string label)
    {
        if (label.Length is 0 or > MaxLabel || label[0] == '-' || label[^1] == '-') return false;
        foreach (var c in label)
        {
            if (!char.IsAsciiLetterOrDigit(c) && c != '-') return false;
        }
        if (label.Length < 4 || label[2] != '-' || label[3] != '-') return true;
        return label.StartsWith("xn--", StringComparison.Ordinal) && Decodes(label);
    }

    private static bool Decodes(string label)
    {
        try
        {
            var text = Idn.GetUnicode(label);
            return text != label && text.EnumerateRunes().All(IsLetter) && !MixesScripts(text);
        }
        catch (ArgumentException)
        {
            return false;
        }
    }
}
