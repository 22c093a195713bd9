using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>Keeps the database up while the server serves: starts it, migrates it, opens the gate, watches it, and starts it again when it dies.
/// The web server does not wait for any of this: events go into the journal.</summary>
internal sealed class DatabaseService(Database database, DatabaseGate gate, DataFolder data, TimeProvider time, ILogger<DatabaseService> log) : BackgroundService
{
    private static readonly TimeSpan LookAtChild = TimeSpan.FromMilliseconds(500);
    private static readonly TimeSpan Ping = TimeSpan.FromSeconds(3);
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(15);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (data.Notice is { } notice)
            PostgresLog.DataFolderNotice(log, notice);

        var pause = FirstPause;
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await database.BringUpAsync(stoppingToken);
                if (gate.Open())
                    PostgresLog.Ready(log);
                pause = FirstPause;
                await WatchAsync(stoppingToken);
            }
            catch (Exception e) when (!stoppingToken.IsCancellationRequested)
            {
                // Whatever it is (no network, a wrong password, a missing program), an operator can mend it while we go on.
                var problem = Database.Describe(e);
                if (gate.Close(problem))
                    PostgresLog.Unavailable(log, problem);
            }
            catch (OperationCanceledException)
            {
                break;
            }
            await Task.Delay(pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            pause = TimeSpan.FromTicks(Math.Min(LongestPause.Ticks, pause.Ticks * 2));
        }
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        gate.Close("this server is stopping.");
        try
        {
            await database.ReleaseAsync(cancellationToken);
        }
        catch (Exception e) when (e is IOException or OperationCanceledException)
        {
            PostgresLog.StopFailed(log, e.Message);
        }
    }

    /// <summary>Returns when the embedded child has died; throws when the database does not answer.</summary>
    private async Task WatchAsync(CancellationToken ct)
    {
        var pinged = time.GetTimestamp();
        while (true)
        {
            await Task.Delay(database.Embedded is null ? Ping : LookAtChild, time, ct);
            if (database.Embedded is { IsHealthy: false })
                throw new SetupException("the embedded PostgreSQL has ended; starting it again.");
            if (time.GetElapsedTime(pinged) >= Ping)
            {
                await database.PingAsync(ct);
                pinged = time.GetTimestamp();
            }
        }
    }
}
