using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Retention from segments: the same as <see cref="RetentionSql"/> from raw rows. Days come in order, so that a visitor's first entry is the first that is met.</summary>
internal sealed class RetentionEngine
{
    /// <summary>How much is looked at together: what lies well in a processor's cache.</summary>
    private const int Portion = 100_000;

    private readonly RetentionQuery query;
    private readonly DaySegment[] segments;
    private readonly DateTimeOffset[] pieces;
    private readonly int[] pieceOf;               // by segment
    private readonly KeptPart?[] entries, all;    // by segment, where rows tell everything
    private readonly HitSet?[] entryHits = [], returnHits = [];
    private readonly bool byRows;

    private RetentionEngine(RetentionQuery query, SegmentWindow window, CancellationToken cancellationToken)
    {
        this.query = query;
        segments = [.. window.Segments];
        pieces = [.. TimePieces.Of(query.Window, query.Per)];
        pieceOf = [.. segments.Select(s => PieceOf(s.Day))];
        entries = new KeptPart?[segments.Length];
        all = new KeptPart?[segments.Length];
        // Where everything counts as coming back, entering does too, and nobody needs to know the second: then rows tell everything.
        byRows = query.Return.Count == 0 && query.Entry.Concat(query.Filters).All(f => !f.Dimension.IsOfEvent);
        if (!byRows) (entryHits, returnHits) = (new HitSet?[segments.Length], new HitSet?[segments.Length]);
        var (filters, entry, comesBack) = (new SegmentFilters(query.Filters, window.Vocabulary), new SegmentFilters(query.Entry, window.Vocabulary), new SegmentFilters(query.Return, window.Vocabulary));
        for (var i = 0; i < segments.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            (all[i], entries[i]) = (filters.Of(segments[i]), entry.Of(segments[i]));
            if (!byRows) (entryHits[i], returnHits[i]) = (HitSet.Of(all[i], entries[i]), HitSet.Of(all[i], comesBack.Of(segments[i])));
        }
    }

    public static bool Covers(RetentionQuery query, SegmentWindow window) => WayCover.Covers(window, [query.Filters, query.Entry, query.Return]);

    /// <summary>Cohorts with anybody in them, in order.</summary>
    public static List<Cohort> Answer(RetentionQuery query, SegmentWindow window, CancellationToken cancellationToken, int portion = Portion)
    {
        var engine = new RetentionEngine(query, window, cancellationToken);
        var size = engine.byRows ? window.Segments.Sum(s => (long)s.Rows) : engine.entryHits.Concat(engine.returnHits).Sum(h => h?.Hits ?? 0);
        var grids = VisitorRanges.Run(window, size, portion, () => new Grid(engine.pieces.Length), engine.Look, cancellationToken);
        return engine.Cohorts(grids);
    }

    private void Look(Grid grid, int from, int to)
    {
        grid.Begin(from, to);
        for (var i = 0; i < segments.Length; i++)
        {
            var slice = RowSlice.Of(segments[i], from, to);
            if (slice.IsEmpty) continue;
            if (byRows) LookAtRows(grid, i, slice);
            else LookAtHits(grid, i, slice);
        }
    }

    private void LookAtRows(Grid grid, int index, in RowSlice slice)
    {
        if (all[index] is not { } kept) return;
        grid.Day(pieceOf[index], 0);
        LookAtRows(grid, segments[index], kept.Rows, entries[index], slice.HomeFrom, slice.HomeTo);
        LookAtRows(grid, segments[index], kept.Rows, entries[index], slice.GuestFrom, slice.GuestTo);
    }

    // The entry that a later row of the day would be counts for an earlier one too: it is the same piece of time, and who enters has come.
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void LookAtRows(Grid grid, DaySegment segment, RowSet? kept, KeptPart? entry, int from, int to)
    {
        for (var row = from; row < to; row++)
        {
            if (kept?[row] == false || segment.Events[row] == 0) continue;
            var visitor = segment.Visitor[row];
            if (entry is not null && (entry.Rows is null || entry.Rows[row])) grid.Enter(visitor, 0);
            grid.Return(visitor, long.MaxValue);
        }
    }

    private void LookAtHits(Grid grid, int index, in RowSlice slice)
    {
        var dayStart = HitTimes.StartOf(segments[index], query.Window);
        grid.Day(pieceOf[index], dayStart);
        if (entryHits[index] is { } entry) Each(entry, slice, dayStart, grid.Enter);
        if (returnHits[index] is { } comesBack) Each(comesBack, slice, dayStart, grid.Return);
    }

    private static void Each(HitSet set, in RowSlice slice, long dayStart, Action<int, long> look)
    {
        var segment = set.Segment;
        foreach (var g in set.Groups)
        {
            var (first, last, firstOfGuests, lastOfGuests) = slice.HitsOf(segment, segment.Groups[g]);
            for (var hit = first; hit < last; hit++) if (!set.Checks || set.Keeps(hit)) look(segment.Visitor[segment.HitRow[hit]], HitTimes.At(segment, dayStart, hit));
            for (var hit = firstOfGuests; hit < lastOfGuests; hit++) if (!set.Checks || set.Keeps(hit)) look(segment.Visitor[segment.HitRow[hit]], HitTimes.At(segment, dayStart, hit));
        }
    }

    private List<Cohort> Cohorts(List<Grid> grids)
    {
        List<Cohort> cohorts = [];
        for (var c = 0; c < pieces.Length; c++)
        {
            var visitors = grids.Sum(g => g.Entered[c]);
            if (visitors == 0) continue;
            Dictionary<DateTimeOffset, long> returned = [];
            for (var p = c; p < pieces.Length; p++)
            {
                if (grids.Sum(g => g.Returned[(c * pieces.Length) + p]) is > 0 and var came) returned.Add(pieces[p], came);
            }
            cohorts.Add(new Cohort(pieces[c], visitors, returned));
        }
        return cohorts;
    }

    private int PieceOf(DateOnly day)
    {
        var at = new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
        var found = Array.BinarySearch(pieces, at);
        return found >= 0 ? found : ~found - 1;
    }

    /// <summary>The visitors of one range: when each entered, and in which piece of time each was last seen to come back; and what they come to, over all ranges.</summary>
    private sealed class Grid(int pieces)
    {
        private const int None = -1;
        private long[] enteredAt = [];
        private int[] cohort = [], last = [];
        private int from, piece;
        private long dayStart;

        public long[] Entered { get; } = new long[pieces];

        /// <summary>By cohort, then piece.</summary>
        public long[] Returned { get; } = new long[pieces * pieces];

        public void Begin(int fromVisitor, int toVisitor)
        {
            from = fromVisitor;
            var width = toVisitor - fromVisitor;
            if (cohort.Length < width) (enteredAt, cohort, last) = (new long[width], new int[width], new int[width]);
            Array.Fill(cohort, None);
            Array.Fill(last, None);
        }

        public void Day(int ofPiece, long start) => (piece, dayStart) = (ofPiece, start);

        public void Enter(int visitor, long at)
        {
            var own = visitor - from;
            if (cohort[own] == None)
            {
                (cohort[own], enteredAt[own]) = (piece, at);
                Entered[piece]++;
            }
            else if (at < enteredAt[own] && enteredAt[own] >= dayStart) enteredAt[own] = at;   // earlier on the same day
        }

        public void Return(int visitor, long at)
        {
            var own = visitor - from;
            if (last[own] == piece || cohort[own] == None || at < enteredAt[own]) return;
            last[own] = piece;
            Returned[(cohort[own] * pieces) + piece]++;
        }
    }
}
