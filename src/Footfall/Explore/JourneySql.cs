using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>Journeys as SQL. Only sessions that saw the page are read further.</summary>
internal static class JourneySql
{
    public static async Task<JourneyResult> AnswerAsync(Snapshot snapshot, JourneyQuery query, CancellationToken cancellationToken)
    {
        var filters = new FilterSql();
        await using var command = snapshot.Command(Statement(query, filters));
        command.Parameters.AddRange(filters.Parameters.ToArray());
        var (views, sessions) = (0L, 0L);
        List<JourneyNeighbour> next = [], previous = [];
        List<JourneyPath> paths = [];
        await snapshot.ReadAsync(command, row =>
        {
            var (v, s) = (row.GetInt64(3), row.GetInt64(4));
            var path = row.IsDBNull(1) ? null : row.GetString(1);
            switch (row.GetInt32(0))
            {
                case 0: (views, sessions) = (v, s); break;
                case 1: next.Add(new JourneyNeighbour(path, v, s)); break;
                case 2: previous.Add(new JourneyNeighbour(path, v, s)); break;
                default: paths.Add(new JourneyPath(row.GetFieldValue<string[]>(2), s)); break;
            }
        }, cancellationToken);
        return new JourneyResult(views, sessions, next, previous, paths);
    }

    private static string Statement(JourneyQuery query, FilterSql filters)
    {
        filters.Add("property", query.PropertyId, NpgsqlDbType.Text);
        filters.Add("start", query.Window.Start, NpgsqlDbType.TimestampTz);
        filters.Add("end", query.Window.End, NpgsqlDbType.TimestampTz);
        filters.Add("path", query.Path, NpgsqlDbType.Text);
        filters.Add("limit", query.Limit, NpgsqlDbType.Integer);
        var (ofSessions, _) = filters.Conditions(query.Filters);
        var join = ofSessions.Length > 0 ? "\n    join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id" : "";
        var pages = string.Join(", ", Enumerable.Range(1, query.Steps).Select(n => $"lead(path, {n}) over way"));
        const string pageViews = "e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end and e.session_id is not null and e.device_type <> 'bot' and e.event_type = 'page_view'";
        return $"""
            with here as (
                select distinct e.visitor_id, e.session_id
                from events e{join}
                where {pageViews} and e.path = @path{ofSessions}
            ), views as (
                select e.visitor_id, e.session_id, e.path, e.occurred_at,
                       lag(e.path) over (partition by e.visitor_id, e.session_id order by e.occurred_at, e.path collate "C") as before
                from events e
                join here h on h.visitor_id = e.visitor_id and h.session_id = e.session_id
                where {pageViews} and e.path is not null
            ), ways as (
                select visitor_id, session_id, occurred_at, path, lag(path) over way as previous, lead(path) over way as next, array_remove(array[path, {pages}], null) as pages
                from views
                where before is distinct from path
                window way as (partition by visitor_id, session_id order by occurred_at, path collate "C")
            ), seen as (
                select * from ways where path = @path
            ), first_seen as (
                select distinct on (visitor_id, session_id) visitor_id, session_id, pages
                from seen
                order by visitor_id, session_id, occurred_at
            )
            select * from (
            select 0 as list, null::text as path, null::text[] as pages, count(*) as views, count(distinct session_id) as sessions from seen
            union all
            select * from (select 1, next, null::text[], count(*), count(distinct session_id) from seen group by next order by 4 desc, next is null, next collate "C" limit @limit) n
            union all
            select * from (select 2, previous, null::text[], count(*), count(distinct session_id) from seen group by previous order by 4 desc, previous is null, previous collate "C" limit @limit) p
            union all
            select * from (select 3, null::text, pages, count(*), count(*) from first_seen group by pages order by 4 desc, array_to_string(pages, E'\n') collate "C" limit @limit) w
            ) answer
            order by list, views desc, path is null, path collate "C", array_to_string(pages, E'\n') collate "C"
            """;
    }
}
