using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>What must be true of a database whatever happened to the server: each query finds rows that break a rule, and must find none.</summary>
internal static class StoredFacts
{
    private static readonly (string Rule, string Sql)[] Rules =
    [
        ("no event is stored twice", """
            select visitor_id, dedupe_key, count(*) from events where dedupe_key is not null group by 1, 2 having count(*) > 1
            """),
        ("every stored key is an event's, and the other way round", """
            select visitor_id, dedupe_key from events full join event_keys using (visitor_id, dedupe_key)
            where dedupe_key is not null and (events.id is null or event_keys.occurred_at is null)
            """),
        ("sessions are the events cut at gaps of more than 30 minutes", """
            with marked as (
                select e.*, e.device_type = 'bot' as is_bot,
                       case when e.occurred_at - lag(e.occurred_at) over (partition by visitor_id, property_id, device_type = 'bot' order by occurred_at, id) <= interval '30 minutes' then 0 else 1 end as opens
                from events e
                where not (e.occurred_at > e.received_at + interval '5 minutes' or e.occurred_at < e.received_at - interval '180 days')
            ),
            cut as (
                select *, sum(opens) over (partition by visitor_id, property_id, is_bot order by occurred_at, id) as n from marked
            ),
            expected as (
                select visitor_id, property_id, is_bot, min(occurred_at) as started_at, max(occurred_at) as ended_at, count(*)::int as events,
                       (count(*) filter (where event_type = 'page_view'))::int as page_views, bool_or(is_conversion) as has_conversion,
                       coalesce(sum((props ->> 'engagedTimeMs')::bigint), 0)::bigint as engaged_ms, count(distinct session_id) as ids, min(session_id::text)::uuid as id
                from cut
                group by visitor_id, property_id, is_bot, n
            )
            select *
            from expected x
            full join sessions s on s.visitor_id = x.visitor_id and s.id = x.id
            where s.id is null or x.id is null or x.ids <> 1
               or (x.property_id, x.started_at, x.ended_at, x.events, x.page_views, x.has_conversion, x.engaged_ms)
                  is distinct from (s.property_id, s.started_at, s.ended_at, s.events, s.page_views, s.has_conversion, s.engaged_ms)
            """),
        ("the first page view of a session is its entrance, and no other", """
            select e.id
            from (select *, row_number() over (partition by visitor_id, session_id order by occurred_at, id) as nth
                  from events where session_id is not null and event_type = 'page_view') e
            where e.is_entrance <> (e.nth = 1)
            union all
            select id from events where is_entrance and (session_id is null or event_type <> 'page_view')
            """),
        ("exits are the last page views of sealed sessions", """
            select e.id
            from events e
            left join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id
            where e.is_exit <> coalesce(s.sealed and s.exit_event_id = e.id, false)
            """),
        ("visitors were seen first and last with their events", """
            select *
            from (select visitor_id, min(occurred_at) as first_at, max(occurred_at) as last_at from events where session_id is not null and device_type <> 'bot' group by 1) e
            full join visitors v on v.id = e.visitor_id
            where (e.first_at, e.last_at) is distinct from (v.first_seen_at, v.last_seen_at)
            """),
        ("visitor numbers are unique", "select number from visitors group by number having count(*) > 1"),
        ("the ingest figures count what is stored", """
            select *
            from (select property_id, (received_at at time zone 'UTC')::date as day, count(*) as events from events group by 1, 2) e
            full join (select property_id, day, sum(events) as events from ingest_counts where outcome = 'accepted' group by 1, 2) c using (property_id, day)
            where e.events is distinct from c.events
            """),
    ];

    /// <summary>Checks every rule; then brings the rollups up to date, and confirms them by counting raw rows.</summary>
    public static async Task HoldAsync(NpgsqlDataSource database)
    {
        foreach (var (rule, sql) in Rules)
        {
            await using var command = database.CreateCommand($"select count(*) from ({sql}) broken");
            var broken = (long)(await command.ExecuteScalarAsync())!;
            Assert.True(broken == 0, $"{broken} rows break the rule: {rule}.");
        }
        await RollUpAsync(database);
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        Assert.Empty(await new Discrepancy(database).FindAsync(today.AddDays(-1000), today.AddDays(1), null, default));
        Assert.Equal(
            await ScalarAsync(database, "select count(*) from events where session_id is not null and device_type <> 'bot'"),
            await ScalarAsync(database, "select coalesce(sum(events), 0)::bigint from daily_metric_rollups"));
    }

