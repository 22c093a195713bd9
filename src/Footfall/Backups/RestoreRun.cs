using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Journal;
using Footfall.Postgres;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Backups;

/// <summary>What a restore brought back.</summary>
/// <param name="Records">Of the journal: those that were behind the tables, and are in them now.</param>
/// <param name="Replaced">Keys of the data folder that gave way to the backup's.</param>
/// <param name="Kept">Keys of the data folder that did not.</param>
internal sealed record RestoreReport(Manifest Manifest, BackupTotals Totals, int Migrated, long Records, IReadOnlyList<string> Replaced, IReadOnlyList<string> Kept, RequestReport Requests);

/// <summary>
/// Puts a backup in the place of what is there. The tables come in one transaction: all of it, brought up to this program's schema and with
/// people's later requests met, or nothing. No server may be at work meanwhile.
/// </summary>
internal sealed class RestoreRun(
    NpgsqlDataSource database, DataFolder folder, DatabaseGate gate, PersonRequests requests, IServiceProvider services, IOptions<JournalOptions> journalOptions, TimeProvider clock)
{
    private const int CountedBytes = 4 << 20;
    private static readonly TimeSpan Farewell = TimeSpan.FromSeconds(5), LookEvery = TimeSpan.FromMilliseconds(100);

    private const string OtherServers = """
        select count(*)
        from pg_stat_activity
        where datname = current_database() and pid <> pg_backend_pid() and application_name = (select application_name from pg_stat_activity where pid = pg_backend_pid())
          and backend_type = 'client backend'
        """;

    private const string ViewsOfOthers = """
        select string_agg(distinct v.oid::regclass::text, ', ')
        from pg_depend d
        join pg_rewrite r on r.oid = d.objid and d.classid = 'pg_rewrite'::regclass
        join pg_class v on v.oid = r.ev_class and v.relkind in ('v', 'm')
        join pg_class t on t.oid = d.refobjid and d.refclassid = 'pg_class'::regclass and t.relnamespace = current_schema()::regnamespace
        where t.relname = any (@names)
        """;

    // What a server makes as soon as it starts is nothing that a restore could destroy.
    private static readonly string[] OfNoWeight = ["consent_chain", "rollup_runs", "properties", "journal_scrubs", "journal_positions", "journal_lanes", "rollup_versions"];

    /// <param name="replace">What is in the database goes.</param>
    /// <param name="known">Requests of people that are known from elsewhere; those of the database that is replaced are met besides.</param>
    public async Task<RestoreReport> RunAsync(Stream source, string name, string? key, bool replace, IReadOnlyList<PersonRequest> known, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var reader = await BackupReader.OpenAsync(source, name, key, cancellationToken);
        var load = new BackupLoad(reader, progress);
        var manifest = await load.BeginAsync(cancellationToken);

        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await RefuseServersAsync(connection, cancellationToken);
        known = [.. known, .. await GoingAsync(connection, replace, cancellationToken)];
        using var files = new RestoredFiles(folder);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await DropAsync(connection, cancellationToken);
        var (_, totals) = await load.LoadAsync(connection, files, cancellationToken);
        progress?.Invoke(new BackupProgress("migrations", manifest.DatabaseBytes, manifest.DatabaseBytes, totals.Rows));
        var later = Migration.OfThisProgram.Skip(manifest.Migrations.Count).ToList();
        await Migrator.ApplyWithinAsync(connection, later, cancellationToken);

        // Hashes that are compared were made with the backup's pepper: its keys first.
        var (replaced, kept) = files.Place(clock.GetUtcNow());
        var (met, rests) = await requests.MeetAsync(connection, known, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        rests.ForEach(File.Delete);
        await using (var analyze = new NpgsqlCommand("analyze", connection) { CommandTimeout = 0 }) await analyze.ExecuteNonQueryAsync(cancellationToken);

        gate.Open();
        long records = 0;
        foreach (var home in files.Journals) records += await DrainAsync(home, manifest, cancellationToken);
        return new RestoreReport(manifest, totals, later.Count, records, replaced, kept, met);
    }

    /// <summary>What servers write while tables are replaced would be lost, or come between. The connections of one that has just stopped take a moment to go.</summary>
    private async Task RefuseServersAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        var began = clock.GetTimestamp();
        await using var command = new NpgsqlCommand(OtherServers, connection);
        while (await command.ExecuteScalarAsync(cancellationToken) is long and > 0 and var others)
        {
            if (clock.GetElapsedTime(began) > Farewell)
                throw new SetupException($"A server is running: {others} {(others == 1 ? "connection" : "connections")} of Footfall to this database. Stop every server that uses it, restore, and start them again.");
            await Task.Delay(LookEvery, clock, cancellationToken);
        }
    }

    /// <summary>What people asked for that stands in the database which is to go. A <see cref="SetupException"/> when it holds data and may not be replaced.</summary>
    private async Task<IReadOnlyList<PersonRequest>> GoingAsync(NpgsqlConnection connection, bool replace, CancellationToken cancellationToken)
    {
        var applied = await Migrator.AppliedAsync(connection, cancellationToken);
        if (applied.Count == 0) return [];
        if (applied.Count > Migration.OfThisProgram.Count)
            throw new SetupException($"The database that is there is newer than this program ({applied.Count} migrations; this program knows {Migration.OfThisProgram.Count}), so that it cannot tell all that would go. Restore with the version that migrated it, or into an empty database.");
        if (!replace)
        {
            List<string> filled = [];
            foreach (var table in (await BackupSnapshot.TablesAsync(connection, cancellationToken)).Where(t => !OfNoWeight.Contains(t.Name, StringComparer.Ordinal)))
            {
                await using var any = new NpgsqlCommand($"select exists (select from {BackupSnapshot.Quoted(table.Name)})", connection);
                if (await any.ExecuteScalarAsync(cancellationToken) is true) filled.Add(table.PartitionOf ?? table.Name);
            }
            if (filled.Count > 0)
                throw new SetupException($"The database is not empty: {string.Join(", ", filled.Distinct(StringComparer.Ordinal).Take(5))} hold rows. Restore into an empty one, or give --replace to have all of Footfall's tables in it dropped and the backup put in their place.");
        }
        return await requests.ReadAsync(connection, cancellationToken);
    }

    private static async Task DropAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using (var views = new NpgsqlCommand(ViewsOfOthers, connection))
        {
            views.Parameters.AddWithValue("names", SchemaObjects.OfThisProgram.Tables.ToArray());
            if (await views.ExecuteScalarAsync(cancellationToken) is string names)
                throw new SetupException($"Views that are not Footfall's are built upon its tables: {names}. Drop them, restore, and make them again.");
        }
        try
        {
            await SchemaObjects.OfThisProgram.DropAsync(connection, cancellationToken);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DependentObjectsStillExist)
        {
            throw new SetupException("Something that is not Footfall's (a foreign key, a function) depends on its tables, so that they cannot be dropped. Drop it, restore, and make it again.", e);
        }
    }

    /// <summary>Stores what the backup's journal holds behind the tables, by the same way and as exactly once as a server does. Returns how many records that was.</summary>
    private async Task<long> DrainAsync(string home, Manifest manifest, CancellationToken cancellationToken)
    {
        var options = new JournalOptions { MaxBytes = long.MaxValue, SegmentBytes = journalOptions.Value.SegmentBytes, MaxRecordBytes = journalOptions.Value.MaxRecordBytes, KeepBytes = 0 };
        // The holes where the tables' own records were are no damage to be told of.
        await using var journal = EventJournal.Open(home, options, clock, NullLogger<EventJournal>.Instance);
        var at = manifest.Journals.FirstOrDefault(m => m.Journal == journal.Id) is { } mark ? new JournalPosition(mark.Segment, mark.Offset) : JournalPosition.Start;
        long records = 0;
        List<JournalEntry> entries = [];
        while (journal.Read(at, CountedBytes, entries) > 0)
        {
            (records, at) = (records + entries.Count, entries[^1].End);
            entries.Clear();
        }
        using var drain = ActivatorUtilities.CreateInstance<JournalDrain>(services, journal);
        await drain.DrainOnceAsync(cancellationToken);
        return records;
    }
}
