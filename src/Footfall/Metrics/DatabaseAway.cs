using Footfall.Postgres;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Metrics;

/// <summary>Answers 503 <c>temporarily_unavailable</c> while the database is away, instead of letting each request fail in its own way.</summary>
internal sealed class DatabaseAway(DatabaseGate gate) : IEndpointFilter
{
    private const string RetryAfter = "5";

    public async ValueTask<object?> InvokeAsync(EndpointFilterInvocationContext context, EndpointFilterDelegate next)
    {
        if (!gate.IsReady) return Refuse(context.HttpContext);
        try
        {
            return await next(context);
        }
        catch (Exception e) when (Database.IsAway(e))
        {
            return Refuse(context.HttpContext);   // it left before the gate noticed
        }
    }

    private static JsonHttpResult<ErrorBody> Refuse(HttpContext context)
    {
        context.Response.Headers.CacheControl = "private, no-store";
        context.Response.Headers.RetryAfter = RetryAfter;
        return TypedResults.Json(
            new ErrorBody("temporarily_unavailable", "The database is away; /v1/readyz says why. Events are taken meanwhile. Ask again in a few seconds."),
            MetricsJson.Default.ErrorBody, statusCode: StatusCodes.Status503ServiceUnavailable);
    }
}
