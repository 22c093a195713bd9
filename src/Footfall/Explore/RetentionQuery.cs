namespace Footfall.Explore;

/// <summary>
/// Who comes back, as a value. The unit is the visitor: whose cohort is the piece of time of the visitor's first event in the window of
/// which <paramref name="Entry"/> holds, and who counts in each piece of the window in which there is, at that event or later, an event
/// of which <paramref name="Return"/> holds.
/// </summary>
/// <param name="Per">Day, week (from Monday) or month.</param>
/// <param name="Entry">All must hold of one and the same event; none: any event.</param>
/// <param name="Return">As <paramref name="Entry"/>.</param>
/// <param name="Filters">Of every event that is looked at.</param>
internal sealed record RetentionQuery(string PropertyId, DayRange Window, Interval Per, IReadOnlyList<Filter> Entry, IReadOnlyList<Filter> Return, IReadOnlyList<Filter> Filters)
{
    /// <summary>Pieces of time: the grid has half as many cells as their square.</summary>
    public const int MostPieces = 100;
}

/// <param name="Start">Of the cohort's piece of time.</param>
/// <param name="Returned">By how many pieces later, those with anybody.</param>
internal sealed record Cohort(DateTimeOffset Start, long Visitors, IReadOnlyDictionary<DateTimeOffset, long> Returned);
