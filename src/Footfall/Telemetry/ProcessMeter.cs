using System.Diagnostics;
using System.Diagnostics.Metrics;
using System.Reflection;
using Footfall.Hosting;
using Footfall.Metrics;

namespace Footfall.Telemetry;

/// <summary>The server as a whole: whether it does its work, its version and age, its open files.</summary>
internal static class ProcessMeter
{
    private const string OpenFiles = "/proc/self/fd";

    public static string Version { get; } = typeof(ProcessMeter).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()!.InformationalVersion.Split('+')[0];

    public static void Watch(IMeterFactory meters, Readiness readiness)
    {
        var meter = meters.Create();
        using var process = Process.GetCurrentProcess();
        var started = new DateTimeOffset(process.StartTime).ToUnixTimeMilliseconds() / 1000.0;
        meter.CreateObservableGauge("footfall.ready", () => readiness.Problems().Count == 0 ? 1 : 0, null, "1 while /v1/readyz is green.");
        meter.CreateObservableGauge("footfall.problems", () => Problems(readiness), null, "What an operator must act on, by what has it; /v1/readyz says it in words.");
        meter.CreateObservableGauge("footfall.build", () => new Measurement<int>(1, new KeyValuePair<string, object?>("version", Version)), null, "Always 1; the label tells the version.");
        meter.CreateObservableGauge("footfall.process.start_time", () => started, "s", "When the process was started, as Unix time.");
        if (Directory.Exists(OpenFiles)) meter.CreateObservableGauge("footfall.process.open_files", () => Directory.EnumerateFileSystemEntries(OpenFiles).Count(), "{file}", "Open files, sockets included.");
    }

    private static IEnumerable<Measurement<int>> Problems(Readiness readiness) =>
        readiness.Problems().GroupBy(p => p.Split(' ', ':')[0], StringComparer.Ordinal).Select(g => new Measurement<int>(g.Count(), new KeyValuePair<string, object?>("part", g.Key)));
}
