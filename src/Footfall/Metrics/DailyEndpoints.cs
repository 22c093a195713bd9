using Footfall.Access;
using Footfall.Capture;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Metrics;

/// <summary>GET /v1/metrics/daily: the day rows themselves, however old the raw events.</summary>
internal static class DailyEndpoints
{
    private static readonly TrafficSource[] Sources = Enum.GetValues<TrafficSource>();

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/metrics/daily", GetAsync).RequireAccess(AccessRole.Dashboard).AddEndpointFilter(QueryFailures.Add)
            .WithName("daily").Produces<DailyBody>().WithMetadata(ApiTexts.Daily);

    private static async Task<IResult> GetAsync(HttpContext context, PropertyScope scope, DailyStore store, ProductReader product, CancellationToken cancellationToken)
    {
        var reader = new ParameterReader(context.Request.Query);
        var property = scope.Read(reader, context);
        var form = AnswerForm.Read(reader, context.Request);
        var window = reader.Window(scope.Today);
        var (refusal, state) = await scope.CheckAsync(reader, context, property, cancellationToken);
        if (refusal is not null) return refusal;

        var (days, generatedAt) = await store.ReadAsync(property, window, cancellationToken);
        var body = new DailyBody(new WindowBody(window.From, window.To), SummaryReader.FreshnessOf(state, scope.Today, generatedAt), days, await product.ReadAsync(property, new Window(window.From, window.To), cancellationToken));
        return Answers.Of(context, form, body, $"daily-{window.From:yyyy-MM-dd}-{window.To:yyyy-MM-dd}", Table);
    }

    private static CsvTable Table(DailyBody body)
    {
        string[] columns =
        [
            "day", "uniqueVisitors", "returningVisitors", "pageViews", "entrances", "exits", "conversions", "events", "formStarts", "formSubmits",
            "sessions", "bounces", "bounceRate", "avgVisitDurationSec", "convertedSessions", "newLeads", "leadCaptureRate",
            "eventsAccepted", "eventsDuplicate", "eventsBot", "eventsDropped", "eventsRejected", "p95TtfbMs",
            "dau", "newUsers", "sessionsSubmitted", "loggingRate24h", "ingestionLagP50Ms", "ingestionLagP95Ms",
        ];
        var table = new CsvTable(columns.Concat(Sources.Select(s => $"sessions_{Name(s)}")));
        foreach (var (d, p) in body.Days.Zip(body.Product.Days))   // both have every day of the window
        {
            object?[] cells =
            [
                d.Day, d.UniqueVisitors, d.ReturningVisitors, d.PageViews, d.Entrances, d.Exits, d.Conversions, d.Events, d.FormStarts, d.FormSubmits,
                d.Sessions, d.Bounces, d.BounceRate, d.AvgVisitDurationSec, d.ConvertedSessions, d.NewLeads, d.LeadCaptureRate,
                d.EventsAccepted, d.EventsDuplicate, d.EventsBot, d.EventsDropped, d.EventsRejected, d.P95TtfbMs,
                p.Dau, p.NewUsers, p.SessionsSubmitted, p.LoggingRate24h, p.IngestionLagP50Ms, p.IngestionLagP95Ms,
            ];
            table.Add(cells.Concat(Sources.Select(s => (object?)d.SessionsBySource.GetValueOrDefault(Name(s)))));
        }
        return table;
    }

    private static string Name(TrafficSource source) => Ingestion.Names.Of(source);
}
