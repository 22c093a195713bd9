using System.Globalization;
using System.Security.Cryptography;
using System.Text.Json;
using Footfall.Access;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>What product teams ask: experiments, funnels, who viewed an entity. From rollups, however old the raw events.</summary>
internal static class ModelEndpoints
{
    private const int MaxName = 256;

    public static void Map(IEndpointRouteBuilder routes)
    {
        var metrics = routes.MapGroup("/v1/metrics").RequireAccess(AccessRole.Dashboard).AddEndpointFilter(QueryFailures.Add);
        metrics.MapGet("/experiments", GetExperimentsAsync).WithName("experiments").Produces<ExperimentsBody>().WithMetadata(ApiTexts.Experiments);
        metrics.MapGet("/funnels", GetFunnelsAsync).WithName("funnels").Produces<FunnelsBody>().WithMetadata(ApiTexts.Funnels);
        var entities = routes.MapGroup("/api/analytics").RequireAccess(AccessRole.Dashboard, AccessPlan.Pro).AddEndpointFilter(QueryFailures.Add);
        entities.MapGet("/time-series", GetSeriesAsync).WithName("entitySeries").Produces<EntitySeriesBody>().WithMetadata(ApiTexts.EntitySeries);
        entities.MapGet("/visitors", GetVisitorsAsync).WithName("entityVisitors").Produces<EntityVisitorsBody>().WithMetadata(ApiTexts.EntityVisitors);
    }

    private static async Task<IResult> GetExperimentsAsync(HttpContext context, PropertyScope scope, ExperimentsReader experiments, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var window = reader.Window(scope.Today);
        var id = Name(reader, "experiment_id");
        if ((await scope.CheckAsync(reader, context, property, cancellationToken)).Refusal is { } refusal) return refusal;

        var days = await experiments.DaysAsync(property, new Window(window.From, window.To), id, cancellationToken);
        var analysis = id is null ? null : await experiments.AnalyseAsync(property, id, cancellationToken);
        return Answers.Of(context, form, new ExperimentsBody(Body(window), days, analysis), $"experiments-{window.From:yyyy-MM-dd}-{window.To:yyyy-MM-dd}", body =>
        {
            var table = new CsvTable("day", "experimentId", "variantId", "metricName", "value");
            foreach (var d in body.Days) table.Add(d.Day, d.ExperimentId, d.VariantId, d.MetricName, d.Value);
            return table;
        });
    }

