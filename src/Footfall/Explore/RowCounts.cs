using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Events and visitors of whole sessions: no event of theirs needs to be looked at, since a row knows how many it has.</summary>
internal sealed class RowCounts(SegmentWindow window, IReadOnlyList<KeptPart?> parts, Grouping grouping, Tally tally)
{
    // Bits of all groups at once, where they take no more: rows then need not be sorted by group. Rows come by visitor number, so that
    // even many groups' bits are written in order.
    private const long MostBytesOfBits = 24_000_000;

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
            if (tally.Events is not null) tally.Events[group] += Sum(s.Events, part.KeptRows);
            if (tally.PageViews is not null) tally.PageViews[group] += Sum(s.PageViews, part.KeptRows);
            if (tally.Conversions is not null) tally.Conversions[group] += Sum(s.Conversions, part.KeptRows);
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
            else foreach (var row in part.KeptRows) to[codes.Words[codes[row]]] += of[row];
        }
    }

    private void CountVisitors(CancellationToken cancellationToken)
    {
        var words = (GroupRuns.GreatestVisitor(window) >> 6) + 1;
        if (grouping.By is null) CountVisitorsByDay(words, cancellationToken);
        else if ((long)tally.Groups * words * sizeof(ulong) <= MostBytesOfBits) CountVisitorsAtOnce(words, cancellationToken);
        else CountVisitorsByGroup(cancellationToken);
    }

    private void CountVisitorsByDay(int words, CancellationToken cancellationToken)
    {
        var bits = new ulong[words];
        var group = -1;
        for (var i = 0; i <= parts.Count; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (i < parts.Count && parts[i] is null) continue;
            var next = i < parts.Count ? grouping.OfDay(parts[i]!.Segment.Day) : -1;
            if (next != group && group >= 0)
            {
                tally.Visitors![group] = PopCount(bits);
                Array.Clear(bits);
            }
            if (i < parts.Count) Set(bits, parts[i]!);
            group = next;
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
            var own = Array.ConvertAll(codes.Words, group => bits[group] ??= new ulong[words]);
            if (part.Rows is null) for (var row = 0; row < s.Rows; row++) Set(own[codes[row]], s, row);
            else foreach (var row in part.KeptRows) Set(own[codes[row]], s, row);
        }
        for (var group = 0; group < bits.Length; group++) if (bits[group] is { } of) tally.Visitors![group] = PopCount(of);
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

    private static bool Counts(KeptPart part, int row) => (part.Rows is null || part.Rows[row] != 0) && part.Segment.Events[row] != 0;

    private static void Set(ulong[] bits, KeptPart part)
    {
        var s = part.Segment;
        if (part.Rows is null) for (var row = 0; row < s.Rows; row++) Set(bits, s, row);
        else foreach (var row in part.KeptRows) Set(bits, s, row);
    }

    private static void Set(ulong[] bits, DaySegment segment, int row)
    {
        if (segment.Events[row] == 0) return;
        var visitor = segment.Visitor[row];
        bits[visitor >> 6] |= 1UL << visitor;
    }

    private static long PopCount(ulong[] bits)
    {
        long count = 0;
        foreach (var word in bits) count += System.Numerics.BitOperations.PopCount(word);
        return count;
    }

    private static long Sum(Numbers numbers, int[] rows)
    {
        long sum = 0;
        if (numbers.Bytes is { } bytes) foreach (var row in rows) sum += bytes[row];
        else if (numbers.Shorts is { } shorts) foreach (var row in rows) sum += shorts[row];
        else if (numbers.Ints is { } ints) foreach (var row in rows) sum += ints[row];
        else sum = (long)numbers.Constant * rows.Length;
        return sum;
    }
}
