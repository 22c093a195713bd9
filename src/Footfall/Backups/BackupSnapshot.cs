using System.Data;
using Footfall.Ingestion;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Backups;

/// <summary>A table, or a partition of one, as it is copied.</summary>
/// <param name="Bytes">On the disk, without indexes.</param>
internal sealed record TableCopy(string Name, string? PartitionOf, IReadOnlyList<string> Columns, long Bytes);

/// <summary>
/// The tables as they were at one instant: a repeatable-read transaction in which every table is locked against being dropped or
/// rewritten. Nobody waits for it but what alters tables, and that steps back (<see cref="EventPartitions"/>).
/// </summary>
internal sealed class BackupSnapshot : IAsyncDisposable
{
    private const int Attempts = 10;

    /// <summary>Never in a backup. The keys of cookieless visitors are to be gone two days after their day, wherever they are; a browser that
    /// was signed out must not be signed in by a restore, nor keys lie beside what they protect; and the schema is told by the manifest.</summary>
    private static readonly string[] LeftOut = ["schema_migrations", "visitor_day_keys", "sign_ins", "form_keys"];

    /// <summary>What an erasure's scrub looks for is for this server's disk alone, and transaction numbers mean nothing in another cluster.</summary>
    private static readonly (string Table, string Column)[] ColumnsLeftOut = [("erasures", "work"), ("erasures", "erased_by")];

    private const string Tables = """
        select c.relname::text, p.relname::text, pg_table_size(c.oid),
               array(select a.attname::text from pg_attribute a where a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped and a.attgenerated = '' order by a.attnum)
        from pg_class c
        left join pg_inherits i on i.inhrelid = c.oid
        left join pg_class p on p.oid = i.inhparent
        where c.relnamespace = current_schema()::regnamespace and c.relkind = 'r'
          and coalesce(p.relname, c.relname)::text = any (@names)
        order by 1
        """;

    private const string References = """
        select conrelid::regclass::text, confrelid::regclass::text
        from pg_constraint
        where contype = 'f' and connamespace = current_schema()::regnamespace and conrelid <> confrelid
        """;

    private const string Sequences = """
        select sequencename::text, last_value
        from pg_sequences
        where schemaname = current_schema() and last_value is not null
        """;

    private const string IsCluster = "select exists (select from pg_extension where extname = 'citus')";

    private readonly NpgsqlConnection connection;
    private readonly NpgsqlTransaction transaction;
    private NpgsqlConnection? ingestionHeld;

    private BackupSnapshot(NpgsqlConnection connection, NpgsqlTransaction transaction) => (this.connection, this.transaction) = (connection, transaction);

    /// <summary>Tables before those that refer to them.</summary>
    public IReadOnlyList<TableCopy> All { get; private set; } = [];

    public IReadOnlyList<AppliedMigration> Migrations { get; private set; } = [];

    public IReadOnlyList<JournalMark> Journals { get; private set; } = [];

    public string ServerVersion => connection.PostgreSqlVersion.ToString();

