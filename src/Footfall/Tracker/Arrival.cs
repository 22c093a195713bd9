using Footfall.Capture;
using Npgsql;

namespace Footfall.Tracker;

/// <summary>GET /v1/install/arrived?property&amp;since: whether an event of the property has been stored since then. What the page that shows the snippet waits for.</summary>
internal static class ArrivalEndpoint
{
    private static readonly TimeSpan Longest = TimeSpan.FromHours(1);

    /// <summary>200 <c>{"ok":true,"arrived":false}</c>; 400 for a property or instant that is none; 429; 503 while the database is away.</summary>
    public static async Task AnswerAsync(HttpContext context, ArrivalStore arrivals, AddressLimiter limiter, TimeProvider time)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        if (!limiter.TryTake(context.Connection.RemoteIpAddress, out var retryAfter))
        {
            response.Headers.RetryAfter = retryAfter.ToString(System.Globalization.CultureInfo.InvariantCulture);
            await CaptureAnswers.ErrorAsync(response, StatusCodes.Status429TooManyRequests, ErrorCodes.RateLimited, "Too many requests from this address.");
            return;
        }
        var property = context.Request.Query["property"].ToString();
        if (!PropertyId.IsValid(property) || !DateTimeOffset.TryParse(context.Request.Query["since"], out var since))
        {
            await CaptureAnswers.ErrorAsync(response, StatusCodes.Status400BadRequest, ErrorCodes.ValidationFailed, $"Name a property ({PropertyId.Rule}) and an instant: ?property=shop&since=2026-01-31T12:00:00Z.");
            return;
        }
        var earliest = time.GetUtcNow() - Longest;
        try
        {
            var arrived = await arrivals.AnyAsync(property, since < earliest ? earliest : since.ToUniversalTime(), context.RequestAborted);
            response.ContentType = "application/json; charset=utf-8";
            await response.WriteAsync(arrived ? """{"ok":true,"arrived":true}""" : """{"ok":true,"arrived":false}""", context.RequestAborted);
        }
        catch (NpgsqlException)
        {
            await CaptureAnswers.ErrorAsync(response, StatusCodes.Status503ServiceUnavailable, "temporarily_unavailable", "The database is away. Events are taken all the same, and show when it is back.");
        }
    }
}

/// <summary>Looks whether events have come.</summary>
internal sealed class ArrivalStore(NpgsqlDataSource database)
{
    private const string Any = """
        select true
        from events
        where property_id = @property and occurred_at >= @since and received_at >= @since
        limit 1
        """;

    public async Task<bool> AnyAsync(string property, DateTimeOffset since, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Any);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("since", since);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }
}
