using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>A funnel from segments: the same as <see cref="FunnelSql"/> from raw rows. Only hits of its steps are looked at.</summary>
internal sealed class FunnelEngine
{
    /// <summary>How much is looked at together: what lies well in a processor's cache.</summary>
    private const int Portion = 150_000;

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
        return FunnelTally.Result(query, [.. workers.Select(w => w.Tally)], engine.words);
    }

    private void Look(FunnelWorker worker, int from, int to)
    {
        worker.Begin(from, to);
        for (var k = 0; k < steps.Length; k++)
        {
            for (var i = 0; i < segments.Length; i++)
            {
                if (steps[k][i] is { } set) Collect(worker, set, i, k, RowSlice.Of(segments[i], from, to));
            }
            if (k == 0 && worker.IsEmpty) return;
        }
        worker.Count();
    }

    private void Collect(FunnelWorker worker, HitSet set, int index, int step, in RowSlice slice)
    {
        if (slice.IsEmpty) return;
        var segment = segments[index];
        var dayStart = HitTimes.StartOf(segment, query.Window);
        foreach (var g in set.Groups)
        {
            var (first, last, firstOfGuests, lastOfGuests) = slice.HitsOf(segment, segment.Groups[g]);
            Collect(worker, set, index, step, g, dayStart, first, last);
            Collect(worker, set, index, step, g, dayStart, firstOfGuests, lastOfGuests);
        }
    }

    private void Collect(FunnelWorker worker, HitSet set, int index, int step, int group, long dayStart, int first, int last)
    {
        var segment = segments[index];
        var checks = set.Checks;
        for (var hit = first; hit < last; hit++)
        {
            if (checks && !set.Keeps(hit)) continue;
            var row = segment.HitRow[hit];
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
