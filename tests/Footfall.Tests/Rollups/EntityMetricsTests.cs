using Footfall.Metrics;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class EntityMetricsTests : DayFixture
{
    private Task<List<string>> RowsAsync(string day, string entity) => RowsAsync($"""
        select hour, total_views, unique_visitors, unique_accounts, anonymous_visitors, engaged_ms, engaged_views, entered_sessions, bounced_sessions
        from analytics_aggregates where property_id = 'app' and entity_type = 'profile' and entity_id = '{entity}' and day = '{day}' order by hour
        """);

    [Fact]
    public async Task Views_are_counted_per_hour_and_once_more_for_the_day()
    {
        await RollAsync(
            Event("a", "2026-03-02T10:00:00Z", "page_view", entity: "x", engagedMs: 4000),     // a's session enters on x and bounces? no: it goes on at 10:10
            Event("a", "2026-03-02T10:10:00Z", "page_view", entity: "y"),
            Event("a", "2026-03-02T10:11:00Z", "engagement", engagedMs: 3000),                   // for y: the view before it
            Event("b", "2026-03-02T10:30:00Z", "page_view", entity: "x", account: "ann"),        // bounce: one view, nothing else
            Event("c", "2026-03-02T23:59:59Z", "page_view", entity: "x", account: "ann"),        // ann again, in another hour, by another visitor; bounce
            Event("a", "2026-03-02T23:00:00Z", "page_view", entity: "x", engagedMs: 2000),       // a again; bounce: under 10 s
            Event("d", "2026-03-03T00:00:00Z", "page_view", entity: "x"));
        // x on the 2nd. Hour 10: 2 views by a and ann. Hour 23: 2 views by a and ann. Day: 4 views by 2 users, 1 account, 1 anonymous;
        // engaged 4000 + 2000 over 2 views; 4 sessions entered, 3 bounced (a's first had two views).
        Assert.Equal(["-1 4 2 1 1 6000 2 4 3", "10 2 2 1 1 4000 1 2 1", "23 2 2 1 1 2000 1 2 2"], await RowsAsync("2026-03-02", "x"));
        Assert.Equal(["-1 1 1 0 1 3000 1 0 0", "10 1 1 0 1 3000 1 0 0"], await RowsAsync("2026-03-02", "y"));
        Assert.Equal(["-1 1 1 0 1 0 0 1 1", "0 1 1 0 1 0 0 1 1"], await RowsAsync("2026-03-03", "x"));

        var reader = new EntitiesReader(Database.Source);
        var daily = await reader.SeriesAsync("app", "profile", "x", new Window(Day("2026-03-01"), Day("2026-03-04")), EntityPeriod.Daily, default);
        // Average 6 s over 2 views = 3 s; bounce rate 3 of 4 = 75 %.
        Assert.Equal([new EntityPoint(At("2026-03-02"), 4, 2, 1, 1, 3, 75.00m), new EntityPoint(At("2026-03-03"), 1, 1, 0, 1, null, 100.00m)], daily);
        var hourly = await reader.SeriesAsync("app", "profile", "x", new Window(Day("2026-03-02"), Day("2026-03-02")), EntityPeriod.Hourly, default);
        Assert.Equal([At("2026-03-02T10:00:00Z"), At("2026-03-02T23:00:00Z")], hourly.Select(p => p.Start));
    }

    [Fact]
    public async Task Rolling_a_day_up_again_never_lets_its_day_row_in_twice()
    {
        await RollAsync(Event("a", "2026-03-02T10:00:00Z", "page_view", entity: "x"));
        for (var i = 0; i < 3; i++) Assert.Null((await Runner.RunAsync(Day("2026-03-02"), Day("2026-03-02"), "app", "hourly", null, default)).Error);
        Assert.Equal(["-1 1 1 0 1 0 0 1 1", "10 1 1 0 1 0 0 1 1"], await RowsAsync("2026-03-02", "x"));
    }

    [Fact]
    public async Task Weekly_and_monthly_uniques_count_everybody_once()
    {
        // The week from Monday 23 February to Sunday 1 March 2026 crosses the month.
        await RollAsync(
            Event("a", "2026-02-23T10:00:00Z", "page_view", entity: "x"), Event("a", "2026-02-28T10:00:00Z", "page_view", entity: "x"),
            Event("a", "2026-03-01T10:00:00Z", "page_view", entity: "x"), Event("b", "2026-03-01T10:00:00Z", "page_view", entity: "x", account: "ann"),
            Event("c", "2026-02-24T10:00:00Z", "page_view", entity: "x", account: "ann"), Event("a", "2026-03-02T10:00:00Z", "page_view", entity: "x"));
        var reader = new EntitiesReader(Database.Source);
        var window = new Window(Day("2026-02-01"), Day("2026-03-31"));
        var weekly = await reader.SeriesAsync("app", "profile", "x", window, EntityPeriod.Weekly, default);
        // Week of 23 February: 5 views by a and ann. Week of 2 March: a.
        Assert.Equal([(At("2026-02-23"), 5L, 2, 1, 1), (At("2026-03-02"), 1L, 1, 0, 1)], weekly.Select(p => (p.Start, p.TotalViews, p.UniqueVisitors, p.UniqueAccounts, p.AnonymousVisitors)));
        var monthly = await reader.SeriesAsync("app", "profile", "x", window, EntityPeriod.Monthly, default);
        // February: 3 views by a and ann. March: 3 views by a and ann.
        Assert.Equal([(At("2026-02-01"), 3L, 2, 1), (At("2026-03-01"), 3L, 2, 1)], monthly.Select(p => (p.Start, p.TotalViews, p.UniqueVisitors, p.UniqueAccounts)));
    }

    [Fact]
    public async Task Visitors_of_an_entity_are_listed_the_latest_first_page_by_page()
    {
        await RollAsync(
            Event("a", "2026-03-02T10:00:00Z", "page_view", entity: "x", engagedMs: 4000, referrer: "https://r.example/"),
            Event("a", "2026-03-04T10:00:00Z", "page_view", entity: "x"),
            Event("b", "2026-03-03T10:00:00Z", "page_view", entity: "x", account: "ann") with { AccountUsername = "annie", AccountDisplayName = "Ann B." },
            Event("c", "2026-03-05T10:00:00Z", "page_view", entity: "other"));
        var reader = new EntitiesReader(Database.Source);
        var window = new Window(Day("2026-03-01"), Day("2026-03-31"));
        var first = Assert.Single(await reader.VisitorsAsync("app", "profile", "x", window, null, 1, null, default));
        Assert.Equal((null, 2L, At("2026-03-02T10:00:00Z"), At("2026-03-04T10:00:00Z"), 4.0, 2), (first.AccountId, first.VisitCount, first.FirstVisit, first.LastVisit, first.AvgTimeOnPageSec, first.DaysVisited));
        Assert.Equal([new EntityVisit(At("2026-03-04T10:00:00Z"), null), new EntityVisit(At("2026-03-02T10:00:00Z"), "https://r.example/")], first.Visits);
        var second = Assert.Single(await reader.VisitorsAsync("app", "profile", "x", window, null, 10, (first.LastVisit, first.User), default));
        Assert.Equal(("ann", "annie", "Ann B.", 1L), (second.AccountId, second.Username, second.DisplayName, second.VisitCount));
        Assert.Equal("ann", Assert.Single(await reader.VisitorsAsync("app", "profile", "x", window, "NNIE", 10, null, default)).AccountId);
        Assert.Empty(await reader.VisitorsAsync("app", "profile", "x", window, "%", 10, null, default));
        // Within a window only its days count.
        Assert.Equal(1, Assert.Single(await reader.VisitorsAsync("app", "profile", "x", new Window(Day("2026-03-04"), Day("2026-03-04")), null, 10, null, default)).VisitCount);
    }

    [Fact]
    public async Task Pages_of_visitors_are_the_same_whatever_the_window_and_its_way_of_reading()
    {
        // 40 users on 12 days, each on some of them, several times at one instant with others; x is the entity, y another.
        var random = new Random(20260302);
        List<Footfall.Capture.CapturedEvent> events = [];
        for (var n = 0; n < 400; n++)
        {
            var at = At("2026-03-01T12:00:00Z").AddDays(random.Next(12)).AddMinutes(15 * random.Next(8));
            events.Add(Event($"u{random.Next(40)}", at.ToString("O"), "page_view", entity: random.Next(5) == 0 ? "y" : "x", account: random.Next(3) == 0 ? $"a{random.Next(10)}" : null));
        }
        await RollAsync([.. events]);
        var reader = new EntitiesReader(Database.Source);
        var views = events.Where(e => e.EntityId == "x").Select(e => (User: e.AccountId ?? e.VisitorId.ToString(), e.OccurredAt)).ToList();
        foreach (var (from, to) in new[] { ("2026-03-01", "2026-03-12"), ("2020-01-01", "2030-01-01"), ("2026-03-04", "2026-03-12"), ("2026-03-01", "2026-03-07"), ("2026-03-05", "2026-03-05"), ("2026-03-03", "2026-03-09") })
        {
            var window = new Window(Day(from), Day(to));
            var expected = views.Where(v => DateOnly.FromDateTime(v.OccurredAt.UtcDateTime) is var d && d >= window.From && d <= window.To).GroupBy(v => v.User)
                .Select(g => (Count: (long)g.Count(), First: g.Min(v => v.OccurredAt), Last: g.Max(v => v.OccurredAt), Days: g.Select(v => v.OccurredAt.Date).Distinct().Count())).ToList();
            foreach (var size in new[] { 1, 3, 7, 1000 })
            {
                List<EntityVisitor> pages = [];
                while (await reader.VisitorsAsync("app", "profile", "x", window, null, size, pages.Count == 0 ? null : (pages[^1].LastVisit, pages[^1].User), default) is { Count: > 0 } page) pages.AddRange(page);
                Assert.Equal(pages.Count, pages.Select(p => p.User).Distinct().Count());
                Assert.Equal(pages.OrderByDescending(p => p.LastVisit).ThenBy(p => p.User).Select(p => p.User), pages.Select(p => p.User));
                Assert.Equal(expected.Order(), pages.Select(p => (p.VisitCount, p.FirstVisit, p.LastVisit, p.DaysVisited)).Order());
            }
        }
    }

    [Fact]
    public async Task A_bounce_rate_has_two_decimals_and_midnight_and_hours_begin_on_the_instant()
    {
        await RollAsync(
            Event("a", "2028-02-29T10:59:59.999999Z", "page_view", entity: "x"), Event("b", "2028-02-29T11:00:00Z", "page_view", entity: "x"),
            Event("c", "2028-02-29T12:00:00Z", "page_view", entity: "x"), Event("c", "2028-02-29T12:01:00Z", "page_view", entity: "y"),   // y is not entered on
            Event("d", "2028-02-29T23:59:59.999999Z", "page_view", entity: "x", account: "ann", engagedMs: 10_000),                       // 10 s: no bounce
            Event("e", "2028-03-01T00:00:00Z", "page_view", entity: "x"));
        var reader = new EntitiesReader(Database.Source);
        var leap = Assert.Single(await reader.SeriesAsync("app", "profile", "x", new Window(Day("2028-02-29"), Day("2028-02-29")), EntityPeriod.Daily, default));
        // Entered a b c d, of whom a and b bounced: 50 %. Hours 10, 11, 12 and 23, one view each.
        Assert.Equal(new EntityPoint(At("2028-02-29"), 4, 4, 1, 3, 10, 50.00m), leap);
        Assert.Equal([10, 11, 12, 23], (await reader.SeriesAsync("app", "profile", "x", new Window(Day("2028-02-29"), Day("2028-02-29")), EntityPeriod.Hourly, default)).Select(p => p.Start.Hour));
        // With 1 March: 3 of 5 = 60 %. y: nobody entered on it: no rate.
        Assert.Equal(60.00m, (await reader.SeriesAsync("app", "profile", "x", new Window(Day("2028-02-28"), Day("2028-03-05")), EntityPeriod.Weekly, default)).Single().BounceRatePct);
        Assert.Null((await reader.SeriesAsync("app", "profile", "y", new Window(Day("2028-02-29"), Day("2028-02-29")), EntityPeriod.Daily, default)).Single().BounceRatePct);
        // Two more sessions that enter and go on: 3 of 7 = 42.857 %.
        await RollAsync(
            Event("f", "2028-03-01T01:00:00Z", "page_view", entity: "x"), Event("f", "2028-03-01T01:01:00Z", "page_view", entity: "x"),
            Event("g", "2028-03-01T01:00:00Z", "page_view", entity: "x"), Event("g", "2028-03-01T01:01:00Z", "page_view"));
        Assert.Equal(42.86m, (await reader.SeriesAsync("app", "profile", "x", new Window(Day("2028-02-28"), Day("2028-03-05")), EntityPeriod.Weekly, default)).Single().BounceRatePct);
    }
}
