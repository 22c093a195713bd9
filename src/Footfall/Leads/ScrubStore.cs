using System.Collections.Frozen;
using Footfall.Ingestion;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Leads;

/// <summary>An erasure whose rests are still on the disk.</summary>
/// <param name="Work">Encrypted; null when it was lost with the server that could read it.</param>
internal sealed record PendingScrub(Guid Id, DateTimeOffset ErasedAt, byte[]? Work);

/// <summary>The statements of the scrub.</summary>
internal static class ScrubStore
{
    /// <summary>A table up to this size is written anew after every erasure: that takes a moment, and whatever it held is gone.</summary>
    public const long SmallBytes = 64L << 20;

    /// <summary>Tables whose rows name a person, whatever their size.</summary>
    public static readonly FrozenSet<string> AlwaysPersonal = new[]
    {
        "visitors", "leads", "lead_identities", "form_submissions", "form_submit_events", "consent_events", "consent_requests", "accounts", "account_numbers",
    }.ToFrozenSet(StringComparer.Ordinal);

    private const string Pending = "select id, erased_at, work from erasures where scrubbed_at is null order by erased_at";

    private const string Done = "update erasures set work = null, scrubbed_at = @now where id = any (@ids)";

    private const string WaitsForRollup = "select exists (select from dirty_days where marked_at <= @erased_at)";

    /// <summary>With partitions, each as a table of its own; the largest last.</summary>
    private const string Tables = """
        select c.relname, pg_total_relation_size(c.oid)
        from pg_class c
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relpersistence = 'p'
        order by 2, 1
        """;

    // On a cluster the coordinator holds an empty shell of what is distributed.
    private const string DistributedTables = """
        select c.relname, case when d.logicalrelid is null then pg_total_relation_size(c.oid) else citus_total_relation_size(c.oid) end
        from pg_class c
        left join pg_dist_partition d on d.logicalrelid = c.oid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relpersistence = 'p'
        order by 2, 1
        """;

    // Workers number their transactions themselves: there the time tells. Of one that does not answer nobody knows.
    private const string OldSnapshotsOnWorkers = """
        select exists (
            select 1
            from run_command_on_workers(format($$
                select count(*) from pg_stat_activity
                where datname = current_database() and pid <> pg_backend_pid() and (backend_xmin is not null or backend_xid is not null) and xact_start < %L
                $$, @at))
            where not success or result <> '0')
        """;

    // A row that an open transaction can still see would be copied into the new file. (Xids wrap around: age compares them.)
    private const string OldSnapshots = """
        select exists (select from pg_stat_activity
                       where datname = current_database() and pid <> pg_backend_pid()
                         and (age(backend_xmin) >= age(@since::xid8::xid) or age(backend_xid) >= age(@since::xid8::xid)))
        """;

    private const string Present = "select pg_current_xact_id()::text, clock_timestamp()";

    private const string FindAccounts = "select visitor_id, occurred_at, id from events where account_id = any (@accounts)";

