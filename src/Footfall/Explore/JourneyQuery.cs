namespace Footfall.Explore;

/// <summary>
/// Where people go from a page and where they come from, as a value. Looked at are the page views of the window, session by session in
/// the order of time (of the same instant, of their paths), those of the same page one after the other as one (a page that is loaded anew goes nowhere).
/// </summary>
/// <param name="Path">The page, as the dimension <c>path</c> has it.</param>
/// <param name="Steps">Pages that paths go on for, at most <see cref="MostSteps"/>.</param>
/// <param name="Filters">Facts of sessions only: without single events a way would have holes.</param>
internal sealed record JourneyQuery(string PropertyId, DayRange Window, string Path, int Steps, IReadOnlyList<Filter> Filters)
{
    public const int MostSteps = 5;
    public const int UsualSteps = 3;
    public const int MostRows = 100;
    public const int UsualRows = 10;

    /// <summary>Rows of each list.</summary>
    public int Limit { get; init; } = UsualRows;
}

/// <param name="Path">Null for none: the session ended, or began, there.</param>
/// <param name="Views">How often.</param>
/// <param name="Sessions">In how many sessions.</param>
internal sealed record JourneyNeighbour(string? Path, long Views, long Sessions);

/// <param name="Pages">From the page's first view in the session on; shorter than asked for where the session ended.</param>
internal sealed record JourneyPath(IReadOnlyList<string> Pages, long Sessions);

/// <summary>Lists are ordered by sessions (neighbours: by views), then by path.</summary>
internal sealed record JourneyResult(long Views, long Sessions, IReadOnlyList<JourneyNeighbour> Next, IReadOnlyList<JourneyNeighbour> Previous, IReadOnlyList<JourneyPath> Paths);