    private static async Task<IResult> GetFunnelsAsync(HttpContext context, PropertyScope scope, FunnelsReader funnels, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var window = reader.Window(scope.Today);
        var name = Name(reader, "funnel_name");
        if ((await scope.CheckAsync(reader, context, property, cancellationToken)).Refusal is { } refusal) return refusal;

        var days = new Window(window.From, window.To);
        var body = new FunnelsBody(Body(window), await funnels.ReadAsync(property, days, name, cancellationToken), await funnels.DaysAsync(property, days, name, cancellationToken));
        return Answers.Of(context, form, body, $"funnels-{window.From:yyyy-MM-dd}-{window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable("day", "funnelName", "stepIndex", "stepName", "experimentId", "variantId", "users");
            foreach (var d in b.Days) table.Add(d.Day, d.FunnelName, d.StepIndex, d.StepName, d.ExperimentId, d.VariantId, d.Users);
            return table;
        });
    }

    private static async Task<IResult> GetSeriesAsync(HttpContext context, PropertyScope scope, EntitiesReader entities, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var window = reader.Window(scope.Today, "date_from", "date_to");
        var (type, id) = (Name(reader, "entity_type", required: true), Name(reader, "entity_id", required: true));
        var name = reader.Text("period") ?? "daily";
        EntityPeriod? period = name switch
        {
            "hourly" => EntityPeriod.Hourly,
            "daily" => EntityPeriod.Daily,
            "weekly" => EntityPeriod.Weekly,
            "monthly" => EntityPeriod.Monthly,
            _ => null,
        };
        if (period is null) reader.Refuse("period", "period must be hourly, daily, weekly or monthly.");
        else if (period == EntityPeriod.Hourly && TimePieces.CountOf(window, Interval.Hour) > QueryReader.MostPieces) reader.Refuse("period", $"The window has more than {QueryReader.MostPieces} hours. Ask for longer pieces, or a shorter window.");
        if ((await scope.CheckAsync(reader, context, property, cancellationToken)).Refusal is { } refusal) return refusal;

        var points = await entities.SeriesAsync(property, type!, id!, new Window(window.From, window.To), period!.Value, cancellationToken);
        var body = new EntitySeriesBody(type!, id!, window.From, window.To, name,
            [.. points.Select(p => new EntityPointBody(p.Start, p.TotalViews, p.UniqueVisitors, p.UniqueAccounts, p.AnonymousVisitors, p.AvgTimeOnPageSec, p.BounceRatePct))]);
        return Answers.Of(context, form, body, $"time-series-{window.From:yyyy-MM-dd}-{window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable("start", "total_views", "unique_visitors", "unique_accounts", "anonymous_visitors", "avg_time_on_page", "bounce_rate");
            foreach (var p in b.Points) table.Add(p.Start, p.TotalViews, p.UniqueVisitors, p.UniqueAccounts, p.AnonymousVisitors, p.AvgTimeOnPage, (double?)p.BounceRate);
            return table;
        });
    }

    private static async Task<IResult> GetVisitorsAsync(HttpContext context, PropertyScope scope, EntitiesReader entities, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var window = reader.Window(scope.Today, "date_from", "date_to");
        var (type, id, search) = (Name(reader, "entity_type", required: true), Name(reader, "entity_id", required: true), Name(reader, "search"));
        var limit = reader.Whole("limit", 1, QueryReader.MaxLimit) ?? QueryReader.UsualLimit;
        var question = Fingerprint("visitors", property, type, id, search, window.From, window.To);
        (DateTimeOffset LastVisit, int User)? after = null;
        if (reader.Text("cursor") is { Length: > 0 } cursor && reader.Error is null)
        {
            after = Position.Decode(cursor, question) is { } position ? Place(position) : null;
            if (after is null) reader.Refuse("cursor", "cursor must be the next_cursor of an answer to the same question. Leave it out to begin anew.");
        }
        if ((await scope.CheckAsync(reader, context, property, cancellationToken)).Refusal is { } refusal) return refusal;

        var found = await entities.VisitorsAsync(property, type!, id!, new Window(window.From, window.To), search, limit + 1, after, cancellationToken);
        var page = found.Take(limit).ToList();
        var next = found.Count > limit ? Position.Of(Microseconds(page[^1].LastVisit), page[^1].User.ToString(CultureInfo.InvariantCulture)).Encode(question) : null;
        var body = new EntityVisitorsBody(type!, id!, window.From, window.To,
            [.. page.Select(v => new EntityVisitorBody(v.AccountId, v.Username, v.DisplayName, v.VisitCount, v.FirstVisit, v.LastVisit, v.AvgTimeOnPageSec, v.DaysVisited, [.. v.Visits.Select(x => new EntityVisitBody(x.ViewedAt, x.ReferrerUrl))]))], next);
        return Answers.Of(context, form, body, $"visitors-{window.From:yyyy-MM-dd}-{window.To:yyyy-MM-dd}", b =>
        {
            var table = new CsvTable("account_id", "username", "display_name", "visit_count", "first_visit", "last_visit", "avg_time_on_page", "days_visited");
            foreach (var v in b.Visitors) table.Add(v.AccountId, v.Username, v.DisplayName, v.VisitCount, v.FirstVisit, v.LastVisit, v.AvgTimeOnPage, v.DaysVisited);
            return table;
        }, next);
    }

    private static string? Name(ParameterReader reader, string parameter, bool required = false)
    {
        var text = reader.Text(parameter);
        if (text is null && required) reader.Refuse(parameter, $"{parameter} is required: 1 to {MaxName} characters.");
        if (text is { Length: 0 or > MaxName }) reader.Refuse(parameter, $"{parameter} must have 1 to {MaxName} characters.");
        return text;
    }

    // Microseconds since 1970 fit a double exactly until the year 2255.
    private static double Microseconds(DateTimeOffset at) => (at.UtcTicks - DateTimeOffset.UnixEpoch.Ticks) / TimeSpan.TicksPerMicrosecond;

    private static (DateTimeOffset, int)? Place(Position position) =>
        position.Order is >= 0 and < 1e16 && int.TryParse(position.Beginning, NumberStyles.None, CultureInfo.InvariantCulture, out var user)
            ? (DateTimeOffset.UnixEpoch.AddTicks((long)position.Order * TimeSpan.TicksPerMicrosecond), user) : null;

    private static string Fingerprint(params object?[] parts) => Convert.ToHexStringLower(SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(parts)).AsSpan(0, 8));

    private static WindowBody Body(DayRange window) => new(window.From, window.To);
}
