using Footfall.Postgres;
using Npgsql;

namespace Footfall.Capture;

/// <summary>Makes the keys of today and tomorrow ahead of need, agrees on them with other servers, and deletes those of days past.</summary>
internal sealed class DayKeyKeeper(DayKeys keys, DayKeyStore store, DatabaseGate database, TimeProvider time, ILogger<DayKeyKeeper> logger) : BackgroundService
{
    /// <summary>A key is used in its day and may be needed a moment later, by an event that crossed midnight on its way.</summary>
    public const int DaysKept = 2;

    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    public override Task StartAsync(CancellationToken cancellationToken)
    {
        MakeAhead();
        return base.StartAsync(cancellationToken);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        var first = true;
        do
        {
            if (first) await Task.WhenAny(database.WaitAsync(stoppingToken), Task.Delay(Interval, time, stoppingToken));
            first = false;
            await KeepAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    internal async Task KeepAsync(CancellationToken cancellationToken)
    {
        try
        {
            var today = MakeAhead();
            if (!database.IsReady) return;
            foreach (var day in new[] { today, today.AddDays(1) })
            {
                if (keys.Adopt(day, await store.AgreeAsync(day, keys.For(day), cancellationToken))) logger.DayKeyAdopted(day);
            }
            await store.DeleteAsync(today.AddDays(-DaysKept), cancellationToken);
        }
        catch (Exception e) when (e is NpgsqlException or IOException or UnauthorizedAccessException or InvalidOperationException or InvalidDataException or TimeoutException)
        {
            logger.DayKeysNotKept(e.Message);
        }
    }

    private DateOnly MakeAhead()
    {
        var today = DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime);
        keys.For(today);
        keys.For(today.AddDays(1));
        keys.Forget(today.AddDays(-DaysKept));
        return today;
    }
}
