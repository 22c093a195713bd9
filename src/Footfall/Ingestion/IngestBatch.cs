using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>Events and counts that go into the database in one transaction. Duplicates within the batch are left out here; those of earlier batches leave in the database.</summary>
internal sealed class IngestBatch
{
    private readonly HashSet<(Guid Visitor, Guid Key)> keys = [];
    private readonly Dictionary<(string Property, DateOnly Day), long> arrived = [];
    private readonly List<CapturedEvent> events = [];
    private readonly Dictionary<(string Property, DateOnly Day, string Outcome, string Reason), long> turnedAway = [];

    public IReadOnlyList<CapturedEvent> Events => events;

    /// <summary>Events that arrived, duplicates included, by property and UTC day of arrival.</summary>
    public IReadOnlyDictionary<(string Property, DateOnly Day), long> Arrived => arrived;

    /// <summary>How many of the events were stored, and not there before: known within the transaction that stores them.</summary>
    public long Stored { get; set; }

    public IReadOnlyDictionary<(string Property, DateOnly Day, string Outcome, string Reason), long> TurnedAway => turnedAway;

    /// <summary>When the first of the events arrived; null without events.</summary>
    public DateTimeOffset? Oldest { get; private set; }

    public bool IsEmpty => arrived.Count == 0 && turnedAway.Count == 0;

    public void Add(CapturedEvent e)
    {
        var day = (e.PropertyId, DateOnly.FromDateTime(e.ReceivedAt.UtcDateTime));
        if (Oldest is not { } oldest || e.ReceivedAt < oldest) Oldest = e.ReceivedAt;
        arrived[day] = arrived.GetValueOrDefault(day) + 1;
        if (e.DedupeKey is not { } key || keys.Add((e.VisitorId, key))) events.Add(e);
    }

    public void Add(OutcomeCount count)
    {
        var key = (count.PropertyId, count.Day, count.Outcome, count.Reason);
        turnedAway[key] = turnedAway.GetValueOrDefault(key) + count.Events;
    }
}
