namespace Footfall.Ingestion;

/// <summary>What happens to a batch between its temporary tables and the stored ones, in this order and in one transaction. See <see cref="BatchTables"/> for the temporary tables. Parameters: @gap interval, @now timestamptz.</summary>
internal static class BatchSql
{
    /// <summary>
    /// Events of people who were erased after they arrived: they come from a journal or a file that the erasure could not reach.
    /// They count as dropped; <see cref="CountOutcomes"/> takes what left the batch for duplicates, hence the difference.
    /// </summary>
    public const string DropErased = """
        with erased as (
            delete from batch b
            using erased_visitors x
            where x.visitor_id = b.visitor_id and b.received_at <= x.erased_at
            returning b.property_id, (b.received_at at time zone 'UTC')::date as day
        )
        insert into ingest_counts as c (property_id, day, outcome, reason, events)
        select e.property_id, e.day, o.outcome, o.reason, o.sign * count(*)
        from erased e
        cross join (values ('dropped', 'erased', 1), ('duplicate', '', -1)) as o (outcome, reason, sign)
        group by e.property_id, e.day, o.outcome, o.reason, o.sign
        order by e.property_id, e.day, o.outcome, o.reason
        on conflict (property_id, day, outcome, reason) do update set events = c.events + excluded.events
        """;

    /// <summary>
    /// Events whose key is already stored leave the batch; the keys of the others are taken. What is looked up is asked for in a
    /// subquery of its own: a cluster would otherwise fetch the whole table from its nodes, to join it with a temporary one.
    /// </summary>
    public const string DropDuplicates = """
        delete from batch
        where (visitor_id, dedupe_key) in (select visitor_id, dedupe_key
                                           from event_keys
                                           where (visitor_id, dedupe_key) in (select visitor_id, dedupe_key from batch));

        insert into event_keys (visitor_id, dedupe_key, occurred_at)
        select visitor_id, dedupe_key, occurred_at
        from batch
        where dedupe_key is not null
        """;

    public const string AddProperties = """
        insert into properties (id, name)
        select distinct property_id, property_id from batch
        order by property_id
        on conflict (id) do nothing
        """;

    /// <summary>
    /// Only events that are in range and not from bots move a visitor's times. A number is drawn only for a
    /// visitor that is not there yet, so that numbers stay dense.
    /// </summary>
    public const string GatherVisitors = """
        insert into batch_visitors
        select b.visitor_id,
               coalesce(v.number, nextval('visitor_numbers')),
               b.kind, b.anon_id,
               b.first_at, first.property_id, first.ip_hash, first.ua_hash,
               b.last_at, last.ip_hash, last.ua_hash,
               b.account[1], b.account_at,
               v.id is not null, v.first_seen_at, v.first_property_id, v.last_seen_at
        from (select visitor_id,
                     min(kind) as kind,
                     min(anon_id) as anon_id,
                     min(occurred_at) filter (where in_range and not is_bot) as first_at,
                     max(occurred_at) filter (where in_range and not is_bot) as last_at,
                     array_agg(account_id order by occurred_at desc, id desc) filter (where account_id is not null and in_range) as account,
                     max(occurred_at) filter (where account_id is not null and in_range) as account_at
              from batch
              group by visitor_id) b
        left join (select distinct on (visitor_id) visitor_id, property_id, ip_hash, ua_hash
                   from batch where in_range and not is_bot
                   order by visitor_id, occurred_at, id) first on first.visitor_id = b.visitor_id
        left join (select distinct on (visitor_id) visitor_id, ip_hash, ua_hash
                   from batch where in_range and not is_bot
                   order by visitor_id, occurred_at desc, id desc) last on last.visitor_id = b.visitor_id
        left join (select id, number, first_seen_at, first_property_id, last_seen_at
                   from visitors
                   where id in (select visitor_id from batch)) v on v.id = b.visitor_id
        """;

    /// <summary>Nobody else adds visitors or sessions meanwhile (the writer's lock): what is not there is inserted outright, which costs half of an insert that expects a conflict.</summary>
    public const string AddVisitors = """
        insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id,
                              first_ip_hash, last_ip_hash, first_ua_hash, last_ua_hash, account_id, account_seen_at)
        select visitor_id, anon_id, kind::visitor_kind, number, first_at, last_at, first_property,
               first_ip_hash, last_ip_hash, first_ua_hash, last_ua_hash, account_id, account_at
        from batch_visitors
        where not known
        """;

