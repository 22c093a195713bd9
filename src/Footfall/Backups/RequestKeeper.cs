using Footfall.Hosting;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Backups;

/// <summary>Keeps the lists of what has to last up with the database, whichever server met it: within seconds it is known where the database is not.</summary>
internal sealed class RequestKeeper(
    NpgsqlDataSource database, PersonRequests requests, DataFolder folder, DatabaseGate gate, IOptions<BackupOptions> options, TimeProvider clock, ILogger<RequestKeeper> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(5);

    // An erasure's instant is taken before its transaction commits.
    private static readonly TimeSpan Late = TimeSpan.FromHours(1);

    private readonly List<RequestList> lists = [];
    private DateTimeOffset erasedAfter = DateTimeOffset.MinValue;
    private long ledgerAfter;
    private DateTimeOffset pruned = DateTimeOffset.MinValue;

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
                    await KeepAsync(stoppingToken);
                    failing = false;
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or UnauthorizedAccessException)
                {
                    if (!failing) log.RequestsNotKept(Database.Describe(e));
                    failing = true;
                }
            }
            while (await timer.WaitForNextTickAsync(stoppingToken));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    internal async Task KeepAsync(CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var (found, ledger) = await requests.ReadAsync(connection, erasedAfter, ledgerAfter, cancellationToken);
        if (lists.Count == 0) lists.AddRange(Folders().Select(f => new RequestList(f)));
        foreach (var list in lists)
        {
            list.Add(found, now);
            if (now - pruned > TimeSpan.FromDays(1)) list.Prune(now);
        }
        if (now - pruned > TimeSpan.FromDays(1)) pruned = now;
        (erasedAfter, ledgerAfter) = (now - Late, ledger);
    }

    private IEnumerable<string> Folders()
    {
        yield return folder.Path;
        if (string.IsNullOrWhiteSpace(options.Value.Directory)) yield break;
        Directory.CreateDirectory(options.Value.Directory, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        yield return Path.GetFullPath(options.Value.Directory);
    }
}
