using Footfall.Capture;
using Footfall.Metrics;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class ProductMetricsTests : DayFixture
{
    [Fact]
    public async Task A_user_is_the_account_else_the_account_the_visitor_has_that_day_else_the_visitor()
    {
        await RollAsync(
            Event("phone", "2026-03-02T08:00:00Z", "page_view"),                    // before signing in, the same day: counts for ann
            Event("phone", "2026-03-02T09:00:00Z", "app_opened", account: "ann"),
            Event("laptop", "2026-03-02T10:00:00Z", "app_opened", account: "ann"),  // a second visitor of ann
            Event("tablet", "2026-03-02T10:00:00Z", "page_view"),                   // nobody's: a user of its own
            Event("robot", "2026-03-02T10:00:00Z", "page_view", device: DeviceType.Bot),
            Event("phone", "2026-03-03T08:00:00Z", "page_view"));                   // not signed in on this day: the visitor
        // 2 March: {ann, tablet} = 2, both new. 3 March: {phone} = 1, which is new, for on the 2nd phone's events were ann's.
        Assert.Equal("2", await MetricAsync("2026-03-02", "dau"));
        Assert.Equal("2", await MetricAsync("2026-03-02", "new_users"));
        Assert.Equal("1", await MetricAsync("2026-03-03", "dau"));
        Assert.Equal("1", await MetricAsync("2026-03-03", "new_users"));
        // Volume: 2 March has 2 page views and 2 opens without the bot's.
        Assert.Equal("2", await MetricAsync("2026-03-02", "event_volume_by_name", "page_view"));
        Assert.Equal("2", await MetricAsync("2026-03-02", "event_volume_by_name", "app_opened"));
    }

    [Fact]
    public async Task A_late_event_makes_a_user_new_on_the_earlier_day_and_no_longer_on_the_later()
    {
        await RollAsync(Event("a", "2026-03-05T08:00:00Z", "page_view"), Event("b", "2026-03-05T08:00:00Z", "page_view"));
        Assert.Equal("2", await MetricAsync("2026-03-05", "new_users"));
        await RollAsync(Event("a", "2026-03-03T08:00:00Z", "page_view", received: "2026-03-06T08:00:00Z"));
        // a's first event ever is on the 3rd now: one new user there, one (b) left on the 5th; 2 active on the 5th as before.
        Assert.Equal("1", await MetricAsync("2026-03-03", "new_users"));
        Assert.Equal("1", await MetricAsync("2026-03-05", "new_users"));
        Assert.Equal("2", await MetricAsync("2026-03-05", "dau"));
    }

    [Fact]
    public async Task A_late_sign_in_moves_the_day_s_events_to_the_account_and_the_visitor_s_first_day_on()
    {
        await RollAsync(Event("v", "2026-03-05T08:00:00Z", "page_view"), Event("v", "2026-03-07T08:00:00Z", "page_view"));
        Assert.Equal(("1", "0"), (await MetricAsync("2026-03-05", "new_users"), await MetricAsync("2026-03-07", "new_users")));
        await RollAsync(Event("v", "2026-03-05T09:00:00Z", "app_opened", account: "ann", received: "2026-03-08T08:00:00Z"));
        // All of the 5th is ann's now, who is new there; the visitor's own first day has become the 7th.
        Assert.Equal(("1", "1"), (await MetricAsync("2026-03-05", "new_users"), await MetricAsync("2026-03-07", "new_users")));
        Assert.Equal("1", await MetricAsync("2026-03-05", "dau"));
    }

    [Theory]
    // An open at 23:59:59 on 2 March; 24 h end on 3 March at 23:59:59.
    [InlineData("2026-03-02T23:59:59Z", "1")]           // at the same instant
    [InlineData("2026-03-02T23:59:58Z", "0")]           // a submit before the open
    [InlineData("2026-03-03T00:00:00Z", "1")]           // past midnight
    [InlineData("2026-03-03T23:59:59Z", "1")]           // exactly 24 h after
    [InlineData("2026-03-03T23:59:59.000001Z", "0")]    // a microsecond over
    public async Task A_submit_counts_within_24_hours_after_the_first_open(string submit, string rate)
    {
        await RollAsync(
            Event("a", "2026-03-02T23:59:59Z", "app_opened"),
            Event("a", submit, "session_submitted", received: "2026-03-05T00:00:00Z"));
        Assert.Equal(rate, await MetricAsync("2026-03-02", "logging_rate_24h"));
    }

    [Fact]
    public async Task The_logging_rate_is_a_share_of_those_who_opened_and_a_window_s_is_the_ratio_of_sums()
    {
        await RollAsync(
            Event("a", "2026-03-02T08:00:00Z", "app_opened"), Event("a", "2026-03-02T20:00:00Z", "tab_opened"),   // the first open counts
            Event("a", "2026-03-03T08:00:00Z", "session_submitted"),
            Event("b", "2026-03-02T08:00:00Z", "tab_opened"), Event("b", "2026-03-03T08:00:01Z", "session_submitted"),
            Event("c", "2026-03-02T09:00:00Z", "page_view"), Event("c", "2026-03-02T09:00:01Z", "session_submitted"),   // never opened
            Event("b", "2026-03-03T10:00:00Z", "app_opened"));
        // 2 March: openers a, b; a submitted 24 h after 08:00, b a second later: 1/2. 3 March: b opened, submitted before: 0/1. Window: 1/3.
        Assert.Equal("0.5", await MetricAsync("2026-03-02", "logging_rate_24h"));
        Assert.Equal("0", await MetricAsync("2026-03-03", "logging_rate_24h"));
        Assert.Equal("1", await MetricAsync("2026-03-02", "sessions_submitted"));
        Assert.Equal("2", await MetricAsync("2026-03-03", "sessions_submitted"));
        var answer = await new ProductReader(Database.Source).ReadAsync("app", new Window(Day("2026-03-01"), Day("2026-03-03")), default);
        Assert.Equal(1.0 / 3, answer.Window.LoggingRate24h!.Value, 12);
        // Active in the window: a, b, c, each once, though a and b came on both days. The 1st is empty.
        Assert.Equal((3, 3L, 3L), (answer.Window.ActiveUsers, answer.Window.NewUsers, answer.Window.SessionsSubmitted));
        Assert.Equal([0, 3, 2], answer.Days.Select(d => d.Dau));
        Assert.Null(answer.Days[0].LoggingRate24h);
    }

    [Fact]
    public async Task Submit_and_open_events_are_the_property_s_own()
    {
        await RollAsync(Event("a", "2026-03-02T08:00:00Z", "login"), Event("a", "2026-03-02T09:00:00Z", "saved"), Event("b", "2026-03-02T09:00:00Z", "login"));
        Assert.Null(await MetricAsync("2026-03-02", "logging_rate_24h"));
        await RowsAsync("update properties set open_events = '{login}', submit_events = '{saved}' where id = 'app'");
        await Runner.RunAsync(Day("2026-03-02"), Day("2026-03-02"), "app", "product", null, default);
        // Openers a, b; a submitted: 1/2.
        Assert.Equal("0.5", await MetricAsync("2026-03-02", "logging_rate_24h"));
        Assert.Equal("1", await MetricAsync("2026-03-02", "sessions_submitted"));
    }

    [Fact]
    public async Task Lag_is_the_interpolated_percentile_and_never_negative()
    {
        await RollAsync(
            Event("a", "2026-03-02T08:00:00Z", "x", received: "2026-03-02T08:00:00.100Z"),
            Event("a", "2026-03-02T08:00:01Z", "x", received: "2026-03-02T08:00:01.200Z"),
            Event("a", "2026-03-02T08:00:02Z", "x", received: "2026-03-02T08:00:02.400Z"),
            Event("a", "2026-03-02T08:00:10Z", "x", received: "2026-03-02T08:00:03Z"));
        // Lags 0 (seven seconds ahead), 100, 200, 400. p50: rank 1.5 -> 150. p95: rank 2.85 -> 200 + 0.85 * 200 = 370.
        Assert.Equal("150", await MetricAsync("2026-03-02", "ingestion_lag_p50"));
        Assert.Equal("370", await MetricAsync("2026-03-02", "ingestion_lag_p95"));
    }

    [Fact]
    public async Task Out_of_range_events_are_left_out_and_counted_as_ignored()
    {
        await RollAsync(
            Event("a", "2026-03-02T08:00:00Z", "page_view"),
            Event("b", "2026-03-02T09:00:00Z", "page_view", received: "2026-03-02T08:54:59Z"),   // 5 min 1 s ahead
            Event("c", "2026-03-02T10:00:00Z", "page_view", received: "2026-09-02T10:00:00Z"));  // 184 days late
        await Runner.RunAsync(Day("2026-03-02"), Day("2026-03-02"), "app", "product", null, default);
        Assert.Equal("1", await MetricAsync("2026-03-02", "dau"));
        Assert.Equal(["2"], await RowsAsync("select ignored_count from rollup_runs where job = 'product' order by id desc limit 1"));
    }

    [Fact]
    public async Task Midnight_belongs_to_the_day_that_begins_and_a_leap_day_is_a_day()
    {
        await RollAsync(
            Event("a", "2028-02-28T23:59:59.999999Z", "page_view"), Event("b", "2028-02-29T00:00:00Z", "page_view"),
            Event("c", "2028-02-29T23:59:59Z", "page_view"), Event("d", "2028-03-01T00:00:00Z", "page_view"));
        var answer = await new ProductReader(Database.Source).ReadAsync("app", new Window(Day("2028-02-28"), Day("2028-03-01")), default);
        Assert.Equal([1L, 2, 1], answer.Days.Select(d => d.Dau));
    }
}
