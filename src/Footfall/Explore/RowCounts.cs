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
        if (grouping.By is not { } by)
        {
            CountDays(cancellationToken);
            return;
        }
        foreach (var part in parts)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (part is not null) AddByFact(part, part.Segment[SegmentFilters.FactOf(by.Kind)]);
        }
        if (tally.Visitors is null) return;
        var words = (DistinctVisitors.Greatest(window) >> 6) + 1;
        if ((long)tally.Groups * words * sizeof(ulong) <= MostBytesOfBits) CountVisitorsAtOnce(words, cancellationToken);
        else CountVisitorsByGroup(cancellationToken);
    }

    /// <summary>Days of one group lie beside each other: each thread takes whole groups, or days in turn where there is one group.</summary>
    private void CountDays(CancellationToken cancellationToken)
    {
        var groups = parts.OfType<KeptPart>().GroupBy(p => grouping.OfDay(p.Segment.Day)).Select(g => (Group: g.Key, Parts: g.ToArray(), Rows: g.Sum(p => (long)p.Segment.Rows))).ToArray();
        var greatest = DistinctVisitors.Greatest(window);
        var workers = groups.Sum(g => g.Rows) < WorthSharing ? 1 : Environment.ProcessorCount;
        var sharing = new ParallelOptions { CancellationToken = cancellationToken };   // else what is called off would end as another failure
        var next = -1;
        if (workers == 1 || groups.Length > 1)
        {
            if (workers == 1) EachGroup();
            else Parallel.For(0, Math.Min(workers, groups.Length), sharing, _ => EachGroup());
            return;
        }
        var counters = new DayCounter[workers];
        try
        {
            for (var w = 0; w < workers; w++) (counters[w] = new DayCounter(tally, greatest)).Begin(groups[0].Rows);
            Parallel.For(0, workers, sharing, w =>
            {
                for (int i; (i = Interlocked.Increment(ref next)) < groups[0].Parts.Length;)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    counters[w].Add(groups[0].Parts[i]);
                }
            });
            foreach (var counter in counters.AsSpan(1)) counters[0].Add(counter);
            counters[0].End(groups[0].Group);
        }
        finally
        {
            foreach (var counter in counters) counter?.Dispose();
        }

        void EachGroup()
        {
            using var counter = new DayCounter(tally, greatest);
            for (int i; (i = Interlocked.Increment(ref next)) < groups.Length;)
            {
                counter.Begin(groups[i].Rows);
                foreach (var part in groups[i].Parts)
                {
                    cancellationToken.ThrowIfCancellationRequested();
                    counter.Add(part);
                }
                counter.End(groups[i].Group);
            }
        }
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
}
