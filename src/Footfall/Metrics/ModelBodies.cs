using System.Text.Json.Serialization;

namespace Footfall.Metrics;

/// <summary>The answer of GET /v1/metrics/experiments.</summary>
/// <param name="Days">The day rows, by day of assignment.</param>
/// <param name="Analysis">Of the experiment asked for, over all days in which it ran; null when none was named, or it is not defined.</param>
internal sealed record ExperimentsBody(WindowBody Window, IReadOnlyList<ExperimentDayRow> Days, ExperimentAnswer? Analysis)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>The answer of GET /v1/metrics/funnels.</summary>
/// <param name="Funnels">The window's sums: overall, then per variant of each experiment.</param>
/// <param name="Days">The day rows.</param>
internal sealed record FunnelsBody(WindowBody Window, IReadOnlyList<FunnelAnswer> Funnels, IReadOnlyList<FunnelDayRow> Days)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>The answer of GET /api/analytics/time-series.</summary>
/// <param name="Points">Ascending; pieces of time without a view are left out.</param>
internal sealed record EntitySeriesBody(
    [property: JsonPropertyName("entity_type")] string EntityType, [property: JsonPropertyName("entity_id")] string EntityId,
    [property: JsonPropertyName("date_from")] DateOnly From, [property: JsonPropertyName("date_to")] DateOnly To, string Period, IReadOnlyList<EntityPointBody> Points)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="AvgTimeOnPage">Seconds; null when no view has any engaged time.</param>
/// <param name="BounceRate">Percent with two decimals; null when no session entered on the entity.</param>
internal sealed record EntityPointBody(
    DateTimeOffset Start, [property: JsonPropertyName("total_views")] long TotalViews, [property: JsonPropertyName("unique_visitors")] int UniqueVisitors,
    [property: JsonPropertyName("unique_accounts")] int UniqueAccounts, [property: JsonPropertyName("anonymous_visitors")] int AnonymousVisitors,
    [property: JsonPropertyName("avg_time_on_page")] double? AvgTimeOnPage, [property: JsonPropertyName("bounce_rate")] decimal? BounceRate);

/// <summary>The answer of GET /api/analytics/visitors.</summary>
internal sealed record EntityVisitorsBody(
    [property: JsonPropertyName("entity_type")] string EntityType, [property: JsonPropertyName("entity_id")] string EntityId,
    [property: JsonPropertyName("date_from")] DateOnly From, [property: JsonPropertyName("date_to")] DateOnly To,
    IReadOnlyList<EntityVisitorBody> Visitors, [property: JsonPropertyName("next_cursor")] string? NextCursor)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="AccountId">Null for an anonymous visitor.</param>
/// <param name="AvgTimeOnPage">Seconds; null when no view has any engaged time.</param>
/// <param name="Visits">The newest, newest first.</param>
internal sealed record EntityVisitorBody(
    [property: JsonPropertyName("account_id")] string? AccountId, string? Username, [property: JsonPropertyName("display_name")] string? DisplayName,
    [property: JsonPropertyName("visit_count")] long VisitCount, [property: JsonPropertyName("first_visit")] DateTimeOffset FirstVisit, [property: JsonPropertyName("last_visit")] DateTimeOffset LastVisit,
    [property: JsonPropertyName("avg_time_on_page")] double? AvgTimeOnPage, [property: JsonPropertyName("days_visited")] int DaysVisited, IReadOnlyList<EntityVisitBody> Visits);

internal sealed record EntityVisitBody([property: JsonPropertyName("viewed_at")] DateTimeOffset ViewedAt, [property: JsonPropertyName("referrer_url")] string? ReferrerUrl);
