using System.Text.Json;
using Footfall.Rollups;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Metrics;

/// <summary>How an entity's time series is cut: <c>hourly</c>, <c>daily</c>, ISO <c>weekly</c> (from Monday), <c>monthly</c>; UTC.</summary>
internal enum EntityPeriod
{
    Hourly,
    Daily,
    Weekly,
    Monthly,
}

/// <param name="Start">Start of the hour, day, week or month; of a week or month that begins before the window, its true start.</param>
/// <param name="AvgTimeOnPageSec">Null when no view has any engaged time.</param>
/// <param name="BounceRatePct">Percent with two decimals; null when no session entered on the entity.</param>
internal sealed record EntityPoint(
    DateTimeOffset Start, long TotalViews, int UniqueVisitors, int UniqueAccounts, int AnonymousVisitors, double? AvgTimeOnPageSec, decimal? BounceRatePct);

internal sealed record EntityVisit(DateTimeOffset ViewedAt, string? ReferrerUrl);

/// <param name="User">The user's number: with <paramref name="LastVisit"/>, what a cursor is made of.</param>
/// <param name="AccountId">Null for an anonymous visitor.</param>
/// <param name="Visits">The newest, newest first, within the window.</param>
internal sealed record EntityVisitor(
    int User, string? AccountId, string? Username, string? DisplayName, long VisitCount, DateTimeOffset FirstVisit, DateTimeOffset LastVisit,
    double? AvgTimeOnPageSec, int DaysVisited, IReadOnlyList<EntityVisit> Visits);

/// <summary>Answers who viewed an entity, and how often, from rollups.</summary>
internal sealed class EntitiesReader(NpgsqlDataSource database)
{
    /// <summary>Visits listed for one visitor.</summary>
    public const int MostVisits = 20;

    private const string Aggregates = """
        select day, hour, total_views, unique_visitors, unique_accounts, anonymous_visitors, engaged_ms, engaged_views, entered_sessions, bounced_sessions, viewers
        from analytics_aggregates
        where entity_type = @type and entity_id = @id and property_id = @property and day between @from and @to
          and case when @hourly then hour >= 0 else hour = -1 end
        order by day, hour
        """;

    private const string Span = """
        select (select day from entity_visitor_days where property_id = @property and entity_type = @type and entity_id = @id order by day limit 1),
               (select day from entity_visitor_days where property_id = @property and entity_type = @type and entity_id = @id order by day desc limit 1)
        """;

    // Only the page that is answered is looked at further than by its number.
    private const string Page = """
        select p.user_number, n.account_id, a.username, a.display_name, p.views, p.first_at, p.last_at, p.engaged_ms, p.engaged_views, p.days,
               (select coalesce(jsonb_agg(v.visit order by v.visit ->> 'at' desc), '[]')
                from (select x.visit
                      from entity_visitor_days d
                      cross join lateral jsonb_array_elements(d.visits) as x (visit)
                      where d.property_id = @property and d.entity_type = @type and d.entity_id = @id and d.user_number = p.user_number
                        and d.day between @from and @to
                      order by d.day desc, x.visit ->> 'at' desc
                      limit @most_visits) v)::text
        from p
        left join account_numbers n on p.user_number % 2 = 1 and n.number = p.user_number / 2
        left join accounts a on a.id = n.account_id
        order by p.last_at desc, p.user_number
        """;

    /// <summary>The window holds every day of the entity: what is kept over all days is the answer.</summary>
    private const string OverAllDays = $"""
        with p as (
            select user_number, visit_count as views, first_visit as first_at, last_visit as last_at, engaged_ms, engaged_views, days_visited as days
            from entity_visitors
            where property_id = @property and entity_type = @type and entity_id = @id
              and (@numbers::integer[] is null or user_number = any (@numbers))
              and (@after_at::timestamptz is null or last_visit <= @after_at)
              and (@after_at::timestamptz is null or last_visit < @after_at or user_number > @after_user)
            order by last_visit desc, user_number
            limit @limit
        )
        {Page}
        """;

