using Footfall.Definitions;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>What the models over users need of a day beside its facts.</summary>
internal sealed record UserDay(IReadOnlyList<ExperimentDefinition> Experiments, IReadOnlyList<FunnelDefinition> Funnels, IReadOnlyList<int> Users, long Submits);

/// <summary>
/// Reads a day's raw events once for all models over users, and packs what they need into <c>user_facts</c>,
/// exposures and assignments. Whatever looks at several days, as the 24 hours after an event do, reads only those.
/// A user is the event's account, else the account that the visitor was first seen with that day, else the visitor.
/// </summary>
internal sealed class UserFacts(FunnelStore funnels)
{
    private const string AssignedEvent = "experiment_assigned";

    private const string Settings = "select submit_events, open_events from properties where id = @property";

    /// <summary>Each visitor of the day with the account that the visitor's events without one count for.</summary>
    private const string SignedIn = """
        select v.number, n.number
        from (select distinct on (visitor_id) visitor_id, account_id
              from events
              where property_id = @property
                and occurred_at >= @day_start and occurred_at < @day_end
                and session_id is not null and device_type <> 'bot' and account_id is not null
              order by visitor_id, occurred_at, id) first
        join visitors v on v.id = first.visitor_id
        join account_numbers n on n.account_id = first.account_id
        """;

    private const string Present = """
        select distinct v.number, n.number
        from (select distinct visitor_id, account_id
              from events
              where property_id = @property
                and occurred_at >= @day_start and occurred_at < @day_end
                and session_id is not null and device_type <> 'bot') seen
        join visitors v on v.id = seen.visitor_id
        left join account_numbers n on n.account_id = seen.account_id
        """;

    private const string Interesting = """
        select v.number, n.number, e.event_type, e.occurred_at, e.id,
               case when e.event_type = any (@path_types) then e.path end,
               case when e.event_type = any (@props_types) then e.props::text end
        from events e
        join visitors v on v.id = e.visitor_id
        left join account_numbers n on n.account_id = e.account_id
        where e.property_id = @property
          and e.occurred_at >= @day_start and e.occurred_at < @day_end
          and e.session_id is not null and e.device_type <> 'bot'
          and e.event_type = any (@types)
        """;

    /// <summary>The day's facts, written on the first call for a scope.</summary>
    public async Task<UserDay> OfAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken) =>
        scope.Users ??= await RollAsync(connection, scope, cancellationToken);

    private async Task<UserDay> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var experiments = await ExperimentStore.ListAsync(connection, scope.PropertyId, cancellationToken);
        var defined = await funnels.ListAsync(connection, scope.PropertyId, cancellationToken);
        var (submits, opens) = await SettingsAsync(connection, scope, cancellationToken);
        await AccountNumbers.EnsureAsync(connection, scope, cancellationToken);
        var signedIn = await SignedInAsync(connection, scope, cancellationToken);
        var users = await PresentAsync(connection, scope, signedIn, cancellationToken);

        var day = new DayFacts(submits, opens, [.. experiments.Select(e => e.MetricEvent).Distinct(StringComparer.Ordinal)], defined);
        var exposures = new ExposureSet();
        if (users.Count > 0) await ReadAsync(connection, scope, signedIn, day, exposures, cancellationToken);
        exposures.Limit(experiments, scope);

        var facts = day.Encode();
        if (users.Count > 0) facts[UserFactStore.Users] = VisitorSet.Encode(users.ToArray());
        await UserFactStore.WriteAsync(connection, scope, facts, cancellationToken);
        await ExposureStore.ReplaceAsync(connection, scope, exposures, cancellationToken);
        return new UserDay(experiments, defined, users, day.SubmitCount);
    }

    private static async Task ReadAsync(
        NpgsqlConnection connection, DayScope scope, Dictionary<int, int> signedIn, DayFacts day, ExposureSet exposures, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Interesting, connection);
        command.Parameters.AddWithValue("types", day.Types.Append(AssignedEvent).Distinct(StringComparer.Ordinal).ToArray());
        command.Parameters.AddWithValue("path_types", day.TypesWithPath.ToArray());
        command.Parameters.AddWithValue("props_types", day.TypesWithProps.Append(AssignedEvent).Distinct(StringComparer.Ordinal).ToArray());
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var user = UserOf(rows, signedIn);
            var (type, at) = (rows.GetString(2), rows.GetFieldValue<DateTimeOffset>(3));
            var props = rows.IsDBNull(6) ? null : rows.GetString(6);
            day.Add(user, type, UserTimeline.Micros(at) - UserTimeline.Start(scope.Day), rows.IsDBNull(5) ? null : rows.GetString(5), props);
            if (type == AssignedEvent && props is not null) exposures.Add(user, at, rows.GetGuid(4), props);
        }
    }

    private static int UserOf(NpgsqlDataReader row, Dictionary<int, int> signedIn)
    {
        var visitor = row.GetInt32(0);
        if (!row.IsDBNull(1)) return UserNumber.OfAccount(row.GetInt32(1));
        return signedIn.TryGetValue(visitor, out var account) ? UserNumber.OfAccount(account) : UserNumber.OfVisitor(visitor);
    }

    private static async Task<(string[] Submits, string[] Opens)> SettingsAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Settings, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken)
            ? (rows.GetFieldValue<string[]>(0), rows.GetFieldValue<string[]>(1))
            : (["session_submitted"], ["app_opened", "tab_opened"]);
    }

    private static async Task<Dictionary<int, int>> SignedInAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(SignedIn, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<int, int> accounts = [];
        while (await rows.ReadAsync(cancellationToken)) accounts[rows.GetInt32(0)] = rows.GetInt32(1);
        return accounts;
    }

    private static async Task<List<int>> PresentAsync(NpgsqlConnection connection, DayScope scope, Dictionary<int, int> signedIn, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Present, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        HashSet<int> users = [];
        while (await rows.ReadAsync(cancellationToken)) users.Add(UserOf(rows, signedIn));
        return [.. users.Order()];
    }
}
