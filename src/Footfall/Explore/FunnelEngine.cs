using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>A funnel from segments: the same as <see cref="FunnelSql"/> from raw rows. Only hits of its steps are looked at.</summary>
internal sealed class FunnelEngine
{
    /// <summary>How much is looked at together: what lies well in a processor's cache.</summary>
    private const int Portion = 50_000;

    private readonly FunnelQuery query;
    private readonly HitSet?[][] steps;   // by step, then segment
    private readonly DaySegment[] segments;
    private readonly int[]?[] propOf;      // by segment: the value by which hits are grouped, where that is a prop
    private readonly Words? words;
    private readonly VisitorVariants? variants;
    private readonly long end, reach;

    private FunnelEngine(FunnelQuery query, VisitorVariants? variants, SegmentWindow window, CancellationToken cancellationToken)
    {
        (this.query, this.variants, words) = (query, variants, variants?.Words);
        segments = [.. window.Segments];
        end = query.Window.Days * HitTimes.MicrosOfDay;
        reach = query.WindowHours * 3_600_000_000L;
        if (query.By is { } by) words = Grouping.WordsOf(by, window.Vocabulary);
        propOf = new int[]?[segments.Length];
        var all = new SegmentFilters(query.Filters, window.Vocabulary);
        var ofSteps = query.Steps.Select(s => new SegmentFilters(s.Filters, window.Vocabulary)).ToList();
        steps = [.. query.Steps.Select(_ => new HitSet?[segments.Length])];
        for (var i = 0; i < segments.Length; i++)
        {
            cancellationToken.ThrowIfCancellationRequested();
            var kept = all.Of(segments[i]);
            for (var k = 0; k < steps.Length; k++) steps[k][i] = k == 0 && segments[i].Day > query.Window.To ? null : HitSet.Of(kept, ofSteps[k].Of(segments[i]));
            if (query.By is { Kind: DimensionKind.Prop } prop && segments[i].Day <= query.Window.To) propOf[i] = ValuesOf(segments[i], prop.Key!);
        }
    }

    /// <summary>The days of which segments are needed: those of the window, and those in which its last visitors may still come further.</summary>
    public static DayRange Days(FunnelQuery query) => query.Window with { To = query.Window.To.AddDays((query.WindowHours + 23) / 24) };

    /// <param name="variants">Of the query's experiment, where it has one.</param>
    public static bool Covers(FunnelQuery query, VisitorVariants? variants, SegmentWindow window) =>
        query.Experiment is null == variants is null && WayCover.Covers(window, query.Steps.Select(s => s.Filters).Append(query.Filters), query.By);

    public static FunnelResult Answer(FunnelQuery query, VisitorVariants? variants, SegmentWindow window, CancellationToken cancellationToken, int portion = Portion)
    {
        var engine = new FunnelEngine(query, variants, window, cancellationToken);
        var hits = engine.steps.Sum(s => s.Sum(h => h?.Hits ?? 0));
        var workers = VisitorRanges.Run(window, hits, portion, () => new FunnelWorker(query.Steps.Count, engine.reach, engine.words, variants is null ? null : engine.VariantOf), engine.Look, cancellationToken);
        try
        {
            return FunnelTally.Result(query, [.. workers.Select(w => w.Tally)], engine.words);
        }
        finally
        {
            foreach (var worker in workers) worker.Dispose();
        }
    }

    private void Look(FunnelWorker worker, int from, int to)
    {
        worker.Begin(from, to);
        var slices = Array.ConvertAll(segments, s => RowSlice.Of(s, from, to));
        // Most people take one step: with a bit each they are known, and only the events of the others need to be put in order.
        Mark(0, slices, worker.Entered);
        if (words is null)
        {
            Mark(1, slices, worker.WentOn);
            if (!worker.Narrow()) return;
        }
        for (var k = 0; k < steps.Length; k++)
        {
            for (var i = 0; i < segments.Length; i++)
            {
                if (steps[k][i] is not { } set || slices[i].IsEmpty) continue;
                var dayStart = HitTimes.StartOf(segments[i], query.Window);
                foreach (var g in set.Groups)
                {
                    var (first, last, firstOfGuests, lastOfGuests) = slices[i].HitsOf(segments[i], segments[i].Groups[g]);
                    Collect(worker, set, i, k, g, dayStart, first, last);
                    Collect(worker, set, i, k, g, dayStart, firstOfGuests, lastOfGuests);
                }
            }
        }
        worker.Count();
    }

    private void Mark(int step, RowSlice[] slices, VisitorMarks marks)
    {
        for (var i = 0; i < segments.Length; i++)
        {
            if (steps[step][i] is not { } set || slices[i].IsEmpty) continue;
            foreach (var g in set.Groups)
            {
                var (first, last, firstOfGuests, lastOfGuests) = slices[i].HitsOf(segments[i], segments[i].Groups[g]);
                Mark(set, first, last, marks);
                Mark(set, firstOfGuests, lastOfGuests, marks);
            }
        }
    }

    private static void Mark(HitSet set, int first, int last, VisitorMarks marks)
    {
        var segment = set.Segment;
        if (!set.Checks)
        {
            marks.Add(segment.HitRow.AsSpan(first, last - first), segment.Visitor);
            return;
        }
        for (var hit = first; hit < last; hit++) if (set.Keeps(hit)) marks.Add(segment.Visitor[segment.HitRow[hit]]);
    }

    private void Collect(FunnelWorker worker, HitSet set, int index, int step, int group, long dayStart, int first, int last)
    {
        var segment = segments[index];
        var checks = set.Checks;
        if (!checks && (step != 0 || query.By is null))
        {
            worker.Add(segment, (first, last), dayStart, end + reach, step);
            return;
        }
        for (var hit = first; hit < last; hit++)
        {
            var row = segment.HitRow[hit];
            if (!worker.Follows(segment.Visitor[row]) || (checks && !set.Keeps(hit))) continue;
            var at = HitTimes.At(segment, dayStart, hit);
            if (at < end + reach) worker.Add(segment.Visitor[row], at, step, step == 0 && query.By is not null ? KeyOf(index, group, hit, row) : 0);
        }
    }

    private int VariantOf(int visitor, long at) => variants!.On(visitor, query.Window.From.AddDays((int)(at / HitTimes.MicrosOfDay)));

    private int KeyOf(int index, int group, int hit, int row)
    {
        var segment = segments[index];
        switch (query.By!.Value.Kind)
        {
            case DimensionKind.Path: return segment.Paths[segment.Groups[group].Path];
            case DimensionKind.EventType: return segment.Types[segment.Groups[group].Type];
            case DimensionKind.Prop: return propOf[index]?[hit] ?? 0;
            case var kind:
                var codes = segment[SegmentFilters.FactOf(kind)];
                return codes.Words[codes[row]];
        }
    }

    private static int[]? ValuesOf(DaySegment segment, string key)
    {
        if (segment.Props.Read(key) is not { } column) return null;
        var values = new int[segment.Hits];
        for (var i = 0; i < column.Hits.Length; i++) values[column.Hits[i]] = column.Values.Words[column.Values[i]];
        return values;
    }
}
