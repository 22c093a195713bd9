using Footfall.Capture;
using Footfall.Metrics;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Primitives;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

/// <summary>
/// A leap day, with numbers worked out by hand.
/// <code>
/// visitor  first seen        what on 29 February 2028 (UTC)                              session
/// a        10 January 10:00  00:00 page view /in from a search engine,                   organic, converted, 600 s
///                            00:10 page view /out, a conversion
/// b        28 Feb. 23:50     (28th 23:50 page view /x), 00:05 page view /y               of the 28th, 900 s; its exit is of the 29th
/// c        29th 12:00        12:00 page view /, 12 s engaged                             direct, no bounce
/// d        29th 23:59        23:59:59.999999 page view /                                 direct, bounce
/// f        29th 13:00        13:00 form start, 13:01 form submit, no page view           direct, converted, 60 s, did not land anywhere
/// e        1 March 00:00     (1 March 00:00:00 page view /)                              of 1 March
/// a bot                      10:00 page view                                             in no figure
/// out                        08:00 page view, received at 07:54: out of range            ignored
///
/// visitors a b c d f = 5, of them a and b seen before; page views 2 + 1 + 1 + 1 = 5; entrances a c d = 3; exits a b c d = 4;
/// conversions a f = 2; sessions a c d f = 4; bounces d = 1; converted a f = 2; landed a c d = 3, of them converted a = 1;
/// duration 600 + 0 + 0 + 60 = 660 s; engaged 12 s; sources organic 1, direct 3.
/// Leads: one at 14:00, linked by form to f (seen 13:00) and a (seen 10 January 10:00): 50 days and 4 hours = 1,204 h; one at 15:00 that
/// is linked by address only; one on 1 March 00:00. New on the 29th: 2; with a time to first capture: 1; capture rate 2 / 5.
/// </code>
/// </summary>
[Trait("Category", TestCluster.Category)]
public sealed class DailyMetricsTests : DayFixture
{
    private const string Columns = """
        select unique_visitors, returning_visitors, page_views, entrances, exits, conversions, form_starts, form_submits,
               sessions, bounces, converted_sessions, landing_sessions, landing_conversions, duration_ms, engaged_ms, new_leads, first_capture_ms, first_capture_leads, sources
        from daily_metric_rollups where property_id = 'app' and day =
        """;

    private async Task StoreAsync()
    {
        var events = new[]
        {
            Event("a", "2028-01-10T10:00:00Z", "page_view", path: "/"),
            Event("a", "2028-02-29T00:00:00Z", "page_view", path: "/in") with { TrafficSource = TrafficSource.OrganicSearch },
            Event("a", "2028-02-29T00:10:00Z", "page_view", path: "/out") with { IsConversion = true },
            Event("b", "2028-02-28T23:50:00Z", "page_view", path: "/x"), Event("b", "2028-02-29T00:05:00Z", "page_view", path: "/y"),
            Event("c", "2028-02-29T12:00:00Z", "page_view", path: "/", engagedMs: 12_000),
            Event("d", "2028-02-29T23:59:59.999999Z", "page_view", path: "/"),
            Event("f", "2028-02-29T13:00:00Z", "form_start", path: "/form"), Event("f", "2028-02-29T13:01:00Z", "form_submit", path: "/form") with { IsConversion = true },
            Event("e", "2028-03-01T00:00:00Z", "page_view", path: "/"),
            Event("bot", "2028-02-29T10:00:00Z", "page_view", path: "/", device: DeviceType.Bot),
            Event("out", "2028-02-29T08:00:00Z", "page_view", path: "/", received: "2028-02-29T07:54:00Z"),
        };
        await RollAsync(events);
        var (a, f) = (events[1].VisitorId, events[7].VisitorId);
        await Database.ExecuteAsync("""
            insert into leads (id, email_normalized, email_domain, consent_status, first_captured_at, last_captured_at, source_channel, property_id)
            select id::uuid, id || '@example.org', 'example.org', 'express', at::timestamptz, at::timestamptz, null, 'app'
            from (values ('00000000-0000-0000-0000-000000000001', '2028-02-29 14:00Z'), ('00000000-0000-0000-0000-000000000002', '2028-02-29 15:00Z'),
                         ('00000000-0000-0000-0000-000000000003', '2028-03-01 00:00Z')) as t (id, at)
            """);
        await Database.ExecuteAsync("""
            insert into lead_identities
            values (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', @a, 'form_submit', 1, '2028-02-29 14:00Z'),
                   (gen_random_uuid(), '00000000-0000-0000-0000-000000000001', @f, 'form_submit', 1, '2028-02-29 14:00Z'),
                   (gen_random_uuid(), '00000000-0000-0000-0000-000000000002', @a, 'same_ip_ua_window', 0.6, '2028-02-29 15:00Z')
            """, ("a", a), ("f", f));
        Assert.Null((await Runner.RunAsync(Day("2028-02-28"), Day("2028-03-01"), "app", "daily", null, default)).Error);
    }

