using Npgsql;

namespace Footfall.Explore;

/// <summary>An event as it goes by: what happened, and nothing that tells who did it.</summary>
internal sealed record RecentEvent(DateTimeOffset At, string EventType, string? Path, string? Country, string Device);

/// <summary>The newest events of a property, and from where its visitors of this moment are.</summary>
internal static class RecentSql
{
    private const int Minutes = 30;
    private const int Most = 20;

    private const string Events = """
        select occurred_at, event_type, path, country_code, device_type::text
        from events
        where property_id = @property and session_id is not null and device_type <> 'bot'
          and occurred_at > @since and occurred_at <= @now
        order by occurred_at desc, id desc
        limit @most
        """;

    private const string Countries = """
        select country_code, count(distinct visitor_id) as visitors
        from events
        where property_id = @property and session_id is not null and device_type <> 'bot'
          and occurred_at > @since and occurred_at <= @now
        group by country_code
        order by visitors desc, country_code collate "C"
        limit @most
        """;

    /// <summary>The newest first, of the last half hour.</summary>
    public static async Task<List<RecentEvent>> EventsAsync(Snapshot snapshot, string propertyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<RecentEvent> events = [];
        await using var command = Command(snapshot, Events, propertyId, now.AddMinutes(-Minutes), now);
        await snapshot.ReadAsync(command, r => events.Add(new RecentEvent(
            r.GetFieldValue<DateTimeOffset>(0), r.GetString(1), r.IsDBNull(2) ? null : r.GetString(2), r.IsDBNull(3) ? null : r.GetString(3), r.GetString(4))), cancellationToken);
        return events;
    }

    /// <summary>Visitors of the last five minutes, the most first.</summary>
    public static async Task<List<(string? Country, long Visitors)>> CountriesAsync(Snapshot snapshot, string propertyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        List<(string?, long)> countries = [];
        await using var command = Command(snapshot, Countries, propertyId, now.AddMinutes(-RealtimeSql.VisitorMinutes), now);
        await snapshot.ReadAsync(command, r => countries.Add((r.IsDBNull(0) ? null : r.GetString(0), r.GetInt64(1))), cancellationToken);
        return countries;
    }

    private static NpgsqlCommand Command(Snapshot snapshot, string sql, string propertyId, DateTimeOffset since, DateTimeOffset now)
    {
        var command = snapshot.Command(sql);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("since", since);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("most", Most);
        return command;
    }
}
