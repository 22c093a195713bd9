using Npgsql;
using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>Conditions, dimensions and pieces of time as SQL over <c>events e</c> and <c>sessions s</c>. Whatever a client wrote becomes a parameter; what is text in the statement comes from closed switches.</summary>
internal sealed class FilterSql
{
    private readonly List<NpgsqlParameter> parameters = [];
    private readonly Dictionary<string, string> keys = new(StringComparer.Ordinal);

    public IReadOnlyList<NpgsqlParameter> Parameters => parameters;

    public void Add(string name, object value, NpgsqlDbType type) => parameters.Add(new NpgsqlParameter(name, type) { Value = value });

    /// <summary>The conditions as lines that begin with "and": those over sessions, those over events.</summary>
    public (string OfSessions, string OfEvents) Conditions(IReadOnlyList<Filter> filters)
    {
        var conditions = filters.Select(f => (f.Dimension.IsOfEvent, Sql: Condition(f))).ToList();
        return (
            string.Concat(conditions.Where(c => !c.IsOfEvent).Select(c => $"\n      and {c.Sql}")),
            string.Concat(conditions.Where(c => c.IsOfEvent).Select(c => $"\n      and {c.Sql}")));
    }

    /// <summary>All of them as one expression, true or not (never null).</summary>
    public string All(IReadOnlyList<Filter> filters) => filters.Count == 0 ? "true" : $"coalesce({string.Join(" and ", filters.Select(Condition))}, false)";

    /// <summary>What a dimension's value is, as text.</summary>
    public string Column(Dimension dimension) => dimension.Kind switch
    {
        DimensionKind.EntryPath => "s.landing_path",
        DimensionKind.ExitPath => "s.exit_path",
        DimensionKind.Source => "coalesce(lower(s.utm_source), regexp_replace(s.referrer_host, '^www\\.', ''))",
        DimensionKind.Channel => "s.traffic_source::text",
        DimensionKind.ReferrerHost => "s.referrer_host",
        DimensionKind.UtmSource => "s.utm_source",
        DimensionKind.UtmMedium => "s.utm_medium",
        DimensionKind.UtmCampaign => "s.utm_campaign",
        DimensionKind.UtmTerm => "s.utm_term",
        DimensionKind.UtmContent => "s.utm_content",
        DimensionKind.Country => "s.country_code",
        DimensionKind.Device => "s.device_type::text",
        DimensionKind.Browser => "s.browser",
        DimensionKind.Os => "s.os",
        DimensionKind.Path => "e.path",
        DimensionKind.EventType => "e.event_type",
        DimensionKind.Prop => $"(e.props ->> {Key(dimension.Key!)})",
        DimensionKind.Goal => throw new InvalidOperationException("An event can meet several goals: there is no one value."),
        _ => throw new ArgumentOutOfRangeException(nameof(dimension), dimension, null),
    };

    /// <summary>A prop as <see cref="PropNumber"/> has it; null where it is none.</summary>
    public string Number(string key)
    {
        var text = $"(e.props ->> {Key(key)})";
        return $"case when {text} ~ '{PropNumber.Pattern}' then round({text}::numeric, {PropNumber.Decimals}) end";
    }

    /// <summary>The instant, in UTC and without a zone, with which the piece of time begins.</summary>
    public static string Piece(Interval interval, string time) => interval switch
    {
        Interval.Hour => $"date_trunc('hour', {time} at time zone 'UTC')",
        Interval.Day => $"date_trunc('day', {time} at time zone 'UTC')",
        Interval.Week => $"date_trunc('week', {time} at time zone 'UTC')",
        Interval.Month => $"date_trunc('month', {time} at time zone 'UTC')",
        _ => throw new ArgumentOutOfRangeException(nameof(interval), interval, null),
    };

    private string Condition(Filter filter)
    {
        if (filter.Dimension.Kind == DimensionKind.Goal) return OfGoals(filter);
        var column = Column(filter.Dimension);
        switch (filter.Operator)
        {
            case FilterOperator.Contains: return $"strpos({column}, {Text(filter.Values[0]!)}) > 0";
            case FilterOperator.Matches: return OnPage(column, filter.Values[0]!);
        }
        var values = Value(filter.Values.OfType<string>().ToArray(), NpgsqlDbType.Array | NpgsqlDbType.Text);
        var withNone = filter.Values.Contains(null);
        return filter.Operator switch
        {
            FilterOperator.Is => withNone ? $"({column} is null or {column} = any({values}))" : $"{column} = any({values})",
            FilterOperator.IsNot => withNone ? $"({column} is not null and {column} <> all({values}))" : $"({column} is null or {column} <> all({values}))",
            FilterOperator.Contains or FilterOperator.Matches => throw new InvalidOperationException("They are handled above."),
            _ => throw new ArgumentOutOfRangeException(nameof(filter), filter.Operator, null),
        };
    }

    private string OfGoals(Filter filter)
    {
        if (filter.Goals.Count == 0) throw new InvalidOperationException("The goals have not been looked up.");
        var met = string.Join(" or ", filter.Goals.Select(g => g.Path is null
            ? $"e.event_type = {Text(g.EventType)}"
            : $"(e.event_type = {Text(g.EventType)} and {OnPage("e.path", g.Path)})"));
        return filter.Operator == FilterOperator.IsNot ? $"not coalesce({met}, false)" : $"coalesce({met}, false)";
    }

    // A page is the path up to its query or fragment. Of two that are asked for with "=" PostgreSQL makes "'/a' = '/b'" before it looks at any row, and a
    // question that joins leads and holds that is refused by a cluster of PostgreSQL 15 or 16.
    private string OnPage(string column, string pattern)
    {
        var page = $"split_part(split_part({column}, '?', 1), '#', 1)";
        return pattern.EndsWith('*') ? $"starts_with({page}, {Text(pattern[..^1])})" : $"{page} = any (array[{Text(pattern)}])";
    }

    private string Text(string value) => Value(value, NpgsqlDbType.Text);

    private string Value(object value, NpgsqlDbType type)
    {
        var name = $"v{parameters.Count}";
        Add(name, value, type);
        return $"@{name}";
    }

    private string Key(string key)
    {
        if (!keys.TryGetValue(key, out var name)) keys.Add(key, name = Text(key));
        return name;
    }
}
