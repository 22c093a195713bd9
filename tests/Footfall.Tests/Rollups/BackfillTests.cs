using Footfall.Rollups;
using Footfall.Tests.Model;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class BackfillTests : DayFixture
{
    private static readonly BackfillKey March = new(new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 5), "app");

    private Backfill Backfill => new(Database.Source, Runner, TimeProvider.System);

    private Task<List<string>> PendingAsync() => RowsAsync("select day from backfill_days order by day");

    private async Task StoreAsync()
    {
        await RollAsync([.. Enumerable.Range(1, 5).Select(d => Event("a", $"2026-03-0{d}T10:00:00Z", "page_view"))]);
        await RowsAsync("delete from daily_metric_rollups");
    }

    private Task<List<string>> RolledAsync() => RowsAsync("select day from daily_metric_rollups where property_id = 'app' order by day");

    [Fact]
    public async Task An_interrupted_backfill_goes_on_where_it_was()
    {
        await StoreAsync();
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Backfill.RunAsync(March, restart: false, new Told(p => { if (p.DaysDone == 2) stop.Cancel(); }), stop.Token));
        Assert.Equal(["2026-03-03", "2026-03-04", "2026-03-05"], await PendingAsync());
        Assert.Equal(["2026-03-01", "2026-03-02"], await RolledAsync());
        // A stop is no failure.
        Assert.Equal(["cancelled"], await RowsAsync("select distinct status from rollup_runs where id > (select max(id) - 7 from rollup_runs)"));

        List<RollupProgress> told = [];
        var report = await Backfill.RunAsync(March, restart: false, new Told(told.Add), default);
        Assert.Equal((3, 2, true), (report.Rollup.Days, report.DoneBefore, report.BegunAt is not null));
        Assert.Equal([(2, 5), (3, 5), (4, 5)], told.Select(p => (p.DaysDone, p.DaysTotal)));
        Assert.Equal(5, (await RolledAsync()).Count);
        Assert.Empty(await PendingAsync());

        // Done: the next one begins anew.
        var again = await Backfill.RunAsync(March, restart: false, null, default);
        Assert.Equal((5, 0, null), (again.Rollup.Days, again.DoneBefore, again.BegunAt));
    }

    [Fact]
    public async Task Another_window_is_another_backfill_and_restart_begins_anew()
    {
        await StoreAsync();
        using var stop = new CancellationTokenSource();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => Backfill.RunAsync(March, restart: false, new Told(p => { if (p.DaysDone == 4) stop.Cancel(); }), stop.Token));
        Assert.Equal(3, (await Backfill.RunAsync(March with { To = new DateOnly(2026, 3, 3) }, restart: false, null, default)).Rollup.Days);
        Assert.Single(await PendingAsync());
        Assert.Equal(5, (await Backfill.RunAsync(March, restart: true, null, default)).Rollup.Days);
        Assert.Empty(await PendingAsync());
    }

    [Fact]
    public async Task A_day_that_failed_is_tried_again_and_only_it()
    {
        await StoreAsync();
        await RowsAsync("alter table daily_metric_rollups add constraint refused check (day <> '2026-03-02')");
        var report = await Backfill.RunAsync(March, restart: false, null, default);
        Assert.Equal(1, report.Rollup.Failed);
        Assert.Contains("app 2026-03-02", report.Rollup.Error, StringComparison.Ordinal);
        Assert.Equal(["2026-03-02"], await PendingAsync());
        Assert.Equal(4, (await RolledAsync()).Count);
        await RowsAsync("alter table daily_metric_rollups drop constraint refused");
        Assert.Equal((1, 4), await Backfill.RunAsync(March, restart: false, null, default) is var r ? (r.Rollup.Days, r.DoneBefore) : default);
        Assert.Equal(5, (await RolledAsync()).Count);
    }

    [Fact]
    public async Task A_long_run_keeps_changed_days_fresh()
    {
        await StoreAsync();
        await RowsAsync("insert into dirty_days values ('app', '2026-03-20', 1, '2026-03-20')");
        await Runner.RunAsync(March.From, March.To, "app", (string?)null, null, default);
        Assert.Equal(["2026-03-20"], await RowsAsync("select day from dirty_days"));
        // With a clock on which each look takes half a minute, a run of five days is a long one.
        var slow = AllModels.Runner(Database.Source, AllModels.Funnels(Database.Source), new SlowTime());
        await slow.RunAsync(March.From, March.To, "app", (string?)null, null, default);
        Assert.Empty(await RowsAsync("select day from dirty_days"));

        // Days whose turn comes are not done twice: five days, five versions; today, on which events are happening, at once.
        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        var version = long.Parse(Assert.Single(await RowsAsync("select version from rollup_versions")), System.Globalization.CultureInfo.InvariantCulture);
        await RowsAsync($"insert into dirty_days select 'app', d::date, 1, timestamptz '2026-03-20' from generate_series('2026-03-02'::date, '2026-03-05', '1 day') d union all select 'app', '{today:yyyy-MM-dd}', 1, timestamptz '2026-03-20'");
        List<string> left = [];
        await slow.RunAsync(March.From, March.To, "app", (string?)null, new Told(p => { if (p.DaysDone == 2) left = RowsAsync("select day from dirty_days order by day").GetAwaiter().GetResult(); }), default);
        Assert.Equal(["2026-03-03", "2026-03-04", "2026-03-05"], left);
        Assert.Equal([$"{version + 6}"], await RowsAsync("select version from rollup_versions"));
        Assert.Empty(await RowsAsync("select day from dirty_days"));
    }

    private sealed class Told(Action<RollupProgress> tell) : IProgress<RollupProgress>
    {
        public void Report(RollupProgress value) => tell(value);
    }

    private sealed class SlowTime : TimeProvider
    {
        private long looks;

        public override long GetTimestamp() => Interlocked.Increment(ref looks) * 30 * TimestampFrequency;
    }
}
