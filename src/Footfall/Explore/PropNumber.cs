namespace Footfall.Explore;

/// <summary>
/// Which values of a prop are summed, and how exactly: numbers with up to 12 digits before the point, also those that were sent as text, each
/// rounded to six decimals, halves away from zero. As whole millionths their sums are exact, whatever the order.
/// </summary>
internal static class PropNumber
{
    public const int Decimals = 6;
    private const int MostDigits = 12;

    /// <summary>For PostgreSQL, which writes JSON numbers without an exponent.</summary>
    public const string Pattern = "^-?[0-9]{1,12}([.][0-9]+)?$";

    /// <summary>The same for the text that PostgreSQL gives of a prop: millionths; null where it is no number.</summary>
    public static long? Millionths(string text)
    {
        const long one = 1_000_000;
        var rest = text.AsSpan();
        var negative = rest.Length > 0 && rest[0] == '-';
        if (negative) rest = rest[1..];
        var point = rest.IndexOf('.');
        var whole = point < 0 ? rest : rest[..point];
        var decimals = point < 0 ? default : rest[(point + 1)..];
        if (whole.Length is 0 or > MostDigits || whole.ContainsAnyExceptInRange('0', '9') || (point >= 0 && decimals.Length == 0) || decimals.ContainsAnyExceptInRange('0', '9')) return null;
        var value = 0L;
        foreach (var digit in whole) value = (value * 10) + (digit - '0');
        value *= one;
        var place = one;
        for (var i = 0; i < Math.Min(decimals.Length, Decimals); i++) value += (decimals[i] - '0') * (place /= 10);
        if (decimals.Length > Decimals && decimals[Decimals] >= '5') value++;
        return negative ? -value : value;
    }

    /// <summary>The double that is nearest to so many millionths.</summary>
    public static double Value(Int128 millionths)
    {
        const long exact = 1L << 53;
        var magnitude = Int128.Abs(millionths);
        if (magnitude <= exact) return (double)(long)millionths / 1_000_000;   // both are exact doubles: the division rounds once
        return double.Parse($"{(millionths < 0 ? "-" : "")}{magnitude / 1_000_000}.{(int)(magnitude % 1_000_000):000000}", System.Globalization.CultureInfo.InvariantCulture);
    }
}
