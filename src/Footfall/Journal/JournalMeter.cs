using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Journal;

/// <summary>How full the journal is, how old what waits in it, and how long the disk takes.</summary>
internal sealed class JournalMeter
{
    private readonly Histogram<double> flush;

    public JournalMeter(IMeterFactory meters, EventJournal journal, TimeProvider time)
    {
        var meter = meters.Create();
        meter.CreateObservableGauge("footfall.journal.size", () => journal.Status.BytesHeld, "By", "Records that the database does not have yet.");
        meter.CreateObservableGauge("footfall.journal.limit", () => journal.Status.MaxBytes, "By", "How much the journal may hold before capture answers 503.");
        meter.CreateObservableGauge("footfall.journal.age", () => journal.Status.OldestWaitingSince is { } since ? Math.Max(0, (time.GetUtcNow() - since).TotalSeconds) : 0, "s", "Age of the oldest record that the database does not have yet.");
        meter.CreateObservableGauge("footfall.journal.failing", () => journal.Status is { Fault: not null } or { IsFull: true } ? 1 : 0, null, "1 while records cannot be kept: the disk refuses, or the journal is full.");
        flush = meter.CreateHistogram("footfall.journal.flush.duration", "s", "One write and flush to disk, which takes all requests that wait.", tags: null, Measures.Fast);
        journal.Flushed = Flushed;
    }

    private void Flushed(TimeSpan took) => flush.Record(took.TotalSeconds);
}