    public const string MoveVisitors = """
        update visitors v set
            first_property_id = case when v.first_seen_at is null or b.first_at < v.first_seen_at then b.first_property else v.first_property_id end,
            first_ip_hash     = case when v.first_seen_at is null or b.first_at < v.first_seen_at then b.first_ip_hash else v.first_ip_hash end,
            first_ua_hash     = case when v.first_seen_at is null or b.first_at < v.first_seen_at then b.first_ua_hash else v.first_ua_hash end,
            first_seen_at     = least(v.first_seen_at, b.first_at),
            last_ip_hash      = case when v.last_seen_at is null or b.last_at >= v.last_seen_at then b.last_ip_hash else v.last_ip_hash end,
            last_ua_hash      = case when v.last_seen_at is null or b.last_at >= v.last_seen_at then b.last_ua_hash else v.last_ua_hash end,
            last_seen_at      = greatest(v.last_seen_at, b.last_at),
            account_id        = case when v.account_seen_at is null or b.account_at >= v.account_seen_at then b.account_id else v.account_id end,
            account_seen_at   = greatest(v.account_seen_at, b.account_at)
        from batch_visitors b
        where b.known and v.id = b.visitor_id
          and ((b.first_at is not null and (v.first_seen_at is null or b.first_at < v.first_seen_at))
               or (b.last_at is not null and (v.last_seen_at is null or b.last_at >= v.last_seen_at))
               or (b.account_at is not null and (v.account_seen_at is null or b.account_at >= v.account_seen_at)))
        """;

    /// <summary>An account belongs to the property that first named it: events of another one, which anybody may send, do not rename it.</summary>
    public const string UpsertAccounts = """
        insert into accounts as a (id, username, display_name, updated_at, property_id)
        select distinct on (b.account_id) b.account_id, b.username, b.display_name, b.occurred_at, b.property_id
        from batch b
        left join accounts known on known.id = b.account_id
        where b.account_id is not null and b.in_range and (b.username is not null or b.display_name is not null)
          and (known.property_id is null or known.property_id = b.property_id)
        order by b.account_id, b.occurred_at desc, b.id desc
        on conflict (id) do update set
            username     = coalesce(excluded.username, a.username),
            display_name = coalesce(excluded.display_name, a.display_name),
            updated_at   = excluded.updated_at
        where excluded.updated_at >= a.updated_at and (a.property_id is null or a.property_id = excluded.property_id)
        """;

    /// <summary>
    /// A visitor who was last seen before the reach has no session in it: most are such, and looking through the
    /// sessions of each would read pages that nothing else needs. A bot's events do not say when it was last seen.
    /// </summary>
    public const string FindNearSessions = """
        insert into batch_near
        select s.*
        from (select visitor_id, property_id, is_bot, min(occurred_at) - @gap as reach_from, max(occurred_at) + @gap as reach_to
              from batch
              where in_range
              group by visitor_id, property_id, is_bot) b
        join batch_visitors v on v.visitor_id = b.visitor_id and (b.is_bot or v.known_last_at >= b.reach_from)
        join sessions s on s.visitor_id = b.visitor_id
                       and s.property_id = b.property_id
                       and (s.device_type = 'bot') = b.is_bot
                       and s.started_at <= b.reach_to
                       and s.ended_at >= b.reach_from
        """;

    /// <summary>
    /// Gaps and islands: a piece that starts more than the gap after everything before it has ended opens the
    /// next island. Bots keep sessions of their own, so that their events change nobody else's figures.
    /// </summary>
    public const string CutIslands = """
        insert into batch_pieces
        with pieces as (
            select b.seq, null::uuid as session_id, b.visitor_id, b.property_id, b.is_bot,
                   b.occurred_at as starts, b.occurred_at as ends, b.id as first_event_id,
                   case when b.event_type = 'page_view' then b.occurred_at end as entry_at,
                   case when b.event_type = 'page_view' then b.id end as entry_event_id,
                   case when b.event_type = 'page_view' then b.occurred_at end as exit_at,
                   case when b.event_type = 'page_view' then b.id end as exit_event_id,
                   case when b.event_type = 'page_view' then 1 else 0 end as page_views,
                   1 as events, b.engaged_ms::bigint as engaged_ms, b.is_conversion as has_conversion, false as sealed
            from batch b
            where b.in_range
            union all
            select null, s.id, s.visitor_id, s.property_id, s.device_type = 'bot',
                   s.started_at, s.ended_at, s.first_event_id, s.entry_at, s.entry_event_id, s.exit_at, s.exit_event_id,
                   s.page_views, s.events, s.engaged_ms, s.has_conversion, s.sealed
            from batch_near s
        ),
        opened as (
            select p.*,
                   case when p.starts - max(p.ends) over (partition by p.visitor_id, p.property_id, p.is_bot
                                                          order by p.starts, p.first_event_id
                                                          rows between unbounded preceding and 1 preceding) <= @gap
                        then 0 else 1 end as opens
            from pieces p
        )
        select sum(opens) over (order by visitor_id, property_id, is_bot, starts, first_event_id rows unbounded preceding),
               seq, session_id, visitor_id, property_id, starts, ends, first_event_id,
               entry_at, entry_event_id, exit_at, exit_event_id, page_views, events, engaged_ms, has_conversion, sealed
        from opened
        """;

