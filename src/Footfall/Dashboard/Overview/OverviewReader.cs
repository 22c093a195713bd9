using Footfall.Explore;
using Footfall.Metrics;
using Footfall.Rollups;

namespace Footfall.Dashboard.Overview;

/// <summary>All that the overview shows.</summary>
/// <param name="Vitals">Null under filters, which measurements are not narrowed by.</param>
/// <param name="DetailFrom">The first day with raw rows, where the window begins before it; else null.</param>
internal sealed record OverviewModel(
    KpiInfo Kpi, Interval Interval, WindowFigures Now, WindowFigures? Then, IReadOnlyList<PanelAnswer> Panels, VitalsRow? Vitals,
    FreshnessBody Freshness, IngestBody Ingest, DateOnly? DetailFrom, IReadOnlyList<DayNote> Notes);

internal sealed class OverviewReader(CurrentPage page, FiguresReader figures, PanelsReader panels, Questions questions, SummaryReader summaries, RollupStore rollups, NoteStore notes)
{
    public async Task<OverviewModel> ReadAsync(CancellationToken cancellationToken)
    {
        await using var _ = questions;
        var (days, compareTo) = (page.Period.Days, page.Period.CompareTo);
        var interval = IntervalOf(page.Address["interval"], days);
        var now = await figures.ReadAsync(days, interval, cancellationToken);
        var then = compareTo is { } window ? await figures.ReadAsync(window, interval, cancellationToken) : null;
        List<PanelAnswer> answers = [];
        foreach (var panel in PanelInfo.All) answers.Add(await panels.ReadAsync(panel, cancellationToken));
        var vitals = page.Filters.Count > 0 ? null
            : await questions.KeptAsync($"vitals {days.From} {days.To}", s => VitalsSql.OverallAsync(s, new VitalsQuery(page.Property.Id, days, null, null), cancellationToken), cancellationToken);
        var summary = await summaries.ReadAsync(new SummaryQuery(page.Property.Id, new Window(days.From, days.To), null, false), page.State, page.Today, cancellationToken);
        var purged = await rollups.PurgedThroughAsync(cancellationToken);
        return new OverviewModel(
            KpiInfo.Find(page.Address["metric"]), interval, now, then, answers, vitals, summary.Freshness, summary.Ingest,
            purged.TryGetValue(page.Property.Id, out var through) && through >= days.From ? through.AddDays(1) : null,
            page.IsShared ? [] : await notes.ReadAsync(page.Property.Id, days, cancellationToken));   // colleagues write them for each other
    }

    /// <summary>The intervals that suit the days.</summary>
    public static IEnumerable<Interval> Suitable(DayRange days)
    {
        if (days.Days <= 14) yield return Interval.Hour;
        yield return Interval.Day;
        if (days.Days > 7) yield return Interval.Week;
        if (days.Days > 31) yield return Interval.Month;
    }

    public static string Key(Interval interval) => interval switch
    {
        Interval.Hour => "hour",
        Interval.Day => "day",
        Interval.Week => "week",
        Interval.Month => "month",
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    private static Interval IntervalOf(string? asked, DayRange days)
    {
        var usual = days.Days <= 2 ? Interval.Hour : days.Days <= 120 ? Interval.Day : days.Days <= 731 ? Interval.Week : Interval.Month;
        return Suitable(days).Cast<Interval?>().FirstOrDefault(i => Key(i!.Value) == asked) ?? usual;
    }
}
