using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>What became of all that arrived in a batch, and which days' figures it changes.</summary>
internal sealed class BatchOutcome
{
    private readonly HashSet<Guid> stored = [];

    public BatchOutcome(IngestBatch batch)
    {
        foreach (var (key, events) in batch.TurnedAway)
        {
            Counts[key] = events;
            Days.Add((key.Property, key.Day));
        }
        foreach (var ((property, day), events) in batch.Arrived)
        {
            Count(property, day, "duplicate", "", events);      // until it is known better
            Days.Add((property, day));
        }
    }

    public Dictionary<(string Property, DateOnly Day, string Outcome, string Reason), long> Counts { get; } = [];

    /// <summary>
    /// Every day whose figures the batch can have changed: where its events lie and arrived, and all days of sessions that it
    /// grew, joined or moved (what happened on one is filtered by where the session ended on another).
    /// </summary>
    public HashSet<(string Property, DateOnly Day)> Days { get; } = [];

    public HashSet<string> Properties { get; } = new(StringComparer.Ordinal);

    public bool IsStored(CapturedEvent e) => stored.Contains(e.Id);

    /// <summary>
    /// The events that are to be stored: not those whose key is there, nor those that had arrived before their person was erased or their property
    /// deleted, which come from a journal or a file that the erasure could not reach.
    /// </summary>
    public List<CapturedEvent> Sort(IReadOnlyList<CapturedEvent> events, StoredBefore before)
    {
        List<CapturedEvent> kept = [];
        foreach (var e in events)
        {
            if (before.Erased.TryGetValue(e.VisitorId, out var erased) && e.ReceivedAt <= erased) Became(e, "dropped", "erased");
            else if (before.Removed.TryGetValue(e.PropertyId, out var removed) && e.ReceivedAt <= removed) Became(e, "dropped", "removed");
            else if (e.DedupeKey is not { } key || !before.Keys.Contains((e.VisitorId, key)))
            {
                kept.Add(e);
                stored.Add(e.Id);
                Became(e, "accepted", "");
                if (e.DeviceType == DeviceType.Bot) Count(e.PropertyId, SessionRow.Day(e.ReceivedAt), "bot", "", 1);
                if (!e.IsOutOfRange) Days.Add((e.PropertyId, SessionRow.Day(e.OccurredAt)));
                Properties.Add(e.PropertyId);
            }
        }
        return kept;
    }

    public void Add(IEnumerable<SessionRow> grown)
    {
        foreach (var session in grown)
        {
            for (var day = SessionRow.Day(session.StartedAt); day <= SessionRow.Day(session.EndedAt); day = day.AddDays(1)) Days.Add((session.PropertyId, day));
        }
    }

    private void Became(CapturedEvent e, string outcome, string reason)
    {
        var day = SessionRow.Day(e.ReceivedAt);
        Count(e.PropertyId, day, outcome, reason, 1);
        Count(e.PropertyId, day, "duplicate", "", -1);
    }

    private void Count(string property, DateOnly day, string outcome, string reason, long events)
    {
        var key = (property, day, outcome, reason);
        Counts[key] = Counts.GetValueOrDefault(key) + events;
    }
}
