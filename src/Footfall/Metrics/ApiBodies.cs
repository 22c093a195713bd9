using System.Text.Json.Serialization;

namespace Footfall.Metrics;

/// <summary>The answer of GET /v1/metrics/breakdown.</summary>
/// <param name="Dimension">As asked.</param>
/// <param name="Metrics">As asked; rows are ordered by the first, the largest first.</param>
/// <param name="Totals">The metrics of everything that the filters keep. Visitors of several rows may be the same, so that rows do not add up to it.</param>
/// <param name="NextCursor">For the next page; null on the last.</param>
/// <param name="Engine">What computed it: segments or sql.</param>
/// <param name="CompleteFrom">The first day of which the figures have everything; what retention removed before it is not in them. Null: nothing is missing.</param>
internal sealed record BreakdownBody(
    WindowBody Window, WindowBody? CompareTo, string Dimension, IReadOnlyList<string> Metrics, IReadOnlyDictionary<string, Figure> Totals,
    IReadOnlyList<BreakdownRow> Rows, string? NextCursor, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="Value">Null for those without one.</param>
internal sealed record BreakdownRow(string? Value, IReadOnlyDictionary<string, Figure> Metrics);

/// <summary>The answer of GET /v1/metrics/timeseries.</summary>
/// <param name="Points">One per piece of time, zeros included. A delta compares with the point of the same place in the other window.</param>
/// <param name="ComparisonPoints">Of the window compared with; null when none was asked for.</param>
/// <param name="CompleteFrom">As in a breakdown.</param>
internal sealed record TimeseriesBody(
    WindowBody Window, WindowBody? CompareTo, string Interval, IReadOnlyList<string> Metrics, IReadOnlyDictionary<string, Figure> Totals,
    IReadOnlyList<TimePoint> Points, IReadOnlyList<TimePoint>? ComparisonPoints, string Engine, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="Start">A day, or for hours an instant; UTC.</param>
internal sealed record TimePoint(string Start, IReadOnlyDictionary<string, Figure> Metrics);

/// <summary>The answer of GET /v1/metrics/realtime.</summary>
/// <param name="Visitors">With an event in the last five minutes.</param>
/// <param name="PageViewsPerMinute">Of the last thirty minutes, the oldest first; the last one has only begun.</param>
/// <param name="Pages">Where those visitors are, at most ten.</param>
/// <param name="Sources">Where they came from, at most ten; null for none.</param>
internal sealed record RealtimeBody(
    long Visitors, IReadOnlyList<MinuteViews> PageViewsPerMinute, IReadOnlyList<RealtimeRow> Pages, IReadOnlyList<RealtimeRow> Sources)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

internal sealed record MinuteViews(DateTimeOffset Minute, long PageViews);

internal sealed record RealtimeRow(string? Value, long Visitors);

/// <summary>The answer of GET /v1/metrics/vitals.</summary>
/// <param name="Thresholds">Up to good it is good, above poor it is poor, between it needs improvement.</param>
/// <param name="Overall">Of all pages and devices asked about.</param>
/// <param name="Rows">By page and device, the most measured first.</param>
/// <param name="CompleteFrom">As in a breakdown.</param>
internal sealed record VitalsBody(
    WindowBody Window, IReadOnlyDictionary<string, Threshold> Thresholds, VitalsEntry Overall, IReadOnlyList<VitalsEntry> Rows, string? NextCursor, DateOnly? CompleteFrom)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

internal sealed record Threshold(double Good, double Poor);

/// <param name="Samples">Events with at least one measurement.</param>
/// <param name="Vitals">By lcp, inp, cls, fcp, ttfb; those that were measured.</param>
internal sealed record VitalsEntry(string? Path, string? Device, long Samples, IReadOnlyDictionary<string, VitalFigure> Vitals);

/// <summary>Milliseconds; for cls a score.</summary>
/// <param name="Rating">Of the 75th percentile: good, needs_improvement, poor.</param>
internal sealed record VitalFigure(double P50, double P75, double P95, long Samples, string Rating);

/// <summary>The answer of GET /v1/metrics/daily.</summary>
/// <param name="Days">One per day of the window, zeros included.</param>
/// <param name="Product">Active and new users, submits, logging rate, ingestion lag, events by type: each day, and the window.</param>
internal sealed record DailyBody(WindowBody Window, FreshnessBody Freshness, IReadOnlyList<DailyRow> Days, ProductMetricsAnswer Product)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>One day, as it was rolled up. Formulas: docs/definitions.md. Rates are fractions; null where there is nothing to divide by.</summary>
internal sealed record DailyRow(
    DateOnly Day, int UniqueVisitors, int ReturningVisitors, long PageViews, long Entrances, long Exits, long Conversions, long Events,
    long FormStarts, long FormSubmits, long Sessions, long Bounces, double? BounceRate, double? AvgVisitDurationSec, long ConvertedSessions,
    int NewLeads, double? LeadCaptureRate, IReadOnlyDictionary<string, long> SessionsBySource,
    long EventsAccepted, long EventsDuplicate, long EventsBot, long EventsDropped, long EventsRejected, int? P95TtfbMs);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(BreakdownBody))]
[JsonSerializable(typeof(TimeseriesBody))]
[JsonSerializable(typeof(QueryBody))]
[JsonSerializable(typeof(AdHocFunnelBody))]
[JsonSerializable(typeof(RetentionBody))]
[JsonSerializable(typeof(JourneysBody))]
[JsonSerializable(typeof(RealtimeBody))]
[JsonSerializable(typeof(VitalsBody))]
[JsonSerializable(typeof(DailyBody))]
[JsonSerializable(typeof(ExperimentsBody))]
[JsonSerializable(typeof(FunnelsBody))]
[JsonSerializable(typeof(EntitySeriesBody))]
[JsonSerializable(typeof(EntityVisitorsBody))]
internal sealed partial class ApiJson : JsonSerializerContext;
