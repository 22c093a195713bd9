namespace Footfall.Explore;

/// <summary>What can be counted. The rows that each is computed from are in <see cref="QuerySql"/>; the words in docs/definitions.md.</summary>
internal enum Metric
{
    /// <summary>Distinct visitors with an event.</summary>
    Visitors,

    /// <summary>Sessions that began.</summary>
    Sessions,

    PageViews,

    /// <summary>Events of every type.</summary>
    Events,

    /// <summary>Bounces / sessions; a fraction.</summary>
    BounceRate,

    /// <summary>Mean seconds between the first and the last event of the sessions.</summary>
    VisitDuration,

    /// <summary>Mean engaged seconds of the sessions.</summary>
    EngagedTime,

    /// <summary>Events that are conversions.</summary>
    Conversions,

    /// <summary>Sessions with a conversion / sessions; a fraction.</summary>
    ConversionRate,

    /// <summary>Leads first captured.</summary>
    Leads,
}

internal static class Metrics
{
    public static readonly Metric[] All = Enum.GetValues<Metric>();

    /// <summary>How the API calls it.</summary>
    public static string Name(this Metric metric) => metric switch
    {
        Metric.Visitors => "visitors",
        Metric.Sessions => "sessions",
        Metric.PageViews => "page_views",
        Metric.Events => "events",
        Metric.BounceRate => "bounce_rate",
        Metric.VisitDuration => "visit_duration",
        Metric.EngagedTime => "engaged_time",
        Metric.Conversions => "conversions",
        Metric.ConversionRate => "conversion_rate",
        Metric.Leads => "leads",
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, null),
    };

    /// <summary>True for means and shares, which have no value where there is nothing to divide by; a count then is 0.</summary>
    public static bool IsRatio(this Metric metric) => metric is Metric.BounceRate or Metric.VisitDuration or Metric.EngagedTime or Metric.ConversionRate;
}
