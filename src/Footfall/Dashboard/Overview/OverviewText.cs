using System.Globalization;
using Footfall.Dashboard.Components;
using Footfall.Explore;

namespace Footfall.Dashboard.Overview;

/// <summary>A figure's card.</summary>
/// <param name="Exact">The value with every digit where it is shortened, or why there is none; else null.</param>
/// <param name="Spark">A path in a square of 100 by 22.</param>
internal sealed record CardText(string Key, string Title, string Link, bool IsChosen, string Value, string? Exact, DeltaView? Delta, string Spark, string Definition);

internal sealed record MapCountry(string Shape, string? Link, string Class, string Title);

/// <summary>A panel as it is shown.</summary>
/// <param name="More">Where the full list is; null where the panel shows it all.</param>
/// <param name="File">Where the full list is as CSV.</param>
/// <param name="Map">The countries of the world; null for a list.</param>
internal sealed record PanelText(
    string Key, string Title, IReadOnlyList<Choice> Tabs, string First, string Value, string Share, bool WithDelta, IReadOnlyList<BarRow> Rows,
    string? More, string File, string WhyEmpty, IReadOnlyList<MapCountry>? Map);

/// <summary>The overview's figures in words and links.</summary>
internal sealed class OverviewText(CurrentPage page, OverviewModel model)
{
    private readonly FigureText figures = new(page.Numbers);

    /// <summary>True when the property has no figure at all in these days.</summary>
    public bool IsWithoutData => page.Filters.Count == 0 && model.Now.Total.All(v => v is null or 0);

    public IReadOnlyList<CardText> Cards => [.. KpiInfo.All.Select(Card)];

    public IReadOnlyList<Choice> Intervals =>
        [.. OverviewReader.Suitable(page.Period.Days).Select(i => new Choice(i.ToString(), page.Address.With("interval", OverviewReader.Key(i)).ToString(), i == model.Interval, OverviewReader.Key(i)))];

    /// <summary>Why there is nothing to draw; null where there is.</summary>
    public string? WhyNoChart => model.Now.Series.Any(p => p.Values[(int)model.Kpi.Kpi] is not null) || model.Kpi.Unit == Unit.Count ? null : WhyUnknown(model.Kpi);

    public ChartView Chart
    {
        get
        {
            var (kpi, index) = (model.Kpi, (int)model.Kpi.Kpi);
            var pieces = model.Now.Series;
            var soFar = page.Period.IsSoFar(page.Today) && pieces[^1].Start <= page.Now;
            // What is still to come is not zero.
            var known = pieces.Count(p => p.Start <= page.Now);
            pieces = [.. pieces.Take(Math.Max(1, known))];
            var now = Line(kpi, pieces, index);
            var then = model.Then is { } compared ? Line(kpi, compared.Series, index) : null;
            var largest = now.Values.Concat(then?.Values.Take(model.Now.Series.Count) ?? []).Max() ?? 0;
            var ticks = ChartView.TicksFor(largest, kpi.Unit == Unit.Count, v => figures.Axis(kpi.Unit, v));
            return new ChartView([.. model.Now.Series.Select(p => Axis(p.Start))], ticks[^1].At, ticks, now, then, soFar, [.. model.Now.Series.Select(Link)]) { Notes = ChartNotes };
        }
    }

    /// <summary>The notes with their places on the chart, the newest first.</summary>
    public IReadOnlyList<ChartNote> ChartNotes => [.. model.Notes.Select((n, i) => new ChartNote(PieceOf(n.Day), i + 1, Period.Text(n.Day, page.Today), Labels.Visible(n.Text)))];

    public IReadOnlyList<PanelText> Panels => [.. model.Panels.Select(Panel)];

    public IReadOnlyList<VitalText>? Vitals => model.Vitals is { } row ? VitalText.Of(row, page.Numbers) : null;

