using System.Text.Json;

namespace Footfall.Capture;

/// <summary>Where issues of one event go.</summary>
internal readonly struct FieldContext(List<CaptureIssue> issues, int index, bool inArray, int limit)
{
    private readonly int first = issues.Count;

    public int Count => issues.Count - first;

    public bool Has(string field)
    {
        for (var i = first; i < issues.Count; i++)
        {
            if (issues[i].Field == field) return true;
        }
        return false;
    }

    public void Add(string field, string code, string message)
    {
        if (Count >= limit) return;
        var place = (inArray, field.Length > 0) switch
        {
            (true, true) => $"events[{index}].{field}",
            (true, false) => $"events[{index}]",
            (false, true) => field,
            (false, false) => "the body",
        };
        issues.Add(new CaptureIssue(index, field, code, $"{place}: {message}"));
    }
}

/// <summary>Reads one value of a given kind; adds an issue and gives nothing where it is of another kind or outside its limits. Lengths are in Unicode characters.</summary>
internal static class FieldValues
{
    /// <summary>A text that names something: not empty, no control characters.</summary>
    public static string? Id(ref Utf8JsonReader reader, Field field, FieldContext context, int min, int max)
    {
        var text = Read(ref reader, field, context, min, max);
        if (text is null || !HasControl(text)) return text;
        context.Add(field.Name, IssueCodes.InvalidCharacters, "control characters are not allowed");
        return null;
    }

    /// <summary>A free text; empty is the same as absent.</summary>
    public static string? Text(ref Utf8JsonReader reader, Field field, FieldContext context, int max) =>
        Read(ref reader, field, context, 0, max) is { Length: > 0 } text ? text : null;

    public static bool Flag(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        switch (reader.TokenType)
        {
            case JsonTokenType.True:
                return true;
            case JsonTokenType.False or JsonTokenType.Null:
                return false;
            default:
                reader.Skip();
                context.Add(field.Name, IssueCodes.ExpectedBoolean, "expected true or false");
                return false;
        }
    }

    /// <summary>A number of 0 to <paramref name="max"/>, rounded to whole ones: browsers measure in fractions.</summary>
    public static int? Whole(ref Utf8JsonReader reader, Field field, FieldContext context, int max) =>
        Number(ref reader, field, context, max) is { } number ? (int)Math.Round(number, MidpointRounding.AwayFromZero) : null;

    /// <summary>A number of 0 to <paramref name="max"/>, kept to four decimals.</summary>
    public static double? Score(ref Utf8JsonReader reader, Field field, FieldContext context, int max) =>
        Number(ref reader, field, context, max) is { } number ? Math.Round(number, 4, MidpointRounding.AwayFromZero) + 0.0 : null;

    public static DateTimeOffset? Instant(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        var text = Read(ref reader, field, context, 0, 64);
        if (text is null) return null;
        if (IsoInstant.TryParse(text, out var instant)) return instant;
        context.Add(field.Name, IssueCodes.InvalidFormat, "expected an ISO 8601 instant with its zone, such as 2026-01-31T08:15:30.250Z");
        return null;
    }

    public static string? Property(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        var id = Read(ref reader, field, context, 1, 64);
        if (id is null || PropertyId.IsValid(id)) return id;
        context.Add(field.Name, IssueCodes.InvalidFormat, $"expected {PropertyId.Rule}");
        return null;
    }

    public static DeviceType? Device(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        switch (Read(ref reader, field, context, 0, 64))
        {
            case null: return null;
            case "desktop": return DeviceType.Desktop;
            case "mobile": return DeviceType.Mobile;
            case "tablet": return DeviceType.Tablet;
            case "bot": return DeviceType.Bot;
            case "unknown": return DeviceType.Unknown;
            default:
                context.Add(field.Name, IssueCodes.InvalidFormat, "expected desktop, mobile, tablet, bot or unknown");
                return null;
        }
    }

    public static void Country(ref Utf8JsonReader reader, Field field, FieldContext context)
    {
        var code = Read(ref reader, field, context, 0, 64);
        if (string.IsNullOrEmpty(code) || (code.Length == 2 && char.IsAsciiLetter(code[0]) && char.IsAsciiLetter(code[1]))) return;
        context.Add(field.Name, IssueCodes.InvalidFormat, "expected an ISO 3166-1 code of two letters");
    }

    private static double? Number(ref Utf8JsonReader reader, Field field, FieldContext context, int max)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType != JsonTokenType.Number)
        {
            reader.Skip();
            context.Add(field.Name, IssueCodes.ExpectedNumber, $"expected a number from 0 to {max}");
            return null;
        }
        if (reader.TryGetDouble(out var number) && number >= 0 && number <= max) return number;
        context.Add(field.Name, IssueCodes.OutOfRange, $"expected a number from 0 to {max}");
        return null;
    }

    private static string? Read(ref Utf8JsonReader reader, Field field, FieldContext context, int min, int max)
    {
        if (reader.TokenType == JsonTokenType.Null) return null;
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            context.Add(field.Name, IssueCodes.ExpectedString, $"expected a string of at most {max} characters");
            return null;
        }
        if (reader.ValueIsEscaped && !JsonText.IsStorable(reader.ValueSpan))
        {
            context.Add(field.Name, IssueCodes.InvalidCharacters, "NUL and unpaired surrogates are not allowed");
            return null;
        }
        // A character takes at most 12 bytes, as a pair of \uXXXX escapes: a text of megabytes is refused unread.
        var text = reader.ValueSpan.Length <= 12 * max ? reader.GetString()! : null;
        if (text is null || Characters(text, max) > max)
        {
            context.Add(field.Name, IssueCodes.TooLong, $"expected a string of at most {max} characters");
            return null;
        }
        if (text.Length < min && Characters(text, max) < min)
        {
            context.Add(field.Name, IssueCodes.TooShort, $"expected a string of at least {min} character{(min == 1 ? "" : "s")}");
            return null;
        }
        return text;
    }

    private static int Characters(string text, int max)
    {
        if (text.Length <= max) return text.Length;
        var n = text.Length;
        foreach (var c in text)
        {
            if (char.IsLowSurrogate(c)) n--;
        }
        return n;
    }

    private static bool HasControl(string text)
    {
        foreach (var c in text)
        {
            if (char.IsControl(c)) return true;
        }
        return false;
    }
}
