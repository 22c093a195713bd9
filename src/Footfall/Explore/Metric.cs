namespace Footfall.Explore;

/// <summary>What kinds of figures there are. The rows that each is computed from are in <see cref="QuerySql"/>; the words in docs/definitions.md.</summary>
internal enum MetricKind
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

    /// <summary>Sum of a prop over the events in which it is a number: <see cref="PropNumber"/> says what is one, and how exactly.</summary>
    PropSum,
}

/// <summary>What can be counted.</summary>
/// <param name="Key">The prop's key, where <paramref name="Kind"/> is <see cref="MetricKind.PropSum"/>; else null.</param>
internal readonly record struct Metric(MetricKind Kind, string? Key = null)
{
    public static Metric Visitors => new(MetricKind.Visitors);
    public static Metric Sessions => new(MetricKind.Sessions);
    public static Metric PageViews => new(MetricKind.PageViews);
    public static Metric Events => new(MetricKind.Events);
    public static Metric BounceRate => new(MetricKind.BounceRate);
    public static Metric VisitDuration => new(MetricKind.VisitDuration);
    public static Metric EngagedTime => new(MetricKind.EngagedTime);
    public static Metric Conversions => new(MetricKind.Conversions);
    public static Metric ConversionRate => new(MetricKind.ConversionRate);
    public static Metric Leads => new(MetricKind.Leads);

    public static Metric PropSum(string key) => new(MetricKind.PropSum, key);
}

internal static class Metrics
{
    private const string SumPrefix = "sum:prop:";

    /// <summary>Those without a key.</summary>
    public static readonly Metric[] All = [.. Enum.GetValues<MetricKind>().Where(k => k != MetricKind.PropSum).Select(k => new Metric(k))];

    /// <summary>Every name, with <c>sum:prop:KEY</c> for the sums.</summary>
    public static IEnumerable<string> Names => All.Select(m => m.Name()).Append(SumPrefix + "KEY");

    /// <summary>A key has no comma in it, because lists of metrics are separated by commas.</summary>
    public static Metric? Find(string name)
    {
        if (name.StartsWith(SumPrefix, StringComparison.Ordinal))
        {
            var key = name[SumPrefix.Length..];
            return key.Length is >= 1 and <= Dimension.MaxKeyCharacters && StorableText.Is(key) ? Metric.PropSum(key) : null;
        }
        foreach (var metric in All)
        {
            if (metric.Name() == name) return metric;
        }
        return null;
    }

    /// <summary>How the API calls it.</summary>
    public static string Name(this Metric metric) => metric.Kind switch
    {
        MetricKind.Visitors => "visitors",
        MetricKind.Sessions => "sessions",
        MetricKind.PageViews => "page_views",
        MetricKind.Events => "events",
        MetricKind.BounceRate => "bounce_rate",
        MetricKind.VisitDuration => "visit_duration",
        MetricKind.EngagedTime => "engaged_time",
        MetricKind.Conversions => "conversions",
        MetricKind.ConversionRate => "conversion_rate",
        MetricKind.Leads => "leads",
        MetricKind.PropSum => SumPrefix + metric.Key,
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, null),
    };

    /// <summary>True for means and shares, which have no value where there is nothing to divide by; a count then is 0.</summary>
    public static bool IsRatio(this Metric metric) => metric.Kind is MetricKind.BounceRate or MetricKind.VisitDuration or MetricKind.EngagedTime or MetricKind.ConversionRate;

    /// <summary>True for what is counted from events, false for what is counted from sessions or leads.</summary>
    public static bool IsOfEvents(this Metric metric) => metric.Kind is MetricKind.Visitors or MetricKind.PageViews or MetricKind.Events or MetricKind.Conversions or MetricKind.PropSum;
}