    public string Trust
    {
        get
        {
            var through = $"Complete through {Period.Text(model.Freshness.RolledUpThrough, page.Today)}";
            var accepted = model.Ingest.SuccessPct is { } success ? $"{page.Numbers.Decimal(Math.Floor(success * 1000) / 10, 1)}\u00a0% of events accepted" : "no events in these days";
            var rolled = model.Freshness.GeneratedAt is { } at ? $"last rollup {page.Ago(at)}" : "not rolled up yet";
            return $"{through} \u00b7 {accepted} \u00b7 {rolled} \u00b7 UTC days";
        }
    }

    /// <summary>The piece of time in which the day begins.</summary>
    private int PieceOf(DateOnly day)
    {
        var series = model.Now.Series;
        for (var i = series.Count - 1; i > 0; i--)
        {
            if (DateOnly.FromDateTime(series[i].Start.UtcDateTime) < day || (DateOnly.FromDateTime(series[i].Start.UtcDateTime) == day && series[i].Start.TimeOfDay == TimeSpan.Zero)) return i;
        }
        return 0;
    }

    private CardText Card(KpiInfo kpi)
    {
        var index = (int)kpi.Kpi;
        var value = model.Now.Total[index];
        return new CardText(
            kpi.Key, kpi.Title, page.Address.With("metric", kpi.Key).ToString(), kpi.Kpi == model.Kpi.Kpi, figures.Value(kpi.Unit, value), value is null ? WhyUnknown(kpi) : figures.Exact(kpi.Unit, value.Value),
            figures.Delta(kpi, value, model.Then?.Total[index]), Spark([.. Over.Select(p => p.Values[index])]), kpi.Definition);
    }

    // A day that has only begun would end every small line in a fall. The chart, which has room to say so, draws it.
    private IEnumerable<Piece> Over => model.Now.Series.Count(p => p.Start <= page.Now) is var begun && begun > 2 && begun == model.Now.Series.Count && page.Period.IsSoFar(page.Today)
        ? model.Now.Series.Take(begun - 1) : model.Now.Series.Take(begun);

    private string WhyUnknown(KpiInfo kpi) => kpi.Kpi switch
    {
        Kpi.TimeToCapture => page.Filters.Count > 0 ? "Not known under filters: a lead's first visit may not have matched them." : "No lead was captured whose first visit is known.",
        Kpi.FormCompletion => "No form was started in these days.",
        Kpi.LeadRate => "There were no visitors in these days.",
        _ => "There were no sessions in these days.",
    };

    private static string Spark(List<double?> values)
    {
        var largest = values.Max() ?? 0;
        if (values.Count < 2 || largest <= 0) return "M0 21H100";
        var text = new System.Text.StringBuilder();
        for (var i = 0; i < values.Count; i++) text.Append(CultureInfo.InvariantCulture, $"{(i == 0 ? 'M' : 'L')}{i * 100.0 / (values.Count - 1):0.#} {21 - ((values[i] ?? 0) / largest * 20):0.#}");
        return text.ToString();
    }

    private ChartLine Line(KpiInfo kpi, IReadOnlyList<Piece> pieces, int index) => new(
        kpi.Title, [.. pieces.Select(p => kpi.Unit == Unit.Count ? p.Values[index] ?? 0 : p.Values[index])], [.. pieces.Select(p => figures.Value(kpi.Unit, p.Values[index]))], [.. pieces.Select(p => Label(p.Start))]);

    private string Axis(DateTimeOffset start) => model.Interval switch
    {
        Interval.Hour => page.Period.Days.Days == 1 ? start.ToString("HH:mm", CultureInfo.InvariantCulture) : start.ToString("d MMM HH:mm", CultureInfo.InvariantCulture),
        Interval.Month => start.ToString("MMM yyyy", CultureInfo.InvariantCulture),
        _ => start.ToString("d MMM", CultureInfo.InvariantCulture),
    };

    private string Label(DateTimeOffset start) => model.Interval switch
    {
        Interval.Hour => start.ToString("ddd d MMM HH:mm 'UTC'", CultureInfo.InvariantCulture),
        Interval.Day => start.ToString("ddd d MMM yyyy", CultureInfo.InvariantCulture),
        Interval.Week => start.ToString("'Week of' d MMM yyyy", CultureInfo.InvariantCulture),
        _ => start.ToString("MMMM yyyy", CultureInfo.InvariantCulture),
    };

