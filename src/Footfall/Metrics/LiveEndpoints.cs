using Footfall.Access;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>What happens now, and how fast pages are where people use them.</summary>
internal static class LiveEndpoints
{
    private static readonly Vital[] Vitals = Enum.GetValues<Vital>();

    private static readonly Dictionary<string, Threshold> Thresholds = Vitals.ToDictionary(Name, v => VitalThresholds.Of(v) is var t ? new Threshold(t.Good, t.Poor) : null!);

    public static void Map(IEndpointRouteBuilder routes)
    {
        var group = routes.MapGroup("/v1/metrics").RequireAccess(AccessRole.Dashboard).AddEndpointFilter(QueryFailures.Add);
        group.MapGet("/realtime", GetRealtimeAsync).WithName("realtime").Produces<RealtimeBody>().WithMetadata(ApiTexts.Realtime);
        group.MapGet("/vitals", GetVitalsAsync).WithName("vitals").Produces<VitalsBody>().WithMetadata(ApiTexts.Vitals);
    }

    private static async Task<IResult> GetRealtimeAsync(HttpContext context, PropertyScope scope, Snapshots snapshots, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        if ((await scope.CheckAsync(reader, context, property, cancellationToken)).Refusal is { } refusal) return refusal;

        await using var snapshot = await snapshots.OpenAsync(cancellationToken);
        var now = await RealtimeSql.ReadAsync(snapshot, property, scope.Now, cancellationToken);
        var body = new RealtimeBody(
            now.Visitors,
            [.. now.PageViews.Select(m => new MinuteViews(m.Minute, m.PageViews))],
            [.. now.Pages.Select(p => new RealtimeRow(p.Value, p.Visitors))],
            [.. now.Sources.Select(s => new RealtimeRow(s.Value, s.Visitors))]);
        return Answers.Of(context, form, body, "realtime", Table);
    }

    private static async Task<IResult> GetVitalsAsync(HttpContext context, PropertyScope scope, Snapshots snapshots, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var query = VitalsQuery.Read(reader, property, scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        await using var snapshot = await snapshots.OpenAsync(cancellationToken);
        var rows = await VitalsSql.RowsAsync(snapshot, query with { Limit = query.Limit + 1 }, cancellationToken);
        string? next = null;
        if (rows.Count > query.Limit)
        {
            rows.RemoveAt(rows.Count - 1);
            next = Position.Of(rows[^1].Samples, rows[^1].Key).Encode(query.Fingerprint());
        }
        var overall = await VitalsSql.OverallAsync(snapshot, query, cancellationToken);
        var body = new VitalsBody(new WindowBody(query.Window.From, query.Window.To), Thresholds, Entry(overall), [.. rows.Select(Entry)], next, state.CompleteFrom);
        return Answers.Of(context, form, body, $"vitals-{query.Window.From:yyyy-MM-dd}-{query.Window.To:yyyy-MM-dd}", Table, next);
    }

    private static VitalsEntry Entry(VitalsRow row)
    {
        var figures = new Dictionary<string, VitalFigure>(StringComparer.Ordinal);
        foreach (var vital in Vitals)
        {
            if (row.Spreads[(int)vital] is { } s) figures.Add(Name(vital), new VitalFigure(s.P50, s.P75, s.P95, s.Samples, VitalThresholds.Rating(vital, s.P75)));
        }
        return new VitalsEntry(row.Path, row.Device, row.Samples, figures);
    }

    // The three lists of the answer under one another: a table has one form.
    private static CsvTable Table(RealtimeBody body)
    {
        var table = new CsvTable("figure", "value", "count");
        table.Add("visitors", null, body.Visitors);
        foreach (var m in body.PageViewsPerMinute) table.Add("page_views_per_minute", m.Minute, m.PageViews);
        foreach (var p in body.Pages) table.Add("page_visitors", p.Value, p.Visitors);
        foreach (var s in body.Sources) table.Add("source_visitors", s.Value, s.Visitors);
        return table;
    }

    private static CsvTable Table(VitalsBody body)
    {
        var table = new CsvTable(Vitals.Select(Name).SelectMany(v => new[] { $"{v}_p50", $"{v}_p75", $"{v}_p95", $"{v}_samples", $"{v}_rating" }).Prepend("samples").Prepend("device").Prepend("path"));
        foreach (var row in body.Rows)
        {
            table.Add(Vitals.Select(v => row.Vitals.GetValueOrDefault(Name(v))).SelectMany(f => new object?[] { f?.P50, f?.P75, f?.P95, f?.Samples ?? 0, f?.Rating }).Prepend(row.Samples).Prepend(row.Device).Prepend(row.Path));
        }
        return table;
    }

    private static string Name(Vital vital) => vital switch
    {
        Vital.Lcp => "lcp",
        Vital.Inp => "inp",
        Vital.Cls => "cls",
        Vital.Fcp => "fcp",
        Vital.Ttfb => "ttfb",
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };
}
