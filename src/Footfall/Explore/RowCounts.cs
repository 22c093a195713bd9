using System.Buffers;
using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Events and visitors of whole sessions: no event of theirs needs to be looked at, since a row knows how many it has.</summary>
internal sealed class RowCounts(SegmentWindow window, IReadOnlyList<KeptPart?> parts, Grouping grouping, Tally tally)
{
    // Bits of all groups at once, where they take no more: rows then need not be sorted by group. Rows come by visitor number, so that
    // even many groups' bits are written in order.
    private const long MostBytesOfBits = 24_000_000;

    private const int WorthSharing = 200_000;

    public void Count(CancellationToken cancellationToken)
    {
        for (var i = 0; i < parts.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (parts[i] is not { } part) continue;
            if (grouping.By is { } by) AddByFact(part, part.Segment[SegmentFilters.FactOf(by.Kind)]);
            else AddDay(part, grouping.OfDay(part.Segment.Day));
        }
        if (tally.Visitors is not null) CountVisitors(cancellationToken);
    }

    private void AddDay(KeptPart part, int group)
    {
        var s = part.Segment;
        if (part.Rows is not null)
        {
            if (tally.Events is not null) tally.Events[group] += Sum(s.Events, part.Rows);
            if (tally.PageViews is not null) tally.PageViews[group] += Sum(s.PageViews, part.Rows);
            if (tally.Conversions is not null) tally.Conversions[group] += Sum(s.Conversions, part.Rows);
            return;
        }
        if (tally.Events is not null) tally.Events[group] += s.Hits;
        if (tally.Conversions is not null) tally.Conversions[group] += GroupRuns.Conversions(s, 0, s.Hits);
        if (tally.PageViews is null) return;
        var pageView = SegmentEngine.PageViewOf(s);
        foreach (var hits in s.Groups) if (hits.Type == pageView) tally.PageViews[group] += hits.Count;
    }

    private void AddByFact(KeptPart part, Codes codes)
    {
        var s = part.Segment;
        foreach (var (to, of) in new[] { (tally.Events, s.Events), (tally.PageViews, s.PageViews), (tally.Conversions, s.Conversions) })
        {
            if (to is null || of is { IsConstant: true, Constant: 0 }) continue;
            if (part.Rows is null) for (var row = 0; row < s.Rows; row++) to[codes.Words[codes[row]]] += of[row];
            else foreach (var row in part.Rows) to[codes.Words[codes[row]]] += of[row];
        }
    }

    private void CountVisitors(CancellationToken cancellationToken)
    {
        var words = (DistinctVisitors.Greatest(window) >> 6) + 1;
        if (grouping.By is null) CountVisitorsByDay(cancellationToken);
        else if ((long)tally.Groups * words * sizeof(ulong) <= MostBytesOfBits) CountVisitorsAtOnce(words, cancellationToken);
        else CountVisitorsByGroup(cancellationToken);
    }

