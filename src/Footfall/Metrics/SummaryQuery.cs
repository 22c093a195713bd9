using System.Globalization;

namespace Footfall.Metrics;

/// <summary>An inclusive window of UTC days.</summary>
internal readonly record struct Window(DateOnly From, DateOnly To)
{
    public int Days => To.DayNumber - From.DayNumber + 1;
}

/// <summary>What a summary is asked for.</summary>
/// <param name="CompareTo">A window of equal length; null when no comparison was asked for.</param>
/// <param name="ByWindowDays">Asked with window_days: the form that public properties answer without a key.</param>
internal sealed record SummaryQuery(string PropertyId, Window Window, Window? CompareTo, bool ByWindowDays)
{
    /// <summary>The longest window: five years.</summary>
    public const int MaxDays = 5 * 366;

    /// <summary>Reads the query string. Returns the query, or the error to answer with 400.</summary>
    public static (SummaryQuery? Query, ErrorBody? Error) Parse(IQueryCollection values, string defaultProperty, DateOnly today)
    {
        var property = One("propertyId");
        if (property is null) property = defaultProperty;
        else if (property.Length is 0 or > 64) return Bad("propertyId", "propertyId must have 1 to 64 characters.");

        Window window;
        var windowDays = One("window_days");
        if (windowDays is not null)
        {
            if (One("from") is not null || One("to") is not null) return Bad("window_days", "Give either window_days or from and to, not both.");
            if (!int.TryParse(windowDays, NumberStyles.None, CultureInfo.InvariantCulture, out var days) || days is < 1 or > MaxDays)
            {
                return Bad("window_days", $"window_days must be a whole number from 1 to {MaxDays}.");
            }
            window = new Window(today.AddDays(1 - days), today);
        }
        else
        {
            if (!TryDay("to", out var to)) return Bad("to", "to must be a day such as 2026-02-13.");
            if (!TryDay("from", out var from)) return Bad("from", "from must be a day such as 2026-01-14.");
            var last = to ?? (from is { } f && f > today ? f : today);
            window = new Window(from ?? (last.DayNumber >= 29 ? last.AddDays(-29) : DateOnly.MinValue), last);
            if (window.From > window.To) return Bad("from", "from must not be after to.");
            if (window.Days > MaxDays) return Bad("from", $"The window has {window.Days} days; at most {MaxDays} can be asked for at once.");
        }

        Window? comparison = null;
        switch (One("compareTo"))
        {
            case null or "":
                break;
            case "previous_period":
                comparison = Shifted(-window.Days);
                break;
            case "previous_year":
                comparison = Shifted(-364);   // whole weeks, so that weekdays match
                break;
            case var day when DateOnly.TryParseExact(day, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var first):
                comparison = first.DayNumber + window.Days - 1 > DateOnly.MaxValue.DayNumber ? null : new Window(first, first.AddDays(window.Days - 1));
                break;
            default:
                return Bad("compareTo", "compareTo must be previous_period, previous_year or the first day of the window to compare with, such as 2025-12-14.");
        }
        if (comparison is null && One("compareTo") is { Length: > 0 }) return Bad("compareTo", "The window to compare with lies outside the calendar.");
        return (new SummaryQuery(property, window, comparison, windowDays is not null), null);

        string? One(string name) => values.TryGetValue(name, out var given) ? given[^1] ?? "" : null;

        bool TryDay(string name, out DateOnly? day)
        {
            day = null;
            if (One(name) is not { } text) return true;
            if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var parsed)) return false;
            day = parsed;
            return true;
        }

        Window? Shifted(int days) => window.From.DayNumber + days < 0 ? null : new Window(window.From.AddDays(days), window.To.AddDays(days));

        static (SummaryQuery?, ErrorBody?) Bad(string parameter, string message) => (null, new ErrorBody("invalid_parameter", message, parameter));
    }
}
