using Footfall.Access;
using Footfall.Capture;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Footfall.Metrics;

internal static class SummaryEndpoints
{
    private static readonly AccessRequirement Requirement = new(AccessRole.Admin, AccessPlan.Free);

    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/metrics/summary", GetAsync).AddEndpointFilter(QueryFailures.Add).AddEndpointFilter<DatabaseAway>().WithName("summary").Produces<Summary>().WithMetadata(ApiTexts.Summary, Requirement);

    private static async Task<IResult> GetAsync(
        HttpContext context, AccessGate gate, SummaryStore store, SummaryReader reader,
        IOptions<CaptureOptions> capture, TimeProvider clock, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "private, no-store";
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var (query, invalid) = SummaryQuery.Parse(context.Request.Query, capture.Value.DefaultPropertyId, today);
        if (AccessGate.KeyOf(context.Request).Length == 0 && query is { ByWindowDays: true })
        {
            var state = await store.StateAsync(query.PropertyId, cancellationToken);
            if (state.IsPublic) return Json(Totals(await reader.ReadAsync(query with { CompareTo = null }, state, today, cancellationToken)));
        }

        var (caller, refusal) = await gate.AuthenticateAsync(context, Requirement);
        if (caller is null) return refusal!.Answer(context.Response);
        if (caller.PropertyId is { } own) (query, invalid) = SummaryQuery.Parse(context.Request.Query, own, today);   // whose key is for one property need not name it
        if (query is null) return Refuse(400, invalid!);

        if (!caller.MayUse(query.PropertyId)) return AccessRefusal.OtherProperty().Answer(context.Response);
        var known = await store.StateAsync(query.PropertyId, cancellationToken);
        if (!known.Exists && query.PropertyId != capture.Value.DefaultPropertyId)
        {
            return Refuse(404, new("property_not_found", "There is no property of this id yet. It appears with its first event; `footfall properties list` shows those there are.", "propertyId"));
        }
        return Json(await reader.ReadAsync(query, known, today, cancellationToken));
    }

    private static PublicSummary Totals(Summary summary) => new(
        summary.Window,
        summary.Freshness,
        new PublicMetrics(summary.Metrics.UniqueVisitors, summary.Metrics.TotalPageViews, summary.Metrics.Sessions, summary.Metrics.BounceRate, summary.Metrics.AvgVisitDurationSec));

    private static JsonHttpResult<Summary> Json(Summary body) => TypedResults.Json(body, MetricsJson.Default.Summary);

    private static JsonHttpResult<PublicSummary> Json(PublicSummary body) => TypedResults.Json(body, MetricsJson.Default.PublicSummary);

    private static JsonHttpResult<ErrorBody> Refuse(int status, ErrorBody body) => TypedResults.Json(body, MetricsJson.Default.ErrorBody, statusCode: status);
}
