using System.Text;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>A question as SQL. Whatever a client wrote is a parameter; what is text in the statement comes from closed switches.</summary>
internal sealed class QuerySql
{
    private readonly Query query;
    private readonly List<NpgsqlParameter> parameters = [];

    private QuerySql(Query query) => this.query = query;

    /// <summary>A statement that answers <c>key text, then one double precision per metric</c>, in the answer's order.</summary>
    public static NpgsqlCommand Command(Query query, NpgsqlConnection connection)
    {
        var sql = new QuerySql(query);
        var command = new NpgsqlCommand(sql.Statement(), connection);
        command.Parameters.AddRange(sql.parameters.ToArray());
        return command;
    }

    private bool NeedsEvents => query.Metrics.Any(m => m is Metric.Visitors or Metric.PageViews or Metric.Events or Metric.Conversions);

    private bool NeedsSessions => query.Metrics.Any(m => m is Metric.Sessions || m.IsRatio());

    private bool NeedsLeads => query.Metrics.Contains(Metric.Leads);

    /// <summary>Whether sessions and leads are looked at through the events that are kept.</summary>
    private bool ThroughEvents => query.HasEventFilters || query.By is { IsOfEvent: true };

    private string Statement()
    {
        Add("property", query.PropertyId, NpgsqlDbType.Text);
        Add("start", query.Window.Start, NpgsqlDbType.TimestampTz);
        Add("end", query.Window.End, NpgsqlDbType.TimestampTz);

        var conditions = query.Filters.Select((f, i) => (f.Dimension.IsOfEvent, Sql: Condition(f, i))).ToList();
        var ofSessions = string.Concat(conditions.Where(c => !c.IsOfEvent).Select(c => $"\n      and {c.Sql}"));
        var ofEvents = string.Concat(conditions.Where(c => c.IsOfEvent).Select(c => $"\n      and {c.Sql}"));

        var text = new StringBuilder();
        List<string> parts = [];
        if (NeedsEvents || ThroughEvents)
        {
            text.Append(text.Length == 0 ? "with " : ",\n").Append(Kept(ofSessions, ofEvents));
            if (NeedsEvents) parts.Add(PartOfEvents);
        }
        if (NeedsSessions)
        {
            text.Append(text.Length == 0 ? "with " : ",\n").Append(Visits(ofSessions));
            parts.Add(PartOfSessions);
        }
        if (NeedsLeads)
        {
            text.Append(text.Length == 0 ? "with " : ",\n").Append(Captured(ofSessions));
            parts.Add(PartOfLeads);
        }
        text.Append($"""

            , groups as (
                select key, sum(visitors) as visitors, sum(page_views) as page_views, sum(events) as events, sum(conversions) as conversions,
                       sum(sessions) as sessions, sum(bounces) as bounces, sum(converted) as converted,
                       sum(duration_ms) as duration_ms, sum(engaged_ms) as engaged_ms, sum(leads) as leads
                from ({string.Join("\n      union all\n", parts)}) parts
                group by key
            ), figures as (
                select key, {string.Join(", ", query.Metrics.Select((m, i) => $"({Figure(m)})::float8 as m{i}"))}
                from groups
            )
            select key, {string.Join(", ", query.Metrics.Select((_, i) => $"m{i}"))}
            from figures
            where true{Paging()}
            order by coalesce(m0, -1) desc, key is null, left(key, {Position.BeginningCharacters}) collate "C", sha256(convert_to(key, 'UTF8'))
            """);
        if (query.Limit is { } limit)
        {
            Add("limit", limit, NpgsqlDbType.Integer);
            text.Append("\nlimit @limit");
        }
        return text.ToString();
    }

    /// <summary>The window's events that the filters keep.</summary>
    private string Kept(string ofSessions, string ofEvents)
    {
        var join = ofSessions.Length > 0 || query.By is { IsOfEvent: false } ? "\n    join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id" : "";
        return $"""
            kept as (
                select e.visitor_id, e.session_id, e.event_type, e.is_conversion, {Key("e.occurred_at")} as key
                from events e{join}
                where e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end
                  and e.session_id is not null and e.device_type <> 'bot'{ofEvents}{ofSessions}
            )
            """;
    }

