using System.Text.Json;
using Footfall.Definitions;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>The first time on a day that each user was told to be in a variant.</summary>
internal sealed class ExposureSet
{
    private const int LongestId = 128;

    private readonly Dictionary<(string Experiment, int User, string Variant), (DateTimeOffset At, Guid Event)> first = [];

    public IReadOnlyDictionary<(string Experiment, int User, string Variant), (DateTimeOffset At, Guid Event)> First => first;

    /// <summary>An event whose props name no experiment or no variant assigns nobody.</summary>
    public void Add(int user, DateTimeOffset at, Guid eventId, string props)
    {
        using var document = JsonDocument.Parse(props);
        if (Name(document.RootElement, "experimentId") is not { } experiment || Name(document.RootElement, "variantId") is not { } variant) return;
        var key = (experiment, user, variant);
        if (!first.TryGetValue(key, out var known) || Comes(at, eventId, known.At, known.Event)) first[key] = (at, eventId);
    }

    /// <summary>
    /// Keeps the experiments that are defined, the most used of the others, and of each its defined variants and the most used others:
    /// anybody may send assignments. Of two alike, the one that comes first by its id's characters.
    /// </summary>
    public void Limit(IReadOnlyList<ExperimentDefinition> defined, DayScope scope)
    {
        var definitions = defined.ToDictionary(e => e.Id, StringComparer.Ordinal);
        var experiments = first.Keys.GroupBy(k => k.Experiment, StringComparer.Ordinal).ToList();
        var others = experiments.Where(e => !definitions.ContainsKey(e.Key)).ToList();
        var left = others.OrderByDescending(e => e.Count()).ThenBy(e => e.Key, StringComparer.Ordinal).Skip(scope.Limits.Experiments).SelectMany(e => e).ToList();
        LeaveOut(left, RollupLimits.ExperimentLimit);
        List<(string, int, string)> variants = [];
        foreach (var experiment in experiments)
        {
            var known = definitions.TryGetValue(experiment.Key, out var definition) ? definition.Variants.Select(v => v.Id).ToHashSet(StringComparer.Ordinal) : [];
            variants.AddRange(experiment.GroupBy(k => k.Variant, StringComparer.Ordinal)
                .OrderByDescending(v => known.Contains(v.Key)).ThenByDescending(v => v.Count()).ThenBy(v => v.Key, StringComparer.Ordinal)
                .Skip(ExperimentDefinition.MostVariants).SelectMany(v => v));
        }
        LeaveOut(variants, RollupLimits.VariantLimit);

        void LeaveOut(List<(string, int, string)> keys, string reason)
        {
            var n = keys.Count(first.Remove);
            if (n > 0) scope.LeftOut[("experiment", reason)] = n;
        }
    }

    private static bool Comes(DateTimeOffset at, Guid id, DateTimeOffset beforeAt, Guid beforeId) => at < beforeAt || (at == beforeAt && id.CompareTo(beforeId) < 0);

    private static string? Name(JsonElement props, string name)
    {
        if (props.ValueKind != JsonValueKind.Object || !props.TryGetProperty(name, out var value)) return null;
        var text = value.ValueKind switch
        {
            JsonValueKind.String => value.GetString(),
            JsonValueKind.Number => value.GetRawText(),
            _ => null,
        };
        return text is { Length: >= 1 and <= LongestId } ? text : null;
    }
}

/// <summary>Who was told which variant when, and what follows: a user's assignment is the first exposure ever.</summary>
internal static class ExposureStore
{
    private const string Exposed = "select distinct experiment_id, user_number from experiment_exposures where property_id = @property and day = @day";

    private const string Replace = """
        delete from experiment_exposures x
        where x.property_id = @property and x.day = @day
          and not exists (select from unnest(@experiments, @users, @variants) as t (experiment_id, user_number, variant_id)
                          where t.experiment_id = x.experiment_id and t.user_number = x.user_number and t.variant_id = x.variant_id);

        insert into experiment_exposures as x (property_id, experiment_id, user_number, day, variant_id, first_at, first_event_id)
        select @property, experiment_id, user_number, @day, variant_id, first_at, first_event_id
        from unnest(@experiments, @users, @variants, @times, @events) as t (experiment_id, user_number, variant_id, first_at, first_event_id)
        on conflict (property_id, experiment_id, user_number, day, variant_id) do update set first_at = excluded.first_at, first_event_id = excluded.first_event_id
        where (x.first_at, x.first_event_id) <> (excluded.first_at, excluded.first_event_id)
        """;