    [Fact]
    public async Task Each_figure_of_a_day_is_the_one_worked_out_by_hand()
    {
        await StoreAsync();
        Assert.Equal(["5 2 5 3 4 2 1 1 4 1 2 3 1 660000 12000 2 4334400000 1 {\"direct\": 3, \"organic_search\": 1}"], await RowsAsync($"{Columns} '2028-02-29'"));
        // The 28th: b alone, whose session's exit came a day later. 1 March: e.
        Assert.Equal(["1 0 1 1 0 0 0 0 1 0 0 1 0 900000 0 0 0 0 {\"direct\": 1}"], await RowsAsync($"{Columns} '2028-02-28'"));
        Assert.Equal(["1 0 1 1 1 0 0 0 1 1 0 1 0 0 0 1 0 0 {\"direct\": 1}"], await RowsAsync($"{Columns} '2028-03-01'"));
        Assert.Empty(await RowsAsync($"{Columns} '2028-02-27'"));
        Assert.Equal(["1"], await RowsAsync("select ignored_count from rollup_runs where job = 'daily' order by id desc limit 1"));
    }

    [Fact]
    public async Task A_window_s_ratios_are_those_of_its_sums_and_its_visitors_count_once()
    {
        await StoreAsync();
        var day = await TotalsAsync("2028-02-29", "2028-02-29");
        Assert.Equal((0.4, 1.0 / 3, 0.25, 165.0, 1204.0, 1.0), (day.LeadCaptureRate, day.LandingPageConversionRate, day.BounceRate, day.AvgVisitDurationSec, day.AvgTimeToFirstCaptureHrs, day.FormCompletionRate));
        Assert.Equal(0.4, day.ReturningVisitorsPct);
        // 27 February (empty) to 1 March: a b c d e f, of whom only a was seen before the 27th; 1 + 4 + 1 sessions, 0 + 1 + 1 bounces; 900 + 660 + 0 s.
        var window = await TotalsAsync("2028-02-27", "2028-03-01");
        Assert.Equal((6, 1, 2.0 / 6, 260.0, 3.0 / 6), (window.UniqueVisitors, window.ReturningVisitors, window.BounceRate, window.AvgVisitDurationSec, window.LeadCaptureRate));
        var empty = await TotalsAsync("2028-02-27", "2028-02-27");
        Assert.Equal((0, null, null, null), (empty.UniqueVisitors, empty.BounceRate, empty.AvgVisitDurationSec, empty.ReturningVisitorsPct));
    }

    [Fact]
    public async Task A_late_event_changes_its_day_and_no_other()
    {
        await StoreAsync();
        // c's second page view, 20 minutes after the first, two days late: the session lasts 1,200 s; 6 page views; c's exit is another one.
        await RollAsync(Event("c", "2028-02-29T12:20:00Z", "page_view", path: "/more", received: "2028-03-02T12:00:00Z"));
        Assert.Equal(["5 2 6 3 4 2 1 1 4 1 2 3 1 1860000 12000 2 4334400000 1 {\"direct\": 3, \"organic_search\": 1}"], await RowsAsync($"{Columns} '2028-02-29'"));
        Assert.Equal(["1 0 1 1 1 0 0 0 1 1 0 1 0 0 0 1 0 0 {\"direct\": 1}"], await RowsAsync($"{Columns} '2028-03-01'"));
    }

