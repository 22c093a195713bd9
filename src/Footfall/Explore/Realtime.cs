using Npgsql;

namespace Footfall.Explore;

/// <summary>What happens now.</summary>
/// <param name="Visitors">Distinct visitors with an event in the last five minutes.</param>
/// <param name="PageViews">Per minute, the oldest first; the last minute has only begun.</param>
/// <param name="Pages">Where these visitors have been in the five minutes: path, visitors, the most first.</param>
/// <param name="Sources">Where their sessions came from.</param>
internal sealed record Realtime(
    long Visitors, IReadOnlyList<(DateTimeOffset Minute, long PageViews)> PageViews,
    IReadOnlyList<(string? Value, long Visitors)> Pages, IReadOnlyList<(string? Value, long Visitors)> Sources);

/// <summary>Reads the last half hour of one property, which costs as much however long the history is.</summary>
internal static class RealtimeSql
{
    public const int Minutes = 30;
    public const int VisitorMinutes = 5;
    private const int Top = 10;

    private const string Counted = "property_id = @property and session_id is not null and device_type <> 'bot'";

    private const string Visitors = $"""
        select count(distinct visitor_id)
        from events
        where {Counted} and occurred_at > @visitors_since and occurred_at <= @now
        """;

    private const string PageViews = $"""
        select date_trunc('minute', occurred_at), count(*)
        from events
        where {Counted} and occurred_at >= @views_since and occurred_at <= @now and event_type = 'page_view'
        group by 1
        """;

    private const string Pages = $"""
        select path, count(distinct visitor_id) as visitors
        from events
        where {Counted} and occurred_at > @visitors_since and occurred_at <= @now and event_type = 'page_view'
        group by path
        order by visitors desc, path collate "C"
        limit @top
        """;

    private const string Sources = """
        select source, count(distinct visitor_id) as visitors
        from (select e.visitor_id, coalesce(lower(s.utm_source), regexp_replace(s.referrer_host, '^www\.', '')) as source
              from events e
              join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id
              where e.property_id = @property and e.session_id is not null and e.device_type <> 'bot'
                and e.occurred_at > @visitors_since and e.occurred_at <= @now) seen
        group by source
        order by visitors desc, source collate "C"
        limit @top
        """;

    public static async Task<Realtime> ReadAsync(Snapshot snapshot, string propertyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var minute = new DateTimeOffset(now.UtcTicks - (now.UtcTicks % TimeSpan.TicksPerMinute), TimeSpan.Zero);
        var since = minute.AddMinutes(1 - Minutes);
        long visitors = 0;
        Dictionary<DateTimeOffset, long> views = [];
        List<(string?, long)> pages = [], sources = [];
        await ReadAsync(Visitors, r => visitors = r.GetInt64(0));
        await ReadAsync(PageViews, r => views[r.GetFieldValue<DateTimeOffset>(0)] = r.GetInt64(1));
        await ReadAsync(Pages, r => pages.Add((r.IsDBNull(0) ? null : r.GetString(0), r.GetInt64(1))));
        await ReadAsync(Sources, r => sources.Add((r.IsDBNull(0) ? null : r.GetString(0), r.GetInt64(1))));
        var perMinute = Enumerable.Range(0, Minutes).Select(i => since.AddMinutes(i)).Select(m => (m, views.GetValueOrDefault(m))).ToList();
        return new Realtime(visitors, perMinute, pages, sources);

        async Task ReadAsync(string sql, Action<NpgsqlDataReader> row)
        {
            await using var command = snapshot.Command(sql);
            command.Parameters.AddWithValue("property", propertyId);
            command.Parameters.AddWithValue("now", now);
            command.Parameters.AddWithValue("visitors_since", now.AddMinutes(-VisitorMinutes));
            command.Parameters.AddWithValue("views_since", since);
            command.Parameters.AddWithValue("top", Top);
            await snapshot.ReadAsync(command, row, cancellationToken);
        }
    }
}