    private const string ForgetAccounts = """
        with forgotten as (
            update events e
            set account_id = null
            from unnest(@visitors, @times, @events) as t (visitor_id, occurred_at, id)
            where e.visitor_id = t.visitor_id and e.occurred_at = t.occurred_at and e.id = t.id
            returning e.property_id, (e.occurred_at at time zone 'UTC')::date as day
        )
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select distinct property_id, day, 1::bigint, @now
        from forgotten
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    public static async Task<List<PendingScrub>> PendingAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Pending, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PendingScrub> pending = [];
        while (await rows.ReadAsync(cancellationToken)) pending.Add(new PendingScrub(rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1), rows.IsDBNull(2) ? null : rows.GetFieldValue<byte[]>(2)));
        return pending;
    }

    public static async Task DoneAsync(NpgsqlConnection connection, Guid[] ids, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Done, connection);
        command.Parameters.AddWithValue("ids", ids);
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<bool> WaitsForRollupAsync(NpgsqlConnection connection, DateTimeOffset erasedAt, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(WaitsForRollup, connection);
        command.Parameters.AddWithValue("erased_at", erasedAt);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>The present, to be asked about with <see cref="SomebodySeesOldRowsAsync"/>.</summary>
    public static async Task<(string Transaction, DateTimeOffset At)> PresentAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Present, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return (rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1));
    }

    /// <summary>Whether a transaction of this database is open that began before.</summary>
    public static async Task<bool> SomebodySeesOldRowsAsync(NpgsqlConnection connection, (string Transaction, DateTimeOffset At) since, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(OldSnapshots, connection);
        command.Parameters.AddWithValue("since", since.Transaction);
        if (await command.ExecuteScalarAsync(cancellationToken) is true) return true;
        if (!await Distribution.IsOnAsync(connection, cancellationToken)) return false;
        await using var workers = new NpgsqlCommand(OldSnapshotsOnWorkers, connection);
        workers.Parameters.AddWithValue("at", since.At.ToString("O", System.Globalization.CultureInfo.InvariantCulture));
        return await workers.ExecuteScalarAsync(cancellationToken) is true;
    }

    public static async Task<List<(string Table, long Bytes)>> TablesAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(await Distribution.IsOnAsync(connection, cancellationToken) ? DistributedTables : Tables, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(string, long)> tables = [];
        while (await rows.ReadAsync(cancellationToken)) tables.Add((rows.GetString(0), rows.GetInt64(1)));
        return tables;
    }

    /// <summary>Writes the table and its indexes into new files, without anything that was deleted, and samples it anew for the planner, which keeps values.</summary>
    public static async Task RewriteAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        // Behind a long read everybody else would wait behind us: rather try again later.
        await ExecuteAsync(connection, "set lock_timeout = '2s'", cancellationToken);
        await ExecuteAsync(connection, $"vacuum (full, analyze) {Quoted(table)}", cancellationToken);
        await ExecuteAsync(connection, "reset lock_timeout", cancellationToken);
    }

    /// <summary>The planner's samples of values. A database user who does not own the database may not; PostgreSQL then only warns.</summary>
    public static Task RewriteStatisticsAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => ExecuteAsync(connection, "vacuum (full) pg_catalog.pg_statistic", cancellationToken);

    /// <summary>Takes the accounts off the events of browsers that have another one now: only reading all events finds these.</summary>
    public static async Task ForgetAccountsAsync(NpgsqlConnection connection, string[] accounts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<Guid> visitors = [], events = [];
        List<DateTimeOffset> times = [];
        await using (var find = new NpgsqlCommand(FindAccounts, connection) { CommandTimeout = 0 })
        {
            find.Parameters.AddWithValue("accounts", accounts);
            await using var rows = await find.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                visitors.Add(rows.GetGuid(0));
                times.Add(rows.GetFieldValue<DateTimeOffset>(1));
                events.Add(rows.GetGuid(2));
            }
        }
        if (visitors.Count == 0) return;
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await BatchWriter.LockAsync(connection, cancellationToken);
        await using var forget = new NpgsqlCommand(ForgetAccounts, connection) { CommandTimeout = 0 };
        forget.Parameters.AddWithValue("visitors", visitors.ToArray());
        forget.Parameters.AddWithValue("times", times.ToArray());
        forget.Parameters.AddWithValue("events", events.ToArray());
        forget.Parameters.AddWithValue("now", now);
        await forget.ExecuteNonQueryAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>A name from the catalog, as it is written in a statement.</summary>
    public static string Quoted(string name) => $"\"{name.Replace("\"", "\"\"", StringComparison.Ordinal)}\"";

    public static async Task KeepWorkAsync(NpgsqlConnection connection, Guid id, byte[] work, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("update erasures set work = @work where id = @id", connection);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("work", work);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<bool> TryLockAsync(NpgsqlConnection connection, long key, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select pg_try_advisory_lock(@key)", connection);
        command.Parameters.AddWithValue("key", key);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    public static async Task UnlockAsync(NpgsqlConnection connection, long key)
    {
        if (connection.FullState != System.Data.ConnectionState.Open) return;   // a broken connection has let go already
        await using var command = new NpgsqlCommand("select pg_advisory_unlock(@key)", connection);
        command.Parameters.AddWithValue("key", key);
        await command.ExecuteNonQueryAsync();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
