using System.Text;

namespace Footfall.Telemetry;

/// <summary>Names and labels as Prometheus' text format has them. Source: https://prometheus.io/docs/instrumenting/exposition_formats/</summary>
internal static class Labels
{
    /// <summary><c>job="nightly",outcome="failed"</c>, in the order of their names, so that one set is one text.</summary>
    public static string Of(ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        var sorted = tags.ToArray();
        Array.Sort(sorted, static (a, b) => string.CompareOrdinal(a.Key, b.Key));
        var text = new StringBuilder();
        foreach (var (name, value) in sorted)
        {
            if (text.Length > 0) text.Append(',');
            text.Append(Name(name)).Append("=\"").Append(Escape(Convert.ToString(value) ?? "")).Append('"');
        }
        return text.ToString();
    }

    public static string Name(string name) => string.Create(name.Length, name, static (to, from) =>
    {
        for (var i = 0; i < from.Length; i++) to[i] = char.IsAsciiLetterOrDigit(from[i]) ? from[i] : '_';
    });

    private static string Escape(string value) =>
        value.AsSpan().IndexOfAny('\\', '"', '\n') < 0 ? value : value.Replace("\\", "\\\\", StringComparison.Ordinal).Replace("\"", "\\\"", StringComparison.Ordinal).Replace("\n", "\\n", StringComparison.Ordinal);
}