    /// <summary>Days of one group lie beside each other: each thread takes whole groups, or a share of the days where there is one group.</summary>
    private void CountVisitorsByDay(CancellationToken cancellationToken)
    {
        var groups = parts.OfType<KeptPart>().GroupBy(p => grouping.OfDay(p.Segment.Day)).Select(g => (Group: g.Key, Parts: g.ToArray(), Rows: g.Sum(RowsOf))).ToArray();
        var greatest = DistinctVisitors.Greatest(window);
        var workers = groups.Sum(g => g.Rows) < WorthSharing ? 1 : Environment.ProcessorCount;
        var next = -1;
        if (workers == 1 || groups.Length > 1)
        {
            if (workers == 1) EachGroup();
            else Parallel.For(0, Math.Min(workers, groups.Length), _ => EachGroup());
            return;
        }
        var counters = new DistinctVisitors[workers];
        try
        {
            for (var w = 0; w < workers; w++) (counters[w] = new DistinctVisitors(greatest)).Begin(groups[0].Rows);
            Parallel.For(0, workers, w =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < groups[0].Parts.Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    Add(counters[w], groups[0].Parts[i]);
                }
            });
            foreach (var counter in counters.AsSpan(1)) counters[0].Add(counter);
            tally.Visitors![groups[0].Group] = counters[0].End();
        }
        finally
        {
            foreach (var counter in counters) counter?.Dispose();
        }

        void EachGroup()
        {
            using var visitors = new DistinctVisitors(greatest);
            for (int i; (i = Interlocked.Increment(ref next)) < groups.Length;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                visitors.Begin(groups[i].Rows);
                foreach (var part in groups[i].Parts) Add(visitors, part);
                tally.Visitors![groups[i].Group] = visitors.End();
            }
        }
    }

    private static long RowsOf(KeptPart part) => part.Rows is null ? part.Segment.Rows : part.Rows.Count();

    private static void Add(DistinctVisitors visitors, KeptPart part)
    {
        var s = part.Segment;
        if (!s.Events.ContainsZero)
        {
            if (part.Rows is null) visitors.Add(s.Visitor.AsSpan(0, s.Rows));
            else visitors.Add(part.Rows, s.Visitor);
            return;
        }
        if (part.Rows is null) for (var row = 0; row < s.Rows; row++) AddOne(row);
        else foreach (var row in part.Rows) AddOne(row);

        void AddOne(int row)
        {
            if (s.Events[row] != 0) visitors.Add(s.Visitor[row]);
        }
    }

    private void CountVisitorsAtOnce(int words, CancellationToken cancellationToken)
    {
        var bits = new ulong[]?[tally.Groups];
        foreach (var part in parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (part is null) continue;
            var (s, codes) = (part.Segment, part.Segment[SegmentFilters.FactOf(grouping.By!.Value.Kind)]);
            var own = Array.ConvertAll(codes.Words, group => bits[group] ??= Lent(words));
            if (part.Rows is null && codes.Bytes is { } narrow && !s.Events.ContainsZero) SetEach(own, narrow, s.Visitor.AsSpan(0, s.Rows));
            else if (part.Rows is null) for (var row = 0; row < s.Rows; row++) Set(own[codes[row]], s, row);
            else foreach (var row in part.Rows) Set(own[codes[row]], s, row);
        }
        for (var group = 0; group < bits.Length; group++)
        {
            if (bits[group] is not { } of) continue;
            tally.Visitors![group] = PopCount(of.AsSpan(0, words));
            ArrayPool<ulong>.Shared.Return(of);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static void SetEach(ulong[][] bits, byte[] codes, ReadOnlySpan<int> visitors)
    {
        for (var row = 0; row < visitors.Length; row++)
        {
            var visitor = visitors[row];
            bits[codes[row]][visitor >> 6] |= 1UL << visitor;
        }
    }

    private static ulong[] Lent(int words)
    {
        var bits = ArrayPool<ulong>.Shared.Rent(words);
        bits.AsSpan(0, words).Clear();
        return bits;
    }

    private void CountVisitorsByGroup(CancellationToken cancellationToken)
    {
        var runs = new GroupRuns(window, parts, tally, countsSessions: false);
        for (var i = 0; i < parts.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (parts[i] is not { } part) continue;
            var (s, codes) = (part.Segment, part.Segment[SegmentFilters.FactOf(grouping.By!.Value.Kind)]);
            var starts = new int[codes.Words.Length + 1];
            for (var row = 0; row < s.Rows; row++) if (Counts(part, row)) starts[codes[row] + 1]++;
            for (var code = 0; code < codes.Words.Length; code++) starts[code + 1] += starts[code];
            var next = starts.AsSpan(0, codes.Words.Length).ToArray();
            var rows = new int[starts[^1]];
            for (var row = 0; row < s.Rows; row++) if (Counts(part, row)) rows[next[codes[row]]++] = row;
            for (var code = 0; code < codes.Words.Length; code++) runs.Add(new GroupRun(codes.Words[code], i, rows, starts[code], starts[code + 1] - starts[code], false, -1));
        }
        runs.Count(cancellationToken);
    }

    private static bool Counts(KeptPart part, int row) => part.Rows?[row] != false && part.Segment.Events[row] != 0;

    private static void Set(ulong[] bits, DaySegment segment, int row)
    {
        if (segment.Events[row] == 0) return;
        var visitor = segment.Visitor[row];
        bits[visitor >> 6] |= 1UL << visitor;
    }

    private static long PopCount(ReadOnlySpan<ulong> bits)
    {
        long count = 0;
        foreach (var word in bits) count += System.Numerics.BitOperations.PopCount(word);
        return count;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Sum(Numbers numbers, RowSet rows)
    {
        long sum = 0;
        if (numbers.Bytes is { } bytes) foreach (var row in rows) sum += bytes[row];
        else if (numbers.Shorts is { } shorts) foreach (var row in rows) sum += shorts[row];
        else if (numbers.Ints is { } ints) foreach (var row in rows) sum += ints[row];
        else sum = (long)numbers.Constant * rows.Count();
        return sum;
    }
}
