using Footfall.Definitions;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>
/// How many users who entered a funnel on a day came to each of its steps, of all users and per variant of each
/// experiment that they had been assigned to by the end of that day: formulas in docs/definitions.md.
/// </summary>
internal sealed class FunnelMetrics(UserFacts users) : IDayModel
{
    public string Job => "funnel";

    private const string Variants = """
        select user_number, experiment_id, variant_id, day
        from experiment_assignments
        where property_id = @property and day <= @day and user_number = any (@users)
        """;

    private const string Remove = """
        delete from funnel_rollups
        where property_id = @property
          and (day = @day                                                  -- also those of funnels that are no more
               or (day between @from and @day and funnel_name = any (@funnels) and day >= @day - @spans[array_position(@funnels, funnel_name)]))
        """;

    private const string Write = """
        insert into funnel_rollups (property_id, day, funnel_name, step_name, experiment_id, variant_id, step_index, users, generated_at)
        select @property, day, funnel_name, step_name, experiment_id, variant_id, step_index, users, @now
        from unnest(@days, @names, @steps, @experiments, @variants, @indexes, @counts) as t (day, funnel_name, step_name, experiment_id, variant_id, step_index, users)
        """;

    /// <param name="Experiment">Empty with an empty variant: all users.</param>
    private sealed record Row(DateOnly Day, string Funnel, string Step, int Index, string Experiment, string Variant, int Users);

    /// <summary>A user who entered a funnel on a day, and the number of steps reached.</summary>
    private readonly record struct Entry(DateOnly Day, FunnelDefinition Funnel, int User, int Reached);

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var today = await users.OfAsync(connection, scope, cancellationToken);
        var funnels = today.Funnels;
        var span = funnels.Select(f => f.DaysAhead).DefaultIfEmpty(0).Max();
        var from = scope.Shift(-span);
        string[] names = [.. funnels.SelectMany(f => f.Steps.Select((_, i) => UserFactStore.Step(f.Name, i)))];
        var facts = await UserFactStore.ReadAsync(connection, scope.PropertyId, from, scope.Shift(span), names, cancellationToken);

        List<Entry> entries = [];
        if (facts.Count > 0)
        {
            foreach (var funnel in funnels) entries.AddRange(EntriesOf(funnel, scope.Day, facts));
        }
        var variants = await VariantsAsync(connection, scope, entries, cancellationToken);
        var rows = RowsOf(entries, variants);
        await WriteAsync(connection, scope, from, funnels, rows, cancellationToken);
        return new DayOutcome(rows.Count(r => r.Day == scope.Day), 0);
    }

    /// <summary>Those who entered on the day, or so shortly before that the day may count for them.</summary>
    private static IEnumerable<Entry> EntriesOf(FunnelDefinition funnel, DateOnly day, Dictionary<(DateOnly Day, string Fact), byte[]> facts)
    {
        var steps = new UserTimeline[funnel.Steps.Count];
        for (var i = 1; i < steps.Length; i++) steps[i] = UserFactStore.Timeline(facts, UserFactStore.Step(funnel.Name, i));
        for (var entered = day.AddDays(-Math.Min(funnel.DaysAhead, day.DayNumber)); entered <= day; entered = entered.AddDays(1))
        {
            if (!facts.TryGetValue((entered, UserFactStore.Step(funnel.Name, 0)), out var payload)) continue;
            var first = UserTimes.Decode(payload);
            foreach (var user in first.Users)
            {
                var start = UserTimeline.Start(entered) + first.Of(user)[0];
                var (at, reached) = (start, 1);
                while (reached < steps.Length && steps[reached].First(user, at, start + funnel.WindowHours * UserTimeline.HourMicros) is { } next) (at, reached) = (next, reached + 1);
                yield return new Entry(entered, funnel, user, reached);
            }
        }
    }

    private static List<Row> RowsOf(List<Entry> entries, ILookup<int, (string Experiment, string Variant, DateOnly Day)> variants)
    {
        var counts = new Dictionary<(DateOnly Day, FunnelDefinition Funnel, string Experiment, string Variant), int[]>();
        foreach (var entry in entries)
        {
            Count(entry, "", "");
            foreach (var (experiment, variant, assigned) in variants[entry.User])
            {
                if (assigned <= entry.Day) Count(entry, experiment, variant);
            }
        }
        return
        [
            .. from c in counts
               from i in Enumerable.Range(0, c.Value.Length)
               select new Row(c.Key.Day, c.Key.Funnel.Name, c.Key.Funnel.Steps[i].Name, i + 1, c.Key.Experiment, c.Key.Variant, c.Value[i]),
        ];

        void Count(Entry entry, string experiment, string variant)
        {
            var key = (entry.Day, entry.Funnel, experiment, variant);
            if (!counts.TryGetValue(key, out var reached)) counts[key] = reached = new int[entry.Funnel.Steps.Count];
            for (var i = 0; i < entry.Reached; i++) reached[i]++;
        }
    }

    private static async Task<ILookup<int, (string, string, DateOnly)>> VariantsAsync(NpgsqlConnection connection, DayScope scope, List<Entry> entries, CancellationToken cancellationToken)
    {
        List<(int User, string Experiment, string Variant, DateOnly Day)> found = [];
        if (entries.Count > 0)
        {
            await using var command = scope.Command(Variants, connection);
            command.Parameters.AddWithValue("users", entries.Select(e => e.User).Distinct().ToArray());
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) found.Add((rows.GetInt32(0), rows.GetString(1), rows.GetString(2), rows.GetFieldValue<DateOnly>(3)));
        }
        return found.ToLookup(f => f.User, f => (f.Experiment, f.Variant, f.Day));
    }

    private static async Task WriteAsync(NpgsqlConnection connection, DayScope scope, DateOnly from, IReadOnlyList<FunnelDefinition> funnels, List<Row> rows, CancellationToken cancellationToken)
    {
        await using (var remove = scope.Command(Remove, connection))
        {
            remove.Parameters.AddWithValue("from", from);
            remove.Parameters.AddWithValue("funnels", funnels.Select(f => f.Name).ToArray());
            remove.Parameters.AddWithValue("spans", funnels.Select(f => f.DaysAhead).ToArray());
            await remove.ExecuteNonQueryAsync(cancellationToken);
        }
        if (rows.Count == 0) return;
        await using var write = scope.Command(Write, connection);
        write.Parameters.AddWithValue("days", rows.Select(r => r.Day).ToArray());
        write.Parameters.AddWithValue("names", rows.Select(r => r.Funnel).ToArray());
        write.Parameters.AddWithValue("steps", rows.Select(r => r.Step).ToArray());
        write.Parameters.AddWithValue("experiments", rows.Select(r => r.Experiment).ToArray());
        write.Parameters.AddWithValue("variants", rows.Select(r => r.Variant).ToArray());
        write.Parameters.AddWithValue("indexes", rows.Select(r => (short)r.Index).ToArray());
        write.Parameters.AddWithValue("counts", rows.Select(r => r.Users).ToArray());
        await write.ExecuteNonQueryAsync(cancellationToken);
    }
}
