using System.Diagnostics;
using System.Globalization;
using Footfall.Hosting;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>What became of one table.</summary>
/// <param name="Rows">Rows that were moved to the workers, or would be; null when the table was distributed already.</param>
internal sealed record DistributedTable(string Table, string How, long? Rows);

/// <param name="Weeks">Weeks of events that have a partition, each distributed with its parent.</param>
internal sealed record DistributionReport(string CitusVersion, IReadOnlyList<string> Workers, int Shards, IReadOnlyList<DistributedTable> Tables, int Weeks);

/// <summary>
/// Spreads the visitor-level tables over the workers of a Citus cluster: by visitor, all alike, so that what belongs to a visitor lies together.
/// Everything else stays on the coordinator. The same statements work before and after. docs/cluster.md says why so.
/// </summary>
internal static class Distribution
{
    /// <summary>Shards when nobody says otherwise: room for as many workers, and each one's fixed cost is a table per week.</summary>
    public const int UsualShards = 32;

    // As long as who reads the tables for long, an export or a backup, is waited for.
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);
    private static readonly TimeSpan Pause = TimeSpan.FromMilliseconds(500);

    /// <summary>References to tables that are not distributed may be resolved on any node from this version on, and DDL reaches all of them.</summary>
    private const int OldestMajor = 12;

    /// <summary>The distributed tables with their column, the first one first: the others lie where it does.</summary>
    private static readonly (string Table, string Column)[] ByVisitor = [("visitors", "id"), ("sessions", "visitor_id"), ("events", "visitor_id"), ("event_keys", "visitor_id")];

    /// <summary>Copied whole to every node: every event's account is looked up in it.</summary>
    private const string Reference = "account_numbers";

    private static readonly (string Table, string? Column)[] All = [.. ByVisitor, (Reference, null)];

    private const string HasCitus = "select extversion from pg_extension where extname = 'citus'";

    private const string IsAvailable = "select exists (select from pg_available_extensions where name = 'citus')";

    private const string LocalGroup = "select groupid from pg_dist_local_group";

    private const string Nodes = """
        select groupid, nodename || ':' || nodeport, shouldhaveshards
        from pg_dist_node
        where noderole = 'primary' and isactive
        order by groupid
        """;

    private const string Unreachable = """
        select distinct format('%s:%s to %s:%s', from_nodename, from_nodeport, to_nodename, to_nodeport)
        from citus_check_cluster_node_health()
        where result is not true
        """;

    private const string State = """
        select p.partmethod::text, case when p.partkey is not null then column_to_column_name(p.logicalrelid, p.partkey) end, p.colocationid
        from pg_dist_partition p
        where p.logicalrelid = @table::regclass
        """;

    private const string Parents = """
        select string_agg(distinct c.conname || ' of ' || c.conrelid::regclass::text, ', ')
        from pg_constraint c
        where c.contype = 'f' and (c.conrelid = any (@tables::regclass[]) or c.confrelid = any (@tables::regclass[]))
        """;

    private const string Triggers = """
        select string_agg(t.tgname || ' of ' || t.tgrelid::regclass::text, ', ')
        from pg_trigger t
        where not t.tgisinternal and t.tgrelid = any (@tables::regclass[])
        """;

    private const string CountWeeks = "select count(*)::int - 1 from pg_inherits where inhparent = 'events'::regclass";

    private const string CountShards = "select count(*)::int from pg_dist_shard where logicalrelid = 'visitors'::regclass";

    private const string HasPartitions = "select to_regclass('pg_catalog.pg_dist_partition') is not null";

    private const string IsDistributed = "select exists (select from pg_dist_partition where logicalrelid = to_regclass('events'))";

    // Of a worker that does not answer, nobody knows.
    private const string Unfinished = """
        select count(*)
        from run_command_on_workers($$ select count(*) from pg_prepared_xacts where database = current_database() and starts_with(gid, 'citus_0_') $$)
        where not success or result <> '0'
        """;

    private const string OnWorkers = """
        select coalesce(sum(result::bigint), 0)::bigint
        from run_command_on_workers('select pg_database_size(current_database())')
        where success
        """;

    /// <summary>Whether visitor-level tables are distributed. Asked where it matters, not remembered: a server may be running while it happens.</summary>
    public static async Task<bool> IsOnAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await ScalarAsync<bool>(connection, HasPartitions, ct) && await ScalarAsync<bool>(connection, IsDistributed, ct);

    /// <summary>
    /// Whether no worker has a transaction that the coordinator has committed and the worker has not, as one that broke down in the middle has
    /// until Citus finishes it (within a minute). Asked after reading what the coordinator has committed, it tells whether the workers have it too.
    /// </summary>
    public static async Task<bool> AllIsCommittedAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await ScalarAsync<long>(connection, Unfinished, ct) == 0;

    /// <summary>Whether a statement was broken off because a part of it would have sent more rows between nodes than they allow.</summary>
    public static bool SendsTooMuch(PostgresException e) => e.MessageText.Contains("citus.max_intermediate_result_size", StringComparison.Ordinal);

    /// <summary>What the database takes on the workers; 0 where there are none.</summary>
    public static async Task<long> WorkerBytesAsync(NpgsqlConnection connection, CancellationToken ct) =>
        await IsOnAsync(connection, ct) ? await ScalarAsync<long>(connection, OnWorkers, ct) : 0;

    /// <summary>Throws when this is a worker: locks, sequences and most tables are the coordinator's alone.</summary>
    public static async Task RefuseWorkerAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        if (await ScalarAsync<bool>(connection, HasPartitions, ct) && await ScalarAsync<int>(connection, LocalGroup, ct) != 0)
            throw new SetupException("This is a worker of the cluster. Give Footfall the coordinator's address (DATABASE_URL).");
    }

    /// <summary>Distributes what is not yet, all in one transaction. A <see cref="SetupException"/> says what stands in the way, and nothing has changed then.</summary>
    /// <param name="shards">How many; of tables that are distributed already the number stays.</param>
    /// <param name="dryRun">Only looks, and counts.</param>
    /// <param name="waits">Is told, once each, for what is waited.</param>
    public static async Task<DistributionReport> RunAsync(NpgsqlDataSource database, int shards, bool dryRun, CancellationToken ct, IProgress<string>? waits = null)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        var version = await CheckExtensionAsync(connection, ct);
        var workers = await CheckNodesAsync(connection, ct);
        await CheckTablesAsync(connection, ct);

        var tables = dryRun ? await LookAsync(connection, ct) : await WhenFreeAsync(connection, shards, waits, ct);
        if (!dryRun && tables.Exists(t => t.Rows > 0))
            await ExecuteAsync(connection, $"analyze {string.Join(", ", tables.Where(t => t.Rows > 0).Select(t => t.Table))}", ct);
        var found = await ScalarAsync<int>(connection, CountShards, ct);
        return new DistributionReport(version, workers, found > 0 ? found : shards, tables, await ScalarAsync<int>(connection, CountWeeks, ct));
    }

    private static async Task<List<DistributedTable>> LookAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        List<DistributedTable> tables = [];
        foreach (var (table, column) in All)
            tables.Add(new(table, How(column), await StateAsync(connection, table, ct) is null ? await ScalarAsync<long>(connection, $"select count(*) from {table}", ct) : null));
        return tables;
    }

    private static async Task<List<DistributedTable>> WhenFreeAsync(NpgsqlConnection connection, int shards, IProgress<string>? waits, CancellationToken ct)
    {
        for (long? began = null; ; waits = null)
        {
            try
            {
                if (await DistributeAsync(connection, shards, waits, ct) is { } tables) return tables;
            }
            catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.DeadlockDetected)
            {
                // With somebody who changes nodes or shards; nothing has changed here.
            }
            began ??= Stopwatch.GetTimestamp();
            if (Stopwatch.GetElapsedTime(began.Value) > Patience)
                throw new SetupException($"For {Patience.TotalMinutes:0} minutes the tables were not free for a moment, and nothing was changed: somebody reads them for long, an export, a backup or a question by hand. `select pid, xact_start, query from pg_stat_activity where state <> 'idle' order by xact_start` shows who; run this again when that has ended.");
            await Task.Delay(Pause, ct);
        }
    }

    /// <summary>
    /// Locks first, all in the order in which everybody takes them, then the tables, all at once: who takes them one after the other waits with
    /// some of them in hand for somebody who waits for these. Null when they were not free.
    /// </summary>
    private static async Task<List<DistributedTable>?> DistributeAsync(NpgsqlConnection connection, int shards, IProgress<string>? waits, CancellationToken ct)
    {
        await using var transaction = await connection.BeginTransactionAsync(ct);
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(@key)", ct, ("key", Migrator.AdvisoryLock));   // one process at a time
        // A rollup's day is one transaction that reads several of the tables one after the other, and so is what removes raw rows.
        if (waits is not null && !await ScalarAsync<bool>(connection, "select pg_try_advisory_xact_lock(@key)", ct, ("key", Locks.Rollups)))
            waits.Report("Waiting until the rollup, backfill or purge that is running has ended; nothing stands still meanwhile.");
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(@key)", ct, ("key", Locks.Rollups));
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(@key)", ct, ("key", Locks.VisitorRows));
        await ExecuteAsync(connection, "select pg_advisory_xact_lock(@key)", ct, ("key", Locks.Weeks));   // a week is made otherwise afterwards
        List<string> missing = [];
        foreach (var (table, _) in All)
        {
            if (await StateAsync(connection, table, ct) is null) missing.Add(table);
        }
        if (!await TableLocks.TakeAllAsync(connection, missing, ct))
        {
            waits?.Report("Waiting for somebody who reads the tables: an export, a backup or a long question. Tried again every second; nothing stands still meanwhile.");
            return null;
        }
        await ExecuteAsync(connection, $"set local citus.shard_count = {shards.ToString(CultureInfo.InvariantCulture)}", ct);
        await ExecuteAsync(connection, "set local citus.shard_replication_factor = 1", ct);
        List<DistributedTable> tables = [];
        foreach (var (table, column) in All) tables.Add(new(table, How(column), missing.Contains(table) ? await DistributeAsync(connection, table, column, ct) : null));
        await transaction.CommitAsync(ct);
        return tables;
    }

    private static async Task<string> CheckExtensionAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var version = await ScalarAsync<string>(connection, HasCitus, ct);
        if (version is null)
        {
            throw new SetupException(await ScalarAsync<bool>(connection, IsAvailable, ct)
                ? "This database has no extension citus. A superuser makes it, in this database on the coordinator and on each worker: `create extension citus` (docs/cluster.md, Set-up)."
                : "This PostgreSQL server has no Citus. Install it on the coordinator and on each worker, and add citus to shared_preload_libraries (docs/cluster.md, Set-up).");
        }
        var major = version.Split('.', '-')[0];
        if (!int.TryParse(major, NumberStyles.None, CultureInfo.InvariantCulture, out var number) || number < OldestMajor)
            throw new SetupException($"The database has Citus {version}; Footfall needs {OldestMajor} or newer. Upgrade it on every node, then `alter extension citus update`.");
        await RefuseWorkerAsync(connection, ct);
        return version;
    }

    private static async Task<List<string>> CheckNodesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        List<string> workers = [];
        var coordinator = false;
        await using (var command = new NpgsqlCommand(Nodes, connection))
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct))
            {
                if (rows.GetInt32(0) == 0) coordinator = true;
                if (rows.GetBoolean(2)) workers.Add(rows.GetString(1));
            }
        }
        if (workers.Count == 0)
            throw new SetupException("The cluster has no node to put shards on. Add the workers: `select citus_add_node('worker-1', 5432)` for each, in this database (docs/cluster.md, Set-up).");
        if (!coordinator)
            throw new SetupException("The workers do not know the coordinator. Tell them: `select citus_set_coordinator_host('coordinator', 5432)`, with the name by which workers reach it.");
        var broken = new List<string>();
        await using (var command = new NpgsqlCommand(Unreachable, connection) { CommandTimeout = 0 })
        await using (var rows = await command.ExecuteReaderAsync(ct))
        {
            while (await rows.ReadAsync(ct)) broken.Add(rows.GetString(0));
        }
        if (broken.Count > 0)
            throw new SetupException($"Nodes of the cluster cannot reach each other: {string.Join(", ", broken)}. Check names, ports, pg_hba.conf and that the database exists on each; `select * from citus_check_cluster_node_health()` shows all connections.");
        return workers;
    }

    /// <summary>What somebody did by hand and this cannot make right.</summary>
    private static async Task CheckTablesAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        string[] tables = [.. ByVisitor.Select(t => t.Table)];
        foreach (var (sql, what) in new[] { (Parents, "foreign keys"), (Triggers, "triggers") })
        {
            if (await ScalarAsync<string>(connection, sql, ct, ("tables", tables)) is { } found)
                throw new SetupException($"There are {what} on visitor-level tables that Footfall did not make, and that a cluster does not take: {found}. Drop them first.");
        }
        int? colocation = null;
        foreach (var (table, column) in ByVisitor)
        {
            if (await StateAsync(connection, table, ct) is not { } state) continue;
            if (state.Method != "h" || state.Column != column)
                throw new SetupException($"The table {table} is distributed already, but not by {column}. Take that back: `select undistribute_table('{table}')`, then run this again.");
            colocation ??= state.Colocation;
            if (state.Colocation != colocation)
                throw new SetupException($"The table {table} is distributed already, but not together with visitors, so that a visitor's rows lie apart. Take that back: `select undistribute_table('{table}')`, then run this again.");
        }
        if (await StateAsync(connection, Reference, ct) is { } reference && reference.Method != "n")
            throw new SetupException($"The table {Reference} is distributed already, and must be a reference table. Take that back: `select undistribute_table('{Reference}')`, then run this again.");
    }

    /// <param name="column">Null: the whole table goes to every node.</param>
    /// <returns>Rows that were moved.</returns>
    private static async Task<long> DistributeAsync(NpgsqlConnection connection, string table, string? column, CancellationToken ct)
    {
        var rows = await ScalarAsync<long>(connection, $"select count(*) from {table}", ct);
        if (column is null)
            await ExecuteAsync(connection, "select create_reference_table(@table)", ct, ("table", table));
        else
            await ExecuteAsync(connection, "select create_distributed_table(@table, @column, colocate_with => @with)", ct, ("table", table), ("column", column), ("with", table == ByVisitor[0].Table ? "none" : ByVisitor[0].Table));
        // The rows that were copied away still lie on the coordinator's disk, where nothing shows, erases or removes them any more.
        if (rows > 0) await ExecuteAsync(connection, "select truncate_local_data_after_distributing_table(@table)", ct, ("table", table));
        return rows;
    }

    private static string How(string? column) => column is null ? "whole on every node" : $"by {column}";

    private static async Task<(string Method, string? Column, int Colocation)?> StateAsync(NpgsqlConnection connection, string table, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(State, connection);
        command.Parameters.AddWithValue("table", table);
        await using var rows = await command.ExecuteReaderAsync(ct);
        return await rows.ReadAsync(ct) ? (rows.GetString(0), rows.IsDBNull(1) ? null : rows.GetString(1), rows.GetInt32(2)) : null;
    }

    private static async Task<T?> ScalarAsync<T>(NpgsqlConnection connection, string sql, CancellationToken ct, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        return await command.ExecuteScalarAsync(ct) is T value ? value : default;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct, params (string Name, object Value)[] parameters)
    {
        await using var command = Command(connection, sql, parameters);
        await command.ExecuteNonQueryAsync(ct);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, (string Name, object Value)[] parameters)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        foreach (var (name, value) in parameters) command.Parameters.AddWithValue(name, value);
        return command;
    }
}
