using Footfall.Explore;
using Footfall.Metrics;
using Microsoft.Extensions.Caching.Memory;

namespace Footfall.Dashboard.Overview;

/// <summary>One piece of time; a value for each <see cref="Kpi"/>, null where there is none.</summary>
internal sealed record Piece(DateTimeOffset Start, double?[] Values);

/// <summary>The figures of a window.</summary>
internal sealed record WindowFigures(double?[] Total, IReadOnlyList<Piece> Series);

/// <summary>
/// The figures of a window and of each piece of it: without filters from day rows, however old the raw events; under filters, and
/// by the hour, from raw rows.
/// </summary>
internal sealed class FiguresReader(CurrentPage page, SummaryStore store, Questions questions, IMemoryCache cache)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);
    private static readonly Metric[] Asked = [Metric.Visitors, Metric.Sessions, Metric.PageViews, Metric.BounceRate, Metric.VisitDuration, Metric.Leads];
    private static readonly Dimension EventType = new(DimensionKind.EventType);
    private static readonly string?[] Forms = ["form_start", "form_submit"];

    public async Task<WindowFigures> ReadAsync(DayRange days, Interval interval, CancellationToken cancellationToken)
    {
        if (page.Filters.Count > 0) return new WindowFigures(await FilteredTotalAsync(days, cancellationToken), await RawSeriesAsync(days, interval, cancellationToken));
        var rolled = await RolledAsync(days, interval == Interval.Hour ? Interval.Day : interval, cancellationToken);
        return interval == Interval.Hour ? rolled with { Series = await RawSeriesAsync(days, interval, cancellationToken) } : rolled;
    }

    private async Task<WindowFigures> RolledAsync(DayRange days, Interval interval, CancellationToken cancellationToken)
    {
        var key = (nameof(FiguresReader), page.Property.Id, days, interval, page.State.Version);
        if (cache.TryGetValue(key, out WindowFigures? kept)) return kept!;
        var rows = await store.DaysAsync(page.Property.Id, new Window(days.From, days.To), cancellationToken);
        var starts = TimePieces.Of(days, interval).ToList();
        List<Piece> series = [];
        var next = 0;
        for (var i = 0; i < starts.Count; i++)
        {
            var end = i + 1 < starts.Count ? DateOnly.FromDateTime(starts[i + 1].UtcDateTime) : DateOnly.MaxValue;
            var totals = new WindowTotals(DateOnly.FromDateTime(starts[i].UtcDateTime));
            for (; next < rows.Count && rows[next].Day < end; next++) totals.Add(rows[next]);
            series.Add(new Piece(starts[i], KpiInfo.Of(totals.Counted())));
        }
        var whole = new WindowTotals(days.From);
        foreach (var row in rows) whole.Add(row);
        var figures = new WindowFigures(KpiInfo.Of(whole.Counted()), series);
        cache.Set(key, figures, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = KeptFor, Size = 1 + (series.Count / 16) });
        return figures;
    }

    private async Task<List<Piece>> RawSeriesAsync(DayRange days, Interval interval, CancellationToken cancellationToken)
    {
        var series = (await questions.SeriesAsync(Query(days) with { Per = interval }, cancellationToken)).ConvertAll(p => new Piece(p.Start, Values(p.Cell, null)));
        if (KpiInfo.Find(page.Address["metric"]).Kpi != Kpi.FormCompletion) return series;
        var (starts, submits) = (await FormsAsync("form_start"), await FormsAsync("form_submit"));
        for (var i = 0; i < series.Count; i++) series[i].Values[(int)Kpi.FormCompletion] = starts[i].Cell.Values[0] is > 0 and var n ? submits[i].Cell.Values[0] / n : null;
        return series;

        Task<List<(DateTimeOffset Start, Cell Cell)>> FormsAsync(string type) =>
            questions.SeriesAsync(new Query(page.Property.Id, days, [Metric.Events], [.. page.Filters, new Filter(EventType, FilterOperator.Is, [type])], Per: interval), cancellationToken);
    }

    private async Task<double?[]> FilteredTotalAsync(DayRange days, CancellationToken cancellationToken)
    {
        var total = await questions.TotalAsync(Query(days), cancellationToken);
        var forms = await questions.AnswerAsync(new Query(page.Property.Id, days, [Metric.Events], page.Filters, By: EventType) { Only = Forms }, cancellationToken);
        double Events(string type) => forms.FirstOrDefault(c => c.Key == type)?.Values[0] ?? 0;
        return Values(total, Events("form_start") is > 0 and var starts ? Events("form_submit") / starts : null);
    }

    private Query Query(DayRange days) => new(page.Property.Id, days, Asked, page.Filters);

    // When a lead came first to the site is known of all leads together only.
    private static double?[] Values(Cell c, double? completion) =>
        [c.Values[0], c.Values[1], c.Values[2], c.Values[3], c.Values[4], c.Values[5], c.Values[0] is > 0 and var visitors ? c.Values[5] / visitors : null, completion, null];
}