    /// <summary>A piece leads to its own days; an hour to its day.</summary>
    private string Link(Piece piece)
    {
        var first = DateOnly.FromDateTime(piece.Start.UtcDateTime);
        var last = model.Interval switch { Interval.Week => first.AddDays(6), Interval.Month => first.AddMonths(1).AddDays(-1), _ => first };
        var days = page.Period.Days;
        (first, last) = (first < days.From ? days.From : first, last > days.To ? days.To : last);
        return first == days.From && last == days.To ? ""
            : page.Address.Without("period", "interval").With("from", first.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).With("to", last.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture)).ToString();
    }

    private PanelText Panel(PanelAnswer answer)
    {
        var (panel, tab) = (answer.Panel, answer.Tab);
        var dimension = new Dimension(tab.By);
        var widest = answer.Rows.Count > 0 ? answer.Rows.Max(r => r.Values[0]) ?? 0 : 0;
        var rows = answer.Rows.Select(cell => Row(dimension, cell, widest, answer)).ToList();
        return new PanelText(
            panel.Key, panel.Title, [.. panel.Tabs.Select(t => new Choice(t.Label, page.Address.With(panel.Key, t == panel.Tabs[0] ? null : t.Key).ToString(), t == tab, t.Key))],
            Labels.Of(dimension), MetricText.Title(tab.Metric), tab.Second is null ? "Share" : "Converted", answer.Then is not null, rows,
            answer.HasMore || tab.Second is not null ? page.Address.On($"by/{dimension.Name}").With("sort", tab.Metric.Name()).ToString() : null,
            page.Address.On($"by/{dimension.Name}.csv").With("sort", tab.Metric.Name()).ToString(), WhyEmpty(tab), tab.Key == "map" ? Map(answer) : null);
    }

    private BarRow Row(Dimension dimension, Cell cell, double widest, PanelAnswer answer)
    {
        var value = cell.Values[0] ?? 0;
        var share = answer.Tab.Second is not null ? figures.Value(Unit.Rate, cell.Values[1]) : answer.Total is > 0 and var total ? page.Numbers.Percent(value / total) : Numbers.Unknown;
        var delta = answer.Then is { } then ? figures.Change(value, then.GetValueOrDefault(PanelsReader.KeyOf(cell.Key)) ?? 0, moreIsBetter: null) : null;
        var link = page.Address.Toggled(dimension, cell.Key).Without("cursor").ToString();
        return new BarRow(
            CutText.Of(Labels.Of(dimension, cell.Key)), link, page.Address.HasFilter(dimension, cell.Key), widest > 0 ? value / widest * 100 : 0,
            page.Numbers.Count(value), figures.Exact(Unit.Count, value), share, delta);
    }

    private List<MapCountry> Map(PanelAnswer answer)
    {
        var values = answer.Rows.Where(r => r.Key is not null).ToDictionary(r => r.Key!, r => r.Values[0] ?? 0);
        var ordered = values.Values.Order().ToList();
        return [.. Countries.Shapes.Select(s =>
        {
            if (!values.TryGetValue(s.Key, out var visitors)) return new MapCountry(s.Value, null, "", Countries.Name(s.Key));
            var quarter = 1 + Math.Min(3, ordered.BinarySearch(visitors) is var at and >= 0 ? at * 4 / ordered.Count : 0);
            return new MapCountry(s.Value, page.Address.Toggled(new Dimension(DimensionKind.Country), s.Key).ToString(), $"q{quarter}", $"{Countries.Name(s.Key)}: {page.Numbers.Exact(visitors)}");
        })];
    }

    private static string WhyEmpty(PanelTab tab) => tab.Key switch
    {
        "campaign" => "No visit in these days came with utm_campaign in its address.",
        "goal" => "No conversion in these days. Submitted forms count by themselves; the settings define other goals.",
        "list" or "map" => "No visit in these days.",
        _ => "Nothing in these days.",
    };
}
