using Footfall.Postgres;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>A figure of a day that its raw rows do not confirm.</summary>
public sealed record Difference(string PropertyId, DateOnly Day, string Figure, long Raw, long Rollup);

/// <summary>Counts raw rows anew, by plain SQL of its own, and compares with what is rolled up. A day that is marked changed is expected to differ, and left out, and so is one whose raw rows are past retention.</summary>
internal sealed class Discrepancy(NpgsqlDataSource database)
{
    private const string Compare = """
        with bounds as (
            select (@from::date)::timestamp at time zone 'UTC' as starts, (@to::date + 1)::timestamp at time zone 'UTC' as ends
        ),
        raw_events as (
            select e.property_id, (e.occurred_at at time zone 'UTC')::date as day,
                   count(distinct e.visitor_id) as unique_visitors,
                   count(*) as events,
                   count(*) filter (where e.event_type = 'page_view') as page_views,
                   count(*) filter (where e.is_entrance) as entrances,
                   count(*) filter (where e.is_conversion) as conversions,
                   count(*) filter (where e.event_type = 'form_start') as form_starts,
                   count(*) filter (where e.event_type = 'form_submit') as form_submits
            from events e, bounds
            where e.occurred_at >= bounds.starts and e.occurred_at < bounds.ends
              and e.session_id is not null and e.device_type <> 'bot'
              and (@property::text is null or e.property_id = @property)
            group by 1, 2
        ),
        raw_sessions as (
            select s.property_id, (s.started_at at time zone 'UTC')::date as day,
                   count(*) as sessions,
                   count(*) filter (where s.is_bounce) as bounces,
                   count(*) filter (where s.has_conversion) as converted_sessions,
                   sum(s.engaged_ms)::bigint as engaged_ms
            from sessions s, bounds
            where s.started_at >= bounds.starts and s.started_at < bounds.ends
              and s.device_type <> 'bot'
              and (@property::text is null or s.property_id = @property)
            group by 1, 2
        ),
        raw_leads as (
            select l.property_id, (l.first_captured_at at time zone 'UTC')::date as day, count(*) as new_leads
            from leads l, bounds
            where l.first_captured_at >= bounds.starts and l.first_captured_at < bounds.ends
              and (@property::text is null or l.property_id = @property)
            group by 1, 2
        ),
        raw_accepted as (
            select e.property_id, (e.received_at at time zone 'UTC')::date as day, count(*) as events_accepted
            from events e, bounds
            where e.received_at >= bounds.starts and e.received_at < bounds.ends
              and (@property::text is null or e.property_id = @property)
            group by 1, 2
        ),
        rolled as (
            select * from daily_metric_rollups
            where day between @from and @to and (@property::text is null or property_id = @property)
        ),
        rolled_ingest as (
            select * from daily_ingest_rollups
            where day between @from and @to and (@property::text is null or property_id = @property)
        ),
        compared as (
            select property_id, day, f.figure, coalesce(f.raw, 0) as raw, coalesce(f.rollup, 0) as rollup
            from raw_events e
            full join raw_sessions s using (property_id, day)
            full join raw_leads l using (property_id, day)
            full join rolled r using (property_id, day)
            cross join lateral (values
                ('unique_visitors', e.unique_visitors, r.unique_visitors::bigint),
                ('events', e.events, r.events),
                ('page_views', e.page_views, r.page_views),
                ('entrances', e.entrances, r.entrances),
                ('conversions', e.conversions, r.conversions),
                ('form_starts', e.form_starts, r.form_starts),
                ('form_submits', e.form_submits, r.form_submits),
                ('sessions', s.sessions, r.sessions),
                ('bounces', s.bounces, r.bounces),
                ('converted_sessions', s.converted_sessions, r.converted_sessions),
                ('engaged_ms', s.engaged_ms, r.engaged_ms),
                ('new_leads', l.new_leads, r.new_leads::bigint)) as f (figure, raw, rollup)
            union all
            select property_id, day, 'events_accepted', coalesce(a.events_accepted, 0), coalesce(i.events_accepted, 0)
            from raw_accepted a
            full join rolled_ingest i using (property_id, day)
        )
        select c.property_id, c.day, c.figure, c.raw, c.rollup
        from compared c
        left join dirty_days d on d.property_id = c.property_id and d.day = c.day
        left join purged_days w on w.property_id = c.property_id and c.day <= w.through
        where c.raw <> c.rollup and d.day is null and w.through is null
        order by c.property_id, c.day, c.figure
        """;

    /// <summary>Empty when every figure of the window is confirmed.</summary>
    public async Task<List<Difference>> FindAsync(DateOnly from, DateOnly to, string? propertyId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var found = await FindAsync(connection, from, to, propertyId, cancellationToken);
        // A cluster's nodes answer as of moments that differ a little: what is different again a moment later is different.
        if (found.Count > 0 && await Distribution.IsOnAsync(connection, cancellationToken))
            found = [.. found.Intersect(await FindAsync(connection, from, to, propertyId, cancellationToken))];
        return found;
    }

    private static async Task<List<Difference>> FindAsync(NpgsqlConnection connection, DateOnly from, DateOnly to, string? propertyId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Compare, connection);
        command.CommandTimeout = 0;   // reads raw rows of the whole window, on purpose
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("to", to);
        command.Parameters.Add(new NpgsqlParameter("property", NpgsqlTypes.NpgsqlDbType.Text) { Value = (object?)propertyId ?? DBNull.Value });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Difference> differences = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            differences.Add(new Difference(rows.GetString(0), rows.GetFieldValue<DateOnly>(1), rows.GetString(2), rows.GetInt64(3), rows.GetInt64(4)));
        }
        return differences;
    }
}
