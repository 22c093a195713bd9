namespace Footfall.Capture;

/// <summary>JSON strings that PostgreSQL cannot hold: its text has no NUL, and its JSON no half of a surrogate pair.</summary>
internal static class JsonText
{
    /// <summary>False when the escapes of a JSON string's raw bytes stand for NUL or for a lone surrogate. (In raw bytes neither occurs: the first is no JSON, the second no UTF-8.)</summary>
    public static bool IsStorable(ReadOnlySpan<byte> escaped)
    {
        var highBefore = false;     // the escape just before was a high surrogate, which needs a low one now
        var i = 0;
        while (i < escaped.Length)
        {
            if (escaped[i] != '\\')
            {
                if (highBefore) return false;
                i++;
                continue;
            }
            if (escaped[i + 1] != 'u')
            {
                if (highBefore) return false;
                i += 2;
                continue;
            }
            var unit = HexValue(escaped.Slice(i + 2, 4));
            if (unit == 0) return false;
            var isLow = unit is >= 0xDC00 and <= 0xDFFF;
            if (isLow != highBefore) return false;
            highBefore = unit is >= 0xD800 and <= 0xDBFF;
            i += 6;
        }
        return !highBefore;
    }

    private static int HexValue(ReadOnlySpan<byte> digits)
    {
        var value = 0;
        foreach (var d in digits) value = (value << 4) | (d <= '9' ? d - '0' : (d | 0x20) - 'a' + 10);
        return value;
    }
}
