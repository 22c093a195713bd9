namespace Footfall.Explore;

/// <summary>
/// Who goes which way, as a value. The unit is the visitor. Every event of step 1 in the window begins an attempt; an attempt reaches
/// step k with the first event of step k at or after reaching step k-1, within <paramref name="WindowHours"/> of its beginning (the
/// instant exactly so many hours later included), also when that is behind the window. Of a visitor's attempts the one that comes
/// furthest counts, of several such the first (of the same instant, that of the first group): a visitor counts once, and users per step never increase.
/// </summary>
/// <param name="Filters">Of every event that is looked at.</param>
/// <param name="By">Groups by what the dimension is at the event with which the counted attempt began; null for none.</param>
/// <param name="Experiment">Instead: groups by the variant that the visitor, or the visitor's account, had been assigned to by the end of the day on which the counted attempt began.</param>
internal sealed record FunnelQuery(string PropertyId, DayRange Window, IReadOnlyList<FunnelQueryStep> Steps, int WindowHours, IReadOnlyList<Filter> Filters, Dimension? By, string? Experiment)
{
    public const int MostSteps = 20;
    public const int MostHours = 30 * 24;
    public const int UsualHours = 24;

    /// <summary>Conditions of all steps together: what one question can have a server compare for each event.</summary>
    public const int MostConditions = 60;

    /// <summary>Groups at most.</summary>
    public int Limit { get; init; } = QueryReader.UsualLimit;
}

/// <param name="Filters">All must hold of one and the same event.</param>
internal sealed record FunnelQueryStep(string Name, IReadOnlyList<Filter> Filters);

/// <param name="Visitors">Who reached each step.</param>
/// <param name="MedianSeconds">From each step to the next, over those who reached the next; one shorter than <paramref name="Visitors"/>. Null where nobody did.</param>
internal sealed record FunnelCounts(string? Key, long[] Visitors, double?[] MedianSeconds);

/// <param name="Groups">The largest first; empty when no groups were asked for.</param>
/// <param name="HasMore">There are more groups than were asked for.</param>
internal sealed record FunnelResult(FunnelCounts Overall, IReadOnlyList<FunnelCounts> Groups, bool HasMore);