    // From the newest day back; each user counts on the last day in the window that has one. It ends where the page is full, however
    // many viewed the entity, and only the page's users are summed up.
    private const string WithinDays = $"""
        with last as (
            select d.user_number, d.last_at
            from entity_visitor_days d
            where d.property_id = @property and d.entity_type = @type and d.entity_id = @id
              and d.day between @from and least(@to, (@after_at::timestamptz at time zone 'UTC')::date)
              and (@numbers::integer[] is null or d.user_number = any (@numbers))
              and (@after_at::timestamptz is null or d.last_at < @after_at or (d.last_at = @after_at and d.user_number > @after_user))
              and (select count(*) from (select from entity_visitor_days later
                                         where later.property_id = @property and later.entity_type = @type and later.entity_id = @id
                                           and later.user_number = d.user_number and later.day > d.day and later.day <= @to
                                         limit 1) l) = 0
            order by d.day desc, d.last_at desc, d.user_number
            limit @limit
        ),
        p as (
            select l.user_number, l.last_at, s.*
            from last l
            cross join lateral (
                select sum(d.views)::bigint as views, min(d.first_at) as first_at, sum(d.engaged_ms)::bigint as engaged_ms,
                       sum(d.engaged_views)::bigint as engaged_views, count(*)::int as days
                from entity_visitor_days d
                where d.property_id = @property and d.entity_type = @type and d.entity_id = @id and d.user_number = l.user_number
                  and d.day between @from and @to) s
        )
        {Page}
        """;

    private const string Named = """
        select n.number
        from account_numbers n
        left join accounts a on a.id = n.account_id
        where strpos(lower(n.account_id), lower(@search)) > 0
           or strpos(lower(a.username), lower(@search)) > 0
           or strpos(lower(a.display_name), lower(@search)) > 0
        """;

    /// <summary>Points with views, ascending. Unique figures of weeks and months count each user once; a week or month at the window's edge counts its days inside the window.</summary>
    public async Task<IReadOnlyList<EntityPoint>> SeriesAsync(string property, string entityType, string entityId, Window window, EntityPeriod period, CancellationToken cancellationToken)
    {
        var tallies = new SortedDictionary<DateTimeOffset, Tally>();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = WindowCommand.Of(connection, Aggregates, property, window);
        command.Parameters.AddWithValue("type", entityType);
        command.Parameters.AddWithValue("id", entityId);
        command.Parameters.AddWithValue("hourly", period == EntityPeriod.Hourly);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        while (await rows.ReadAsync(cancellationToken))
        {
            var start = StartOf(rows.GetFieldValue<DateOnly>(0), rows.GetInt16(1), period);
            if (!tallies.TryGetValue(start, out var tally)) tallies[start] = tally = new Tally();
            tally.Add(rows);
        }
        return [.. tallies.Select(t => t.Value.Point(t.Key))];
    }

    /// <summary>Who viewed the entity in the window, the latest first.</summary>
    /// <param name="search">Part of an account's id, username or display name, in any case; null for all, the anonymous included.</param>
    /// <param name="after">The last one of the page before; null for the first page.</param>
    public async Task<IReadOnlyList<EntityVisitor>> VisitorsAsync(
        string property, string entityType, string entityId, Window window, string? search, int limit, (DateTimeOffset LastVisit, int User)? after, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var numbers = search is null ? null : await NamedAsync(connection, search, cancellationToken);
        if (numbers is { Length: 0 }) return [];
        if (await SpanAsync(connection, property, entityType, entityId, cancellationToken) is not { } span) return [];
        await using var command = WindowCommand.Of(connection, window.From <= span.From && window.To >= span.To ? OverAllDays : WithinDays, property, window);
        command.Parameters.AddWithValue("type", entityType);
        command.Parameters.AddWithValue("id", entityId);
        command.Parameters.AddWithValue("limit", limit);
        command.Parameters.AddWithValue("most_visits", MostVisits);
        command.Parameters.Add(new NpgsqlParameter("numbers", NpgsqlDbType.Array | NpgsqlDbType.Integer) { Value = (object?)numbers ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("after_at", NpgsqlDbType.TimestampTz) { Value = (object?)after?.LastVisit ?? DBNull.Value });
        command.Parameters.AddWithValue("after_user", after?.User ?? 0);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<EntityVisitor> visitors = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            visitors.Add(new(
                rows.GetInt32(0), Text(1), Text(2), Text(3), rows.GetInt64(4), rows.GetFieldValue<DateTimeOffset>(5), rows.GetFieldValue<DateTimeOffset>(6),
                WindowTotals.Ratio(rows.GetInt64(7), rows.GetInt64(8)) / 1000, rows.GetInt32(9), Visits(rows.GetString(10))));
        }
        return visitors;

        string? Text(int column) => rows.IsDBNull(column) ? null : rows.GetString(column);
    }

