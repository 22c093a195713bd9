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
        group.MapPost("/query", PostQueryAsync).WithName("query").Produces<QueryBody>().WithMetadata(WayTexts.Query);
    }

    private static async Task<IResult> GetBreakdownAsync(HttpContext context, PropertyScope scope, Moments moments, Goals goals, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var question = QueryReader.Breakdown(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var (meant, unknown) = await MeantAsync(goals, question, cancellationToken);
        if (unknown is not null) return unknown;
        await using var moment = moments.Open(property);
        await moment.DecideAsync([meant.Query, meant.Comparison], cancellationToken);
        var body = await BreakdownAsync(moment, meant, state, cancellationToken);
        return Answers.Of(context, form, body, FileName("breakdown", meant), Table, body.NextCursor);
    }

    private static async Task<IResult> GetTimeseriesAsync(HttpContext context, PropertyScope scope, Moments moments, Goals goals, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var question = QueryReader.Timeseries(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var (meant, unknown) = await MeantAsync(goals, question, cancellationToken);
        if (unknown is not null) return unknown;
        await using var moment = moments.Open(property);
        await moment.DecideAsync([meant.Query, meant.Comparison], cancellationToken);
        return Answers.Of(context, form, await TimeseriesAsync(moment, meant, state, cancellationToken), FileName("timeseries", meant), Table);
    }

    private static async Task<IResult> PostQueryAsync(HttpContext context, PropertyScope scope, Moments moments, Goals goals, CancellationToken cancellationToken)
    {
        var (reader, unreadable) = await QuestionBody.ReadAsync(context, cancellationToken);
        if (reader is null) return unreadable!;
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var question = QueryReader.Any(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var (meant, unknown) = await MeantAsync(goals, question, cancellationToken);
        if (unknown is not null) return unknown;
        await using var moment = moments.Open(property);
        await moment.DecideAsync([meant.Query, meant.Comparison], cancellationToken);
        if (meant.Query.By is not null)
        {
            var rows = await BreakdownAsync(moment, meant, state, cancellationToken);
            return Answers.Of(context, form, new QueryBody(rows.Window, rows.CompareTo, rows.Dimension, null, rows.Metrics, rows.Totals, rows.Rows, null, null, rows.NextCursor, rows.Engine, rows.CompleteFrom), FileName("query", meant), _ => Table(rows));
        }
        if (meant.Query.Per is not null)
        {
            var points = await TimeseriesAsync(moment, meant, state, cancellationToken);
            return Answers.Of(context, form, new QueryBody(points.Window, points.CompareTo, null, points.Interval, points.Metrics, points.Totals, null, points.Points, points.ComparisonPoints, null, points.Engine, points.CompleteFrom), FileName("query", meant), _ => Table(points));
        }
        var (totals, totalsThen) = await TotalsAsync(moment, meant, cancellationToken);
        var body = new QueryBody(
            Body(meant.Query.Window), meant.CompareTo is { } window ? Body(window) : null, null, null, [.. meant.Query.Metrics.Select(m => m.Name())],
            Figures(meant.Query.Metrics, totals, totalsThen), null, null, null, null, moment.Engine, state.CompleteBy(moment.Engine));
        return Answers.Of(context, form, body, FileName("query", meant), b =>
        {
            var table = new CsvTable(Columns("window", b.Metrics, b.CompareTo is not null));
            table.Add(Cells($"{b.Window.From:yyyy-MM-dd}..{b.Window.To:yyyy-MM-dd}", b.Metrics, b.Totals, b.CompareTo is not null));
            return table;
        });
    }

    /// <summary>The question with what its goals mean today, or the refusal of one that names a goal there is not.</summary>
    private static async Task<(Question Question, IResult? Refusal)> MeantAsync(Goals goals, Question question, CancellationToken cancellationToken)
    {
        var (filters, unknown) = await goals.FindAsync(question.Query.PropertyId, question.Query.Filters, cancellationToken);
        return unknown is null
            ? (question with { Query = question.Query with { Filters = filters } }, null)
            : (question, Answers.Refuse(new InvalidParameter("filters", unknown)));
    }

    private static async Task<BreakdownBody> BreakdownAsync(Moment moment, Question question, PropertyState state, CancellationToken cancellationToken)
    {
        var query = question.Query;
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
        return new BreakdownBody(
            Body(query.Window), question.CompareTo is { } window ? Body(window) : null, query.By!.Value.Name, [.. query.Metrics.Select(m => m.Name())],
            Figures(query.Metrics, totals, totalsThen), rows, next, moment.Engine, state.CompleteBy(moment.Engine));
    }

    private static async Task<TimeseriesBody> TimeseriesAsync(Moment moment, Question question, PropertyState state, CancellationToken cancellationToken)
    {
        var query = question.Query;
        var interval = query.Per!.Value;
        var now = await SeriesAsync(moment, query, interval, cancellationToken);
        var then = question.Comparison is { } comparison ? await SeriesAsync(moment, comparison, interval, cancellationToken) : null;
        var (totals, totalsThen) = await TotalsAsync(moment, question, cancellationToken);
        return new TimeseriesBody(
            Body(query.Window), question.CompareTo is { } window ? Body(window) : null, Name(interval), [.. query.Metrics.Select(m => m.Name())],
            Figures(query.Metrics, totals, totalsThen),
            [.. now.Select((p, i) => new TimePoint(Start(p.Start, interval), Figures(query.Metrics, p.Cell, then is not null && i < then.Count ? then[i].Cell : null)))],
            then?.ConvertAll(p => new TimePoint(Start(p.Start, interval), Figures(query.Metrics, p.Cell, null))),
            moment.Engine, state.CompleteBy(moment.Engine));
    }

    private static string FileName(string what, Question question) => $"{what}-{question.Query.Window.From:yyyy-MM-dd}-{question.Query.Window.To:yyyy-MM-dd}";

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

    internal static string Name(Interval interval) => interval switch
    {
        Interval.Hour => "hour",
        Interval.Day => "day",
        Interval.Week => "week",
        Interval.Month => "month",
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    private static WindowBody Body(DayRange window) => new(window.From, window.To);
}
