using System.Collections.Concurrent;
using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Capture;

/// <summary>What became of events since the server started, and how long the answer took. One addition per request, read when somebody asks.</summary>
internal sealed class CaptureMeter
{
    private readonly ConcurrentDictionary<(string Outcome, string Reason), Cell> turnedAway = new();
    private readonly Histogram<double> duration;
    private long accepted;

    public CaptureMeter(IMeterFactory meters)
    {
        var meter = meters.Create();
        duration = meter.CreateHistogram("footfall.capture.duration", "s", "Time from reading a request with events to its answer.", tags: null, Measures.Fast);
        meter.CreateObservableCounter("footfall.capture.events", Counts, "{event}", "Events that arrived, by what became of them.");
    }

    public void Accepted(int events) => Interlocked.Add(ref accepted, events);

    /// <param name="reason">Of a closed set.</param>
    public void TurnedAway(string outcome, string reason, long events) => Interlocked.Add(ref turnedAway.GetOrAdd((outcome, reason), static _ => new Cell()).Count, events);

    public void Answered(TimeSpan took) => duration.Record(took.TotalSeconds);

    private IEnumerable<Measurement<long>> Counts() =>
        turnedAway.Select(c => new Measurement<long>(Interlocked.Read(ref c.Value.Count), new("outcome", c.Key.Outcome), new("reason", c.Key.Reason)))
            .Prepend(new Measurement<long>(Interlocked.Read(ref accepted), new("outcome", "accepted"), new("reason", "")));

    private sealed class Cell
    {
        public long Count;
    }
}
