using Npgsql;

namespace Footfall.Rollups;

/// <summary>The packed rows of <c>user_facts</c>.</summary>
internal static class UserFactStore
{
    public const string Users = "users";
    public const string Open = "open";
    public const string Submit = "submit";

    public static string Type(string eventType) => "type:" + eventType;

    public static string Step(string funnel, int index) => $"step:{funnel}:{index}";

    private const string Write = """
        delete from user_facts f
        where f.property_id = @property and f.day = @day and f.fact <> all (@facts);

        insert into user_facts as f (property_id, day, fact, payload)
        select @property, @day, fact, payload
        from unnest(@facts, @payloads) as t (fact, payload)
        on conflict (property_id, day, fact) do update set payload = excluded.payload
        where f.payload <> excluded.payload
        """;

    private const string Read = """
        select day, fact, payload
        from user_facts
        where property_id = @property and day between @from and @to and fact = any (@facts)
        """;

    private const string ReadUsers = """
        select day, payload
        from user_facts
        where property_id = @property and day > @day and fact = 'users'
        order by day
        """;

    /// <summary>Replaces the day's facts; rows that stay the same are left alone.</summary>
    public static async Task WriteAsync(NpgsqlConnection connection, DayScope scope, IReadOnlyDictionary<string, byte[]> facts, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Write, connection);
        command.Parameters.AddWithValue("facts", facts.Keys.ToArray());
        command.Parameters.AddWithValue("payloads", facts.Values.ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>The facts of these names on the days from <paramref name="from"/> to <paramref name="to"/>, as they are stored.</summary>
    public static async Task<Dictionary<(DateOnly Day, string Fact), byte[]>> ReadAsync(
        NpgsqlConnection connection, string property, DateOnly from, DateOnly to, IReadOnlyCollection<string> facts, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Read, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", to);
        command.Parameters.AddWithValue("facts", facts.ToArray());
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        Dictionary<(DateOnly, string), byte[]> found = [];
        while (await rows.ReadAsync(cancellationToken)) found[(rows.GetFieldValue<DateOnly>(0), rows.GetString(1))] = rows.GetFieldValue<byte[]>(2);
        return found;
    }

    /// <summary>For each of the users, the first day after the scope's on which they had an event; those without one are left out.</summary>
    public static async Task<Dictionary<int, DateOnly>> NextDaysAsync(NpgsqlConnection connection, DayScope scope, IReadOnlyCollection<int> users, CancellationToken cancellationToken)
    {
        Dictionary<int, DateOnly> next = [];
        if (users.Count == 0) return next;
        var sought = users.ToHashSet();
        await using var command = scope.Command(ReadUsers, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (sought.Count > 0 && await rows.ReadAsync(cancellationToken))
        {
            var day = rows.GetFieldValue<DateOnly>(0);
            var seen = new VisitorUnion();
            seen.Add(rows.GetFieldValue<byte[]>(1));
            foreach (var user in sought.Where(seen.Contains).ToList())
            {
                next[user] = day;
                sought.Remove(user);
            }
        }
        return next;
    }

    /// <summary>One fact's times on one axis.</summary>
    public static UserTimeline Timeline(IReadOnlyDictionary<(DateOnly Day, string Fact), byte[]> found, string fact)
    {
        var timeline = new UserTimeline();
        foreach (var ((day, name), payload) in found)
        {
            if (name == fact) timeline.Add(day, UserTimes.Decode(payload));
        }
        return timeline;
    }
}
