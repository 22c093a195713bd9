using System.Globalization;

namespace Footfall.Benchmarks;

/// <summary>How figures are summed up and printed.</summary>
internal static class Figures
{
    public static double Median(IEnumerable<double> values)
    {
        double[] sorted = [.. values.Order()];
        var middle = sorted.Length / 2;
        return sorted.Length % 2 == 1 ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
    }

    /// <summary>The smallest value that at least <paramref name="share"/> of the sorted values do not exceed.</summary>
    public static double Percentile(IReadOnlyList<double> sorted, double share) => sorted[Math.Clamp((int)Math.Ceiling(sorted.Count * share) - 1, 0, sorted.Count - 1)];

    /// <summary>What else the machine is doing belongs beside every figure.</summary>
    public static string Machine()
    {
        var load = File.Exists("/proc/loadavg") ? File.ReadAllText("/proc/loadavg").Split(' ')[0] : "unknown";
        return $"{Environment.ProcessorCount} cores, load average {load} at this moment";
    }

    public static void Title(string text) => Console.WriteLine($"\n{text}\n  ({Machine()})");

    public static void Line(string name, string value) => Console.WriteLine(string.Create(CultureInfo.InvariantCulture, $"  {name,-46} {value}"));
}