    /// <summary>Assigns the touched users anew; returns, for each whose assignment changed, the days it was and is on.</summary>
    private const string Assign = """
        with touched as (
            select distinct experiment_id, user_number
            from unnest(@experiments, @users) as t (experiment_id, user_number)
        ),
        now as (
            select distinct on (x.experiment_id, x.user_number) x.experiment_id, x.user_number, x.variant_id, x.day, x.first_at,
                   count(*) over (partition by x.experiment_id, x.user_number, x.variant_id)
                   < count(*) over (partition by x.experiment_id, x.user_number) as contaminated
            from touched t
            join experiment_exposures x on x.property_id = @property and x.experiment_id = t.experiment_id and x.user_number = t.user_number
            order by x.experiment_id, x.user_number, x.first_at, x.first_event_id
        ),
        before as (
            select a.*
            from touched t
            join experiment_assignments a on a.property_id = @property and a.experiment_id = t.experiment_id and a.user_number = t.user_number
        ),
        removed as (
            delete from experiment_assignments a
            using before b
            where a.property_id = @property and a.experiment_id = b.experiment_id and a.user_number = b.user_number
              and not exists (select from now n where n.experiment_id = b.experiment_id and n.user_number = b.user_number)
        ),
        written as (
            insert into experiment_assignments as a (property_id, experiment_id, user_number, variant_id, day, assigned_at, contaminated)
            select @property, experiment_id, user_number, variant_id, day, first_at, contaminated
            from now
            on conflict (property_id, experiment_id, user_number) do update set
                variant_id = excluded.variant_id, day = excluded.day, assigned_at = excluded.assigned_at, contaminated = excluded.contaminated
            where (a.variant_id, a.day, a.assigned_at, a.contaminated) <> (excluded.variant_id, excluded.day, excluded.assigned_at, excluded.contaminated)
        )
        select user_number, b.day, n.day, b.variant_id is distinct from n.variant_id or b.day is distinct from n.day
        from before b
        full join now n using (experiment_id, user_number)
        where (b.variant_id, b.day, b.assigned_at, b.contaminated) is distinct from (n.variant_id, n.day, n.first_at, n.contaminated)
        """;

    /// <summary>Days after the first on which one of the users did anything: their funnels may tell them by another variant.</summary>
    private const string LaterDays = """
        select day, payload
        from user_facts
        where property_id = @property and day > @first and fact = 'users'
        """;

    private const string Mark = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select @property, day, 1, @now
        from unnest(@days) as t (day)
        order by day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    /// <summary>Replaces the day's exposures. Where that moves a user's assignment, the other days whose figures it changes are marked.</summary>
    public static async Task ReplaceAsync(NpgsqlConnection connection, DayScope scope, ExposureSet exposures, CancellationToken cancellationToken)
    {
        HashSet<(string Experiment, int User)> touched = [.. exposures.First.Keys.Select(k => (k.Experiment, k.User))];
        await using (var before = scope.Command(Exposed, connection))
        await using (var rows = await before.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken)) touched.Add((rows.GetString(0), rows.GetInt32(1)));
        }
        if (touched.Count == 0) return;

        var all = exposures.First.ToArray();
        await using (var replace = scope.Command(Replace, connection))
        {
            replace.Parameters.AddWithValue("experiments", all.Select(x => x.Key.Experiment).ToArray());
            replace.Parameters.AddWithValue("users", all.Select(x => x.Key.User).ToArray());
            replace.Parameters.AddWithValue("variants", all.Select(x => x.Key.Variant).ToArray());
            replace.Parameters.AddWithValue("times", all.Select(x => x.Value.At).ToArray());
            replace.Parameters.AddWithValue("events", all.Select(x => x.Value.Event).ToArray());
            await replace.ExecuteNonQueryAsync(cancellationToken);
        }

        var changedDays = new HashSet<DateOnly>();
        var moved = new HashSet<int>();
        DateOnly? earliest = null;
        await using (var assign = scope.Command(Assign, connection))
        {
            assign.Parameters.AddWithValue("experiments", touched.Select(t => t.Experiment).ToArray());
            assign.Parameters.AddWithValue("users", touched.Select(t => t.User).ToArray());
            await using var rows = await assign.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                DateOnly?[] days = [rows.IsDBNull(1) ? null : rows.GetFieldValue<DateOnly>(1), rows.IsDBNull(2) ? null : rows.GetFieldValue<DateOnly>(2)];
                foreach (var day in days)
                {
                    if (day is not { } there) continue;
                    changedDays.Add(there);
                    if (rows.GetBoolean(3) && (earliest is null || there < earliest)) earliest = there;
                }
                if (rows.GetBoolean(3)) moved.Add(rows.GetInt32(0));
            }
        }
        if (earliest is { } first) changedDays.UnionWith(await LaterDaysAsync(connection, scope, first, moved, cancellationToken));
        changedDays.Remove(scope.Day);
        await MarkAsync(connection, scope, changedDays, cancellationToken);
    }

    private static async Task<List<DateOnly>> LaterDaysAsync(NpgsqlConnection connection, DayScope scope, DateOnly first, HashSet<int> users, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(LaterDays, connection);
        command.Parameters.AddWithValue("first", first);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<DateOnly> days = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var seen = new VisitorUnion();
            seen.Add(rows.GetFieldValue<byte[]>(1));
            if (users.Any(seen.Contains)) days.Add(rows.GetFieldValue<DateOnly>(0));
        }
        return days;
    }

    private static async Task MarkAsync(NpgsqlConnection connection, DayScope scope, HashSet<DateOnly> days, CancellationToken cancellationToken)
    {
        if (days.Count == 0) return;
        scope.Dependents.UnionWith(days);
        await using var mark = scope.Command(Mark, connection);
        mark.Parameters.AddWithValue("days", days.ToArray());
        await mark.ExecuteNonQueryAsync(cancellationToken);
    }
}
