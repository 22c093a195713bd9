using Footfall.Dashboard.Components;
using Footfall.Explore;

namespace Footfall.Dashboard.Overview;

/// <summary>Figures as the viewer reads them.</summary>
internal sealed class FigureText(Numbers numbers)
{
    public string Value(Unit unit, double? value) => value is not { } v ? Numbers.Unknown : unit switch
    {
        Unit.Count => numbers.Count(v),
        Unit.Rate => numbers.Percent(v),
        Unit.Seconds => Numbers.Duration(v),
        _ => throw new ArgumentOutOfRangeException(nameof(unit), unit, null),
    };

    /// <summary>The value with every digit, where <see cref="Value"/> shortens it; else null.</summary>
    public string? Exact(Unit unit, double value) => unit == Unit.Count && numbers.Exact(value) is var exact && exact != numbers.Count(value) ? exact : null;

    public string Axis(Unit unit, double value) => unit switch
    {
        Unit.Count => value >= 10_000 ? $"{numbers.Decimal(value / 1000, 1)}K" : numbers.Exact(value),
        _ => Value(unit, value),
    };

    /// <summary>Null where there is nothing to compare with.</summary>
    public DeltaView? Delta(KpiInfo kpi, double? now, double? then)
    {
        if (now is not { } value || then is not { } before) return null;
        if (kpi.Unit != Unit.Rate) return Change(value, before, kpi.MoreIsBetter, v => Value(kpi.Unit, v));
        var difference = value - before;
        return new DeltaView(numbers.Points(difference), Judged(Math.Round(difference, 3), kpi.MoreIsBetter), $"{Value(Unit.Rate, before)} before");
    }

    /// <param name="moreIsBetter">Null where more is neither.</param>
    public DeltaView? Change(double now, double then, bool? moreIsBetter, Func<double, string>? text = null)
    {
        if (then == 0) return now == 0 ? null : new DeltaView("new", null, "There was none before.");
        var change = (now - then) / then;
        return new DeltaView(numbers.Change(change), Judged(Math.Round(change, 3), moreIsBetter), $"{(text ?? numbers.Exact)(then)} before");
    }

    private static bool? Judged(double difference, bool? moreIsBetter) => difference == 0 || moreIsBetter is null ? null : difference > 0 == moreIsBetter;
}

/// <summary>What the metrics of questions are called.</summary>
internal static class MetricText
{
    public static string Title(Metric metric) => metric.Kind switch
    {
        MetricKind.Visitors => "Visitors",
        MetricKind.Sessions => "Sessions",
        MetricKind.PageViews => "Page views",
        MetricKind.Events => "Events",
        MetricKind.BounceRate => "Bounce rate",
        MetricKind.VisitDuration => "Visit duration",
        MetricKind.EngagedTime => "Engaged time",
        MetricKind.Conversions => "Conversions",
        MetricKind.ConversionRate => "Conversion rate",
        MetricKind.Leads => "Leads",
        MetricKind.PropSum => $"Sum of {metric.Key}",
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, null),
    };

    public static Unit Unit(Metric metric) => metric.Kind switch
    {
        MetricKind.BounceRate or MetricKind.ConversionRate => Overview.Unit.Rate,
        MetricKind.VisitDuration or MetricKind.EngagedTime => Overview.Unit.Seconds,
        _ => Overview.Unit.Count,
    };
}
