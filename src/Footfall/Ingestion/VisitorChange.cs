using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>A visitor as stored: what decides whether events change it.</summary>
internal readonly record struct StoredVisitor(DateTimeOffset? FirstSeenAt, string? FirstPropertyId, DateTimeOffset? LastSeenAt, DateTimeOffset? AccountSeenAt);

/// <summary>
/// What a batch says of one visitor. Only events that are in range and not from bots move its times; of several at one instant the one
/// that arrived first comes first.
/// </summary>
internal sealed class VisitorChange(Guid id)
{
    public Guid Id { get; } = id;

    public VisitorKind Kind { get; private set; } = VisitorKind.Cookieless;

    public string? AnonId { get; private set; }

    public CapturedEvent? First { get; private set; }

    public CapturedEvent? Last { get; private set; }

    /// <summary>The last event that names an account.</summary>
    public CapturedEvent? Account { get; private set; }

    /// <summary>Null where the visitor is new.</summary>
    public StoredVisitor? Stored { get; private set; }

    public bool MovesFirst => First is not null && (Stored?.FirstSeenAt is not { } at || First.OccurredAt < at);

    public bool MovesLast => Last is not null && (Stored?.LastSeenAt is not { } at || Last.OccurredAt >= at);

    public bool MovesAccount => Account is not null && (Stored?.AccountSeenAt is not { } at || Account.OccurredAt >= at);

    /// <summary>It was here before the first time that was known.</summary>
    public bool WasHereBefore => Stored?.FirstSeenAt is not null && MovesFirst;

    public static Dictionary<Guid, VisitorChange> Of(IEnumerable<CapturedEvent> events, IReadOnlyDictionary<Guid, StoredVisitor> stored)
    {
        Dictionary<Guid, VisitorChange> changes = [];
        foreach (var e in events)
        {
            if (!changes.TryGetValue(e.VisitorId, out var change))
                changes.Add(e.VisitorId, change = new VisitorChange(e.VisitorId) { Stored = stored.TryGetValue(e.VisitorId, out var known) ? known : null });
            change.Add(e);
        }
        return changes;
    }

    private void Add(CapturedEvent e)
    {
        if (e.VisitorKind == VisitorKind.AnonId) Kind = VisitorKind.AnonId;
        AnonId ??= e.AnonId;
        if (e.IsOutOfRange) return;
        if (e.AccountId is not null && (Account is null || Arrival.IsBefore(Account, e))) Account = e;
        if (e.DeviceType == DeviceType.Bot) return;
        if (First is null || Arrival.IsBefore(e, First)) First = e;
        if (Last is null || Arrival.IsBefore(Last, e)) Last = e;
    }
}

/// <summary>The order of events: by their time, then by when they arrived, which their ids tell.</summary>
internal static class Arrival
{
    public static bool IsBefore(CapturedEvent a, CapturedEvent b) => Compare(a, b) < 0;

    public static int Compare(CapturedEvent a, CapturedEvent b)
    {
        var order = a.OccurredAt.CompareTo(b.OccurredAt);
        return order != 0 ? order : a.Id.CompareTo(b.Id);
    }
}
