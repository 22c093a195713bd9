using Npgsql;

namespace Footfall.Metrics;

/// <param name="Users">Users who entered in the window's days and reached the step; a user who entered on two days counts on both.</param>
/// <param name="FromPrevious">Of those of the step before; null for the first step, and when nobody was there.</param>
/// <param name="FromFirst">Of those who entered; null when nobody did.</param>
internal sealed record FunnelStepAnswer(string Name, int Index, long Users, double? FromPrevious, double? FromFirst);

/// <param name="ExperimentId">Empty with an empty variant: all users.</param>
internal sealed record FunnelAnswer(string Name, string ExperimentId, string VariantId, IReadOnlyList<FunnelStepAnswer> Steps, DateTimeOffset GeneratedAt);

/// <param name="StepIndex">From 1.</param>
internal sealed record FunnelDayRow(DateOnly Day, string FunnelName, string StepName, int StepIndex, string ExperimentId, string VariantId, int Users);

/// <summary>Answers funnels from day rows.</summary>
internal sealed class FunnelsReader(NpgsqlDataSource database)
{
    private const string Sums = """
        select funnel_name, experiment_id, variant_id, step_name, min(step_index)::int, sum(users)::bigint, max(generated_at)
        from funnel_rollups
        where property_id = @property and day between @from and @to and (@funnel::text is null or funnel_name = @funnel)
        group by funnel_name, experiment_id, variant_id, step_name
        order by funnel_name collate "C", experiment_id collate "C", variant_id collate "C", 5
        """;

    private const string Days = """
        select day, funnel_name, step_name, step_index::int, experiment_id, variant_id, users
        from funnel_rollups
        where property_id = @property and day between @from and @to and (@funnel::text is null or funnel_name = @funnel)
        order by day, funnel_name collate "C", experiment_id collate "C", variant_id collate "C", step_index
        """;

    /// <summary>The window's sums: overall first, then per variant of each experiment.</summary>
    public async Task<IReadOnlyList<FunnelAnswer>> ReadAsync(string property, Window window, string? funnel, CancellationToken cancellationToken)
    {
        List<(string Name, string Experiment, string Variant, string Step, int Index, long Users, DateTimeOffset At)> found = [];
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, Sums, property, window, funnel);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            found.Add((rows.GetString(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetInt32(4), rows.GetInt64(5), rows.GetFieldValue<DateTimeOffset>(6)));
        }
        return [.. found.GroupBy(f => (f.Name, f.Experiment, f.Variant)).Select(g =>
        {
            var steps = g.ToList();
            return new FunnelAnswer(g.Key.Name, g.Key.Experiment, g.Key.Variant,
                [.. steps.Select((s, i) => new FunnelStepAnswer(s.Step, s.Index, s.Users, i == 0 ? null : WindowTotals.Ratio(s.Users, steps[i - 1].Users), WindowTotals.Ratio(s.Users, steps[0].Users)))],
                steps.Max(s => s.At));
        })];
    }

    /// <summary>The day rows themselves, by day.</summary>
    public async Task<IReadOnlyList<FunnelDayRow>> DaysAsync(string property, Window window, string? funnel, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(connection, Days, property, window, funnel);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<FunnelDayRow> days = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            days.Add(new(rows.GetFieldValue<DateOnly>(0), rows.GetString(1), rows.GetString(2), rows.GetInt32(3), rows.GetString(4), rows.GetString(5), rows.GetInt32(6)));
        }
        return days;
    }

    private static NpgsqlCommand Command(NpgsqlConnection connection, string sql, string property, Window window, string? funnel)
    {
        var command = WindowCommand.Of(connection, sql, property, window);
        command.Parameters.Add(new NpgsqlParameter("funnel", NpgsqlTypes.NpgsqlDbType.Text) { Value = (object?)funnel ?? DBNull.Value });
        return command;
    }
}
