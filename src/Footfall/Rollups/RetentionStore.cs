using Footfall.Ingestion;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>
/// Removes old rows, a day or a portion to a transaction. A raw row goes when its day and its arrival are both old: what
/// arrives late for a day that is gone stays as long as anything that arrived with it, and is counted by nothing.
/// </summary>
internal static class RetentionStore
{
    private const int Portion = 5_000;

    /// <summary>Tables of rollups, all keyed by property and day.</summary>
    internal static readonly string[] RollupTables =
    [
        "daily_metric_rollups", "daily_ingest_rollups", "ingest_counts", "daily_product_metrics", "experiment_metric_rollups", "experiment_exposures",
        "experiment_assignments", "funnel_rollups", "analytics_aggregates", "user_facts",
    ];

    private const string OldRows = """
        session_id is not null and occurred_at < @before and received_at < @before and property_id = @property
        """;

    // An out-of-range event's own time means nothing.
    private const string OldStrays = "session_id is null and received_at < @before and property_id = @property";

    private const string OldSessions = "property_id = @property and started_at < @before and ended_at < @before";

    private const string FirstDays = """
        select (min(at) at time zone 'UTC')::date
        from (select min(occurred_at) as at from events where property_id = @property and occurred_at >= @from and occurred_at < @before
              union all
              select min(started_at) from sessions where property_id = @property and started_at >= @from and started_at < @before) first
        """;

    private const string RemoveDay = $"""
        delete from events where {OldRows} and occurred_at >= @from and occurred_at < @until;
        delete from sessions where {OldSessions} and started_at >= @from and started_at < @until
        """;

    private const string RemoveStrays = $"delete from events where {OldStrays}";

    private const string RemoveKeys = "delete from event_keys where occurred_at < @before";

    private const string RemoveVisitors = """
        delete from visitors
        where id in (
            select v.id
            from visitors v
            left join (select distinct visitor_id from lead_identities) l on l.visitor_id = v.id
            where (v.last_seen_at is null or v.last_seen_at < @before)
              and l.visitor_id is null
              and not exists (select from sessions s where s.visitor_id = v.id)
              and not exists (select from events e where e.visitor_id = v.id)
            limit @portion)
        returning number
        """;

    private const string RemoveUsers = "delete from product_users where user_number = any (@users)";

    private const string RemoveEntityDays = """
        delete from entity_visitor_days
        where property_id = @property and day = (select min(day) from entity_visitor_days where property_id = @property and day < @before)
        returning entity_type, entity_id, user_number
        """;

    private const string Count = $"""
        select (select count(*) from events where ({OldRows}) or ({OldStrays})),
               (select count(*) from sessions where {OldSessions})
        """;

    private const string SetPurged = """
        insert into purged_days as w (property_id, through) values (@property, @through)
        on conflict (property_id) do update set through = greatest(w.through, excluded.through)
        """;

    /// <summary>From here on the property's days up to <paramref name="through"/> are not rolled up again.</summary>
    public static async Task SetPurgedAsync(NpgsqlConnection connection, string property, DateOnly through, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SetPurged, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("through", through);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Raw events and sessions that are old enough; reads all of them.</summary>
    public static async Task<(long Events, long Sessions)> CountAsync(NpgsqlConnection connection, PropertyRetention property, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Count, property.PropertyId, property.RawBefore);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return (rows.GetInt64(0), rows.GetInt64(1));
    }

