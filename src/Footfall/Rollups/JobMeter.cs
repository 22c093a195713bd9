using System.Diagnostics;
using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Rollups;

/// <summary>How jobs fare, by their names, which are a closed list.</summary>
internal sealed class JobMeter
{
    private readonly Histogram<double> duration;

    public JobMeter(IMeterFactory meters) =>
        duration = meters.Create().CreateHistogram("footfall.job.duration", "s", "Runs of scheduled jobs.", tags: null, Measures.Slow);

    public static Activity? Span(string job) => Measures.Spans.StartActivity("job " + job);

    public void Ran(string job, TimeSpan took, bool failed) => duration.Record(took.TotalSeconds, new("job", job), new("outcome", failed ? "failed" : "succeeded"));

    /// <summary>Also what has not run for long, which a histogram does not show.</summary>
    public static void Watch(IMeterFactory meters, Func<IReadOnlyCollection<JobHealth>> health)
    {
        var meter = meters.Create();
        meter.CreateObservableGauge("footfall.job.last_success", () => health().Where(j => j.LastSuccess is not null).Select(j => new Measurement<double>(j.LastSuccess!.Value.ToUnixTimeMilliseconds() / 1000.0, new KeyValuePair<string, object?>("job", j.Name))), "s", "When the job last succeeded in this process, as Unix time.");
        meter.CreateObservableGauge("footfall.job.failing", () => health().Select(j => new Measurement<int>(j.FailingSince is null ? 0 : 1, new KeyValuePair<string, object?>("job", j.Name))), null, "1 while the job's last run has failed.");
    }
}