    /// <summary>Every acknowledged event is there, and none is twice.</summary>
    public static async Task AreStoredOnceAsync(NpgsqlDataSource database, IReadOnlyCollection<string> acknowledged)
    {
        Assert.NotEmpty(acknowledged);
        var stored = await KeysAsync(database);
        var lost = acknowledged.Where(k => !stored.ContainsKey(k)).ToList();
        var twice = stored.Where(k => k.Value > 1).ToList();
        Assert.True(lost.Count == 0, $"{lost.Count} of {acknowledged.Count} acknowledged events are lost, such as {string.Join(", ", lost.Take(5))}.");
        Assert.True(twice.Count == 0, $"{twice.Count} events are stored more than once, such as {string.Join(", ", twice.Take(5))}.");
    }

    /// <summary>How often each event's key (props.k) is stored.</summary>
    public static async Task<Dictionary<string, long>> KeysAsync(NpgsqlDataSource database)
    {
        await using var command = database.CreateCommand("select props ->> 'k', count(*) from events where props ? 'k' group by 1");
        command.CommandTimeout = 120;
        await using var rows = await command.ExecuteReaderAsync();
        Dictionary<string, long> keys = [];
        while (await rows.ReadAsync()) keys.Add(rows.GetString(0), rows.GetInt64(1));
        return keys;
    }

    /// <summary>Sends one more event, and waits until it is stored: the journal keeps its order, so all that was taken before is stored then.</summary>
    public static async Task DrainAsync(HttpClient server, NpgsqlDataSource database, CancellationToken ct)
    {
        // Each lane is stored in order, and for itself: a mark for every one of them.
        var mark = $"mark-{Guid.NewGuid():N}";
        var visitors = Enumerable.Range(0, int.MaxValue).Select(i => $"the-marker-{i}").DistinctBy(anonId => Lanes.Of(VisitorIds.OfAnonId(anonId))).Take(Lanes.Count).ToList();
        foreach (var visitor in visitors) await server.TakenAsync($$$"""{"eventType":"mark","eventId":"{{{mark}}}","anonId":"{{{visitor}}}","props":{"k":"{{{mark}}}-{{{visitor}}}"},"traffic":{"propertyId":"marks"} }""");
        await Eventually.HoldsAsync(async () =>
        {
            try
            {
                await using var command = database.CreateCommand("select count(*) from events where property_id = 'marks' and props ->> 'k' = any(@marks)");
                command.Parameters.AddWithValue("marks", visitors.Select(v => $"{mark}-{v}").ToArray());
                return (long)(await command.ExecuteScalarAsync(ct))! < visitors.Count ? "the journal is not drained" : null;
            }
            catch (NpgsqlException e)
            {
                return e.Message;   // the database is on its way back
            }
        }, ct);
    }

    /// <summary>The same for a server with a PostgreSQL of its own.</summary>
    public static async Task DrainedAsync(HttpClient server, string dataFolder, CancellationToken ct)
    {
        await using var database = Embedded(dataFolder);
        await DrainAsync(server, database, ct);
    }

    /// <summary>What the server does every few seconds, now.</summary>
    public static async Task RollUpAsync(NpgsqlDataSource database)
    {
        var runner = new RollupRunner(database, new RollupStore(database), [new DailyMetrics(), new DailyIngest()], TimeProvider.System, NullLogger<RollupRunner>.Instance);
        var report = await runner.RunDirtyAsync(null, wait: true, default);
        Assert.Null(report.Error);
    }

    public static async Task<long> ScalarAsync(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        return (long)(await command.ExecuteScalarAsync())!;
    }

    /// <summary>The database of an embedded PostgreSQL, as its server sees it.</summary>
    public static NpgsqlDataSource Embedded(string dataFolder) =>
        NpgsqlDataSource.Create(EmbeddedPostgres.Connection(new Footfall.Hosting.DataFolder(dataFolder)));
}
