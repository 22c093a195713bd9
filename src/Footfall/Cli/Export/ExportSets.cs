namespace Footfall.Cli.Export;

/// <summary>Something that can be exported.</summary>
/// <param name="CsvSql">One column per cell; parameters @property (null: all), @day, @day_start, @day_end.</param>
/// <param name="JsonSql">One column: the row as a JSON object. The same parameters.</param>
internal sealed record ExportSet(string Name, string About, string[] Columns, string CsvSql, string JsonSql);

/// <summary>
/// Events leave in the form in which POST /v1/events takes them, with <c>receivedAt</c>, <c>visitorId</c> and <c>dedupeKey</c>, so that
/// <c>footfall import events</c> reads them. Referrer and tags are a session's: its first event carries them. Addresses and user agents are
/// not there, not even hashed. Instants are ISO 8601 in UTC.
/// </summary>
internal static class ExportSets
{
    private const string Iso = """'YYYY-MM-DD"T"HH24:MI:SS.US"Z"'""";

    private static readonly ExportSet Events = new(
        "events", "Events by the time they happened, in the form that `footfall import events` reads.",
        [
            "received_at", "occurred_at", "property_id", "visitor_id", "anon_id", "session_id", "event_type", "path", "traffic_source", "device_type", "country_code",
            "is_entrance", "is_exit", "is_conversion", "account_id", "entity_type", "entity_id", "props",
        ],
        """
        select e.received_at, e.occurred_at, e.property_id, e.visitor_id, v.anon_id, e.session_id, e.event_type, e.path, e.traffic_source::text, e.device_type::text, e.country_code,
               e.is_entrance, e.is_exit, e.is_conversion, e.account_id, e.entity_type, e.entity_id, e.props::text
        from events e
        left join visitors v on v.id = e.visitor_id
        where e.occurred_at >= @day_start and e.occurred_at < @day_end and (@property::text is null or e.property_id = @property)
        order by e.occurred_at, e.id
        """,
        $$"""
        select (jsonb_strip_nulls(jsonb_build_object(
                    'receivedAt', to_char(e.received_at at time zone 'UTC', {{Iso}}),
                    'timestamp', to_char(e.occurred_at at time zone 'UTC', {{Iso}}),
                    'visitorId', e.visitor_id, 'anonId', v.anon_id, 'dedupeKey', e.dedupe_key,
                    'eventType', e.event_type, 'path', e.path, 'title', e.props -> 'title',
                    'accountId', e.account_id, 'entityType', e.entity_type, 'entityId', e.entity_id,
                    'referrer', s.referrer,
                    'utm', case when coalesce(s.utm_source, s.utm_medium, s.utm_campaign, s.utm_term, s.utm_content) is not null
                                then jsonb_build_object('source', s.utm_source, 'medium', s.utm_medium, 'campaign', s.utm_campaign, 'term', s.utm_term, 'content', s.utm_content) end,
                    'traffic', jsonb_build_object(
                        'propertyId', e.property_id, 'deviceType', e.device_type, 'countryCode', e.country_code,
                        'isEntrance', e.is_entrance, 'isExit', e.is_exit, 'isConversion', e.is_conversion,
                        'engagedTimeMs', e.props -> 'engagedTimeMs', 'scrollDepthPercent', e.props -> 'scrollDepthPercent',
                        'webVitals', case when e.props ?| array['fcpMs', 'lcpMs', 'inpMs', 'ttfbMs', 'clsScore']
                                          then jsonb_build_object('fcpMs', e.props -> 'fcpMs', 'lcpMs', e.props -> 'lcpMs', 'inpMs', e.props -> 'inpMs', 'ttfbMs', e.props -> 'ttfbMs', 'clsScore', e.props -> 'clsScore') end)))
                -- behind the others, because nulls in a site's own props mean something
                || case when p.own <> '{}' then jsonb_build_object('props', p.own) else '{}' end)::text
        from events e
        cross join lateral (select coalesce(e.props, '{}') - array['title', 'fcpMs', 'lcpMs', 'inpMs', 'ttfbMs', 'clsScore', 'engagedTimeMs', 'scrollDepthPercent'] as own) p
        left join visitors v on v.id = e.visitor_id
        left join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id and s.first_event_id = e.id
        where e.occurred_at >= @day_start and e.occurred_at < @day_end and (@property::text is null or e.property_id = @property)
        order by e.occurred_at, e.id
        """);

    private const string SessionColumns = """
        property_id, id as session_id, visitor_id, started_at, ended_at, landing_path, exit_path, referrer, referrer_host,
        utm_source, utm_medium, utm_campaign, utm_term, utm_content, traffic_source::text, device_type::text, browser, os, country_code,
        page_views, events, engaged_ms, has_conversion, is_bounce
        """;

    private const string SessionRows = """
        from sessions
        where started_at >= @day_start and started_at < @day_end and (@property::text is null or property_id = @property)
        order by started_at, id
        """;

    private const string RollupColumns = """
        property_id, day, unique_visitors, returning_visitors, page_views, entrances, exits, conversions, m.events, form_starts, form_submits,
        sessions, bounces, converted_sessions, landing_sessions, landing_conversions, duration_ms, engaged_ms, new_leads, first_capture_ms, first_capture_leads,
        events_accepted, events_duplicate, events_bot, events_dropped, events_rejected, leads_accepted, leads_rejected, p95_ttfb_ms
        """;

    private const string RollupRows = """
        from (select * from daily_metric_rollups where day = @day and (@property::text is null or property_id = @property)) m
        full join (select * from daily_ingest_rollups where day = @day and (@property::text is null or property_id = @property)) i using (property_id, day)
        order by property_id
        """;

    private static readonly ExportSet Sessions = Flat("sessions", "Sessions by the time they began.", SessionColumns, SessionRows);

    private static readonly ExportSet Rollups = Flat("rollups", "The daily figures of each property.", RollupColumns, RollupRows);

    public static readonly ExportSet[] All = [Events, Sessions, Rollups];

    private static ExportSet Flat(string name, string about, string columns, string rows)
    {
        // "a.b", "b::text" and "a as b" all come out as b.
        var names = columns.Split(',').Select(c => c.Split(" as ")[^1].Split("::")[0].Split('.')[^1].Trim()).ToArray();
        return new ExportSet(name, about, names, $"select {columns}\n{rows}", $"select to_jsonb(r)::text from (select {columns}\n{rows}) r");
    }
}
