using System.Diagnostics;
using Footfall.Definitions;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;

namespace Footfall.Benchmarks;

/// <summary>Two million product events over 60 days: how long the jobs take. <see cref="ProductAnswers"/> asks about them.</summary>
internal static class ProductModels
{
    private const int Days = 60;
    private const int Users = 20_000;
    public static readonly DateOnly First = new(2026, 1, 5);
    public static readonly DateOnly Last = First.AddDays(Days - 1);

    private static readonly string Fill = $"""
        insert into properties (id, name) values ('app', 'app');
        insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id)
        select md5('v' || n)::uuid, 'anon-' || n, 'anon_id', nextval('visitor_numbers'), '{First:yyyy-MM-dd}', '{Last:yyyy-MM-dd}', 'app'
        from generate_series(1, {Users}) n;
        insert into accounts (id, username, display_name, updated_at) select 'account ' || n, 'user' || n, 'User ' || n, now() from generate_series(1, {Users / 2}) n;

        -- A session is eight events of one visitor, a minute apart; about 4,200 sessions a day.
        create temporary table s as
        select n, md5('s' || n)::uuid as id, md5('v' || (1 + (hashint8(n)::bigint & 2147483647) % {Users}))::uuid as visitor_id,
               1 + (hashint8(n)::bigint & 2147483647) % {Users} as visitor,
               timestamptz '{First:yyyy-MM-dd} 00:00Z' + make_interval(secs => (n * 86400.0 * {Days} / 250000) ) as started_at
        from generate_series(0, 249999) n;
        insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, exit_at, landing_path, traffic_source, device_type,
                              page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
        select visitor_id, id, 'app', started_at, started_at + interval '7 minutes', md5('e' || n || ' 0')::uuid, started_at, started_at, '/', 'direct', 'desktop', 2, 8, 9000, false, false, true
        from s;
        insert into events (visitor_id, id, occurred_at, received_at, session_id, property_id, event_type, path, traffic_source, device_type,
                            is_entrance, is_exit, is_conversion, account_id, entity_type, entity_id, props)
        select visitor_id, md5('e' || n || ' ' || k)::uuid, started_at + make_interval(mins => k), started_at + make_interval(mins => k, secs => 1 + n % 7), id, 'app',
               (array['page_view', 'app_opened', 'workout_started', 'page_view', 'exercise_logged', 'exercise_logged', 'session_submitted', 'experiment_assigned'])[1 + case when k = 6 and n % 3 = 0 then 5 when k = 7 and n % 4 > 0 then 4 else k end],
               '/p' || n % 50, 'direct', 'desktop', k = 0, false, false,
               case when visitor % 2 = 0 then 'account ' || visitor / 2 end,
               case when k in (0, 3) then 'profile' end, case when k in (0, 3) then (case when n % 5 = 0 then 'hot' else 'e' || n % 2000 end) end,
               case when k = 7 then jsonb_build_object('experimentId', 'button', 'variantId', case when visitor % 2 = 0 then 'blue' else 'red' end)
                    when k in (0, 3) then jsonb_build_object('engagedTimeMs', 1000 + n % 9000) end
        from s, generate_series(0, 7) k;
        analyze;
        """;

    public static async Task RunAsync(BenchDatabase database)
    {
        var source = database.Source;
        var clock = TimeProvider.System;
        if (await database.NumberAsync("select count(*) from events") == 0)
        {
            var watch = Stopwatch.StartNew();
            await using (var connection = await source.OpenConnectionAsync())
            {
                await new EventPartitions(clock).EnsureAsync(connection, Enumerable.Range(0, Days).Select(n => new DateTimeOffset(First.AddDays(n), default, TimeSpan.Zero)), default);
            }
            await database.RunAsync(Fill);
            Console.WriteLine($"filled with {await database.NumberAsync("select count(*) from events"):N0} events in {watch.Elapsed.TotalSeconds:0} s");
        }

        var funnels = new FunnelStore(source, Options.Create(new FunnelsOptions()), clock);
        var experiments = new ExperimentStore(source, clock);
        await experiments.AddAsync(new("app", "button", "Button", [new("red", 1), new("blue", 1)], "red", "session_submitted", 72, null, null), default);
        var users = new UserFacts(funnels);
        IDayModel[] models = [new DailyMetrics(), new DailyIngest(), new EntityAggregates(), new ProductMetrics(users), new ExperimentMetrics(users), new FunnelMetrics(users), new EntityVisitors()];
        var runner = new RollupRunner(source, new RollupStore(source), models, clock, NullLogger<RollupRunner>.Instance);

        Figures.Title("All jobs over two million product events, 60 days");
        await TimeAsync("backfill of all 60 days", async () => await new Backfill(source, runner, clock).RunAsync(new(First, Last, "app"), restart: true, null, default));
        await TimeAsync("all jobs, 14 days, nothing changed", () => RollAsync(runner, Last.AddDays(-13), Last, null));
        foreach (var table in new[] { "user_facts", "product_users", "daily_product_metrics", "experiment_exposures", "experiment_assignments", "experiment_metric_rollups", "funnel_rollups", "analytics_aggregates", "entity_visitor_days", "entity_visitors", "daily_metric_rollups", "daily_ingest_rollups" })
        {
            await database.RunAsync($"delete from {table} where {(table is "product_users" ? "first_day" : table is "entity_visitors" ? "last_visit" : "day")} >= '{Last.AddDays(-13):yyyy-MM-dd}'");
        }
        await TimeAsync("all jobs, 14 days, from nothing", () => RollAsync(runner, Last.AddDays(-13), Last, null));
        foreach (var model in models) await TimeAsync($"one day, {model.Job}", () => RollAsync(runner, Last.AddDays(-3), Last.AddDays(-3), model.Job));
        await database.RunAsync($"insert into dirty_days values ('app', '{Last.AddDays(-3):yyyy-MM-dd}', 1, now()) on conflict do nothing");
        await TimeAsync("a dirty day, all jobs", async () => await runner.RunDirtyAsync(null, wait: true, default));
        await database.RunAsync("analyze");
        Console.WriteLine($"  ({Figures.Machine()})");
    }

    private static async Task RollAsync(RollupRunner runner, DateOnly from, DateOnly to, string? job)
    {
        var report = await runner.RunAsync(from, to, "app", job, null, default);
        if (report.Error is { } error) throw new InvalidOperationException(error);
    }

    private static async Task TimeAsync(string what, Func<Task> work)
    {
        var watch = Stopwatch.StartNew();
        await work();
        Figures.Line(what, $"{watch.Elapsed.TotalSeconds,8:0.00} s");
    }
}