    /// <summary>The sessions that began in the window and are kept; by a fact of an event, one row for each value that it has.</summary>
    private string Visits(string ofSessions) => $"""
        visits as (
            select s.started_at, s.ended_at, s.engaged_ms, s.is_bounce, s.has_conversion, {KeyOfSession("s.started_at")} as key
            from sessions s{ThroughKept}
            where s.property_id = @property and s.started_at >= @start and s.started_at < @end
              and s.device_type <> 'bot'{ofSessions}
        )
        """;

    /// <summary>The leads first captured in the window, each with its session where it has one.</summary>
    private string Captured(string ofSessions) => $"""
        captured as (
            select {KeyOfSession("l.first_captured_at")} as key
            from leads l
            left join (
                select distinct on (c.lead_id) c.lead_id, s.*
                from (select l.id as lead_id, l.first_captured_at, i.visitor_id
                      from leads l
                      join lead_identities i on i.lead_id = l.id and i.link_source = 'form_submit'
                      where l.property_id = @property and l.first_captured_at >= @start and l.first_captured_at < @end) c
                join sessions s on s.visitor_id = c.visitor_id
                where s.property_id = @property and s.device_type <> 'bot' and s.started_at <= c.first_captured_at
                order by c.lead_id, s.started_at desc, s.id) s on s.lead_id = l.id{ThroughKept}
            where l.property_id = @property and l.first_captured_at >= @start and l.first_captured_at < @end{ofSessions}
        )
        """;

    private string ThroughKept => !ThroughEvents ? ""
        : query.By is { IsOfEvent: true }
            ? "\n    join (select distinct visitor_id, session_id, key from kept) k on k.visitor_id = s.visitor_id and k.session_id = s.id"
            : "\n    join (select distinct visitor_id, session_id from kept) k on k.visitor_id = s.visitor_id and k.session_id = s.id";

    private const string PartOfEvents = """
              select key, count(distinct visitor_id) as visitors, count(*) filter (where event_type = 'page_view') as page_views,
                     count(*) as events, count(*) filter (where is_conversion) as conversions,
                     0::bigint as sessions, 0::bigint as bounces, 0::bigint as converted, 0::numeric as duration_ms, 0::numeric as engaged_ms, 0::bigint as leads
              from kept
              group by key
        """;

    private const string PartOfSessions = """
              select key, 0::bigint as visitors, 0::bigint as page_views, 0::bigint as events, 0::bigint as conversions,
                     count(*) as sessions, count(*) filter (where is_bounce) as bounces, count(*) filter (where has_conversion) as converted,
                     sum(extract(epoch from ended_at - started_at) * 1000) as duration_ms, sum(engaged_ms) as engaged_ms, 0::bigint as leads
              from visits
              group by key
        """;

    private const string PartOfLeads = """
              select key, 0::bigint as visitors, 0::bigint as page_views, 0::bigint as events, 0::bigint as conversions,
                     0::bigint as sessions, 0::bigint as bounces, 0::bigint as converted, 0::numeric as duration_ms, 0::numeric as engaged_ms, count(*) as leads
              from captured
              group by key
        """;

