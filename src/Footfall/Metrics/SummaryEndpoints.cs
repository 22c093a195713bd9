using Footfall.Access;
using Footfall.Capture;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Extensions.Options;

namespace Footfall.Metrics;

internal static class SummaryEndpoints
{
    public static void Map(IEndpointRouteBuilder routes) => routes.MapGet("/v1/metrics/summary", GetAsync);

    private static async Task<Results<JsonHttpResult<Summary>, JsonHttpResult<PublicSummary>, JsonHttpResult<ErrorBody>>> GetAsync(
        HttpContext context, AdminKey adminKey, FailedAttempts failures, SummaryStore store, SummaryReader reader,
        IOptions<CaptureOptions> capture, TimeProvider clock, CancellationToken cancellationToken)
    {
        context.Response.Headers.CacheControl = "private, no-store";
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var (query, invalid) = SummaryQuery.Parse(context.Request.Query, capture.Value.DefaultPropertyId, today);
        var given = context.Request.Headers[AdminKey.Header].ToString();
        if (given.Length == 0 && query is { ByWindowDays: true })
        {
            var state = await store.StateAsync(query.PropertyId, cancellationToken);
            if (state.IsPublic) return Json(Totals(await reader.ReadAsync(query with { CompareTo = null }, state, today, cancellationToken)));
        }

        var address = context.Connection.RemoteIpAddress;
        if (!adminKey.IsConfigured)
        {
            return Refuse(503, new("admin_auth_not_configured", "No admin key is configured. Set ADMIN_API_KEY (at least 16 characters) and restart the server."));
        }
        if (failures.IsBlocked(address))
        {
            context.Response.Headers.RetryAfter = "60";
            return Refuse(429, new("too_many_attempts", "Too many wrong keys came from this address. Wait a minute, then try again with the right one."));
        }
        if (!adminKey.Matches(given))
        {
            if (given.Length > 0) failures.Add(address);
            return Refuse(401, new("unauthorized", $"Send the admin key in the header {AdminKey.Header}."));
        }
        if (query is null) return Refuse(400, invalid!);

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
