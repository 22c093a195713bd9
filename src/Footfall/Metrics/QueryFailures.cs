using Footfall.Explore;
using Npgsql;

namespace Footfall.Metrics;

/// <summary>What a question about raw rows can run into, as answers.</summary>
internal static class QueryFailures
{
    private const string Retry = "5";
    private const int ClientClosedRequest = 499;   // nobody reads it; it keeps a gone client out of the error log

    public static async ValueTask<object?> Add(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        var context = invocation.HttpContext;
        try
        {
            return await next(invocation);
        }
        catch (QueryTooSlowException e)
        {
            return Answers.Refuse(StatusCodes.Status503ServiceUnavailable, new ErrorBody(
                "query_timeout", $"The question reads more than can be read in {e.Seconds} seconds. Ask about a shorter window, or with fewer conditions."));
        }
        catch (TooManyQueriesException)
        {
            context.Response.Headers.RetryAfter = Retry;
            return Answers.Refuse(StatusCodes.Status503ServiceUnavailable, new ErrorBody(
                "too_many_queries", "As many questions as this server works on at once (Explore:MaxConcurrentQueries) are before this one. Ask again in a few seconds."));
        }
        catch (Exception e) when (context.RequestAborted.IsCancellationRequested && e is OperationCanceledException or NpgsqlException)
        {
            return TypedResults.StatusCode(ClientClosedRequest);
        }
        catch (Exception e) when (e is TimeoutException or NpgsqlException and not PostgresException || e is PostgresException { IsTransient: true })
        {
            context.Response.Headers.RetryAfter = Retry;
            return Answers.Refuse(StatusCodes.Status503ServiceUnavailable, new ErrorBody(
                "temporarily_unavailable", "The database does not answer. Events are still taken; ask again soon. /v1/readyz tells when it is back."));
        }
    }
}
