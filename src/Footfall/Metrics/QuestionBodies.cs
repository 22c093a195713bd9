using System.Text.Json;
using System.Text.Json.Serialization;

namespace Footfall.Metrics;

/// <summary>The body of POST /v1/metrics/funnel, as the document describes it; Explore's readers read it. All but steps may be left out.</summary>
/// <param name="Property">The key's own, else the default one, when left out.</param>
/// <param name="From">First day (UTC). Without from and to: the last 30 days.</param>
/// <param name="To">Last day (UTC), itself included.</param>
/// <param name="WindowDays">Instead of from and to: the last N days, today included.</param>
/// <param name="Steps">2 to 20, in their order.</param>
/// <param name="WindowHours">From the first step to the last, 1 to 720; 24 when left out.</param>
/// <param name="Filters">Of every event that is looked at.</param>
/// <param name="By">A dimension to group by.</param>
/// <param name="Experiment">Instead: an experiment by whose variants to group.</param>
/// <param name="Limit">Groups, 1 to 1000; 100 when left out.</param>
/// <param name="Format">json or csv.</param>
/// <param name="Bom">CSV begins with a byte order mark.</param>
internal sealed record FunnelRequest(
    string? Property, DateOnly? From, DateOnly? To, int? WindowDays, IReadOnlyList<FunnelRequestStep> Steps, int? WindowHours,
    IReadOnlyList<FilterRequest>? Filters, string? By, string? Experiment, int? Limit, string? Format, bool? Bom);

/// <summary>What an event must be like to be of the step; at least one of the members beside the name.</summary>
/// <param name="EventType">An event type, or an array of them.</param>
/// <param name="Path">A page, whatever its query; one that ends in * is a beginning.</param>
/// <param name="Goal">The name of one of the property's goals.</param>
/// <param name="Props">Texts that props have.</param>
internal sealed record FunnelRequestStep(string? Name, JsonElement? EventType, string? Path, string? Goal, IReadOnlyDictionary<string, string>? Props, IReadOnlyList<FilterRequest>? Filters);

/// <summary>A condition: a dimension, an operator (is, is_not, contains, matches, any_of), and value or values (texts, or null for none).</summary>
internal sealed record FilterRequest(string Dimension, string Operator, string? Value, IReadOnlyList<string?>? Values);

/// <summary>The body of POST /v1/metrics/query, as the document describes it. All may be left out.</summary>
/// <param name="Dimension">Groups by its values.</param>
/// <param name="Interval">Instead: hour, day, week, month. With neither the answer is the totals.</param>
/// <param name="Limit">Rows of a page; goes with dimension, as cursor does.</param>
internal sealed record QueryRequest(
    string? Property, DateOnly? From, DateOnly? To, int? WindowDays, IReadOnlyList<string>? Metrics, string? Dimension, string? Interval,
    IReadOnlyList<FilterRequest>? Filters, string? CompareTo, int? Limit, string? Cursor, string? Format, bool? Bom);

/// <summary>The answer of POST /v1/metrics/query: that of a breakdown or a time series, with null for what was not asked for.</summary>
internal sealed record QueryBody(
    WindowBody Window, WindowBody? CompareTo, string? Dimension, string? Interval, IReadOnlyList<string> Metrics, IReadOnlyDictionary<string, Figure> Totals,
    IReadOnlyList<BreakdownRow>? Rows, IReadOnlyList<TimePoint>? Points, IReadOnlyList<TimePoint>? ComparisonPoints, string? NextCursor, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>The answer of POST /v1/metrics/funnel.</summary>
/// <param name="By">The dimension, or experiment:ID; null when no groups were asked for.</param>
/// <param name="Steps">Of all visitors.</param>
/// <param name="Groups">The same of each group, the largest first; null when none were asked for.</param>
/// <param name="HasMoreGroups">There are more than the limit.</param>
/// <param name="Engine">What computed it: segments or sql.</param>
/// <param name="CompleteFrom">As in a breakdown.</param>
internal sealed record AdHocFunnelBody(
    WindowBody Window, int WindowHours, string? By, IReadOnlyList<AdHocFunnelStep> Steps, IReadOnlyList<AdHocFunnelGroup>? Groups, bool HasMoreGroups, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="Visitors">Who reached the step.</param>
/// <param name="FromPrevious">Share of those of the step before; null for the first, and where there is nobody.</param>
/// <param name="FromFirst">Share of those who entered; null where nobody did.</param>
/// <param name="DropOff">Who reached the step before and not this one; null for the first.</param>
/// <param name="MedianSeconds">From the step before, over those who reached this one; null for the first, and where nobody did.</param>
internal sealed record AdHocFunnelStep(string Name, int Index, long Visitors, double? FromPrevious, double? FromFirst, long? DropOff, double? MedianSeconds);

/// <param name="Value">Null for those without one; of an experiment, those not assigned.</param>
internal sealed record AdHocFunnelGroup(string? Value, IReadOnlyList<AdHocFunnelStep> Steps);

/// <summary>The answer of GET /v1/metrics/retention.</summary>
/// <param name="Cohorts">One per piece of time, the empty ones too.</param>
/// <param name="Engine">What computed it: segments or sql.</param>
/// <param name="CompleteFrom">As in a breakdown.</param>
internal sealed record RetentionBody(WindowBody Window, string Interval, IReadOnlyList<CohortBody> Cohorts, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="Start">The piece's first day.</param>
/// <param name="Visitors">Whose first entry in the window was in this piece.</param>
/// <param name="Incomplete">The window cuts the piece short, or it is not over.</param>
/// <param name="Cells">By how many pieces later, from 0, up to the window's end.</param>
internal sealed record CohortBody(DateOnly Start, long Visitors, bool Incomplete, IReadOnlyList<CohortCell> Cells);

/// <param name="Visitors">Of the cohort, who came back in the piece.</param>
/// <param name="Share">Of the cohort; null where it is empty.</param>
/// <param name="Incomplete">The piece is not over, or the window ends in it: more may come.</param>
internal sealed record CohortCell(int Offset, long Visitors, double? Share, bool Incomplete);

/// <summary>The answer of GET /v1/metrics/journeys.</summary>
/// <param name="Views">Views of the page, those one after the other as one.</param>
/// <param name="Sessions">With such a view.</param>
/// <param name="Next">Where they went, the most frequent first; null: the session ended there.</param>
/// <param name="Previous">Where they came from; null: the session began there.</param>
/// <param name="Paths">From the page's first view in each session on.</param>
/// <param name="Engine">What computed it: segments or sql.</param>
/// <param name="CompleteFrom">As in a breakdown.</param>
internal sealed record JourneysBody(
    WindowBody Window, string Path, long Views, long Sessions, IReadOnlyList<NeighbourRow> Next, IReadOnlyList<NeighbourRow> Previous, IReadOnlyList<PathRow> Paths, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="Share">Of the page's views.</param>
internal sealed record NeighbourRow(string? Path, long Views, long Sessions, double Share);

/// <param name="Pages">The page first.</param>
/// <param name="Ended">The session ended with the last of them.</param>
/// <param name="Share">Of the sessions.</param>
internal sealed record PathRow(IReadOnlyList<string> Pages, bool Ended, long Sessions, double Share);
