using Footfall.Hosting;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Leads;

/// <summary>How far the scrub is.</summary>
/// <param name="Waiting">What keeps it from being done, in a sentence; null when all is done.</param>
internal sealed record ScrubReport(int Done, int Left, string? Waiting);

/// <summary>
/// What an erasure leaves behind on the disk, and takes away after it: deleted rows that still stand in the tables' files, the
/// write-ahead log, statistics, and mentions of the address in other people's rows. Tables are written anew without them, small ones
/// at once, large ones at a quiet hour. One process at a time; safe to break off and to repeat.
/// </summary>
internal sealed class ErasureScrub(
    NpgsqlDataSource source, Database database, DataFolder folder, IEnumerable<IPersonalTrace> traces, IOptions<LeadErasureOptions> options, TimeProvider clock, ILogger<ErasureScrub> log)
{
    private const long LockKey = 0x466F6F7453637275;   // "FootScru"

    // The figures of the person's days are computed anew first: the rows that this replaces go with the rest. Where no job does
    // that (Rollups:Enabled is off everywhere), waiting for it must end.
    private static readonly TimeSpan RollupPatience = TimeSpan.FromMinutes(15);

    // The work of another server's erasure can only be read there. When that server is gone, what needs no reading is done here.
    private static readonly TimeSpan OtherServersPatience = TimeSpan.FromHours(1);

    private static readonly TimeSpan ReadersPatience = TimeSpan.FromSeconds(30);
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(100);

    private DateTimeOffset rewritten;   // erasures up to here wait for nothing but large tables

    /// <summary>Does what can be done now.</summary>
    /// <param name="wholly">Does not wait for the quiet hour, nor for figures that nobody computes meanwhile.</param>
    public async Task<ScrubReport> RunAsync(bool wholly, CancellationToken cancellationToken)
    {
        await using var connection = await source.OpenConnectionAsync(cancellationToken);
        var pending = await ScrubStore.PendingAsync(connection, cancellationToken);
        if (pending.Count == 0) return new ScrubReport(0, 0, null);
        if (!await ScrubStore.TryLockAsync(connection, LockKey, cancellationToken)) return new ScrubReport(0, pending.Count, "Another process is at it.");
        try
        {
            return await ScrubAsync(connection, pending, wholly, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return new ScrubReport(0, pending.Count, "A table is being read and cannot be written anew; it is tried again.");
        }
        finally
        {
            await ScrubStore.UnlockAsync(connection, LockKey);
        }
    }

    private async Task<ScrubReport> ScrubAsync(NpgsqlConnection connection, List<PendingScrub> pending, bool wholly, CancellationToken cancellationToken)
    {
        var now = clock.GetUtcNow();
        if (!wholly && pending.All(p => p.ErasedAt <= rewritten) && !IsQuiet(now)) return new ScrubReport(0, pending.Count, "Large tables wait for the quiet hour (Leads:Erasure:QuietHour).");
        if (!wholly && pending[^1].ErasedAt > now - RollupPatience && await ScrubStore.WaitsForRollupAsync(connection, pending[^1].ErasedAt, cancellationToken))
            return new ScrubReport(0, pending.Count, "Figures of erased days are being computed anew.");

        var key = folder.Secret(Erasure.KeyName);
        List<(PendingScrub Scrub, ScrubWork? Work)> mine = [];
        foreach (var scrub in pending)
        {
            var work = scrub.Work is null ? null : ScrubWork.Decrypt(scrub.Work, key);
            if (work is not null || scrub.ErasedAt < now - OtherServersPatience) mine.Add((scrub, work));
        }
        if (mine.Count == 0) return new ScrubReport(0, pending.Count, "Another server's erasure is scrubbed there.");

        var tables = await SweepAsync(connection, mine, key, cancellationToken);
        if (await WaitForReadersAsync(connection, cancellationToken)) return new ScrubReport(0, pending.Count, "A transaction that began before is still open.");
        var postponed = 0;
        var most = wholly || IsQuiet(now) ? long.MaxValue : options.Value.RewriteAtOnceMegabytes << 20;
        foreach (var (table, bytes) in await ScrubStore.TablesAsync(connection, cancellationToken))
        {
            if (bytes > ScrubStore.SmallBytes && !tables.Contains(table) && !ScrubStore.AlwaysPersonal.Contains(table)) continue;
            if (bytes > most) postponed++;
            else await ScrubStore.RewriteAsync(connection, table, cancellationToken);
        }
        await ScrubStore.RewriteStatisticsAsync(connection, cancellationToken);
        if (!await database.ScrubLogAsync(cancellationToken)) log.LogNotScrubbed();
        rewritten = pending[^1].ErasedAt;
        if (postponed > 0) return new ScrubReport(0, pending.Count, "Large tables wait for the quiet hour (Leads:Erasure:QuietHour).");

        await ScrubStore.DoneAsync(connection, [.. mine.Select(m => m.Scrub.Id)], clock.GetUtcNow(), cancellationToken);
        log.Scrubbed(mine.Count);
        return new ScrubReport(mine.Count, pending.Count - mine.Count, null);
    }

    /// <summary>Finds what only reading whole tables finds. Returns the large tables that have to be written anew.</summary>
    private async Task<HashSet<string>> SweepAsync(NpgsqlConnection connection, List<(PendingScrub Scrub, ScrubWork? Work)> mine, byte[] key, CancellationToken cancellationToken)
    {
        var works = mine.ConvertAll(m => m.Work).OfType<ScrubWork>().ToList();
        if (works.Count == 0) return [];
        int[] visitors = [.. works.SelectMany(w => w.VisitorNumbers)], accounts = [.. works.SelectMany(w => w.AccountNumbers)];
        foreach (var trace in traces) await trace.SweepAsync(connection, visitors, accounts, cancellationToken);
        string[] names = [.. works.SelectMany(w => w.Accounts)];
        if (names.Length > 0) await ScrubStore.ForgetAccountsAsync(connection, names, clock.GetUtcNow(), cancellationToken);
        string[] addresses = [.. works.SelectMany(w => w.Addresses)];
        var blotted = await Mentions.BlotAsync(connection, addresses, clock.GetUtcNow(), cancellationToken);
        foreach (var trace in addresses.Length == 0 ? [] : traces) blotted.AddRange(await trace.BlotAsync(connection, Mentions.Of(addresses), cancellationToken));
        if (blotted.Count > 0)
        {
            // Should this process end before they are written anew, the next one must know of them.
            var (scrub, work) = mine.First(m => m.Work is not null);
            var more = work! with { Tables = [.. work.Tables.Union(blotted)] };
            await ScrubStore.KeepWorkAsync(connection, scrub.Id, more.Encrypt(key), cancellationToken);
        }
        return [.. works.SelectMany(w => w.Tables), .. blotted];
    }

    /// <summary>True when somebody still reads what was there before, and goes on doing so.</summary>
    private async Task<bool> WaitForReadersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var since = await ScrubStore.PresentAsync(connection, cancellationToken);
        var began = clock.GetTimestamp();
        while (await ScrubStore.SomebodySeesOldRowsAsync(connection, since, cancellationToken))
        {
            if (clock.GetElapsedTime(began) > ReadersPatience) return true;
            await Task.Delay(LookAgain, clock, cancellationToken);
        }
        return false;
    }

    private bool IsQuiet(DateTimeOffset now) => now.UtcDateTime.Hour == options.Value.QuietHour;
}
