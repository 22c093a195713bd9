using System.Text.Json.Serialization;

namespace Footfall.Metrics;

/// <summary>The answer of GET /v1/metrics/summary.</summary>
internal sealed record Summary(
    WindowBody Window, WindowBody? CompareTo, FreshnessBody Freshness, SummaryMetrics Metrics, IngestBody Ingest, IReadOnlyList<TrendDay> Trend)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

internal sealed record WindowBody(DateOnly From, DateOnly To);

/// <param name="RolledUpThrough">The last day up to which every day is rolled up and closed.</param>
/// <param name="LagDays">Today minus that day.</param>
/// <param name="GeneratedAt">When the newest row used was written; null when there was none.</param>
internal sealed record FreshnessBody(DateOnly RolledUpThrough, int LagDays, DateTimeOffset? GeneratedAt);

/// <param name="Value">Null when it is undefined: a ratio of which nothing could be the denominator.</param>
/// <param name="Delta">(current - comparison) / comparison; null without a comparison, or when that is 0.</param>
internal sealed record Figure(double? Value, double? Delta);

/// <summary>Formulas: docs/definitions.md. Rates, percentages and shares are fractions (0.25 is a quarter).</summary>
internal sealed record SummaryMetrics(
    Figure UniqueVisitors, Figure ReturningVisitorsPct, Figure TotalPageViews, Figure LeadCaptureRate, Figure FormCompletionRate,
    Figure LandingPageConversionRate, Figure AvgTimeToFirstCaptureHrs, Figure BounceRate, Figure AvgVisitDurationSec, Figure Sessions,
    IReadOnlyDictionary<string, double> TrafficSourceMix);

internal sealed record IngestBody(double? SuccessPct, int? P95TtfbMs, long TotalEventsAccepted, long TotalEventsRejected);

internal sealed record TrendDay(DateOnly Day, int UniqueVisitors, long PageViews, int NewLeads);

/// <summary>What a public property tells anyone: totals, and nothing of leads or operation.</summary>
internal sealed record PublicSummary(WindowBody Window, FreshnessBody Freshness, PublicMetrics Metrics)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

internal sealed record PublicMetrics(Figure UniqueVisitors, Figure TotalPageViews, Figure Sessions, Figure BounceRate, Figure AvgVisitDurationSec);
