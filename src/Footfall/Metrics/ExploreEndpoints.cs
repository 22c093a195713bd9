using Footfall.Access;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>Questions about raw rows: by dimension, over time. What filters and metrics mean: docs/definitions.md.</summary>
internal static class ExploreEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/metrics").RequireAccess(AccessRole.Dashboard).AddEndpointFilter(QueryFailures.Add);
        group.MapGet("/breakdown", GetBreakdownAsync).WithName("breakdown").Produces<BreakdownBody>().WithMetadata(ApiTexts.Breakdown);
        group.MapGet("/timeseries", GetTimeseriesAsync).WithName("timeseries").Produces<TimeseriesBody>().WithMetadata(ApiTexts.Timeseries);
    }

    private static async Task<IResult> GetBreakdownAsync(HttpContext context, PropertyScope scope, Moments moments, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var question = QueryReader.Breakdown(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var query = question.Query;
        await using var moment = moments.Open(property);
        await moment.DecideAsync([query, question.Comparison], cancellationToken);
        var cells = await moment.AnswerAsync(query with { Limit = query.Limit + 1 }, cancellationToken);   // one more tells whether there is a next page
        string? next = null;
        if (cells.Count > query.Limit)
        {
            cells.RemoveAt(cells.Count - 1);
            next = Position.Of(cells[^1].Values[0], cells[^1].Key).Encode(query.Fingerprint());
        }
        var (totals, totalsThen) = await TotalsAsync(moment, question, cancellationToken);
        Dictionary<string, Cell>? then = null;
        if (question.Comparison is { } comparison)
        {
            var compared = await moment.AnswerAsync(comparison with { Only = [.. cells.Select(c => c.Key)] }, cancellationToken);
            then = compared.ToDictionary(KeyOrNone, StringComparer.Ordinal);
        }
        var rows = cells.Select(c => new BreakdownRow(c.Key, Figures(query.Metrics, c, then is null ? null : then.GetValueOrDefault(KeyOrNone(c)) ?? Snapshot.Nothing(query.Metrics)))).ToList();
        var body = new BreakdownBody(
            Body(query.Window), question.CompareTo is { } window ? Body(window) : null, query.By!.Value.Name, [.. query.Metrics.Select(m => m.Name())],
            Figures(query.Metrics, totals, totalsThen), rows, next, moment.Engine, state.CompleteFrom);
        return Answers.Of(context, form, body, $"breakdown-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", Table, next);
    }

    private static async Task<IResult> GetTimeseriesAsync(HttpContext context, PropertyScope scope, Moments moments, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var question = QueryReader.Timeseries(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var query = question.Query;
        var interval = query.Per!.Value;
        await using var moment = moments.Open(property);
        await moment.DecideAsync([query, question.Comparison], cancellationToken);
        var now = await SeriesAsync(moment, query, interval, cancellationToken);
        var then = question.Comparison is { } comparison ? await SeriesAsync(moment, comparison, interval, cancellationToken) : null;
        var (totals, totalsThen) = await TotalsAsync(moment, question, cancellationToken);
        var body = new TimeseriesBody(
            Body(query.Window), question.CompareTo is { } window ? Body(window) : null, Name(interval), [.. query.Metrics.Select(m => m.Name())],
            Figures(query.Metrics, totals, totalsThen),
            [.. now.Select((p, i) => new TimePoint(Start(p.Start, interval), Figures(query.Metrics, p.Cell, then is not null && i < then.Count ? then[i].Cell : null)))],
            then?.ConvertAll(p => new TimePoint(Start(p.Start, interval), Figures(query.Metrics, p.Cell, null))),
            moment.Engine, state.CompleteFrom);
        return Answers.Of(context, form, body, $"timeseries-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", Table);
    }

    private static async Task<(Cell Now, Cell? Then)> TotalsAsync(Moment moment, Question question, CancellationToken cancellationToken) => (
        (await moment.AnswerAsync(question.Query.Total, cancellationToken))[0],
        question.Comparison is { } comparison ? (await moment.AnswerAsync(comparison.Total, cancellationToken))[0] : null);

    private static async Task<List<(DateTimeOffset Start, Cell Cell)>> SeriesAsync(Moment moment, Query query, Interval interval, CancellationToken cancellationToken)
    {
        var cells = (await moment.AnswerAsync(query, cancellationToken)).ToDictionary(c => TimePieces.FromKey(c.Key!));
        return [.. TimePieces.Of(query.Window, interval).Select(start => (start, cells.GetValueOrDefault(start) ?? Snapshot.Nothing(query.Metrics)))];
    }

    private static Dictionary<string, Figure> Figures(IReadOnlyList<Metric> metrics, Cell now, Cell? then)
    {
        var figures = new Dictionary<string, Figure>(metrics.Count, StringComparer.Ordinal);
        for (var i = 0; i < metrics.Count; i++)
        {
            var (value, before) = (now.Values[i], then?.Values[i]);
            figures.Add(metrics[i].Name(), new Figure(value, value is null || before is null or 0 ? null : (value - before) / before));
        }
        return figures;
    }

    private static CsvTable Table(BreakdownBody body)
    {
        var table = new CsvTable(Columns(body.Dimension, body.Metrics, body.CompareTo is not null));
        foreach (var row in body.Rows) table.Add(Cells(row.Value, body.Metrics, row.Metrics, body.CompareTo is not null));
        return table;
    }

    private static CsvTable Table(TimeseriesBody body)
    {
        var table = new CsvTable(Columns("start", body.Metrics, body.CompareTo is not null));
        foreach (var point in body.Points) table.Add(Cells(point.Start, body.Metrics, point.Metrics, body.CompareTo is not null));
        return table;
    }

    private static IEnumerable<string> Columns(string first, IReadOnlyList<string> metrics, bool compared) =>
        metrics.SelectMany(m => compared ? new[] { m, $"{m}_delta" } : [m]).Prepend(first);

    private static IEnumerable<object?> Cells(string? first, IReadOnlyList<string> metrics, IReadOnlyDictionary<string, Figure> figures, bool compared) =>
        metrics.SelectMany(m => compared ? new object?[] { figures[m].Value, figures[m].Delta } : [figures[m].Value]).Prepend(first);

    // A text that no value can be: values hold no NUL.
    private static string KeyOrNone(Cell cell) => cell.Key ?? "\0";

    private static string Start(DateTimeOffset start, Interval interval) => interval == Interval.Hour ? $"{start.UtcDateTime:yyyy-MM-ddTHH:mm:ssZ}" : $"{start.UtcDateTime:yyyy-MM-dd}";

    private static string Name(Interval interval) => interval switch
    {
        Interval.Hour => "hour",
        Interval.Day => "day",
        Interval.Week => "week",
        Interval.Month => "month",
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    private static WindowBody Body(DayRange window) => new(window.From, window.To);
}
