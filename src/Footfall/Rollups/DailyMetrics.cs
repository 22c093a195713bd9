using Npgsql;

namespace Footfall.Rollups;

/// <summary>Traffic and lead figures of a property's day: formulas in docs/definitions.md.</summary>
internal sealed class DailyMetrics : IDayModel
{
    public string Job => "daily";

    // Without the offset, which keeps the planner from looking through, it gets the distinct visitors in the order of the
    // primary key: a random read of the week's table for each event, and a walk through all visitors there ever were
    // (measured: 5 to 28 s for a day of a million events, against 1.6 s).
    private const string Visitors = """
        select v.number,
               v.first_seen_at < @day_start as returning,
               case when v.first_property_id <> @property and v.first_seen_at < @day_start then (v.first_seen_at at time zone 'UTC')::date end
        from (select distinct visitor_id
              from (select visitor_id
                    from events
                    where property_id = @property
                      and occurred_at >= @day_start and occurred_at < @day_end
                      and session_id is not null                          -- in range
                      and device_type <> 'bot'
                    offset 0) day_events) seen
        join visitors v on v.id = seen.visitor_id
        """;

    private const string Write = """
        with e as (
            select count(*) filter (where counted) as events,
                   count(*) filter (where counted and event_type = 'page_view') as page_views,
                   count(*) filter (where counted and is_entrance) as entrances,
                   count(*) filter (where counted and is_conversion) as conversions,
                   count(*) filter (where counted and event_type = 'form_start') as form_starts,
                   count(*) filter (where counted and event_type = 'form_submit') as form_submits,
                   count(*) filter (where out_of_range) as ignored
            from (select event_type, is_entrance, is_conversion,
                         session_id is null as out_of_range,
                         session_id is not null and device_type <> 'bot' as counted
                  from events
                  where property_id = @property
                    and occurred_at >= @day_start and occurred_at < @day_end) day_events
        ),
        written as (
            insert into daily_metric_rollups (
                property_id, day, unique_visitors, returning_visitors, visitors, first_time_visitors, seen_elsewhere,
                page_views, entrances, exits, conversions, events, form_starts, form_submits,
                sessions, bounces, converted_sessions, landing_sessions, landing_conversions, duration_ms, engaged_ms,
                sources, landing_pages, new_leads, first_capture_ms, first_capture_leads, generated_at)
            select @property, @day, @unique_visitors, @returning_visitors, @visitors, @first_time_visitors, @seen_elsewhere,
                   e.page_views, e.entrances, s.exits + x.exits, e.conversions, e.events, e.form_starts, e.form_submits,
                   s.sessions, s.bounces, s.converted, s.landed, s.landed_converted, s.duration_ms, s.engaged_ms,
                   s.sources, l.landing_pages, c.new_leads, c.first_capture_ms, c.first_capture_leads, @now
            from e
            cross join (
                select coalesce(sum(n), 0)::bigint as sessions,
                       coalesce(sum(bounces), 0)::bigint as bounces,
                       coalesce(sum(converted), 0)::bigint as converted,
                       coalesce(sum(landed), 0)::bigint as landed,
                       coalesce(sum(landed_converted), 0)::bigint as landed_converted,
                       coalesce(sum(exits), 0)::bigint as exits,
                       coalesce(sum(duration_ms), 0)::bigint as duration_ms,
                       coalesce(sum(engaged_ms), 0)::bigint as engaged_ms,
                       coalesce(jsonb_object_agg(traffic_source, n), '{}') as sources
                from (select traffic_source,
                             count(*) as n,
                             count(*) filter (where is_bounce) as bounces,
                             count(*) filter (where has_conversion) as converted,
                             count(*) filter (where entry_at is not null) as landed,
                             count(*) filter (where entry_at is not null and has_conversion) as landed_converted,
                             count(*) filter (where exit_at is not null and later_exit_day is null) as exits,
                             sum(extract(epoch from ended_at - started_at) * 1000) as duration_ms,
                             sum(engaged_ms) as engaged_ms
                      from sessions
                      where property_id = @property
                        and started_at >= @day_start and started_at < @day_end
                        and device_type <> 'bot'
                      group by traffic_source) by_source
            ) s
            cross join (
                select count(*) as exits                                      -- of sessions that began on an earlier day
                from sessions
                where property_id = @property and later_exit_day = @day and device_type <> 'bot'
            ) x
            cross join (
                select coalesce(jsonb_agg(jsonb_build_object('path', landing_path, 'sessions', n, 'converted', converted)
                                          order by n desc, landing_path collate "C"), '[]') as landing_pages
                from (select coalesce(landing_path, '') as landing_path, count(*) as n, count(*) filter (where has_conversion) as converted
                      from sessions
                      where property_id = @property
                        and started_at >= @day_start and started_at < @day_end
                        and device_type <> 'bot' and entry_at is not null
                      group by coalesce(landing_path, '')
                      order by n desc, coalesce(landing_path, '') collate "C"
                      limit 1000) top
            ) l
            cross join (
                select count(*) as new_leads,
                       coalesce(sum(greatest(extract(epoch from first_captured_at - first_seen_at) * 1000, 0)), 0)::bigint as first_capture_ms,
                       count(first_seen_at) as first_capture_leads
                from (select l.first_captured_at, first.seen_at as first_seen_at
                      from leads l
                      left join (select i.lead_id, min(v.first_seen_at) as seen_at
                                 from (select i.lead_id, i.visitor_id
                                       from leads c
                                       join lead_identities i on i.lead_id = c.id and i.link_source = 'form_submit'
                                       where c.property_id = @property
                                         and c.first_captured_at >= @day_start and c.first_captured_at < @day_end) i
                                 join visitors v on v.id = i.visitor_id
                                 group by i.lead_id) first on first.lead_id = l.id
                      where l.property_id = @property
                        and l.first_captured_at >= @day_start and l.first_captured_at < @day_end) captured
            ) c
            where e.events > 0 or s.sessions > 0 or x.exits > 0 or c.new_leads > 0
            on conflict (property_id, day) do update set
                unique_visitors = excluded.unique_visitors, returning_visitors = excluded.returning_visitors,
                visitors = excluded.visitors, first_time_visitors = excluded.first_time_visitors, seen_elsewhere = excluded.seen_elsewhere,
                page_views = excluded.page_views, entrances = excluded.entrances, exits = excluded.exits,
                conversions = excluded.conversions, events = excluded.events,
                form_starts = excluded.form_starts, form_submits = excluded.form_submits,
                sessions = excluded.sessions, bounces = excluded.bounces, converted_sessions = excluded.converted_sessions,
                landing_sessions = excluded.landing_sessions, landing_conversions = excluded.landing_conversions,
                duration_ms = excluded.duration_ms, engaged_ms = excluded.engaged_ms,
                sources = excluded.sources, landing_pages = excluded.landing_pages,
                new_leads = excluded.new_leads, first_capture_ms = excluded.first_capture_ms,
                first_capture_leads = excluded.first_capture_leads,
                generated_at = excluded.generated_at
            returning 1
        )
        select (select count(*) from written), ignored from e
        """;

