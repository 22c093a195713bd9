using System.Diagnostics;
using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Ingestion;

/// <summary>What went into the database, and how long it had been on its way.</summary>
internal sealed class IngestionMeter
{
    private readonly Counter<long> events;
    private readonly Counter<long> setAside;
    private readonly Histogram<double> batches;
    private readonly Histogram<double> lag;

    public IngestionMeter(IMeterFactory meters)
    {
        var meter = meters.Create();
        events = meter.CreateCounter<long>("footfall.ingest.events", "{event}", "Events taken into the database, duplicates of stored ones included.");
        setAside = meter.CreateCounter<long>("footfall.ingest.set_aside", "{record}", "Journal records that were left out: the database refuses them, or they are not readable.");
        batches = meter.CreateHistogram("footfall.ingest.batch.duration", "s", "One transaction that takes a part of the journal in; several writers have some at once.", tags: null, Measures.Slow);
        lag = meter.CreateHistogram("footfall.ingest.lag", "s", "Time from an event's arrival to the commit that stored it, of the oldest event of each batch.", tags: null, Measures.Slow);
    }

    public static Activity? Span() => Measures.Spans.StartActivity("ingest batch");

    /// <param name="arrived">Duplicates included.</param>
    /// <param name="oldest">When the oldest of them arrived; null without events.</param>
    public void Stored(long arrived, TimeSpan took, TimeSpan? oldest)
    {
        events.Add(arrived);
        batches.Record(took.TotalSeconds);
        if (oldest is { } age) lag.Record(Math.Max(0, age.TotalSeconds));
    }

    public void LeftOut() => setAside.Add(1);
}
