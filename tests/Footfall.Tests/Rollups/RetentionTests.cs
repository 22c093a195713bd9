using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.Extensions.Options;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class RetentionTests : DayFixture
{
    // Wednesday 1 July 2026; 90 days before is 2 April (a Thursday), whose week began on Monday 30 March.
    private readonly Clock clock = new(At("2026-07-01T12:00:00Z"));

    private Retention Retention(int rawDays = 90, int months = 24) =>
        new(Database.Source, new EventPartitions(clock), Options.Create(new RetentionOptions { RawDays = rawDays, RollupMonths = months }), clock);

    private async Task<(long Events, long Sessions, long Visitors, long Keys)> CountsAsync()
    {
        var row = (await RowsAsync("select (select count(*) from events), (select count(*) from sessions), (select count(*) from visitors), (select count(*) from event_keys)"))[0].Split(' ').Select(long.Parse).ToArray();
        return (row[0], row[1], row[2], row[3]);
    }

    private CapturedEvent Keyed(CapturedEvent e) => e with { DedupeKey = e.Id };

    [Fact]
    public async Task Whole_weeks_are_dropped_and_the_rest_of_the_boundary_week_is_deleted()
    {
        await RollAsync(
            Keyed(Event("a", "2026-03-18T10:00:00Z", "page_view")), Keyed(Event("b", "2026-03-25T10:00:00Z", "page_view")),
            Keyed(Event("c", "2026-04-01T10:00:00Z", "page_view")),   // the boundary week, a day too old
            Keyed(Event("d", "2026-04-02T00:00:00Z", "page_view")));  // the first instant that stays
        var before = await RowsAsync("select day, page_views from daily_metric_rollups order by day");

        var dry = await Retention().RunAsync(dryRun: true, default);
        Assert.Equal((3L, 3L), (dry.Properties[0].Events, dry.Properties[0].Sessions));
        Assert.Equal([Day("2026-03-16"), Day("2026-03-23")], dry.Weeks);
        Assert.Equal((4L, 4L, 4L, 4L), await CountsAsync());   // nothing happened

        var report = await Retention().RunAsync(dryRun: false, default);
        Assert.Equal([Day("2026-03-16"), Day("2026-03-23")], report.Weeks);
        Assert.Equal(Day("2026-04-02"), report.Properties[0].Plan.RawBefore);
        Assert.Equal((1L, 1L, 1L, 1L), await CountsAsync());
        Assert.Empty(await RowsAsync("select relname from pg_class where relname in ('events_2026w12', 'events_2026w13') and relkind = 'r'"));
        Assert.Equal(before, await RowsAsync("select day, page_views from daily_metric_rollups order by day"));
        Assert.Equal((0L, 0L), ((await Retention().RunAsync(dryRun: false, default)) is var again ? (again.Visitors, again.Keys) : default));
    }

    [Fact]
    public async Task A_day_past_retention_is_never_rolled_up_again_not_even_for_a_late_event()
    {
        await RollAsync(Event("a", "2026-03-18T10:00:00Z", "page_view"), Event("b", "2026-03-18T10:00:00Z", "page_view"), Event("b", "2026-06-01T10:00:00Z", "page_view"));
        await Retention().RunAsync(dryRun: false, default);
        await RollAsync(Event("c", "2026-03-18T11:00:00Z", "page_view", received: "2026-07-01T10:00:00Z"));
        Assert.Equal(["2"], await RowsAsync("select page_views from daily_metric_rollups where day = '2026-03-18'"));
        Assert.Equal("2", await MetricAsync("2026-03-18", "dau"));
        Assert.Equal(["1"], await RowsAsync("select skipped_days from rollup_runs where job = 'product' order by id desc limit 1"));
        Assert.Empty(await RowsAsync("select day from dirty_days"));   // not tried again for ever

        var backfill = await Runner.RunAsync(Day("2026-03-18"), Day("2026-03-18"), "app", null, null, default);
        Assert.Equal((0, 1), (backfill.Days, backfill.Skipped));
        Assert.Equal(["2"], await RowsAsync("select page_views from daily_metric_rollups where day = '2026-03-18'"));
        Assert.Empty(await new Discrepancy(Database.Source).FindAsync(Day("2026-03-01"), Day("2026-07-01"), null, default));

        // It came today, and so it stays for its 90 days; then it goes.
        await Retention().RunAsync(dryRun: false, default);
        Assert.Equal(["1"], await RowsAsync("select count(*) from events where occurred_at < '2026-04-01'"));
        clock.Now = At("2026-10-01T12:00:00Z");
        await Retention().RunAsync(dryRun: false, default);
        Assert.Equal(["0"], await RowsAsync("select count(*) from events"));
    }

    [Fact]
    public async Task Nothing_goes_before_it_is_rolled_up()
    {
        await RollAsync(Event("a", "2026-03-10T10:00:00Z", "page_view"));
        await using (var writer = new BatchWriter(Database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System))
        {
            var batch = new IngestBatch();
            batch.Add(Event("b", "2026-03-18T10:00:00Z", "page_view"));
            batch.Add(Event("c", "2026-03-25T10:00:00Z", "page_view"));
            await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);   // not rolled up
        }
        var report = await Retention().RunAsync(dryRun: false, default);
        Assert.Equal(Day("2026-03-18"), report.Properties[0].Plan.HeldBy);
        Assert.Equal(["2026-03-18", "2026-03-25"], await RowsAsync("select (occurred_at at time zone 'UTC')::date from events order by 1"));
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        await Retention().RunAsync(dryRun: false, default);
        Assert.Equal(["0"], await RowsAsync("select count(*) from events"));
        Assert.Equal(["1", "1", "1"], await RowsAsync("select page_views from daily_metric_rollups order by day"));
    }

    [Fact]
    public async Task A_session_over_the_edge_stays_until_its_last_day_goes()
    {
        await RollAsync(Event("a", "2026-04-01T23:50:00Z", "page_view"), Event("a", "2026-04-02T00:10:00Z", "page_view"));
        await Retention().RunAsync(dryRun: false, default);
        Assert.Equal((1L, 1L, 1L), (await CountsAsync()) is var c ? (c.Events, c.Sessions, c.Visitors) : default);
        // The day that stayed comes to the same figures: its exit belongs to a session that began on a day that is gone.
        var before = await RowsAsync("select page_views, exits, sessions from daily_metric_rollups where day = '2026-04-02'");
        Assert.Null((await Runner.RunAsync(Day("2026-04-01"), Day("2026-04-02"), "app", null, null, default)).Error);
        Assert.Equal(before, await RowsAsync("select page_views, exits, sessions from daily_metric_rollups where day = '2026-04-02'"));
        Assert.Equal(["1 1 0"], before);
    }

    [Fact]
    public async Task Each_property_may_have_its_own_times_and_linked_visitors_stay()
    {
        await RollAsync(
            Event("a", "2026-06-01T10:00:00Z", "page_view"), Event("b", "2026-06-01T10:00:00Z", "page_view", property: "short"),
            Event("lead", "2026-06-01T11:00:00Z", "page_view", property: "short"));
        await RowsAsync("update properties set raw_days = 7 where id = 'short'");
        await RowsAsync("""
            with l as (insert into leads values ('00000000-0000-0000-0000-000000000001', 'p@example.org', 'example.org', 'express', now(), now(), null, 'short'))
            select 1
            """);
        await RowsAsync("insert into lead_identities select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', id, 'form_submit', 1, now() from visitors where anon_id = 'anon-lead'");
        await Retention().RunAsync(dryRun: false, default);
        Assert.Equal(["app"], await RowsAsync("select distinct property_id from events"));
        Assert.Equal(["anon-a", "anon-lead"], await RowsAsync("select anon_id from visitors order by 1"));
    }

    [Fact]
    public async Task Rollups_go_after_their_months_and_the_lists_of_visitors_with_them()
    {
        await RollAsync(Event("a", "2026-03-18T10:00:00Z", "page_view", entity: "x"), Event("a", "2026-06-18T10:00:00Z", "page_view", entity: "x"));
        Assert.Equal(["2 2"], await RowsAsync("select visit_count, days_visited from entity_visitors"));
        var kept = await Retention(months: 0).RunAsync(dryRun: false, default);
        Assert.Equal(0, kept.Properties[0].Rollups);
        await Retention(months: 3).RunAsync(dryRun: false, default);   // before 1 April
        foreach (var table in RetentionStore.RollupTables.Append("entity_visitor_days")) Assert.Equal(["0"], await RowsAsync($"select count(*) from {table} where day < '2026-04-01'"));
        Assert.Equal(["1 1"], await RowsAsync("select visit_count, days_visited from entity_visitors"));
        Assert.Equal("1", await MetricAsync("2026-06-18", "dau"));
    }

    private sealed class Clock(DateTimeOffset now) : TimeProvider
    {
        public DateTimeOffset Now { get; set; } = now;

        public override DateTimeOffset GetUtcNow() => Now;
    }
}