    /// <exception cref="Hosting.SetupException">The database is empty, or its schema newer than this program.</exception>
    public static async Task<BackupSnapshot> TakeAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var held = await HoldIngestionOnClusterAsync(database, cancellationToken);
        try
        {
            for (var attempt = 1; ; attempt++)
            {
                if (await TryTakeAsync(database, last: attempt == Attempts, cancellationToken) is not { } snapshot) continue;
                snapshot.ingestionHeld = held;
                return snapshot;
            }
        }
        catch
        {
            if (held is not null) await held.DisposeAsync();
            throw;
        }
    }

    /// <summary>Null when a partition came or went between the look and the lock.</summary>
    private static async Task<BackupSnapshot?> TryTakeAsync(NpgsqlDataSource database, bool last, CancellationToken cancellationToken)
    {
        var opened = await database.OpenConnectionAsync(cancellationToken);
        BackupSnapshot? snapshot = null;
        var taken = false;
        try
        {
            var before = await TablesAsync(opened, cancellationToken);
            snapshot = new BackupSnapshot(opened, await opened.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken));
            // Locking takes no snapshot: what is locked now is what the snapshot behind it sees.
            if (before.Count > 0) await LockAsync(opened, before, cancellationToken);
            taken = await snapshot.ReadAsync(before, cancellationToken);
            return taken ? snapshot : null;
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UndefinedTable && !last)
        {
            return null;
        }
        finally
        {
            if (!taken) await (snapshot?.DisposeAsync() ?? opened.DisposeAsync());
        }
    }

    /// <summary>The rows of a table in PostgreSQL's binary COPY format.</summary>
    public Task<NpgsqlRawCopyStream> CopyAsync(TableCopy table, CancellationToken cancellationToken) => OutAsync(connection, table.Name, table.Columns, cancellationToken);

    public static Task<NpgsqlRawCopyStream> OutAsync(NpgsqlConnection connection, string table, IReadOnlyList<string> columns, CancellationToken cancellationToken) =>
        connection.BeginRawBinaryCopyAsync($"copy {Quoted(table)} ({string.Join(", ", columns.Select(Quoted))}) to stdout (format binary)", cancellationToken);

    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    /// <summary>Where sequences stand now, which is not before where they stood in the snapshot.</summary>
    public async Task<SequenceStates> SequencesAsync(CancellationToken cancellationToken)
    {
        Dictionary<string, long> last = new(StringComparer.Ordinal);
        await using var command = new NpgsqlCommand(Sequences, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken)) last[rows.GetString(0)] = rows.GetInt64(1);
        return new SequenceStates(last);
    }

    /// <summary>Footfall's tables and partitions that hold rows of their own.</summary>
    public static async Task<List<TableCopy>> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Tables, connection);
        command.Parameters.AddWithValue("names", SchemaObjects.OfThisProgram.Tables.Except(LeftOut, StringComparer.Ordinal).ToArray());
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<TableCopy> tables = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var name = rows.GetString(0);
            string[] columns = [.. rows.GetFieldValue<string[]>(3).Where(c => !ColumnsLeftOut.Contains((name, c)))];
            tables.Add(new TableCopy(name, rows.IsDBNull(1) ? null : rows.GetString(1), columns, rows.GetInt64(2)));
        }
        return tables;
    }

    public async ValueTask DisposeAsync()
    {
        await transaction.DisposeAsync();
        await connection.DisposeAsync();
        if (ingestionHeld is not null) await ingestionHeld.DisposeAsync();
    }

    /// <summary>False when a table has come between the look and the lock.</summary>
    private async Task<bool> ReadAsync(List<TableCopy> locked, CancellationToken cancellationToken)
    {
        Migrations = await Migrator.AppliedAsync(connection, cancellationToken);
        if (Migrations.Count == 0) throw new Hosting.SetupException("The database holds no tables of Footfall yet: there is nothing to back up. Start the server once, or run `footfall migrate`.");
        if (Migrations.Count > Migration.OfThisProgram.Count) throw new Hosting.SetupException($"The database is newer than this program: it has {Migrations.Count} migrations, and this program knows {Migration.OfThisProgram.Count}. Back it up with the version of Footfall that migrated it, or a later one.");
        var tables = await TablesAsync(connection, cancellationToken);
        if (tables.Select(t => t.Name).Except(locked.Select(t => t.Name), StringComparer.Ordinal).Any()) return false;
        All = await InOrderAsync(tables, cancellationToken);
        Journals = [.. (await JournalPositions.AllAsync(connection, cancellationToken)).Select(p => new JournalMark(p.Journal, p.Position.Segment, p.Position.Offset))];
        return true;
    }

    private static async Task LockAsync(NpgsqlConnection connection, List<TableCopy> tables, CancellationToken cancellationToken)
    {
        await using var locks = new NpgsqlCommand($"lock table {string.Join(", ", tables.Select(t => Quoted(t.Name)))} in access share mode", connection) { CommandTimeout = 0 };
        await locks.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>On a cluster each worker has a snapshot of its own: ingestion stands still meanwhile, and events wait in the journal.</summary>
    private static async Task<NpgsqlConnection?> HoldIngestionOnClusterAsync(NpgsqlDataSource database, CancellationToken cancellationToken)
    {
        var held = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var cluster = new NpgsqlCommand(IsCluster, held);
            if (await cluster.ExecuteScalarAsync(cancellationToken) is true)
            {
                await using var begin = new NpgsqlCommand("begin", held);
                await begin.ExecuteNonQueryAsync(cancellationToken);
                await BatchWriter.LockAsync(held, cancellationToken);
                return held;
            }
        }
        catch
        {
            await held.DisposeAsync();
            throw;
        }
        await held.DisposeAsync();
        return null;
    }

    private async Task<List<TableCopy>> InOrderAsync(List<TableCopy> tables, CancellationToken cancellationToken)
    {
        List<(string From, string To)> references = [];
        await using (var command = new NpgsqlCommand(References, connection))
        {
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) references.Add((rows.GetString(0), rows.GetString(1)));
        }
        List<TableCopy> ordered = [];
        while (tables.Count > 0)
        {
            var free = tables.Where(t => !references.Exists(r => r.From == t.Name && tables.Exists(o => o.Name == r.To))).ToList();
            if (free.Count == 0) throw new InvalidOperationException($"Foreign keys among {string.Join(", ", tables.Select(t => t.Name))} go in a circle.");
            ordered.AddRange(free);
            tables = [.. tables.Except(free)];
        }
        return ordered;
    }
}
