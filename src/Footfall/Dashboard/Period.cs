using System.Globalization;
using Footfall.Explore;

namespace Footfall.Dashboard;

/// <summary>The days that a page is about, what they are compared with, and what both are called.</summary>
/// <param name="Key">Of a preset, as the address has it; null for days that were picked.</param>
/// <param name="CompareTo">Null without a comparison.</param>
internal sealed record Period(string? Key, string Label, DayRange Days, string Comparison, DayRange? CompareTo)
{
    public const string Usual = "30d";
    public const string PreviousPeriod = "previous_period", PreviousYear = "previous_year", None = "none";

    /// <summary>Every preset, with the key that picks it.</summary>
    public static IReadOnlyList<(string Key, string Label, string Shortcut)> Presets { get; } =
    [
        ("today", "Today", "d"), ("yesterday", "Yesterday", ""), ("7d", "Last 7 days", "w"), (Usual, "Last 30 days", "m"), ("90d", "Last 90 days", "q"),
        ("365d", "Last 12 months", "y"), ("month", "This month", ""), ("last_month", "Last month", ""), ("year", "This year", ""),
    ];

    public static IReadOnlyList<(string Key, string Label)> Comparisons { get; } =
        [(PreviousPeriod, "vs previous period"), (PreviousYear, "vs previous year"), (None, "No comparison")];

    public string ComparisonLabel => Comparisons.First(c => c.Key == Comparison).Label;

    /// <summary>Whether the last day is not over.</summary>
    public bool IsSoFar(DateOnly today) => Days.To >= today;

    /// <summary>What the address asks for, or a sentence that says what is wrong with it.</summary>
    public static (Period Period, string? Problem) Read(Address address, DateOnly today)
    {
        var usual = Of(Usual, DaysOf(Usual, today)!.Value, PreviousPeriod);
        var comparison = address["compare"] ?? PreviousPeriod;
        if (Comparisons.All(c => c.Key != comparison)) return (usual, $"compare must be one of {string.Join(", ", Comparisons.Select(c => c.Key))}.");
        if (address["from"] is null && address["to"] is null)
        {
            var key = address["period"] ?? Usual;
            return DaysOf(key, today) is { } days ? (Of(key, days, comparison), null) : (usual, $"period must be one of {string.Join(", ", Presets.Select(p => p.Key))}, or be replaced by from and to.");
        }
        if (!TryDay(address["from"], out var from) || !TryDay(address["to"], out var to)) return (usual, "from and to must both be days such as 2026-02-13.");
        if (from > to) return (usual, $"The first day, {from:yyyy-MM-dd}, comes after the last, {to:yyyy-MM-dd}.");
        var picked = new DayRange(from, to);
        if (picked.Days > DayRange.MaxDays) return (usual, $"There are {picked.Days} days from {from:yyyy-MM-dd} to {to:yyyy-MM-dd}; at most {DayRange.MaxDays} can be shown at once.");
        return (Of(null, picked, comparison), null);
    }

    /// <summary>"3 Nov", with the year where it is not this one.</summary>
    public static string Text(DateOnly day, DateOnly today) => day.ToString(day.Year == today.Year ? "d MMM" : "d MMM yyyy", CultureInfo.InvariantCulture);

    public static string Text(DayRange days, DateOnly today) => days.Days == 1 ? Text(days.From, today)
        : days.From.Year == days.To.Year ? $"{days.From.ToString(days.From.Month == days.To.Month ? "%d" : "d MMM", CultureInfo.InvariantCulture)} - {Text(days.To, today)}"
        : $"{days.From.ToString("d MMM yyyy", CultureInfo.InvariantCulture)} - {days.To.ToString("d MMM yyyy", CultureInfo.InvariantCulture)}";

    /// <summary>These days beside as many before them.</summary>
    public static Period Of(DayRange days) => Of(null, days, PreviousPeriod);

    private static Period Of(string? key, DayRange days, string comparison)
    {
        var label = key is null ? $"{days.From:yyyy-MM-dd} to {days.To:yyyy-MM-dd}" : Presets.First(p => p.Key == key).Label;
        var then = comparison switch
        {
            PreviousPeriod => days.Moved(-days.Days),
            PreviousYear => days.Moved(-364),   // whole weeks, so that weekdays match
            _ => null,
        };
        return new Period(key, label, days, comparison, then);
    }

    private static DayRange? DaysOf(string key, DateOnly today)
    {
        var month = new DateOnly(today.Year, today.Month, 1);
        return key switch
        {
            "today" => new DayRange(today, today),
            "yesterday" => new DayRange(today.AddDays(-1), today.AddDays(-1)),
            "7d" => new DayRange(today.AddDays(-6), today),
            "30d" => new DayRange(today.AddDays(-29), today),
            "90d" => new DayRange(today.AddDays(-89), today),
            "365d" => new DayRange(today.AddDays(-364), today),
            "month" => new DayRange(month, today),
            "last_month" => new DayRange(month.AddMonths(-1), month.AddDays(-1)),
            "year" => new DayRange(new DateOnly(today.Year, 1, 1), today),
            _ => null,
        };
    }

    private static bool TryDay(string? text, out DateOnly day) =>
        DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out day) && day >= DayRange.Earliest && day <= DayRange.Latest;
}
