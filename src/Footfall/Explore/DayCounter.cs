using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>What whole sessions of some days come to, all in one group: their events, and their visitors, each once. Used by one thread.</summary>
internal sealed class DayCounter(Tally tally, int greatest) : IDisposable
{
    private readonly DistinctVisitors? visitors = tally.Visitors is null ? null : new DistinctVisitors(greatest);
    private long events, views, conversions;

    /// <param name="rows">How many come at most.</param>
    public void Begin(long rows)
    {
        (events, views, conversions) = (0, 0, 0);
        visitors?.Begin(rows);
    }

    public void Add(KeptPart part)
    {
        if (part.Rows is { } rows) AddRows(part.Segment, rows);
        else AddAll(part.Segment);
    }

    /// <summary>What another has counted of the same group.</summary>
    public void Add(DayCounter other)
    {
        events += other.events;
        views += other.views;
        conversions += other.conversions;
        if (other.visitors is not null) visitors?.Add(other.visitors);
    }

    /// <summary>Puts it into the group.</summary>
    public void End(int group)
    {
        if (tally.Events is not null) tally.Events[group] += events;
        if (tally.PageViews is not null) tally.PageViews[group] += views;
        if (tally.Conversions is not null) tally.Conversions[group] += conversions;
        if (visitors is not null) tally.Visitors![group] = visitors.End();
    }

    public void Dispose() => visitors?.Dispose();

    private void AddRows(DaySegment s, RowSet rows)
    {
        if (tally.Events is not null) events += Sum(s.Events, rows);
        if (tally.PageViews is not null) views += Sum(s.PageViews, rows);
        if (tally.Conversions is not null) conversions += Sum(s.Conversions, rows);
        if (visitors is null) return;
        if (!s.Events.ContainsZero) visitors.Add(rows, s.Visitor);
        else foreach (var row in rows) if (s.Events[row] != 0) visitors.Add(s.Visitor[row]);
    }

    private void AddAll(DaySegment s)
    {
        events += s.Hits;
        if (tally.Conversions is not null) conversions += GroupRuns.Conversions(s, 0, s.Hits);
        if (tally.PageViews is not null)
        {
            var pageView = SegmentEngine.PageViewOf(s);
            foreach (var hits in s.Groups) if (hits.Type == pageView) views += hits.Count;
        }
        if (visitors is null) return;
        if (!s.Events.ContainsZero) visitors.Add(s.Visitor.AsSpan(0, s.Rows));
        else for (var row = 0; row < s.Rows; row++) if (s.Events[row] != 0) visitors.Add(s.Visitor[row]);
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
