namespace Footfall.Explore;

/// <summary>An inclusive window of UTC days.</summary>
internal readonly record struct DayRange(DateOnly From, DateOnly To)
{
    /// <summary>Windows lie between these days: before there was nothing to count, and PostgreSQL and .NET agree on every instant between.</summary>
    public static readonly DateOnly Earliest = new(1970, 1, 1);

    public static readonly DateOnly Latest = new(2999, 12, 31);

    /// <summary>The longest window: five years.</summary>
    public const int MaxDays = 5 * 366;

    public int Days => To.DayNumber - From.DayNumber + 1;

    public DateTimeOffset Start => Midnight(From);

    /// <summary>Not itself in the window.</summary>
    public DateTimeOffset End => Midnight(To).AddDays(1);

    /// <summary>The window moved by whole days; null when that leads out of the calendar.</summary>
    public DayRange? Moved(int days) =>
        From.DayNumber + days < Earliest.DayNumber || To.DayNumber + days > Latest.DayNumber ? null : new DayRange(From.AddDays(days), To.AddDays(days));

    private static DateTimeOffset Midnight(DateOnly day) => new(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
}
