using System.Text.Json;
using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Definitions;

/// <summary>Definitions of experiments.</summary>
internal sealed class ExperimentStore(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Columns = "select property_id, id, name, variants::text, control, metric_event, metric_hours, starts_on, ends_on from experiments";

    private const string Add = """
        insert into experiments (property_id, id, name, variants, control, metric_event, metric_hours, starts_on, ends_on, created_at, updated_at)
        values (@property, @id, @name, @variants, @control, @metric_event, @metric_hours, @starts_on, @ends_on, @now, @now)
        on conflict (property_id, id) do nothing
        returning true
        """;

    private const string Replace = """
        update experiments
        set name = @name, variants = @variants, control = @control, metric_event = @metric_event, metric_hours = @metric_hours,
            starts_on = @starts_on, ends_on = @ends_on, updated_at = @now
        where property_id = @property and id = @id
        returning true
        """;

    private const string Assigned = "select exists (select from experiment_exposures where property_id = @property and experiment_id = @id)";

    public async Task<List<ExperimentDefinition>> ListAsync(string? property, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ListAsync(connection, property, cancellationToken);
    }

    /// <summary>In the caller's transaction. Every property's when <paramref name="property"/> is null.</summary>
    public static async Task<List<ExperimentDefinition>> ListAsync(NpgsqlConnection connection, string? property, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"{Columns} where @property::text is null or property_id = @property order by property_id, id", connection);
        command.Parameters.Add(new NpgsqlParameter("property", NpgsqlDbType.Text) { Value = (object?)property ?? DBNull.Value });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ExperimentDefinition> experiments = [];
        while (await rows.ReadAsync(cancellationToken)) experiments.Add(Read(rows));
        return experiments;
    }

    public async Task<ExperimentDefinition?> FindAsync(string property, string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} where property_id = @property and id = @id");
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("id", id);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? Read(rows) : null;
    }

    /// <summary>Whether events have assigned anybody yet: from then on the split stands.</summary>
    public async Task<bool> HasAssignmentsAsync(string property, string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Assigned);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("id", id);
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>False when there is one of this id already. Days whose figures need the new metric are marked, so that it is counted from the start.</summary>
    public Task<bool> AddAsync(ExperimentDefinition experiment, CancellationToken cancellationToken) => SaveAsync(Add, experiment, cancellationToken);

    /// <summary>False when there is none of this id.</summary>
    public Task<bool> ReplaceAsync(ExperimentDefinition experiment, CancellationToken cancellationToken) => SaveAsync(Replace, experiment, cancellationToken);

    private async Task<bool> SaveAsync(string sql, ExperimentDefinition experiment, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("property", experiment.PropertyId);
        command.Parameters.AddWithValue("id", experiment.Id);
        command.Parameters.AddWithValue("name", experiment.Name);
        command.Parameters.AddWithValue("variants", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(experiment.Variants, DefinitionsJson.Default.IReadOnlyListExperimentVariant));
        command.Parameters.AddWithValue("control", experiment.Control);
        command.Parameters.AddWithValue("metric_event", experiment.MetricEvent);
        command.Parameters.AddWithValue("metric_hours", experiment.MetricHours);
        command.Parameters.Add(new NpgsqlParameter("starts_on", NpgsqlDbType.Date) { Value = (object?)experiment.StartsOn ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("ends_on", NpgsqlDbType.Date) { Value = (object?)experiment.EndsOn ?? DBNull.Value });
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        await ChangedDays.MarkAsync(connection, experiment.PropertyId, experiment.StartsOn, clock.GetUtcNow(), cancellationToken);
        await ChangeFeed.TellAsync(connection, Shared.Experiments, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static ExperimentDefinition Read(NpgsqlDataReader row) => new(
        row.GetString(0), row.GetString(1), row.GetString(2),
        JsonSerializer.Deserialize(row.GetString(3), DefinitionsJson.Default.IReadOnlyListExperimentVariant)!,
        row.GetString(4), row.GetString(5), row.GetInt32(6),
        row.IsDBNull(7) ? null : row.GetFieldValue<DateOnly>(7),
        row.IsDBNull(8) ? null : row.GetFieldValue<DateOnly>(8));
}

/// <summary>Tells the rollups that days must be computed again because what they count has changed.</summary>
internal static class ChangedDays
{
    /// <summary>Every day with events from @from on: it has a day row, or waits for one and is marked already.</summary>
    private const string Mark = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select property_id, day, 1, @now
        from daily_metric_rollups
        where property_id = @property and (@from::date is null or day >= @from)
        order by day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    public static async Task MarkAsync(NpgsqlConnection connection, string property, DateOnly? from, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Mark, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.Add(new NpgsqlParameter("from", NpgsqlDbType.Date) { Value = (object?)from ?? DBNull.Value });
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
