using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>
/// Answers questions from segments: the same cells in the same order as <see cref="QuerySql"/> from raw rows, whose words it follows.
/// What depends on sessions alone is summed up by rows, what depends on events by hits.
/// </summary>
internal sealed class SegmentEngine
{
    /// <summary>Different values of a dimension that one question may have to tell apart; beyond, PostgreSQL does, which can use the disk.</summary>
    private const int MostGroups = 2_000_000;

    private readonly Query query;
    private readonly SegmentWindow window;
    private readonly Grouping grouping;
    private readonly Tally tally;
    private readonly KeptPart?[] parts;
    private readonly CancellationToken stop;

    private SegmentEngine(Query query, SegmentWindow window, IReadOnlyList<LeadRow>? captured, CancellationToken cancellationToken)
    {
        (this.query, this.window, stop) = (query, window, cancellationToken);
        var filters = new SegmentFilters(query.Filters, window.Vocabulary);
        parts = filters.Of(window.Segments, stop);
        if (query.By is { Kind: DimensionKind.Prop }) columns = [.. window.Segments.Select(s => s.Props.Read(query.By.Value.Key!))];   // before the groups are numbered
        grouping = new Grouping(query, window.Vocabulary);
        tally = new Tally(grouping.Count, query.Metrics);
        if (!query.Metrics.Contains(Metric.Leads)) return;
        leads = new LeadCounts(query, window, parts, columns);
        leads.Count(captured ?? throw new ArgumentNullException(nameof(captured)), stop);
    }

    private readonly PropColumn?[] columns = [];
    private readonly LeadCounts? leads;

    /// <summary>Whether the segments hold all that the question needs.</summary>
    public static bool Covers(Query query, SegmentWindow window)
    {
        if (query.By is { } by && Grouping.WordsOf(by, window.Vocabulary).Count > MostGroups) return false;
        var props = query.Filters.Select(f => f.Dimension).Append(query.By ?? default).Where(d => d.Kind == DimensionKind.Prop).Select(d => d.Key!)
            .Concat(query.Metrics.Where(m => m.Kind == MetricKind.PropSum).Select(m => m.Key!)).Distinct(StringComparer.Ordinal).ToList();
        return window.Segments.All(s => props.TrueForAll(s.Props.Covers));
    }

    /// <summary>The groups of the answer, in its order. For a question without groups one cell, also where nothing was counted.</summary>
    /// <param name="captured">The window's leads, where they are asked for: <see cref="LeadRows"/>.</param>
    public static List<Cell> Answer(Query query, SegmentWindow window, IReadOnlyList<LeadRow>? captured, CancellationToken cancellationToken) =>
        new SegmentEngine(query, window, captured, cancellationToken).Answer();

    private List<Cell> Answer()
    {
        var byEvent = query.By is { IsOfEvent: true };
        if (byEvent && (tally.NeedsEvents || tally.NeedsSessions)) CountHits(countsSessions: tally.NeedsSessions);
        else if (tally.NeedsEvents && (query.HasEventFilters || grouping.IsHourly)) CountHits(countsSessions: false);
        else if (tally.NeedsEvents) new RowCounts(window, parts, grouping, tally).Count(stop);
        if (tally.NeedsSessions && !byEvent) CountSessions();
        if (tally.Sums.Count > 0) new PropSums(parts, grouping, tally, columns).Add(stop);

        if (query is { By: null, Per: null }) return [CellOf(0)];
        return CellOrder.First(Cells(), query.Limit);
    }

    private IEnumerable<Cell> Cells()
    {
        var only = query.Only is { } values ? new HashSet<string?>(values, StringComparer.Ordinal) : null;
        var ofLeads = leads?.Keys.ToHashSet(StringComparer.Ordinal);
        for (var group = 0; group < tally.Groups; group++)
        {
            if (!tally.Has(group) && ofLeads is not { Count: > 0 }) continue;
            var key = grouping.Key(group);
            if (ofLeads?.Remove(key) != true && !tally.Has(group)) continue;
            if (only?.Contains(key) == false) continue;
            var cell = CellOf(group);
            if (query.After is null || CellOrder.IsBehind(cell, query.After)) yield return cell;
        }
        // Sessions of leads may have begun before the window, with facts that nothing in it has.
        foreach (var key in ofLeads ?? [])
        {
            if (only?.Contains(key) == false) continue;
            var cell = new Cell(key, [.. query.Metrics.Select(m => m == Metric.Leads ? leads!.Of(key) : m.IsRatio() ? (double?)null : 0)]);
            if (query.After is null || CellOrder.IsBehind(cell, query.After)) yield return cell;
        }
    }