    /// <summary>One row per island that an event of the batch fell into. The earliest stored session's id lives on; without one the first event's id becomes the session's.</summary>
    public const string JoinIslands = """
        insert into batch_islands
        select t.island,
               coalesce(t.session_id, f.first_event_id),
               t.visitor_id, t.property_id, t.starts, t.ends,
               n.entry_at, n.entry_event_id, x.exit_at, x.exit_event_id,
               t.page_views, t.events, t.engaged_ms, t.has_conversion,
               t.ends < @now - @gap,
               f.seq, f.session_id, n.seq, n.session_id, x.seq, x.session_id, f.first_event_id,
               t.near
        from (select island, visitor_id, property_id,
                     min(starts) as starts, max(ends) as ends,
                     sum(page_views) as page_views, sum(events) as events, sum(engaged_ms) as engaged_ms,
                     bool_or(has_conversion) as has_conversion,
                     (array_agg(session_id order by starts, first_event_id) filter (where session_id is not null))[1] as session_id,
                     count(session_id) as near
              from batch_pieces
              group by island, visitor_id, property_id
              having count(seq) > 0) t
        join (select distinct on (island) island, seq, session_id, first_event_id
              from batch_pieces
              order by island, starts, first_event_id) f on f.island = t.island
        left join (select distinct on (island) island, seq, session_id, entry_at, entry_event_id
                   from batch_pieces where entry_at is not null
                   order by island, entry_at, entry_event_id) n on n.island = t.island
        left join (select distinct on (island) island, seq, session_id, exit_at, exit_event_id
                   from batch_pieces where exit_at is not null
                   order by island, exit_at desc, exit_event_id desc) x on x.island = t.island
        """;

    /// <summary>In the order of <see cref="BatchNeeds"/>: whether a later step would find anything to do. Reads temporary tables only.</summary>
    public const string Needs = """
        select exists (select from batch_islands where near > 1),
               exists (select
                       from batch_pieces p
                       join batch_islands i on i.island = p.island
                       where p.session_id is not null
                         and (p.entry_event_id <> i.entry_event_id
                              or (p.sealed and (p.exit_event_id <> i.exit_event_id or not i.sealed))
                              or (p.session_id = i.exit_session and i.sealed and not p.sealed))),
               exists (select from batch_islands where near > 0),
               exists (select from batch_visitors where first_at < known_first_at)
        """;

    /// <summary>Sessions that a late event bridged: their events move over to the one that lives on.</summary>
    public const string Absorb = """
        update events e
        set session_id = i.session_id
        from batch_islands i
        join batch_pieces p on p.island = i.island and p.session_id <> i.session_id
        where i.near > 1
          and e.visitor_id = p.visitor_id and e.session_id = p.session_id
          and e.occurred_at >= p.starts and e.occurred_at <= p.ends;

        delete from sessions s
        using batch_islands i
        join batch_pieces p on p.island = i.island and p.session_id <> i.session_id
        where i.near > 1
          and s.visitor_id = p.visitor_id and s.id = p.session_id
        """;

    /// <summary>A stored event that no longer is the first or last page view of its session loses the flag; one that has become the last of a closed session gets it.</summary>
    public const string MoveFlags = """
        update events e
        set is_entrance = false
        from batch_pieces p
        join batch_islands i on i.island = p.island
        where p.session_id is not null
          and p.entry_event_id <> i.entry_event_id
          and e.visitor_id = p.visitor_id and e.occurred_at = p.entry_at and e.id = p.entry_event_id;

        update events e
        set is_exit = false
        from batch_pieces p
        join batch_islands i on i.island = p.island
        where p.session_id is not null and p.sealed
          and (p.exit_event_id <> i.exit_event_id or not i.sealed)
          and e.visitor_id = p.visitor_id and e.occurred_at = p.exit_at and e.id = p.exit_event_id;

        update events e
        set is_exit = true
        from batch_islands i
        join batch_pieces p on p.island = i.island and p.session_id = i.exit_session
        where i.sealed and not p.sealed
          and e.visitor_id = i.visitor_id and e.occurred_at = i.exit_at and e.id = i.exit_event_id
        """;

