using Npgsql;

namespace Footfall.Rollups;

/// <summary>A backfill, told by what was asked for.</summary>
/// <param name="PropertyId">Null: every property.</param>
internal sealed record BackfillKey(DateOnly From, DateOnly To, string? PropertyId);

/// <summary>The days that backfills still have to do.</summary>
internal static class BackfillStore
{
    private const string Pending = """
        select property_id, day, begun_at
        from backfill_days
        where window_from = @from and window_to = @to and scope = @scope
        order by property_id, day
        """;

    private const string Plan = """
        insert into backfill_days (window_from, window_to, scope, property_id, day, begun_at)
        select @from, @to, @scope, property_id, day, @now
        from unnest(@properties, @days) as t (property_id, day)
        """;

    private const string Done = """
        delete from backfill_days
        where window_from = @from and window_to = @to and scope = @scope and property_id = @property and day = @day
        """;

    private const string Forget = "delete from backfill_days where window_from = @from and window_to = @to and scope = @scope";

    /// <summary>What an interrupted backfill left, and when it began; empty when there is none.</summary>
    public static async Task<(List<(string Property, DateOnly Day)> Days, DateTimeOffset? BegunAt)> PendingAsync(NpgsqlConnection connection, BackfillKey key, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Pending, key);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(string, DateOnly)> days = [];
        DateTimeOffset? begun = null;
        while (await rows.ReadAsync(cancellationToken))
        {
            days.Add((rows.GetString(0), rows.GetFieldValue<DateOnly>(1)));
            begun = rows.GetFieldValue<DateTimeOffset>(2);
        }
        return (days, begun);
    }

    public static async Task PlanAsync(NpgsqlConnection connection, BackfillKey key, IReadOnlyCollection<RollupDay> days, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Plan, key);
        command.Parameters.AddWithValue("properties", days.Select(d => d.Property).ToArray());
        command.Parameters.AddWithValue("days", days.Select(d => d.Day).ToArray());
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>In the transaction that rolled the day up.</summary>
    public static async Task DoneAsync(NpgsqlConnection connection, BackfillKey key, RollupDay day, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Done, key);
        command.Parameters.AddWithValue("property", day.Property);
        command.Parameters.AddWithValue("day", day.Day);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public static async Task ForgetAsync(NpgsqlConnection connection, BackfillKey key, CancellationToken cancellationToken)
    {
        await using var command = Command(connection, Forget, key);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, BackfillKey key)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("from", key.From);
        command.Parameters.AddWithValue("to", key.To);
        command.Parameters.AddWithValue("scope", key.PropertyId ?? "");
        return command;
    }
}
