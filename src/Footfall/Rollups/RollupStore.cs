using System.Text.Json;
using Footfall.Ingestion;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>The bookkeeping of rollups: marks of changed days, runs, versions.</summary>
internal sealed class RollupStore(NpgsqlDataSource database)
{
    /// <summary>Changed days, the oldest mark first, so that none waits for ever.</summary>
    private const string Dirty = """
        select property_id, day, marks
        from dirty_days
        where @property::text is null or property_id = @property
        order by marked_at, property_id, day
        """;

    private const string Unmark = "delete from dirty_days where property_id = @property and day = @day and marks = @marks";

    private const string Bump = """
        insert into rollup_versions as v (property_id, version) values (@property, 1)
        on conflict (property_id) do update set version = v.version + 1
        """;

    private const string Purged = "select property_id, through from purged_days";

    private const string Begin = """
        insert into rollup_runs (job, property_id, window_from, window_to, started_at, status)
        values (@job, @property, @from, @to, @started_at, 'running')
        returning id
        """;

    private const string Finish = """
        update rollup_runs
        set finished_at = @finished_at, status = @status, rows_written = @rows, ignored_count = @ignored, left_out = @left_out::jsonb, skipped_days = @skipped, error = @error
        where id = @id
        """;

    /// <summary>The job's runs that were cut off: only one process at a time runs a job, so what is still 'running' when the next begins never ended.</summary>
    private const string CloseAbandoned = """
        update rollup_runs
        set finished_at = @now, status = 'failed', error = 'The process ended before the run did.'
        where job = @job and status = 'running'
        """;

    private const string Forget = "delete from rollup_runs where started_at < @before or (started_at < @succeeded_before and status = 'succeeded')";

    private const string LatestRuns = """
        select r.job, r.property_id, r.window_from, r.window_to, r.started_at, r.finished_at, r.status, r.rows_written, r.ignored_count, r.skipped_days, r.error,
               r.left_out::text
        from unnest(@jobs) with ordinality as j (job, n)
        cross join lateral (select * from rollup_runs r where r.job = j.job order by r.started_at desc, r.id desc limit @most) r
        order by j.n, r.started_at desc, r.id desc
        """;

    private const string PropertiesWithRows = """
        select property_id from (
            select id as property_id from properties
            union
            select distinct property_id from ingest_counts where day between @from and @to
        ) p
        order by property_id
        """;

    private static readonly Dictionary<string, long> NothingLeftOut = [];

