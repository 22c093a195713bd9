using Footfall.Capture;

namespace Footfall.Tests.Model;

/// <summary>
/// What the definitions say, in the plainest C# that can say it: every event in memory, sorted, looked at one by one.
/// The product must come to the same numbers whatever the order and the batches in which events arrive.
/// </summary>
internal sealed class ReferenceModel
{
    private static readonly TimeSpan Gap = TimeSpan.FromMinutes(30);

    private readonly List<CapturedEvent> stored = [];
    private readonly HashSet<(Guid, Guid)> keys = [];
    private readonly List<ModelLead> leads;

    public ReferenceModel(IEnumerable<CapturedEvent> arrivals, IEnumerable<ModelLead> leads)
    {
        this.leads = [.. leads];
        foreach (var e in arrivals)
        {
            var arrived = (e.PropertyId, Day(e.ReceivedAt));
            if (e.DedupeKey is { } key && !keys.Add((e.VisitorId, key)))
            {
                Duplicates[arrived] = Duplicates.GetValueOrDefault(arrived) + 1;
                continue;
            }
            stored.Add(e);
        }
        Sessions = [.. stored
            .Where(e => !e.IsOutOfRange)
            .GroupBy(e => (e.VisitorId, e.PropertyId, IsBot: e.DeviceType == DeviceType.Bot))
            .SelectMany(g => Cut(g.OrderBy(e => e.OccurredAt).ThenBy(e => e.Id)))];
    }

    public IReadOnlyList<CapturedEvent> Stored => stored;
    public IReadOnlyList<ModelSession> Sessions { get; }
    public Dictionary<(string Property, DateOnly Day), long> Duplicates { get; } = [];

    public static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);

    private IEnumerable<CapturedEvent> Counted => stored.Where(e => !e.IsOutOfRange && e.DeviceType != DeviceType.Bot);

    public DateTimeOffset? FirstSeen(Guid visitor) =>
        Counted.Where(e => e.VisitorId == visitor).Select(e => (DateTimeOffset?)e.OccurredAt).Min();

    public DateTimeOffset? LastSeen(Guid visitor) =>
        Counted.Where(e => e.VisitorId == visitor).Select(e => (DateTimeOffset?)e.OccurredAt).Max();

    /// <summary>Unique and returning visitors of an inclusive window.</summary>
    public (int Unique, int Returning) Visitors(string property, DateOnly from, DateOnly to)
    {
        var visitors = Counted
            .Where(e => e.PropertyId == property && Day(e.OccurredAt) >= from && Day(e.OccurredAt) <= to)
            .Select(e => e.VisitorId).ToHashSet();
        return (visitors.Count, visitors.Count(v => Day(FirstSeen(v)!.Value) < from));
    }

    public ModelDay? DayOf(string property, DateOnly day)
    {
        var events = Counted.Where(e => e.PropertyId == property && Day(e.OccurredAt) == day).ToList();
        var people = Sessions.Where(s => s.PropertyId == property && !s.IsBot).ToList();
        var started = people.Where(s => Day(s.StartedAt) == day).ToList();
        var captured = leads.Where(l => l.PropertyId == property && Day(l.CapturedAt) == day).ToList();
        if (events.Count == 0 && started.Count == 0 && captured.Count == 0 && !people.Any(s => s.ExitAt is { } at && Day(at) == day)) return null;
        var (unique, returning) = Visitors(property, day, day);
        var times = captured
            .Select(l => l.Visitors.Select(FirstSeen).Where(t => t is not null).Min() is { } first ? (long?)Math.Max(0, (long)Math.Round((l.CapturedAt - first).TotalMilliseconds, MidpointRounding.AwayFromZero)) : null)
            .Where(t => t is not null).ToList();
        return new ModelDay(
            unique, returning,
            events.Count(e => e.EventType == "page_view"),
            people.Count(s => s.EntryAt is { } at && Day(at) == day),
            people.Count(s => s.ExitAt is { } at && Day(at) == day),
            events.Count(e => e.IsConversion),
            events.Count,
            events.Count(e => e.EventType == "form_start"),
            events.Count(e => e.EventType == "form_submit"),
            started.Count,
            started.Count(s => s.IsBounce),
            started.Count(s => s.HasConversion),
            started.Count(s => s.EntryAt is not null),
            started.Count(s => s.EntryAt is not null && s.HasConversion),
            started.Sum(s => (long)(s.EndedAt - s.StartedAt).TotalMilliseconds),
            started.Sum(s => s.EngagedMs),
            captured.Count,
            times.Sum(t => t!.Value),
            times.Count,
            string.Join(",", started.GroupBy(s => s.Source).OrderBy(g => g.Key).Select(g => $"{g.Key}={g.Count()}")),
            string.Join(",", started.Where(s => s.EntryAt is not null).GroupBy(s => s.LandingPath ?? "").OrderBy(g => g.Key, StringComparer.Ordinal).Select(g => $"{g.Key}={g.Count()}/{g.Count(s => s.HasConversion)}")));
    }

    private static IEnumerable<ModelSession> Cut(IEnumerable<CapturedEvent> ordered)
    {
        List<CapturedEvent> current = [];
        foreach (var e in ordered)
        {
            if (current.Count > 0 && e.OccurredAt - current[^1].OccurredAt > Gap)
            {
                yield return ModelSession.Of(current);
                current = [];
            }
            current.Add(e);
        }
        if (current.Count > 0) yield return ModelSession.Of(current);
    }
}

internal sealed record ModelLead(string PropertyId, DateTimeOffset CapturedAt, IReadOnlyList<Guid> Visitors);

internal sealed record ModelSession(
    Guid VisitorId, string PropertyId, bool IsBot, DateTimeOffset StartedAt, DateTimeOffset EndedAt,
    DateTimeOffset? EntryAt, Guid? EntryId, DateTimeOffset? ExitAt, Guid? ExitId, string? LandingPath, string? ExitPath,
    TrafficSource Source, string? Referrer, string? Browser, string? Country, DeviceType Device,
    int PageViews, int Events, long EngagedMs, bool HasConversion, bool IsBounce)
{
    public static ModelSession Of(List<CapturedEvent> events)
    {
        var views = events.Where(e => e.EventType == "page_view").ToList();
        var first = events[0];
        var engaged = events.Sum(e => (long)e.EngagedMs);
        var converted = events.Any(e => e.IsConversion);
        return new ModelSession(
            first.VisitorId, first.PropertyId, first.DeviceType == DeviceType.Bot, first.OccurredAt, events[^1].OccurredAt,
            views.Count > 0 ? views[0].OccurredAt : null, views.Count > 0 ? views[0].Id : null,
            views.Count > 0 ? views[^1].OccurredAt : null, views.Count > 0 ? views[^1].Id : null,
            views.Count > 0 ? views[0].Path : null, views.Count > 0 ? views[^1].Path : null,
            first.TrafficSource, first.Referrer, first.Browser, first.CountryCode, first.DeviceType,
            views.Count, events.Count, engaged, converted,
            views.Count == 1 && !converted && engaged < 10_000);
    }
}

internal sealed record ModelDay(
    int UniqueVisitors, int ReturningVisitors, long PageViews, long Entrances, long Exits, long Conversions, long Events,
    long FormStarts, long FormSubmits, long Sessions, long Bounces, long ConvertedSessions, long LandingSessions, long LandingConversions,
    long DurationMs, long EngagedMs, int NewLeads, long FirstCaptureMs, int FirstCaptureLeads, string Sources, string LandingPages);