    /// <summary>The first and the last day on which anybody viewed the entity; null when nobody did.</summary>
    private static async Task<Window?> SpanAsync(NpgsqlConnection connection, string property, string entityType, string entityId, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Span, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("type", entityType);
        command.Parameters.AddWithValue("id", entityId);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return rows.IsDBNull(0) ? null : new Window(rows.GetFieldValue<DateOnly>(0), rows.GetFieldValue<DateOnly>(1));
    }

    /// <summary>Users whose account goes by the text.</summary>
    private static async Task<int[]> NamedAsync(NpgsqlConnection connection, string search, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Named, connection);
        command.Parameters.AddWithValue("search", search);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<int> users = [];
        while (await rows.ReadAsync(cancellationToken)) users.Add(UserNumber.OfAccount(rows.GetInt32(0)));
        return [.. users];
    }

    private static List<EntityVisit> Visits(string json)
    {
        using var document = JsonDocument.Parse(json);
        return [.. document.RootElement.EnumerateArray().Select(v => new EntityVisit(v.GetProperty("at").GetDateTimeOffset(), v.TryGetProperty("referrer", out var referrer) ? referrer.GetString() : null))];
    }

    private static DateTimeOffset StartOf(DateOnly day, short hour, EntityPeriod period) => period switch
    {
        EntityPeriod.Hourly => new DateTimeOffset(day, new TimeOnly(hour, 0), TimeSpan.Zero),
        EntityPeriod.Daily => new DateTimeOffset(day, default, TimeSpan.Zero),
        EntityPeriod.Weekly => new DateTimeOffset(day.AddDays(-(((int)day.DayOfWeek + 6) % 7)), default, TimeSpan.Zero),
        EntityPeriod.Monthly => new DateTimeOffset(new DateOnly(day.Year, day.Month, 1), default, TimeSpan.Zero),
        _ => throw new ArgumentOutOfRangeException(nameof(period), period, null),
    };

    private sealed class Tally
    {
        private readonly VisitorUnion viewers = new();
        private long views, engagedMs, engagedViews, entered, bounced;
        private int visitors, accounts, anonymous, rows;

        public void Add(NpgsqlDataReader row)
        {
            rows++;
            views += row.GetInt64(2);
            (visitors, accounts, anonymous) = (row.GetInt32(3), row.GetInt32(4), row.GetInt32(5));
            engagedMs += row.GetInt64(6);
            engagedViews += row.GetInt64(7);
            entered += row.GetInt32(8);
            bounced += row.GetInt32(9);
            if (row.GetInt16(1) == EntityAggregates.WholeDay) viewers.Add(row.GetFieldValue<byte[]>(10));
        }

        public EntityPoint Point(DateTimeOffset start)
        {
            if (rows > 1)
            {
                // Several days: their counts do not add up, their sets do.
                visitors = viewers.Count;
                accounts = viewers.CountOdd;
                anonymous = visitors - accounts;
            }
            return new EntityPoint(
                start, views, visitors, accounts, anonymous, WindowTotals.Ratio(engagedMs, engagedViews) / 1000,
                entered == 0 ? null : Math.Round(100m * bounced / entered, 2, MidpointRounding.AwayFromZero));
        }
    }
}