    /// <summary>Islands as sessions. Source, device, country come from the session's first event, whichever batch it came in; likewise the landing and exit paths from theirs.</summary>
    private const string Sessions = """
        select i.visitor_id, i.session_id, i.property_id, i.starts, i.ends, i.first_event_id, i.entry_at, i.entry_event_id,
               i.exit_at, i.exit_event_id,
               case when (i.exit_at at time zone 'UTC')::date > (i.starts at time zone 'UTC')::date then (i.exit_at at time zone 'UTC')::date end,
               case when i.entry_session is null then ne.path else ns.landing_path end,
               case when i.exit_session is null then xe.path else xs.exit_path end,
               case when i.first_session is null then fe.referrer else fs.referrer end,
               case when i.first_session is null then fe.referrer_host else fs.referrer_host end,
               case when i.first_session is null then fe.utm_source else fs.utm_source end,
               case when i.first_session is null then fe.utm_medium else fs.utm_medium end,
               case when i.first_session is null then fe.utm_campaign else fs.utm_campaign end,
               case when i.first_session is null then fe.utm_term else fs.utm_term end,
               case when i.first_session is null then fe.utm_content else fs.utm_content end,
               case when i.first_session is null then fe.traffic_source::traffic_source else fs.traffic_source end,
               case when i.first_session is null then fe.device_type::device_type else fs.device_type end,
               case when i.first_session is null then fe.browser else fs.browser end,
               case when i.first_session is null then fe.os else fs.os end,
               case when i.first_session is null then fe.country_code else fs.country_code end,
               i.page_views, i.events, i.engaged_ms, i.has_conversion,
               i.page_views = 1 and not i.has_conversion and i.engaged_ms < 10000,
               i.sealed
        from batch_islands i
        left join batch fe on fe.seq = i.first_seq
        left join batch_near fs on fs.visitor_id = i.visitor_id and fs.id = i.first_session
        left join batch ne on ne.seq = i.entry_seq
        left join batch_near ns on ns.visitor_id = i.visitor_id and ns.id = i.entry_session
        left join batch xe on xe.seq = i.exit_seq
        left join batch_near xs on xs.visitor_id = i.visitor_id and xs.id = i.exit_session
        """;

    /// <summary>Islands that hold no stored session are new ones: see <see cref="AddVisitors"/>.</summary>
    public const string AddSessions = $"""
        insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, entry_event_id,
                              exit_at, exit_event_id, later_exit_day, landing_path, exit_path,
                              referrer, referrer_host, utm_source, utm_medium, utm_campaign, utm_term, utm_content,
                              traffic_source, device_type, browser, os, country_code,
                              page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
        {Sessions}
        where i.near = 0
        """;

    public const string MoveSessions = $"""
        with n (visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, entry_event_id, exit_at, exit_event_id, later_exit_day, landing_path, exit_path, referrer, referrer_host, utm_source, utm_medium, utm_campaign, utm_term, utm_content, traffic_source, device_type, browser, os, country_code, page_views, events, engaged_ms, has_conversion, is_bounce, sealed) as materialized (
        {Sessions}
        where i.near > 0)
        update sessions s set
            started_at = n.started_at, ended_at = n.ended_at, first_event_id = n.first_event_id,
            entry_at = n.entry_at, entry_event_id = n.entry_event_id,
            exit_at = n.exit_at, exit_event_id = n.exit_event_id, later_exit_day = n.later_exit_day,
            landing_path = n.landing_path, exit_path = n.exit_path,
            referrer = n.referrer, referrer_host = n.referrer_host,
            utm_source = n.utm_source, utm_medium = n.utm_medium, utm_campaign = n.utm_campaign,
            utm_term = n.utm_term, utm_content = n.utm_content,
            traffic_source = n.traffic_source, device_type = n.device_type,
            browser = n.browser, os = n.os, country_code = n.country_code,
            page_views = n.page_views, events = n.events, engaged_ms = n.engaged_ms,
            has_conversion = n.has_conversion, is_bounce = n.is_bounce, sealed = n.sealed
        from n
        where s.visitor_id = n.visitor_id and s.id = n.id
        """;

