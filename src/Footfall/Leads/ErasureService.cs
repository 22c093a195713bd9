using Footfall.Postgres;
using Npgsql;

namespace Footfall.Leads;

/// <summary>Does in a server what erasures leave to be done: in its own files, and in the database's.</summary>
internal sealed class ErasureService(JournalScrub journal, ErasureScrub scrub, DatabaseGate gate, TimeProvider clock, ILogger<ErasureService> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var failing = false;
        using var timer = new PeriodicTimer(Interval, clock);
        try
        {
            do
            {
                await gate.WaitAsync(stoppingToken);
                try
                {
                    await journal.StepAsync(stoppingToken);
                    await scrub.RunAsync(wholly: false, stoppingToken);
                    failing = false;
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or UnauthorizedAccessException)
                {
                    if (!failing) log.ScrubFailed(Database.Describe(e));
                    failing = true;
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }
}
