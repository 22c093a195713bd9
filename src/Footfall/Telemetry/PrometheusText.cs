using System.Globalization;
using System.Text;

namespace Footfall.Telemetry;

/// <summary>Prometheus' text format, version 0.0.4. Source: https://prometheus.io/docs/instrumenting/exposition_formats/</summary>
internal static class PrometheusText
{
    public const string ContentType = "text/plain; version=0.0.4; charset=utf-8";

    public static string Write(IEnumerable<MetricFamily> families)
    {
        var text = new StringBuilder(16 * 1024);
        foreach (var family in families.OrderBy(NameOf, StringComparer.Ordinal))
        {
            var all = family.All();
            if (all.Count == 0) continue;
            var name = NameOf(family);
            if (family.Instrument.Description is { Length: > 0 } help) text.Append("# HELP ").Append(name).Append(' ').Append(help.Replace("\\", "\\\\", StringComparison.Ordinal).ReplaceLineEndings(" ")).Append('\n');
            text.Append("# TYPE ").Append(name).Append(' ').Append(TypeOf(family.Kind)).Append('\n');
            foreach (var (labels, series) in all)
            {
                if (family.Kind == SeriesKind.Histogram) Histogram(text, name, labels, series, family.Bounds);
                else Line(text, name, labels, series.Read().Sum);
            }
        }
        return text.ToString();
    }

    /// <summary><c>footfall.journal.age</c> in <c>s</c> is <c>footfall_journal_age_seconds</c>; a counter ends in <c>_total</c>.</summary>
    internal static string NameOf(MetricFamily family)
    {
        var name = Labels.Name(family.Instrument.Name);
        var unit = family.Instrument.Unit switch
        {
            "s" => "_seconds",
            "By" => "_bytes",
            _ => "",   // {event} and its like say what is counted, which the name does too
        };
        if (!name.EndsWith(unit, StringComparison.Ordinal)) name += unit;
        return family.Kind == SeriesKind.Counter ? name + "_total" : name;
    }

    private static void Histogram(StringBuilder text, string name, string labels, Series series, double[] bounds)
    {
        var (sum, buckets) = series.Read();
        var before = labels.Length == 0 ? "" : labels + ",";
        var below = 0L;
        for (var i = 0; i < buckets.Length; i++)
        {
            below += buckets[i];
            Line(text, name + "_bucket", $"{before}le=\"{(i < bounds.Length ? Number(bounds[i]) : "+Inf")}\"", below);
        }
        Line(text, name + "_sum", labels, sum);
        Line(text, name + "_count", labels, below);
    }

    private static void Line(StringBuilder text, string name, string labels, double value)
    {
        text.Append(name);
        if (labels.Length > 0) text.Append('{').Append(labels).Append('}');
        text.Append(' ').Append(Number(value)).Append('\n');
    }

    private static string Number(double value) => double.IsPositiveInfinity(value) ? "+Inf" : double.IsNegativeInfinity(value) ? "-Inf" : value.ToString("R", CultureInfo.InvariantCulture);

    private static string TypeOf(SeriesKind kind) => kind switch
    {
        SeriesKind.Counter => "counter",
        SeriesKind.Gauge => "gauge",
        SeriesKind.Histogram => "histogram",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, "A kind of series without a text."),
    };
}
