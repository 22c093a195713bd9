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

    private readonly List<GroupRun> runs = new(window.Segments.Sum(s => s.Groups.Length));
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
            using var worker = new Worker(window, parts, tally, guests);
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

    private sealed class Worker(SegmentWindow window, IReadOnlyList<KeptPart?> parts, Tally tally, GuestHomes? guests) : IDisposable
    {
        private readonly DistinctVisitors? distinct = tally.Visitors is null ? null : new DistinctVisitors(DistinctVisitors.Greatest(window));
        private readonly GroupSessions? sessions = guests is null ? null : new GroupSessions(window, tally, guests);

        public void Count(int group, ReadOnlySpan<GroupRun> ofGroup)
        {
            long most = 0;
            foreach (var run in ofGroup) most += run.Count;
            distinct?.Begin(most);
            sessions?.Begin(group);
            for (var i = 0; i < ofGroup.Length; i++)
            {
                var run = ofGroup[i];
                var part = parts[run.Part]!;
                var isAlone = (i == 0 || ofGroup[i - 1].Part != run.Part) && (i == ofGroup.Length - 1 || ofGroup[i + 1].Part != run.Part);
                if (run.FirstHit < 0) CountRows(run.Part, run.Rows.AsMemory(run.First, run.Count), isAlone: false);   // in no order
                else if (part is { Rows: null, HitBits: null }) CountAll(group, run, part, isAlone);
                else CountKept(group, run, part, isAlone);
            }
            if (distinct is not null) tally.Visitors![group] = distinct.End();
            sessions?.End();
        }

        private void CountAll(int group, in GroupRun run, KeptPart part, bool isAlone)
        {
            if (tally.Events is not null) tally.Events[group] += run.Count;
            if (run.ArePageViews && tally.PageViews is not null) tally.PageViews[group] += run.Count;
            if (tally.Conversions is not null) tally.Conversions[group] += Conversions(part.Segment, run.FirstHit, run.Count);
            CountRows(run.Part, run.Rows.AsMemory(run.First, run.Count), isAlone);
        }

        private void CountKept(int group, in GroupRun run, KeptPart part, bool isAlone)
        {
            if (part.HitBits is null && sessions is null)
            {
                CountKeptRows(group, run, part);
                return;
            }
            var segment = part.Segment;
            var kept = new int[run.Count];
            int n = 0, conversions = 0;
            for (var hit = run.FirstHit; hit < run.FirstHit + run.Count; hit++)
            {
                if (!part.Keeps(hit)) continue;
                kept[n++] = segment.HitRow[hit];
                if (tally.Conversions is not null && segment.Converted(hit)) conversions++;
            }
            if (tally.Events is not null) tally.Events[group] += n;
            if (run.ArePageViews && tally.PageViews is not null) tally.PageViews[group] += n;
            if (tally.Conversions is not null) tally.Conversions[group] += conversions;
            CountRows(run.Part, kept.AsMemory(0, n), isAlone);
        }

        private void CountKeptRows(int group, in GroupRun run, KeptPart part)
        {
            var rows = part.Rows!;
            var views = run.ArePageViews ? tally.PageViews : null;
            var ofRun = run.Rows.AsSpan(run.First, run.Count);
            long n = 0;
            if (distinct is not null) n = distinct.Add(ofRun, part.Segment.Visitor, rows);
            else if (tally.Events is not null || views is not null) foreach (var row in ofRun) n += rows[row] ? 1 : 0;
            if (tally.Events is not null) tally.Events[group] += n;
            if (views is not null) views[group] += n;
            if (tally.Conversions is null || Conversions(part.Segment, run.FirstHit, run.Count) == 0) return;
            for (var hit = run.FirstHit; hit < run.FirstHit + run.Count; hit++)
            {
                if (part.Segment.Converted(hit)) tally.Conversions[group] += rows[part.Segment.HitRow[hit]] ? 1 : 0;
            }
        }

        public void Dispose() => distinct?.Dispose();

        private void CountRows(int segment, ReadOnlyMemory<int> rows, bool isAlone)
        {
            distinct?.Add(rows.Span, window.Segments[segment].Visitor);
            if (isAlone) sessions?.AddAll(segment, rows);
            else sessions?.Add(segment, rows.Span);
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
