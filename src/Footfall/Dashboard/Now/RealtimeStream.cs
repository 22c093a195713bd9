using Footfall.Explore;
using Npgsql;

namespace Footfall.Dashboard.Now;

/// <summary>
/// Server-sent events that say when the page "now" is out of date. They carry no figures: the page asks for itself again, so that
/// what is shown is made in one place. A stream ends after a while; the browser opens it anew, and shows its key again.
/// </summary>
internal static class RealtimeStream
{
    private static readonly TimeSpan Every = TimeSpan.FromSeconds(2), Longest = TimeSpan.FromMinutes(10);
    private const int BeatsBetweenSigns = 7;

    public static async Task WriteAsync(CurrentPage page, RealtimeFeed feed, TimeProvider clock, IHostApplicationLifetime lifetime, CancellationToken cancellationToken)
    {
        var response = page.Context.Response;
        response.ContentType = "text/event-stream";
        response.Headers.CacheControl = "no-store";
        response.Headers["X-Accel-Buffering"] = "no";   // a proxy that gathers the answer would keep it for itself
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken, lifetime.ApplicationStopping);
        stop.CancelAfter(Longest);
        try
        {
            await response.WriteAsync("retry: 3000\n\n", stop.Token);
            string? mark = null;
            using var timer = new PeriodicTimer(Every, clock);
            for (var beat = 1; ; beat++)
            {
                var seen = await LookAsync(feed, page.Property.Id, stop.Token);
                if (seen is not null && mark is not null && seen != mark) await response.WriteAsync($"event: changed\ndata: {seen}\n\n", stop.Token);
                else if (beat % BeatsBetweenSigns == 0) await response.WriteAsync(": still here\n\n", stop.Token);
                mark = seen ?? mark;
                await response.Body.FlushAsync(stop.Token);
                if (!await timer.WaitForNextTickAsync(stop.Token)) return;
            }
        }
        catch (OperationCanceledException)
        {
            // Gone, over, or the server stops.
        }
    }

    // While the database is away nothing has changed that could be shown.
    private static async Task<string?> LookAsync(RealtimeFeed feed, string property, CancellationToken cancellationToken)
    {
        try
        {
            return (await feed.ReadAsync(property, cancellationToken)).Mark;
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or TooManyQueriesException or QueryTooSlowException)
        {
            return null;
        }
    }
}
