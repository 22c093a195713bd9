using System.Numerics;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Rows of one segment that belong to one group: of each hit, or of each session.</summary>
/// <param name="Rows">Either the segment's own <see cref="DaySegment.HitRow"/>, or a list made for the question.</param>
/// <param name="FirstHit">The hit that <paramref name="First"/> is, where <paramref name="Rows"/> is the segment's; else -1: what is in the list has been filtered and counted.</param>
internal readonly record struct GroupRun(int Group, int Part, int[] Rows, int First, int Count, bool ArePageViews, int FirstHit);

/// <summary>Counts what has to be looked at a group at a time, over all segments: different visitors, and sessions by a fact of their events.</summary>
internal sealed class GroupRuns(SegmentWindow window, IReadOnlyList<KeptPart?> parts, Tally tally, bool countsSessions)
{
    private const int WorthSharing = 400_000;
    private const int Portion = 16;

    private readonly List<GroupRun> runs = [];
    private long size;

    public void Add(in GroupRun run)
    {
        if (run.Count == 0) return;
        runs.Add(run);
        size += run.Count;
    }

    public void Count(CancellationToken cancellationToken)
    {
        if (runs.Count == 0) return;
        var (ordered, starts) = ByGroup();
        var groups = Enumerable.Range(0, starts.Length - 1).Where(g => starts[g + 1] > starts[g]).ToArray();
        var guests = countsSessions ? new GuestHomes(window) : null;
        var next = 0;
        var workers = size < WorthSharing ? 1 : Math.Min(Environment.ProcessorCount, groups.Length);
        if (workers == 1) Work();
        else Parallel.For(0, workers, new ParallelOptions { MaxDegreeOfParallelism = workers, CancellationToken = cancellationToken }, _ => Work());

        void Work()
        {
            var worker = new Worker(window, parts, tally, guests);
            while (true)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var from = Interlocked.Add(ref next, Portion) - Portion;
                if (from >= groups.Length) return;
                foreach (var group in groups.AsSpan(from, Math.Min(Portion, groups.Length - from))) worker.Count(group, ordered.AsSpan(starts[group], starts[group + 1] - starts[group]));
            }
        }
    }

    private (GroupRun[] Ordered, int[] Starts) ByGroup()
    {
        var starts = new int[tally.Groups + 1];
        foreach (var run in runs) starts[run.Group + 1]++;
        for (var g = 0; g < tally.Groups; g++) starts[g + 1] += starts[g];
        var next = starts.AsSpan(0, tally.Groups).ToArray();
        var ordered = new GroupRun[runs.Count];
        foreach (var run in runs) ordered[next[run.Group]++] = run;
        return (ordered, starts);
    }

    public static int GreatestVisitor(SegmentWindow window)
    {
        var greatest = 0;
        foreach (var s in window.Segments)
        {
            if (s.Homes > 0) greatest = Math.Max(greatest, s.Visitor[s.Homes - 1]);
            if (s.Rows > s.Homes) greatest = Math.Max(greatest, s.Visitor[^1]);
        }
        return greatest;
    }

    private sealed class Worker(SegmentWindow window, IReadOnlyList<KeptPart?> parts, Tally tally, GuestHomes? guests)
    {
        private readonly DistinctVisitors? distinct = tally.Visitors is null ? null : new DistinctVisitors(GreatestVisitor(window));
        private readonly int[]?[] counted = new int[]?[window.Segments.Count];   // by home row: one more than the group that has counted it

        public void Count(int group, ReadOnlySpan<GroupRun> ofGroup)
        {
            long most = 0;
            foreach (var run in ofGroup) most += run.Count;
            distinct?.Begin(most);
            foreach (var run in ofGroup)
            {
                var part = parts[run.Part]!;
                if (run.FirstHit < 0) CountList(group, run, part);
                else if (part is { Rows: null, HitBits: null }) CountAll(group, run, part);
                else CountKept(group, run, part);
            }
            if (distinct is not null) tally.Visitors![group] = distinct.End();
        }

        private void CountList(int group, in GroupRun run, KeptPart part)
        {
            var rows = run.Rows.AsSpan(run.First, run.Count);
            distinct?.Add(rows, part.Segment.Visitor);
            if (guests is not null) CountSessions(group, run.Part, rows);
        }

        private void CountAll(int group, in GroupRun run, KeptPart part)
        {
            var rows = run.Rows.AsSpan(run.First, run.Count);
            distinct?.Add(rows, part.Segment.Visitor);
            if (tally.Events is not null) tally.Events[group] += run.Count;
            if (run.ArePageViews && tally.PageViews is not null) tally.PageViews[group] += run.Count;
            if (tally.Conversions is not null) tally.Conversions[group] += Conversions(part.Segment, run.FirstHit, run.Count);
            if (guests is not null) CountSessions(group, run.Part, rows);
        }

        private void CountKept(int group, in GroupRun run, KeptPart part)
        {
            var segment = part.Segment;
            int kept = 0, conversions = 0;
            for (var i = 0; i < run.Count; i++)
            {
                var hit = run.FirstHit + i;
                if (!part.Keeps(hit)) continue;
                kept++;
                var row = segment.HitRow[hit];
                distinct?.Add(segment.Visitor[row]);
                if (segment.Converted(hit)) conversions++;
                if (guests is not null) CountSession(group, run.Part, row);
            }
            if (tally.Events is not null) tally.Events[group] += kept;
            if (run.ArePageViews && tally.PageViews is not null) tally.PageViews[group] += kept;
            if (tally.Conversions is not null) tally.Conversions[group] += conversions;
        }

        private void CountSessions(int group, int segment, ReadOnlySpan<int> rows)
        {
            var before = -1;
            foreach (var row in rows)
            {
                if (row != before) CountSession(group, segment, row);
                before = row;
            }
        }

        private void CountSession(int group, int segment, int row)
        {
            if (row >= window.Segments[segment].Homes)
            {
                if (guests!.Of(segment, row) is not { } home) return;
                (segment, row) = home;
            }
            var counts = counted[segment] ??= new int[window.Segments[segment].Homes];
            if (counts[row] == group + 1) return;
            counts[row] = group + 1;
            tally.AddSession(group, window.Segments[segment], row);
        }
    }

    /// <summary>Conversions among the hits from <paramref name="first"/> on.</summary>
    public static long Conversions(DaySegment segment, int first, int count)
    {
        long conversions = 0;
        for (var hit = first; hit < first + count;)
        {
            var inWord = Math.Min(64 - (hit & 63), first + count - hit);
            var bits = segment.HitConverted[hit >> 6] >> (hit & 63);
            conversions += BitOperations.PopCount(inWord == 64 ? bits : bits & ((1UL << inWord) - 1));
            hit += inWord;
        }
        return conversions;
    }
}

/// <summary>Where the window's guests began.</summary>
internal sealed class GuestHomes(SegmentWindow window)
{
    private readonly (int Segment, int Row)?[][] homes =
        [.. window.Segments.Select(s => Enumerable.Range(s.Homes, s.Rows - s.Homes).Select(row => window.HomeOf(s, row)).ToArray())];

    /// <summary>Null for a session that began before the window.</summary>
    public (int Segment, int Row)? Of(int segment, int guest) => homes[segment][guest - window.Segments[segment].Homes];
}