    private const string Remove = "delete from daily_metric_rollups where property_id = @property and day = @day";

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        List<int> all = [], firstTime = [];
        List<(int Number, DateOnly FirstSeen)> elsewhere = [];
        await using (var read = scope.Command(Visitors, connection))
        await using (var rows = await read.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken))
            {
                var number = rows.GetInt32(0);
                all.Add(number);
                if (!rows.GetBoolean(1)) firstTime.Add(number);
                if (!rows.IsDBNull(2)) elsewhere.Add((number, rows.GetFieldValue<DateOnly>(2)));
            }
        }
        all.Sort();
        firstTime.Sort();
        elsewhere.Sort();

        await using var write = scope.Command(Write, connection);
        write.Parameters.AddWithValue("unique_visitors", all.Count);
        write.Parameters.AddWithValue("returning_visitors", all.Count - firstTime.Count);
        write.Parameters.AddWithValue("visitors", VisitorSet.Encode(all.ToArray()));
        write.Parameters.AddWithValue("first_time_visitors", VisitorSet.Encode(firstTime.ToArray()));
        write.Parameters.AddWithValue("seen_elsewhere", SeenElsewhere.Encode(elsewhere));
        int written;
        long ignored;
        await using (var result = await write.ExecuteReaderAsync(cancellationToken))
        {
            await result.ReadAsync(cancellationToken);
            (written, ignored) = ((int)result.GetInt64(0), result.GetInt64(1));
        }
        if (written > 0) return new DayOutcome(written, ignored);

        // Nothing happened on the day (any more): a day without a row counts as zero everywhere.
        await using var remove = scope.Command(Remove, connection);
        await remove.ExecuteNonQueryAsync(cancellationToken);
        return new DayOutcome(0, ignored);
    }
}