    /// <summary>Changed days whose changes can be read: what was written under these marks is there for everybody who reads from now on.</summary>
    public async Task<List<(string Property, DateOnly Day, long Marks)>> DirtyDaysAsync(string? property, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        // A cluster commits on the coordinator first, where the marks are, and on the workers, where the rows are, a moment later: a rollup that
        // began in between would take the mark and miss the rows. So whoever is about to commit is waited for.
        var isCluster = await Distribution.IsOnAsync(connection, cancellationToken);
        if (isCluster) await BatchWriter.LockAsync(connection, cancellationToken);
        List<(string, DateOnly, long)> days = [];
        await using (var command = new NpgsqlCommand(Dirty, connection))
        {
            command.Parameters.Add(Text("property", property));
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1), rows.GetInt64(2)));
        }
        if (isCluster && days.Count > 0 && !await Distribution.AllIsCommittedAsync(connection, cancellationToken)) return [];   // they stay marked
        return days;
    }

    /// <summary>Removes the mark unless the day changed after it was read.</summary>
    public async Task UnmarkAsync(string property, DateOnly day, long marks, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Unmark);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("day", day);
        command.Parameters.AddWithValue("marks", marks);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Tells readers, in the rollup's own transaction, that answers kept for the property are stale.</summary>
    public static async Task BumpAsync(NpgsqlConnection connection, string property, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Bump, connection);
        command.Parameters.AddWithValue("property", property);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>For each property, the day up to which its raw rows are gone.</summary>
    public async Task<Dictionary<string, DateOnly>> PurgedThroughAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Purged);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<string, DateOnly> purged = [];
        while (await rows.ReadAsync(cancellationToken)) purged[rows.GetString(0)] = rows.GetFieldValue<DateOnly>(1);
        return purged;
    }

    public async Task<long> BeginRunAsync(string job, string? property, DateOnly from, DateOnly to, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var close = new NpgsqlCommand(CloseAbandoned, connection))
        {
            close.Parameters.AddWithValue("job", job);
            close.Parameters.AddWithValue("now", now);
            await close.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var command = new NpgsqlCommand(Begin, connection);
        command.Parameters.AddWithValue("job", job);
        command.Parameters.Add(Text("property", property));
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", to);
        command.Parameters.AddWithValue("started_at", now);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }

    public async Task FinishRunAsync(long id, DateTimeOffset now, RunResult result, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Finish);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("finished_at", now);
        command.Parameters.AddWithValue("status", result.Error is not null ? "failed" : result.Cancelled ? "cancelled" : "succeeded");
        command.Parameters.AddWithValue("rows", result.Rows);
        command.Parameters.AddWithValue("ignored", result.Ignored);
        command.Parameters.AddWithValue("left_out", JsonSerializer.Serialize(result.LeftOut ?? NothingLeftOut));
        command.Parameters.AddWithValue("skipped", result.Skipped);
        command.Parameters.Add(Text("error", result.Error));
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Runs of the jobs that come often are many: those that succeeded are kept for a shorter time.</summary>
    public async Task ForgetRunsAsync(DateTimeOffset before, DateTimeOffset succeededBefore, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Forget);
        command.Parameters.AddWithValue("before", before);
        command.Parameters.AddWithValue("succeeded_before", succeededBefore);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The newest runs of each of the jobs, in their order, newest first.</summary>
    public async Task<List<RollupRun>> LatestRunsAsync(IEnumerable<string> jobs, int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(LatestRuns);
        command.Parameters.AddWithValue("jobs", jobs.ToArray());
        command.Parameters.AddWithValue("most", most);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<RollupRun> runs = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            runs.Add(new RollupRun(
                rows.GetString(0),
                rows.IsDBNull(1) ? null : rows.GetString(1),
                rows.GetFieldValue<DateOnly>(2),
                rows.GetFieldValue<DateOnly>(3),
                rows.GetFieldValue<DateTimeOffset>(4),
                rows.IsDBNull(5) ? null : rows.GetFieldValue<DateTimeOffset>(5),
                rows.GetString(6),
                rows.GetInt32(7),
                rows.GetInt64(8),
                rows.GetInt32(9),
                rows.IsDBNull(10) ? null : rows.GetString(10),
                JsonSerializer.Deserialize<Dictionary<string, long>>(rows.GetString(11))!));
        }
        return runs;
    }

    public async Task<List<string>> PropertiesAsync(DateOnly from, DateOnly to, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(PropertiesWithRows);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", to);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> properties = [];
        while (await rows.ReadAsync(cancellationToken)) properties.Add(rows.GetString(0));
        return properties;
    }

    private static NpgsqlParameter Text(string name, string? value) =>
        new(name, NpgsqlTypes.NpgsqlDbType.Text) { Value = (object?)value ?? DBNull.Value };
}

/// <summary>One run of a job, as stored.</summary>
/// <param name="Status"><c>running</c>, <c>succeeded</c>, <c>failed</c> or <c>cancelled</c>.</param>
/// <param name="SkippedDays">Days left as they were, because their raw rows are gone.</param>
/// <param name="LeftOut">What limits left out of the figures, by reason.</param>
public sealed record RollupRun(
    string Job, string? PropertyId, DateOnly From, DateOnly To,
    DateTimeOffset StartedAt, DateTimeOffset? FinishedAt,
    string Status, int RowsWritten, long IgnoredCount, int SkippedDays, string? Error, IReadOnlyDictionary<string, long> LeftOut);

/// <summary>How a run ended.</summary>
/// <param name="Ignored">Events that were out of range.</param>
/// <param name="LeftOut">What limits left out, by reason.</param>
/// <param name="Cancelled">Somebody stopped it: what it had done stands, and nothing failed.</param>
internal sealed record RunResult(int Rows, long Ignored = 0, int Skipped = 0, string? Error = null, bool Cancelled = false, IReadOnlyDictionary<string, long>? LeftOut = null);
