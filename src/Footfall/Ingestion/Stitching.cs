using System.Runtime.InteropServices;
using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>A visitor's events on one property, and where they reach. Bots keep sessions of their own, so that their events change nobody else's figures.</summary>
internal readonly record struct Trail(Guid VisitorId, string PropertyId, bool IsBot)
{
    public static Trail Of(CapturedEvent e) => new(e.VisitorId, e.PropertyId, e.DeviceType == DeviceType.Bot);
}

/// <summary>Sessions that a late event bridged: the events of one move over to the one that lives on.</summary>
internal readonly record struct Absorbed(SessionRow Session, Guid Into);

/// <summary>A stored event's flag that is no longer right.</summary>
internal readonly record struct FlagMove(Guid VisitorId, DateTimeOffset OccurredAt, Guid EventId, EventFlag Flag);

internal enum EventFlag : short
{
    NoEntrance,
    NoExit,
    Exit,
}

/// <summary>
/// Events of a batch cut into sessions, together with those stored sessions that they may touch. Gaps and islands: a piece (an event, or a stored
/// session) that starts more than the gap after everything before it has ended opens the next island. An island that has an event is a session: the
/// earliest stored one of it, grown; without one, a new one, which has its first event's id.
/// </summary>
internal sealed class Stitching
{
    private readonly TimeSpan gap;
    private readonly DateTimeOffset now;
    private readonly Dictionary<Guid, SessionRow> sessionOf = [];

    private Stitching(TimeSpan gap, DateTimeOffset now) => (this.gap, this.now) = (gap, now);

    public List<SessionRow> New { get; } = [];

    /// <summary>Stored sessions as they are now.</summary>
    public List<SessionRow> Grown { get; } = [];

    public List<Absorbed> Absorbed { get; } = [];

    public List<FlagMove> Flags { get; } = [];

    /// <summary>The session of an event of the batch; null for one that is out of range.</summary>
    public SessionRow? SessionOf(CapturedEvent e) => sessionOf.GetValueOrDefault(e.Id);

    /// <param name="trails">Events that are in range.</param>
    /// <param name="near">Stored sessions that an event may touch.</param>
    /// <param name="now">A session whose last event is longer ago than the gap is closed.</param>
    public static Stitching Of(IReadOnlyDictionary<Trail, List<CapturedEvent>> trails, ILookup<Trail, SessionRow> near, TimeSpan gap, DateTimeOffset now)
    {
        var stitching = new Stitching(gap, now);
        List<Piece> pieces = [];
        foreach (var (trail, events) in trails)
        {
            pieces.Clear();
            foreach (var e in events) pieces.Add(new Piece(e.OccurredAt, e.OccurredAt, e.Id, e, null));
            foreach (var s in near[trail]) pieces.Add(new Piece(s.StartedAt, s.EndedAt, s.FirstEventId, null, s));
            pieces.Sort(Piece.InOrder);
            stitching.Cut(CollectionsMarshal.AsSpan(pieces));
        }
        return stitching;
    }

    private void Cut(ReadOnlySpan<Piece> pieces)
    {
        var from = 0;
        var end = pieces[0].Ends;
        for (var i = 1; i < pieces.Length; i++)
        {
            if (pieces[i].Starts - end > gap)
            {
                Join(pieces[from..i]);
                from = i;
            }
            if (pieces[i].Ends > end) end = pieces[i].Ends;
        }
        Join(pieces[from..]);
    }

    private void Join(ReadOnlySpan<Piece> island)
    {
        SessionRow? stored = null;
        bool hasEvent = false, converted = false;
        PageView? entry = null, exit = null;
        int views = 0, events = 0;
        long engaged = 0;
        var ends = island[0].Ends;
        foreach (var piece in island)
        {
            if (piece.Ends > ends) ends = piece.Ends;
            if (piece.Session is { } s)
            {
                stored ??= s;
                Look(s.Entry, s.Exit);
                views += s.PageViews;
                events += s.Events;
                engaged += s.EngagedMs;
                converted |= s.HasConversion;
                continue;
            }
            hasEvent = true;
            var e = piece.Event!;
            if (e.EventType == "page_view")
            {
                var view = new PageView(e.OccurredAt, e.Id, e.Path);
                Look(view, view);
                views++;
            }
            events++;
            engaged += e.EngagedMs;
            converted |= e.IsConversion;
        }
        if (!hasEvent) return;

        var first = island[0];
        var session = new SessionRow
        {
            VisitorId = stored?.VisitorId ?? first.Event!.VisitorId,
            Id = stored?.Id ?? first.FirstEventId,
            PropertyId = stored?.PropertyId ?? first.Event!.PropertyId,
            StartedAt = first.Starts,
            EndedAt = ends,
            FirstEventId = first.FirstEventId,
            Entry = entry,
            Exit = exit,
            Origin = first.Session?.Origin ?? SessionOrigin.Of(first.Event!),
            PageViews = views,
            Events = events,
            EngagedMs = engaged,
            HasConversion = converted,
            Sealed = ends < now - gap,
        };
        (stored is null ? New : Grown).Add(session);
        foreach (var piece in island)
        {
            if (piece.Session is { } s) Follow(s, session);
            else sessionOf[piece.Event!.Id] = session;
        }

        void Look(PageView? begins, PageView? leaves)
        {
            if (begins is { } b && (entry is not { } e || b.IsBefore(e))) entry = b;
            if (leaves is { } l && (exit is not { } x || x.IsBefore(l))) exit = l;
        }
    }

    /// <summary>What becomes of a stored session, and of the flags of its events, now that it is (part of) another.</summary>
    private void Follow(SessionRow was, SessionRow session)
    {
        if (was.Id != session.Id) Absorbed.Add(new Absorbed(was, session.Id));
        if (was.Entry is { } entry && entry.EventId != session.Entry!.Value.EventId) Flags.Add(new FlagMove(was.VisitorId, entry.At, entry.EventId, EventFlag.NoEntrance));
        if (was.Exit is not { } exit) return;
        var isStillLast = exit.EventId == session.Exit!.Value.EventId;
        if (was.Sealed && !(isStillLast && session.Sealed)) Flags.Add(new FlagMove(was.VisitorId, exit.At, exit.EventId, EventFlag.NoExit));
        if (!was.Sealed && isStillLast && session.Sealed) Flags.Add(new FlagMove(was.VisitorId, exit.At, exit.EventId, EventFlag.Exit));
    }

    private readonly record struct Piece(DateTimeOffset Starts, DateTimeOffset Ends, Guid FirstEventId, CapturedEvent? Event, SessionRow? Session)
    {
        public static int InOrder(Piece a, Piece b)
        {
            var order = a.Starts.CompareTo(b.Starts);
            return order != 0 ? order : a.FirstEventId.CompareTo(b.FirstEventId);
        }
    }
}
