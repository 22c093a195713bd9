using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Journeys from segments: the same as <see cref="JourneySql"/> from raw rows. Sessions that saw the page are found by the page's hits, then the page views of these are put in order.</summary>
internal sealed class JourneyEngine
{
    /// <summary>How much is looked at together: what lies well in a processor's cache.</summary>
    private const int Portion = 500_000;

    private readonly JourneyQuery query;
    private readonly SegmentWindow window;
    private readonly DaySegment[] segments;
    private readonly KeptPart?[] parts;
    private readonly int[] pageViews;        // by segment: its code of page views
    private readonly GuestHomes guests;
    private readonly Words paths;
    private readonly int page;

    private JourneyEngine(JourneyQuery query, SegmentWindow window, CancellationToken cancellationToken)
    {
        (this.query, this.window) = (query, window);
        segments = [.. window.Segments];
        paths = window.Vocabulary[SegmentWords.Path];
        page = paths.Find(query.Path);
        var filters = new SegmentFilters(query.Filters, window.Vocabulary);
        parts = new KeptPart?[segments.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            parts[i] = filters.Of(segments[i]);
        }
        pageViews = Array.ConvertAll(segments, SegmentEngine.PageViewOf);
        guests = new GuestHomes(window);
    }

    public static bool Covers(JourneyQuery query, SegmentWindow window) => WayCover.Covers(window, [query.Filters]);

    public static JourneyResult Answer(JourneyQuery query, SegmentWindow window, CancellationToken cancellationToken, int portion = Portion)
    {
        var engine = new JourneyEngine(query, window, cancellationToken);
        if (engine.page == 0) return new JourneyResult(0, 0, [], [], []);
        var workers = VisitorRanges.Run(window, window.Segments.Sum(s => (long)s.Hits), portion, () => new JourneyWorker(query.Steps, engine.page, engine.paths), engine.Look, cancellationToken);
        return JourneyTally.Result(query, [.. workers.Select(w => w.Tally)], engine.paths);
    }

    private void Look(JourneyWorker worker, int from, int to)
    {
        var slices = Array.ConvertAll(segments, s => RowSlice.Of(s, from, to));
        var seen = new SeenSessions(window, guests, slices);
        for (var i = 0; i < segments.Length; i++)
        {
            if (parts[i] is not { } part) continue;
            Each(i, slices[i], onlyPage: true, (hit, _) =>
            {
                if (part.Keeps(hit)) seen.Mark(i, segments[i].HitRow[hit]);
            });
        }
        if (seen.Count == 0) return;
        worker.Begin(seen.Count);
        for (var i = 0; i < segments.Length; i++)
        {
            if (parts[i] is null) continue;
            var segment = segments[i];
            var dayStart = HitTimes.StartOf(segment, query.Window);
            Each(i, slices[i], onlyPage: false, (hit, path) =>
            {
                if (seen.Find(i, segment.HitRow[hit]) is var session and >= 0) worker.Add(session, HitTimes.At(segment, dayStart, hit), path);
            });
        }
        worker.Count();
    }

    /// <summary>Page views of pages, with their path.</summary>
    private void Each(int index, in RowSlice slice, bool onlyPage, Action<int, int> look)
    {
        if (slice.IsEmpty) return;
        var segment = segments[index];
        foreach (var group in segment.Groups)
        {
            var path = segment.Paths[group.Path];
            if (group.Type != pageViews[index] || path == 0 || (onlyPage && path != page)) continue;
            var (first, last, firstOfGuests, lastOfGuests) = slice.HitsOf(segment, group);
            for (var hit = first; hit < last; hit++) look(hit, path);
            for (var hit = firstOfGuests; hit < lastOfGuests; hit++) look(hit, path);
        }
    }

    /// <summary>The sessions of one range that saw the page, numbered. A session that went on over midnight is one, whatever days of it are in the window.</summary>
    private sealed class SeenSessions(SegmentWindow window, GuestHomes guests, RowSlice[] slices)
    {
        // By segment: one more than the number, for home rows of the slice and then its guest rows; made when the first is marked.
        private readonly int[]?[] numbers = new int[slices.Length][];
        private readonly Dictionary<(int Visitor, long Start), int> begunBefore = [];

        public int Count { get; private set; }

        public void Mark(int segment, int row)
        {
            if (Begun(segment, row) is { } before)
            {
                if (begunBefore.TryAdd(before, Count)) Count++;
                return;
            }
            ref var number = ref Place(ref segment, row);
            if (number == 0) number = ++Count;
        }

        /// <summary>-1 for one that did not.</summary>
        public int Find(int segment, int row)
        {
            if (Begun(segment, row) is { } before) return begunBefore.GetValueOrDefault(before, -1);
            if (row >= window.Segments[segment].Homes) (segment, row) = guests.Of(segment, row)!.Value;
            return numbers[segment] is { } ofSegment ? ofSegment[row - slices[segment].HomeFrom] - 1 : -1;
        }

        private ref int Place(ref int segment, int row)
        {
            if (row >= window.Segments[segment].Homes) (segment, row) = guests.Of(segment, row)!.Value;
            var slice = slices[segment];
            var ofSegment = numbers[segment] ??= new int[slice.HomeTo - slice.HomeFrom];
            return ref ofSegment[row - slice.HomeFrom];
        }

        /// <summary>What a session is known by that began before the window; null for others.</summary>
        private (int Visitor, long Start)? Begun(int segment, int row)
        {
            const long secondsOfDay = 86_400;
            var of = window.Segments[segment];
            return row < of.Homes || guests.Of(segment, row) is not null ? null : (of.Visitor[row], (of.Day.DayNumber * secondsOfDay) + of.Start[row]);
        }
    }
}
