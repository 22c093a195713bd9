using System.Runtime.InteropServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Up to six pages one after the other, as codes; 0 where the session had ended.</summary>
internal readonly record struct PageSequence(int First, int Second, int Third, int Fourth, int Fifth, int Sixth)
{
    public static PageSequence Of(ReadOnlySpan<int> pages)
    {
        Span<int> all = stackalloc int[6];
        pages.CopyTo(all);
        return new PageSequence(all[0], all[1], all[2], all[3], all[4], all[5]);
    }

    public IEnumerable<int> Pages => new[] { First, Second, Third, Fourth, Fifth, Sixth }.TakeWhile(p => p != 0);
}

/// <summary>What of journeys was counted.</summary>
internal sealed class JourneyTally(int paths)
{
    /// <summary>Different ways that one thread may have to tell apart.</summary>
    private const int MostSequences = 1_000_000;

    public long Views { get; set; }
    public long Sessions { get; set; }

    // By code; 0 is "none".
    public long[] NextViews { get; } = new long[paths];
    public long[] NextSessions { get; } = new long[paths];
    public long[] PreviousViews { get; } = new long[paths];
    public long[] PreviousSessions { get; } = new long[paths];
    public Dictionary<PageSequence, long> Ways { get; } = [];

    public void AddWay(in PageSequence way)
    {
        ref var count = ref CollectionsMarshal.GetValueRefOrAddDefault(Ways, way, out var known);
        count++;
        if (!known && Ways.Count > MostSequences) throw new TooMuchForSegmentsException();
    }

    public static JourneyResult Result(JourneyQuery query, IReadOnlyList<JourneyTally> tallies, Words words)
    {
        Dictionary<PageSequence, long> ways = [];
        foreach (var (way, count) in tallies.SelectMany(t => t.Ways)) ways[way] = ways.GetValueOrDefault(way) + count;
        // Texts are made only of those that may be shown: who is behind the last place by number alone is not.
        var least = ways.Count <= query.Limit ? 0 : ways.Values.OrderDescending().ElementAt(query.Limit - 1);
        var paths = ways.Where(w => w.Value >= least).Select(w => (Pages: w.Key.Pages.Select(p => words[p]!).ToList(), w.Value))
            .OrderByDescending(w => w.Value).ThenBy(w => string.Join('\n', w.Pages), Comparer<string>.Create(CodePoints.Compare)).Take(query.Limit);
        return new JourneyResult(
            tallies.Sum(t => t.Views), tallies.Sum(t => t.Sessions),
            Neighbours(tallies, t => t.NextViews, t => t.NextSessions), Neighbours(tallies, t => t.PreviousViews, t => t.PreviousSessions),
            [.. paths.Select(p => new JourneyPath(p.Pages, p.Value))]);

        List<JourneyNeighbour> Neighbours(IReadOnlyList<JourneyTally> of, Func<JourneyTally, long[]> views, Func<JourneyTally, long[]> sessions)
        {
            List<(int Code, long Views, long Sessions)> found = [];
            for (var code = 0; code < (of.Count == 0 ? 0 : of.Min(t => views(t).Length)); code++)
            {
                var sum = of.Sum(t => views(t)[code]);
                if (sum > 0) found.Add((code, sum, of.Sum(t => sessions(t)[code])));
            }
            return [.. found.OrderByDescending(f => f.Views).ThenBy(f => f.Code, Comparer<int>.Create((a, b) => FunnelTally.CompareKeys(words, a, b)))
                .Take(query.Limit).Select(f => new JourneyNeighbour(words[f.Code], f.Views, f.Sessions))];
        }
    }
}

/// <summary>Follows the sessions of one range after the other from page to page: <see cref="JourneyQuery"/> says how.</summary>
internal sealed class JourneyWorker
{
    private const int MostViews = 8_000_000;

    [StructLayout(LayoutKind.Auto)]
    private record struct View(long At, int Session, int Path);

    private readonly int steps, page;
    private readonly Words words;
    private readonly int[] nextSeen, previousSeen;   // by code: the serial of the session in which it was last counted
    private View[] views = new View[4_096], ordered = [];
    private int[] starts = [];
    private int[] way = [];
    private int count, serial;

    public JourneyWorker(int steps, int page, Words words)
    {
        (this.steps, this.page, this.words) = (steps, page, words);
        var codes = words.Count;
        Tally = new JourneyTally(codes);
        (nextSeen, previousSeen) = (new int[codes], new int[codes]);
    }

    public JourneyTally Tally { get; }

    public void Begin(int sessions)
    {
        count = 0;
        starts = starts.Length < sessions ? new int[sessions] : starts;
        Array.Clear(starts);
    }

    public void Add(int session, long at, int path)
    {
        if (count == views.Length)
        {
            if (count >= MostViews) throw new TooMuchForSegmentsException();
            Array.Resize(ref views, count * 2);
        }
        views[count++] = new View(at, session, path);
        starts[session]++;
    }

    public void Count()
    {
        if (ordered.Length < count) ordered = new View[views.Length];
        var sum = 0;
        foreach (ref var start in starts.AsSpan()) (start, sum) = (sum, sum + start);
        for (var i = 0; i < count; i++) ordered[starts[views[i].Session]++] = views[i];
        for (var first = 0; first < count;)
        {
            var last = starts[ordered[first].Session];
            Follow(ordered.AsSpan(first, last - first));
            first = last;
        }
    }

    private void Follow(Span<View> session)
    {
        session.Sort((a, b) => a.At != b.At ? a.At.CompareTo(b.At) : FunnelTally.CompareKeys(words, a.Path, b.Path));
        if (way.Length < session.Length) way = new int[session.Length * 2];
        var length = 0;
        foreach (var view in session)
        {
            if (length == 0 || way[length - 1] != view.Path) way[length++] = view.Path;
        }
        serial++;
        Tally.Sessions++;
        var isFirst = true;
        for (var i = 0; i < length; i++)
        {
            if (way[i] != page) continue;
            Tally.Views++;
            Add(i + 1 < length ? way[i + 1] : 0, Tally.NextViews, Tally.NextSessions, nextSeen);
            Add(i > 0 ? way[i - 1] : 0, Tally.PreviousViews, Tally.PreviousSessions, previousSeen);
            if (isFirst) Tally.AddWay(PageSequence.Of(way.AsSpan(i, Math.Min(steps + 1, length - i))));
            isFirst = false;
        }
    }

    private void Add(int code, long[] ofViews, long[] ofSessions, int[] seen)
    {
        ofViews[code]++;
        if (seen[code] == serial) return;
        seen[code] = serial;
        ofSessions[code]++;
    }
}