    /// <summary>Whether every row of the week is old enough.</summary>
    public static async Task<bool> IsOldAsync(NpgsqlConnection connection, string partition, DateOnly before, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, $"select true from {partition} where received_at >= @before limit 1", null, before);
        return await command.ExecuteScalarAsync(cancellationToken) is not true;
    }

    /// <summary>Removes the property's old events and sessions, a day to a transaction. Returns rows removed.</summary>
    public static async Task<long> RemoveRawAsync(NpgsqlConnection connection, PropertyRetention property, CancellationToken cancellationToken)
    {
        long removed = 0;
        var from = DateOnly.MinValue;
        while (await FirstDayAsync(connection, property, from, cancellationToken) is { } day)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await BatchWriter.LockAsync(connection, cancellationToken);   // ingestion may be joining sessions that are about to go
            await using var remove = Command(connection, RemoveDay, property.PropertyId, property.RawBefore);
            remove.Parameters.AddWithValue("from", Start(day));
            remove.Parameters.AddWithValue("until", Start(day.AddDays(1)));
            removed += await remove.ExecuteNonQueryAsync(cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            from = day.AddDays(1);
        }
        await using var strays = Command(connection, RemoveStrays, property.PropertyId, property.RawBefore);
        return removed + await strays.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task<long> RemoveKeysAsync(NpgsqlConnection connection, DateOnly before, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, RemoveKeys, null, before);
        return await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Removes visitors of whom nothing else is left.</summary>
    public static async Task<long> RemoveVisitorsAsync(NpgsqlConnection connection, DateOnly before, CancellationToken cancellationToken)
    {
        long removed = 0;
        for (var portion = Portion; portion == Portion; removed += portion)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            await BatchWriter.LockAsync(connection, cancellationToken);   // a visitor found orphaned must not get an event meanwhile
            List<int> users = [];
            await using (var command = Command(connection, RemoveVisitors, null, before))
            {
                command.Parameters.AddWithValue("portion", Portion);
                await using var rows = await command.ExecuteReaderAsync(cancellationToken);
                while (await rows.ReadAsync(cancellationToken)) users.Add(UserNumber.OfVisitor(rows.GetInt32(0)));
            }
            await using (var forget = new NpgsqlCommand(RemoveUsers, connection))
            {
                forget.Parameters.AddWithValue("users", users.ToArray());
                await forget.ExecuteNonQueryAsync(cancellationToken);
            }
            await transaction.CommitAsync(cancellationToken);
            portion = users.Count;
        }
        return removed;
    }

    /// <summary>Removes or, to tell beforehand, counts the property's old rollups.</summary>
    public static async Task<long> RollupsAsync(NpgsqlConnection connection, string property, DateOnly before, bool remove, CancellationToken cancellationToken)
    {
        long rows = 0;
        foreach (var table in remove ? RollupTables : [.. RollupTables, "entity_visitor_days"])
        {
            await using var command = Command(connection, $"{(remove ? "delete" : "select count(*)")} from {table} where property_id = @property and day < @first", property, before);
            command.Parameters.AddWithValue("first", before);
            rows += remove ? await command.ExecuteNonQueryAsync(cancellationToken) : (long)(await command.ExecuteScalarAsync(cancellationToken))!;
        }
        return remove ? rows + await RemoveEntityDaysAsync(connection, property, before, cancellationToken) : rows;
    }

    private static async Task<long> RemoveEntityDaysAsync(NpgsqlConnection connection, string property, DateOnly before, CancellationToken cancellationToken)
    {
        long removed = 0;
        while (true)
        {
            await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
            List<EntityUser> gone = [];
            await using (var command = new NpgsqlCommand(RemoveEntityDays, connection) { CommandTimeout = 0 })
            {
                command.Parameters.AddWithValue("property", property);
                command.Parameters.AddWithValue("before", before);
                await using var rows = await command.ExecuteReaderAsync(cancellationToken);
                while (await rows.ReadAsync(cancellationToken)) gone.Add(new(rows.GetString(0), rows.GetString(1), rows.GetInt32(2)));
            }
            if (gone.Count == 0) return removed;
            await EntityTotals.SumAsync(connection, property, [.. gone], cancellationToken);
            await transaction.CommitAsync(cancellationToken);
            removed += gone.Count;
        }
    }

    private static async Task<DateOnly?> FirstDayAsync(NpgsqlConnection connection, PropertyRetention property, DateOnly from, CancellationToken cancellationToken)
    {
        if (from >= property.RawBefore) return null;
        await using var command = Command(connection, FirstDays, property.PropertyId, property.RawBefore);
        command.Parameters.AddWithValue("from", Start(from));
        return await command.ExecuteScalarAsync(cancellationToken) is DateOnly day ? day : null;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string? property, DateOnly before)
    {
        var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (property is not null) command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("before", Start(before));
        return command;
    }

    private static DateTimeOffset Start(DateOnly day) => new(day, default, TimeSpan.Zero);
}
