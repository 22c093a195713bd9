namespace Footfall.Cli.Import;

/// <summary>The time of the text formats: <c>17/May/2015:10:05:03 +0000</c>.</summary>
internal static class LogTime
{
    public const int Length = 26;

    /// <summary>Reads the first <see cref="Length"/> bytes. A leap second counts as the second before it.</summary>
    public static bool TryParse(ReadOnlySpan<byte> text, out DateTimeOffset time)
    {
        time = default;
        if (text.Length < Length || text[2] != '/' || text[6] != '/' || text[11] != ':' || text[14] != ':' || text[17] != ':' || text[20] != ' ') return false;
        if (text[21] is not ((byte)'+' or (byte)'-')) return false;
        if (!TryNumber(text[..2], out var day) || !TryNumber(text[7..11], out var year)
            || !TryNumber(text[12..14], out var hour) || !TryNumber(text[15..17], out var minute) || !TryNumber(text[18..20], out var second)
            || !TryNumber(text[22..24], out var zoneHours) || !TryNumber(text[24..26], out var zoneMinutes)) return false;
        var month = Month(text[3..6]);
        if (month == 0 || year is < 1970 or > 9998 || day < 1 || day > DateTime.DaysInMonth(year, month)) return false;
        if (hour > 23 || minute > 59 || second > 60 || zoneHours > 14 || zoneMinutes > 59) return false;

        var ahead = new TimeSpan(zoneHours, zoneMinutes, 0);
        var local = new DateTime(year, month, day, hour, minute, Math.Min(second, 59), DateTimeKind.Utc);
        time = new DateTimeOffset(text[21] == '-' ? local + ahead : local - ahead, TimeSpan.Zero);
        return true;
    }

    private static int Month(ReadOnlySpan<byte> name) => ((name[0] | 0x20) << 16 | (name[1] | 0x20) << 8 | (name[2] | 0x20)) switch
    {
        'j' << 16 | 'a' << 8 | 'n' => 1,
        'f' << 16 | 'e' << 8 | 'b' => 2,
        'm' << 16 | 'a' << 8 | 'r' => 3,
        'a' << 16 | 'p' << 8 | 'r' => 4,
        'm' << 16 | 'a' << 8 | 'y' => 5,
        'j' << 16 | 'u' << 8 | 'n' => 6,
        'j' << 16 | 'u' << 8 | 'l' => 7,
        'a' << 16 | 'u' << 8 | 'g' => 8,
        's' << 16 | 'e' << 8 | 'p' => 9,
        'o' << 16 | 'c' << 8 | 't' => 10,
        'n' << 16 | 'o' << 8 | 'v' => 11,
        'd' << 16 | 'e' << 8 | 'c' => 12,
        _ => 0,
    };

    private static bool TryNumber(ReadOnlySpan<byte> digits, out int number)
    {
        number = 0;
        foreach (var d in digits)
        {
            if (d is < (byte)'0' or > (byte)'9') return false;
            number = number * 10 + d - '0';
        }
        return true;
    }
}