    [Fact]
    public async Task Ingest_figures_are_of_the_day_of_arrival_and_the_p95_is_interpolated()
    {
        var twice = Guid.NewGuid();
        CapturedEvent Measured(int ms, string time = "2028-02-29T10:00:00Z", DeviceType device = DeviceType.Desktop, string? received = null) =>
            Event($"v{ms}", time, "page_view", props: $"{{\"ttfbMs\":{ms}}}", device: device, received: received);
        await RollAsync(
            Measured(500), Measured(100), Measured(400), Measured(200), Measured(300),
            Measured(9000, device: DeviceType.Bot), Measured(8000, received: "2028-02-29T09:54:00Z"), Measured(7000, "2028-02-28T23:59:59Z", received: "2028-02-29T00:00:01Z"),
            Event("x", "2028-02-29T11:00:00Z", "page_view") with { DedupeKey = twice }, Event("x", "2028-02-29T11:00:00Z", "page_view") with { DedupeKey = twice });
        // Arrived on the 29th: 10, of which one is a duplicate: 9 accepted, one of them a bot's. TTFB of the 29th: 100 200 300 400 500, p95 at rank 3.8 = 480.
        Assert.Equal(["2028-02-28 0 0 0 7000", "2028-02-29 9 1 1 480"], await RowsAsync("select day, events_accepted, events_duplicate, events_bot, p95_ttfb_ms from daily_ingest_rollups order by day"));
        // Over both days: 100 200 300 400 500 7000, p95 at rank 4.75: 500 + 0.75 * 6500 = 5375; no mean of 7000 and 480. Success: nothing was rejected.
        var ingest = await new SummaryStore(Database.Source).IngestAsync("app", new Window(Day("2028-02-28"), Day("2028-02-29")), default);
        Assert.Equal((5375, 1.0, 9L), (ingest.P95TtfbMs, ingest.SuccessPct, ingest.TotalEventsAccepted));
    }

    [Theory]
    [InlineData("2028-02-29", "2028-02-29", "previous_period", "2028-02-28", "2028-02-28")]   // one day
    [InlineData("2028-02-29", "2028-02-29", "previous_year", "2027-03-02", "2027-03-02")]     // 364 days back: a Tuesday as well
    [InlineData("2028-02-27", "2028-03-01", "previous_period", "2028-02-23", "2028-02-26")]   // four days, the leap day among them
    [InlineData("2027-02-27", "2027-03-01", "previous_period", "2027-02-24", "2027-02-26")]   // three
    [InlineData("2028-02-27", "2028-03-01", "2024-02-27", "2024-02-27", "2024-03-01")]
    [InlineData("2028-02-27", "2028-03-01", "2023-02-27", "2023-02-27", "2023-03-02")]        // of equal length, not of equal dates
    public void A_comparison_is_a_window_of_equal_length(string from, string to, string compareTo, string comparedFrom, string comparedTo)
    {
        var (query, invalid) = SummaryQuery.Parse(
            new QueryCollection(new Dictionary<string, StringValues> { ["from"] = from, ["to"] = to, ["compareTo"] = compareTo }), "app", Day("2028-12-31"));
        Assert.Null(invalid);
        Assert.Equal(new Window(Day(comparedFrom), Day(comparedTo)), query!.CompareTo);
    }

    private async Task<WindowTotals> TotalsAsync(string from, string to)
    {
        var totals = new WindowTotals(Day(from));
        foreach (var day in await new SummaryStore(Database.Source).DaysAsync("app", new Window(Day(from), Day(to)), default)) totals.Add(day);
        return totals.Counted();
    }
}