    public const string InsertEvents = """
        insert into events (visitor_id, id, occurred_at, received_at, session_id, dedupe_key, property_id, event_type, path,
                            ip_hash, ua_hash, traffic_source, device_type, is_entrance, is_exit, is_conversion,
                            country_code, account_id, entity_type, entity_id, props)
        select b.visitor_id, b.id, b.occurred_at, b.received_at, i.session_id, b.dedupe_key, b.property_id, b.event_type, b.path,
               b.ip_hash, b.ua_hash, b.traffic_source::traffic_source, b.device_type::device_type,
               coalesce(b.id = i.entry_event_id, false),
               coalesce(b.id = i.exit_event_id and i.sealed, false),
               b.is_conversion, b.country_code, b.account_id, b.entity_type, b.entity_id, b.props
        from batch b
        left join batch_pieces p on p.seq = b.seq
        left join batch_islands i on i.island = p.island
        """;

    /// <summary>
    /// Every day whose figures the batch can have changed: where its events lie and arrived, where sessions began or
    /// ended that it grew, joined or moved, where a visitor turns out not to have been new, and where the leads of
    /// such a visitor were captured. Last in the transaction, since these rows are shared by all servers.
    /// </summary>
    public const string MarkDirtyDays = MarkHead + MarkVisitors + MarkTail;

    /// <summary>The same for a batch in which no visitor turns out not to have been new.</summary>
    public const string MarkBatchDays = MarkHead + MarkTail;

    private const string MarkHead = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select property_id, day, 1, @now
        from (
            select property_id, (occurred_at at time zone 'UTC')::date as day from batch where in_range
            union
            select property_id, day from unnest(@properties, @days) as arrived (property_id, day)
            union
            select i.property_id, (t.at at time zone 'UTC')::date
            from batch_islands i
            join batch_pieces p on p.island = i.island and p.session_id is not null
            cross join lateral (values (p.starts), (p.entry_at), (p.exit_at), (i.starts)) as t (at)
            where t.at is not null

        """;

    private const string MarkVisitors = """
            union
            select e.property_id, (e.occurred_at at time zone 'UTC')::date
            from batch_visitors v
            join events e on e.visitor_id = v.visitor_id
            where v.first_at < v.known_first_at and e.session_id is not null
              and ((v.first_at at time zone 'UTC')::date < (v.known_first_at at time zone 'UTC')::date
                   or v.first_property <> v.known_property)

        """;

    private const string MarkTail = """
            union
            select l.property_id, (l.first_captured_at at time zone 'UTC')::date
            from batch_visitors v
            join lead_identities li on li.visitor_id = v.visitor_id
            join leads l on l.id = li.lead_id
            where v.first_at is not null and (v.known_first_at is null or v.first_at < v.known_first_at)
        ) changed
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    /// <summary>@properties, @days and @arrived say how many events of each property and day of arrival the batch had; what is no longer in it was a duplicate.</summary>
    public const string CountOutcomes = """
        insert into ingest_counts as c (property_id, day, outcome, reason, events)
        select property_id, day, outcome, '', events
        from (
            select a.property_id, a.day, o.outcome, o.events
            from unnest(@properties, @days, @arrived) as a (property_id, day, arrived)
            left join (select property_id, (received_at at time zone 'UTC')::date as day,
                              count(*) as stored, count(*) filter (where is_bot) as bots
                       from batch group by 1, 2) s using (property_id, day)
            cross join lateral (values ('accepted', coalesce(s.stored, 0)),
                                       ('bot', coalesce(s.bots, 0)),
                                       ('duplicate', a.arrived - coalesce(s.stored, 0))) as o (outcome, events)
        ) counted
        where events > 0
        order by property_id, day, outcome
        on conflict (property_id, day, outcome, reason) do update set events = c.events + excluded.events
        """;

    /// <summary>What Capture turned away: @properties, @days, @outcomes, @reasons, @events.</summary>
    public const string AddCounts = """
        insert into ingest_counts as c (property_id, day, outcome, reason, events)
        select property_id, day, outcome, reason, events
        from unnest(@properties, @days, @outcomes, @reasons, @events) as t (property_id, day, outcome, reason, events)
        order by property_id, day, outcome, reason
        on conflict (property_id, day, outcome, reason) do update set events = c.events + excluded.events
        """;

    public const string MarkCountedDays = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select distinct property_id, day, 1, @now
        from unnest(@properties, @days) as t (property_id, day)
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;
}
