using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests.Telemetry;

/// <summary>Reads Prometheus' text format as strictly as its definition has it.</summary>
internal sealed partial class Exposition
{
    private readonly Dictionary<string, double> series = new(StringComparer.Ordinal);
    private readonly Dictionary<string, string> types = new(StringComparer.Ordinal);

    private Exposition()
    {
    }

    public IReadOnlyDictionary<string, double> Series => series;

    public IReadOnlyDictionary<string, string> Types => types;

    public double this[string name] => series.TryGetValue(name, out var value) ? value : throw new KeyNotFoundException($"{name} is not among\n{string.Join('\n', series.Keys)}");

    public static Exposition Read(string text)
    {
        var result = new Exposition();
        string? family = null;
        Assert.EndsWith("\n", text, StringComparison.Ordinal);
        foreach (var line in text[..^1].Split('\n'))
        {
            if (line.StartsWith("# HELP ", StringComparison.Ordinal)) continue;
            if (TypeLine().Match(line) is { Success: true } type)
            {
                family = type.Groups[1].Value;
                Assert.True(result.types.TryAdd(family, type.Groups[2].Value), $"{family} has two TYPE lines.");
                continue;
            }
            var match = Sample().Match(line);
            Assert.True(match.Success, $"Not a line of the format: {line}");
            var name = match.Groups["name"].Value;
            Assert.True(name == family || (result.types[family!] == "histogram" && Suffix().Replace(name, "") == family), $"{name} stands under the TYPE of {family}.");
            var value = match.Groups["value"].Value;
            Assert.True(result.series.TryAdd(name + match.Groups["labels"].Value, double.Parse(value.Replace("+Inf", "Infinity", StringComparison.Ordinal), CultureInfo.InvariantCulture)), $"Twice: {line}");
        }
        foreach (var (name, kind) in result.types)
        {
            if (kind == "counter") Assert.EndsWith("_total", name, StringComparison.Ordinal);
            if (kind == "histogram") result.HasWholeBuckets(name);
        }
        return result;
    }

    private void HasWholeBuckets(string name)
    {
        foreach (var (count, total) in series.Where(s => s.Key.StartsWith(name + "_count", StringComparison.Ordinal)).ToList())
        {
            var labels = count[(name.Length + "_count".Length)..].Trim('{', '}');
            var buckets = series.Where(s => s.Key.StartsWith($"{name}_bucket{{{(labels.Length > 0 ? labels + "," : "")}le=", StringComparison.Ordinal)).Select(s => s.Value).ToList();
            Assert.Equal(total, buckets[^1]);
            Assert.Equal(buckets.Order(), buckets);
            Assert.Contains($"{name}_sum{count[(name.Length + "_count".Length)..]}", series.Keys);
        }
    }

    [GeneratedRegex(@"^# TYPE ([a-zA-Z_:][a-zA-Z0-9_:]*) (counter|gauge|histogram)$")]
    private static partial Regex TypeLine();

    [GeneratedRegex("""^(?<name>[a-zA-Z_:][a-zA-Z0-9_:]*)(?<labels>\{[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*"(?:,[a-zA-Z_][a-zA-Z0-9_]*="(?:[^"\\]|\\[\\"n])*")*\})? (?<value>[+-]?(?:[0-9.]+(?:E[+-]?[0-9]+)?|Inf)|NaN)$""")]
    private static partial Regex Sample();

    [GeneratedRegex("_(bucket|sum|count)$")]
    private static partial Regex Suffix();
}
