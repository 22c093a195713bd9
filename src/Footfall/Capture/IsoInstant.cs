namespace Footfall.Capture;

/// <summary>ISO 8601 instants as clients write them: <c>YYYY-MM-DDThh:mm[:ss[.fraction]]</c> and a zone, <c>Z</c> or <c>±hh[[:]mm]</c>.</summary>
internal static class IsoInstant
{
    /// <summary>The instant in UTC, cut to whole microseconds, which is what PostgreSQL keeps.</summary>
    public static bool TryParse(ReadOnlySpan<char> text, out DateTimeOffset instant)
    {
        instant = default;
        var p = new Parser(text);
        if (!p.Digits(4, out var year) || !p.Char('-') || !p.Digits(2, out var month) || !p.Char('-') || !p.Digits(2, out var day)) return false;
        if (!p.Char('T') && !p.Char('t') && !p.Char(' ')) return false;
        if (!p.Digits(2, out var hour) || !p.Char(':') || !p.Digits(2, out var minute)) return false;
        var second = 0;
        var fraction = 0L;
        if (p.Char(':'))
        {
            if (!p.Digits(2, out second)) return false;
            if ((p.Char('.') || p.Char(',')) && !p.Fraction(out fraction)) return false;
        }
        if (!p.Zone(out var offset) || !p.AtEnd) return false;
        if (year < 1 || month is < 1 or > 12 || day < 1 || day > DateTime.DaysInMonth(year, month) || hour > 23 || minute > 59 || second > 59) return false;
        var ticks = new DateTime(year, month, day, hour, minute, second, DateTimeKind.Utc).Ticks
            + (fraction * TimeSpan.TicksPerMicrosecond) - (offset * TimeSpan.TicksPerMinute);
        if (ticks < DateTime.MinValue.Ticks || ticks > DateTime.MaxValue.Ticks) return false;
        instant = new DateTimeOffset(ticks, TimeSpan.Zero);
        return true;
    }

    private ref struct Parser(ReadOnlySpan<char> text)
    {
        private ReadOnlySpan<char> rest = text;

        public readonly bool AtEnd => rest.IsEmpty;

        public bool Char(char c)
        {
            if (rest.IsEmpty || rest[0] != c) return false;
            rest = rest[1..];
            return true;
        }

        public bool Digits(int n, out int value)
        {
            value = 0;
            if (rest.Length < n) return false;
            for (var i = 0; i < n; i++)
            {
                if (!char.IsAsciiDigit(rest[i])) return false;
                value = (value * 10) + rest[i] - '0';
            }
            rest = rest[n..];
            return true;
        }

        /// <summary>One digit or more; microseconds, the rest cut off.</summary>
        public bool Fraction(out long microseconds)
        {
            microseconds = 0;
            var n = 0;
            while (n < rest.Length && char.IsAsciiDigit(rest[n]))
            {
                if (n < 6) microseconds = (microseconds * 10) + rest[n] - '0';
                n++;
            }
            for (var i = n; i < 6; i++) microseconds *= 10;
            rest = rest[n..];
            return n > 0;
        }

        /// <summary>Minutes east of UTC.</summary>
        public bool Zone(out int minutes)
        {
            minutes = 0;
            if (Char('Z') || Char('z')) return true;
            var sign = Char('+') ? 1 : Char('-') ? -1 : 0;
            if (sign == 0 || !Digits(2, out var h)) return false;
            var m = 0;
            if (!rest.IsEmpty)
            {
                Char(':');
                if (!Digits(2, out m)) return false;
            }
            if (h > 18 || m > 59) return false;
            minutes = sign * ((h * 60) + m);
            return true;
        }
    }
}