    private static string Figure(Metric metric) => metric switch
    {
        Metric.Visitors => "visitors",
        Metric.Sessions => "sessions",
        Metric.PageViews => "page_views",
        Metric.Events => "events",
        Metric.BounceRate => "bounces::float8 / nullif(sessions, 0)::float8",
        Metric.VisitDuration => "duration_ms::bigint::float8 / nullif(sessions, 0)::float8 / 1000",   // whole milliseconds, as the day rows have them
        Metric.EngagedTime => "engaged_ms::float8 / nullif(sessions, 0)::float8 / 1000",
        Metric.Conversions => "conversions",
        Metric.ConversionRate => "converted::float8 / nullif(sessions, 0)::float8",
        Metric.Leads => "leads",
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, null),
    };

    /// <summary>What an event's group is called.</summary>
    private string Key(string time) => query switch
    {
        { By: { } dimension } => Column(dimension, "group_prop"),
        { Per: { } interval } => Piece(interval, time),
        _ => "null::text",
    };

    /// <summary>What a session's or a lead's group is called: by a fact of an event, what its events' are.</summary>
    private string KeyOfSession(string time) => query.By is { IsOfEvent: true } ? "k.key" : Key(time);

    /// <summary>The second since 1970 with which the piece of time begins.</summary>
    private static string Piece(Interval interval, string time) => interval switch
    {
        Interval.Hour => $"extract(epoch from date_trunc('hour', {time} at time zone 'UTC'))::bigint::text",
        Interval.Day => $"extract(epoch from date_trunc('day', {time} at time zone 'UTC'))::bigint::text",
        Interval.Week => $"extract(epoch from date_trunc('week', {time} at time zone 'UTC'))::bigint::text",
        Interval.Month => $"extract(epoch from date_trunc('month', {time} at time zone 'UTC'))::bigint::text",
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    private string Column(Dimension dimension, string parameter)
    {
        switch (dimension.Kind)
        {
            case DimensionKind.EntryPath: return "s.landing_path";
            case DimensionKind.ExitPath: return "s.exit_path";
            case DimensionKind.Source: return "coalesce(lower(s.utm_source), regexp_replace(s.referrer_host, '^www\\.', ''))";
            case DimensionKind.Channel: return "s.traffic_source::text";
            case DimensionKind.ReferrerHost: return "s.referrer_host";
            case DimensionKind.UtmSource: return "s.utm_source";
            case DimensionKind.UtmMedium: return "s.utm_medium";
            case DimensionKind.UtmCampaign: return "s.utm_campaign";
            case DimensionKind.UtmTerm: return "s.utm_term";
            case DimensionKind.UtmContent: return "s.utm_content";
            case DimensionKind.Country: return "s.country_code";
            case DimensionKind.Device: return "s.device_type::text";
            case DimensionKind.Browser: return "s.browser";
            case DimensionKind.Os: return "s.os";
            case DimensionKind.Path: return "e.path";
            case DimensionKind.EventType: return "e.event_type";
            case DimensionKind.Prop:
                if (parameters.All(p => p.ParameterName != parameter)) Add(parameter, dimension.Key!, NpgsqlDbType.Text);
                return $"(e.props ->> @{parameter})";
            default: throw new ArgumentOutOfRangeException(nameof(dimension), dimension, null);
        }
    }

    private string Condition(Filter filter, int index)
    {
        var column = Column(filter.Dimension, $"filter_prop{index}");
        var name = $"filter{index}";
        if (filter.Operator == FilterOperator.Contains)
        {
            Add(name, filter.Values[0]!, NpgsqlDbType.Text);
            return $"strpos({column}, @{name}) > 0";
        }
        Add(name, filter.Values.OfType<string>().ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        var withNone = filter.Values.Contains(null);
        return filter.Operator switch
        {
            FilterOperator.Is => withNone ? $"({column} is null or {column} = any(@{name}))" : $"{column} = any(@{name})",
            FilterOperator.IsNot => withNone ? $"({column} is not null and {column} <> all(@{name}))" : $"({column} is null or {column} <> all(@{name}))",
            FilterOperator.Contains => throw new InvalidOperationException("Contains is handled above."),
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter.Operator, null),
        };
    }

    private string Paging()
    {
        var text = "";
        if (query.Only is { } only)
        {
            Add("only", only.OfType<string>().ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
            text += only.Contains(null) ? "\n  and (key is null or key = any(@only))" : "\n  and key = any(@only)";
        }
        if (query.After is { } after)
        {
            Add("after", after.Order, NpgsqlDbType.Double);
            Add("after_beginning", after.Beginning, NpgsqlDbType.Text);
            Add("after_hash", after.Hash, NpgsqlDbType.Bytea);
            var behind = after.HasKey
                ? $"""(key is null or (left(key, {Position.BeginningCharacters}) collate "C", sha256(convert_to(key, 'UTF8'))) > (@after_beginning, @after_hash))"""
                : "false";
            text += $"\n  and (coalesce(m0, -1) < @after or (coalesce(m0, -1) = @after and {behind}))";
        }
        return text;
    }

    private void Add(string name, object value, NpgsqlDbType type) => parameters.Add(new NpgsqlParameter(name, type) { Value = value });
}
