using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>
/// Sorts a segment's kept hits by what hits of one path and type do not share: a prop, the hour, a fact of their sessions. Counts what can be
/// counted on the way, and hands the rest over as lists of rows.
/// </summary>
internal sealed class HitLists(Grouping grouping, Tally tally, GroupRuns runs)
{
    private const int MillisecondsOfHour = 3_600_000;
    private const int HoursOfDay = 24;

    /// <param name="column">The prop by which hits are told apart, where they are.</param>
    public void Add(int index, KeptPart part, PropColumn? column)
    {
        var segment = part.Segment;
        var (keys, groupOf) = KeysOf(segment, column);
        var pageView = SegmentEngine.PageViewOf(segment);
        var counts = new int[groupOf.Length + 1];
        var rows = new int[segment.Hits];
        var ofHits = new int[segment.Hits];
        var kept = 0;
        for (var g = 0; g < segment.Groups.Length; g++)
        {
            if (part.Groups?[g] == false) continue;
            var hits = segment.Groups[g];
            for (var hit = hits.First; hit < hits.First + hits.Count; hit++)
            {
                if (!part.Keeps(hit)) continue;
                var row = segment.HitRow[hit];
                var key = keys(hit, row);
                rows[kept] = row;
                ofHits[kept++] = key;
                counts[key + 1]++;
                if (hits.Type == pageView && tally.PageViews is not null) tally.PageViews[groupOf[key]]++;
                if (tally.Conversions is not null && segment.Converted(hit)) tally.Conversions[groupOf[key]]++;
            }
        }
        for (var key = 0; key < groupOf.Length; key++)
        {
            if (tally.Events is not null) tally.Events[groupOf[key]] += counts[key + 1];
            counts[key + 1] += counts[key];
        }
        var starts = counts.AsSpan(0, groupOf.Length).ToArray();
        var list = new int[kept];
        for (var i = 0; i < kept; i++) list[starts[ofHits[i]]++] = rows[i];
        for (var key = 0; key < groupOf.Length; key++) runs.Add(new GroupRun(groupOf[key], index, list, counts[key], counts[key + 1] - counts[key], false, -1));
    }

    /// <summary>What tells hits apart, as numbers of the segment's own, and the group of each.</summary>
    private (Func<int, int, int> Keys, int[] GroupOf) KeysOf(DaySegment segment, PropColumn? column)
    {
        if (grouping.IsHourly)
        {
            var first = grouping.OfDay(segment.Day);
            return ((hit, _) => segment.HitTime[hit] / MillisecondsOfHour, [.. Enumerable.Range(first, HoursOfDay)]);
        }
        if (grouping.By is { IsOfEvent: false } by)
        {
            var codes = segment[SegmentFilters.FactOf(by.Kind)];
            return ((_, row) => codes[row], codes.Words);
        }
        if (column is null) return ((_, _) => 0, [0]);
        var values = new int[segment.Hits];
        for (var i = 0; i < column.Hits.Length; i++) values[column.Hits[i]] = column.Values[i];
        return ((hit, _) => values[hit], column.Values.Words);
    }
}