    private Cell CellOf(int group)
    {
        var key = grouping.Key(group);
        return new Cell(key, [.. query.Metrics.Select(m => m == Metric.Leads ? leads!.Of(key) : tally.Value(m, group))]);
    }

    /// <summary>Kept events, and by a fact of them the sessions that have any.</summary>
    private void CountHits(bool countsSessions)
    {
        var runs = new GroupRuns(window, parts, tally, countsSessions);
        var lists = new HitLists(grouping, tally, runs);
        for (var i = 0; i < parts.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            if (parts[i] is not { } part) continue;
            var segment = part.Segment;
            if (grouping.By is { Kind: not (DimensionKind.Path or DimensionKind.EventType) } || grouping.IsHourly)
            {
                lists.Add(i, part, columns.Length > 0 ? columns[i] : null);
                continue;
            }
            var pageView = PageViewOf(segment);
            for (var g = 0; g < segment.Groups.Length; g++)
            {
                if (part.Groups?[g] == false) continue;
                var hits = segment.Groups[g];
                var group = grouping.By?.Kind switch
                {
                    DimensionKind.Path => segment.Paths[hits.Path],
                    DimensionKind.EventType => segment.Types[hits.Type],
                    _ => grouping.OfDay(segment.Day),
                };
                runs.Add(new GroupRun(group, i, segment.HitRow, hits.First, hits.Count, hits.Type == pageView, hits.First));
            }
        }
        runs.Count(stop);
    }

    /// <summary>Sessions by facts of their own. Where filters are about events, those that have a kept one in the window.</summary>
    private void CountSessions()
    {
        var kept = query.HasEventFilters ? KeptSessions() : null;
        for (var i = 0; i < parts.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            var segment = window.Segments[i];
            if (kept is null && parts[i] is null) continue;
            var rows = kept is null ? parts[i]!.Rows : kept[i];
            if (kept is not null && rows is null) continue;
            var codes = grouping.By is { } by ? segment[SegmentFilters.FactOf(by.Kind)] : null;
            var ofDay = grouping.OfDay(segment.Day);
            if (rows is null && codes is null && !grouping.IsHourly)
            {
                tally.AddSessions(ofDay, segment);
                continue;
            }
            if (codes is null && !grouping.IsHourly && tally.CountsSessionsAlone)
            {
                tally.Sessions![ofDay] += rows!.CountBefore(segment.Homes);
                continue;
            }
            const int secondsOfHour = 3_600;
            if (rows is not null) foreach (var row in rows) Add(row);
            else for (var row = 0; row < segment.Homes; row++) Add(row);

            void Add(int row)
            {
                if (row >= segment.Homes) return;
                var group = codes is not null ? codes.Words[codes[row]] : grouping.IsHourly ? ofDay + (segment.Start[row] / secondsOfHour) : ofDay;
                tally.AddSession(group, segment, row);
            }
        }
    }

    /// <summary>By segment, the home rows of sessions with a kept event in the window; null where there is none.</summary>
    private RowSet?[] KeptSessions()
    {
        var guests = new GuestHomes(window);
        var kept = new RowSet?[parts.Length];
        for (var i = 0; i < parts.Length; i++)
        {
            stop.ThrowIfCancellationRequested();
            if (parts[i] is not { } part) continue;
            for (var g = 0; g < part.Segment.Groups.Length; g++)
            {
                if (part.Groups?[g] == false) continue;
                var hits = part.Segment.Groups[g];
                for (var hit = hits.First; hit < hits.First + hits.Count; hit++)
                {
                    if (!part.Keeps(hit)) continue;
                    var row = part.Segment.HitRow[hit];
                    if (row < part.Segment.Homes) (kept[i] ??= RowSet.None(part.Segment.Homes)).Add(row);
                    else if (guests.Of(i, row) is { } home) (kept[home.Segment] ??= RowSet.None(window.Segments[home.Segment].Homes)).Add(home.Row);
                }
            }
        }
        return kept;
    }

    /// <summary>The segment's own code of page views; -1 where it has none.</summary>
    public static int PageViewOf(DaySegment segment) =>
        segment.Vocabulary[SegmentWords.EventType].Find("page_view") is > 0 and var word ? Array.IndexOf(segment.Types, word) : -1;
}
