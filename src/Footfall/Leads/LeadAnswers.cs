using System.Text.Json.Serialization.Metadata;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Leads;

/// <summary>What the endpoints of leads have in common.</summary>
internal static class LeadAnswers
{
    public static IResult Ok<T>(T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => TypedResults.Json(body, type, statusCode: status);

    public static IResult Refuse(int status, string error, string message, string? parameter = null) =>
        TypedResults.Json(new LeadError(error, message, parameter), LeadsJson.Default.LeadError, statusCode: status);

    public static IResult Refuse(HttpContext context, LeadRejection r)
    {
        if (r.RetryAfter is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString();
        return TypedResults.Json(new LeadError(r.Code, r.Message, r.Issues is [var issue, ..] ? issue.Field : null, LeadError.Of(r.Issues)), LeadsJson.Default.LeadError, statusCode: r.Status);
    }

    public static IResult NotFound() => Refuse(StatusCodes.Status404NotFound, "lead_not_found", "There is no lead of this id; it may have been erased.", "id");

    /// <summary>PostgreSQL away: 503 with Retry-After, and nothing is stored by half. No answer of these endpoints may be kept by anyone.</summary>
    public static async ValueTask<object?> WithoutDatabase(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        context.Response.Headers.CacheControl = "private, no-store";
        if (!context.RequestServices.GetRequiredService<DatabaseGate>().IsReady) return Refuse(context, LeadRejection.Unavailable);
        try
        {
            return await next(invocation);
        }
        catch (Exception e) when (!context.Response.HasStarted && (Database.IsAway(e) || e is PostgresException { IsTransient: true }))
        {
            return Refuse(context, LeadRejection.Unavailable);
        }
    }
}
