using Footfall.Definitions;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>
/// Users assigned to each variant on a day, and what they did afterwards: formulas in docs/definitions.md. Rolling a
/// day up also rolls up the days before it whose users it is the future of. "Within" and "in the hours after" include
/// the instant at which the time is over.
/// </summary>
internal sealed class ExperimentMetrics(UserFacts users) : IDayModel
{
    private const int Week = 7;

    public string Job => "experiment";

    private const string Assignments = """
        select day, experiment_id, variant_id, user_number, assigned_at, contaminated
        from experiment_assignments
        where property_id = @property and day between @from and @day
        """;

    private const string Replace = """
        delete from experiment_metric_rollups m
        where m.property_id = @property and m.day between @from and @day
          and not exists (select from unnest(@days, @experiments, @variants, @names) as t (day, experiment_id, variant_id, metric_name)
                          where t.day = m.day and t.experiment_id = m.experiment_id and t.variant_id = m.variant_id and t.metric_name = m.metric_name);

        insert into experiment_metric_rollups as m (property_id, day, experiment_id, variant_id, metric_name, value, generated_at)
        select @property, day, experiment_id, variant_id, metric_name, value, @now
        from unnest(@days, @experiments, @variants, @names, @values) as t (day, experiment_id, variant_id, metric_name, value)
        on conflict (property_id, day, experiment_id, variant_id, metric_name) do update set value = excluded.value, generated_at = excluded.generated_at
        where m.value <> excluded.value or m.day = @day
        """;

    private sealed record Assignment(DateOnly Day, string Experiment, string Variant, int User, long At, bool Contaminated);

    private sealed record Row(DateOnly Day, string Experiment, string Variant, string Name, double Value);

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var today = await users.OfAsync(connection, scope, cancellationToken);
        var metrics = today.Experiments.ToDictionary(e => e.Id, StringComparer.Ordinal);
        var horizon = Math.Max(Week, today.Experiments.Select(e => (e.MetricHours + 23) / 24).DefaultIfEmpty(0).Max());
        var from = scope.Shift(-horizon);
        var assignments = await AssignmentsAsync(connection, scope, from, cancellationToken);

        List<Row> rows = [];
        if (assignments.Count > 0)
        {
            string[] names = [UserFactStore.Users, UserFactStore.Submit, .. today.Experiments.Select(e => UserFactStore.Type(e.MetricEvent)).Distinct(StringComparer.Ordinal)];
            var facts = await UserFactStore.ReadAsync(connection, scope.PropertyId, from, scope.Shift(horizon), names, cancellationToken);
            var timelines = names[1..].ToDictionary(n => n, n => UserFactStore.Timeline(facts, n), StringComparer.Ordinal);
            foreach (var group in assignments.GroupBy(a => (a.Day, a.Experiment, a.Variant)))
            {
                rows.AddRange(RowsOf(group.Key.Day, group.Key.Experiment, group.Key.Variant, [.. group], facts, timelines, metrics.GetValueOrDefault(group.Key.Experiment)));
            }
        }
        await WriteAsync(connection, scope, from, rows, cancellationToken);
        return new DayOutcome(rows.Count(r => r.Day == scope.Day), 0);
    }

    private static IEnumerable<Row> RowsOf(
        DateOnly day, string experiment, string variant, List<Assignment> assigned,
        Dictionary<(DateOnly Day, string Fact), byte[]> facts, Dictionary<string, UserTimeline> timelines, ExperimentDefinition? definition)
    {
        var next = new VisitorUnion();
        if (facts.TryGetValue((day.AddDays(1), UserFactStore.Users), out var set)) next.Add(set);
        var submits = timelines[UserFactStore.Submit];
        var logged = assigned.Count(a => submits.First(a.User, a.At, a.At + UserTimeline.DayMicros) is not null);

        yield return Of("users_assigned", assigned.Count);
        yield return Of("users_active_d1", assigned.Count(a => next.Contains(a.User)));
        yield return Of("sessions_submitted_d7", assigned.Sum(a => submits.Between(a.User, a.At, a.At + Week * UserTimeline.DayMicros).Count()));
        yield return Of("logging_rate_24h_by_variant", (double)logged / assigned.Count);
        yield return Of("users_logged_24h", logged);
        yield return Of("users_contaminated", assigned.Count(a => a.Contaminated));
        if (definition is not null)
        {
            var metric = timelines[UserFactStore.Type(definition.MetricEvent)];
            yield return Of("users_converted", assigned.Count(a => metric.First(a.User, a.At, a.At + definition.MetricHours * UserTimeline.HourMicros) is not null));
        }

        Row Of(string name, double value) => new(day, experiment, variant, name, value);
    }

    private static async Task<List<Assignment>> AssignmentsAsync(NpgsqlConnection connection, DayScope scope, DateOnly from, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Assignments, connection);
        command.Parameters.AddWithValue("from", from);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Assignment> assignments = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            assignments.Add(new(rows.GetFieldValue<DateOnly>(0), rows.GetString(1), rows.GetString(2), rows.GetInt32(3), UserTimeline.Micros(rows.GetFieldValue<DateTimeOffset>(4)), rows.GetBoolean(5)));
        }
        return assignments;
    }

    private static async Task WriteAsync(NpgsqlConnection connection, DayScope scope, DateOnly from, List<Row> rows, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Replace, connection);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("days", rows.Select(r => r.Day).ToArray());
        command.Parameters.AddWithValue("experiments", rows.Select(r => r.Experiment).ToArray());
        command.Parameters.AddWithValue("variants", rows.Select(r => r.Variant).ToArray());
        command.Parameters.AddWithValue("names", rows.Select(r => r.Name).ToArray());
        command.Parameters.AddWithValue("values", rows.Select(r => r.Value).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
