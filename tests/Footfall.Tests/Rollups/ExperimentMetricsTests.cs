using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class ExperimentMetricsTests : DayFixture
{
    private CapturedEvent Assigned(string visitor, string time, string variant, string? account = null, string? received = null) =>
        Event(visitor, time, "experiment_assigned", account, $"{{\"experimentId\":\"button\",\"variantId\":\"{variant}\"}}", received: received);

    private Task<List<string>> RowsAsync(string day, string variant) =>
        RowsAsync($"select metric_name, value from experiment_metric_rollups where property_id = 'app' and experiment_id = 'button' and day = '{day}' and variant_id = '{variant}' order by 1");

    [Fact]
    public async Task Users_count_for_the_variant_and_day_of_their_first_assignment()
    {
        await RollAsync(
            Assigned("a", "2026-03-02T10:00:00Z", "blue"),
            Assigned("a", "2026-03-04T10:00:00Z", "red"),      // later, another: ignored, a is contaminated
            Assigned("b", "2026-03-02T11:00:00Z", "blue"),
            Assigned("b", "2026-03-03T11:00:00Z", "blue"),     // told the same again: fine, and active on the next day
            Assigned("c", "2026-03-02T12:00:00Z", "red"),
            Event("a", "2026-03-02T10:00:00Z", "session_submitted"),                                            // at the instant of assignment
            Event("a", "2026-03-03T10:00:00Z", "session_submitted"),                                            // exactly 24 h
            Event("a", "2026-03-09T10:00:00Z", "session_submitted"),                                            // exactly 7 x 24 h
            Event("a", "2026-03-09T10:00:00.000001Z", "session_submitted"),                                     // over
            Event("b", "2026-03-03T11:00:01Z", "session_submitted"),                                            // 24 h and a second
            Event("c", "2026-03-02T11:59:59Z", "session_submitted"));                                           // before
        // blue, 2 March: a, b. Active on 3 March: a (submit), b (assignment) = 2. Submits in 7 x 24 h: a 3, b 1 = 4.
        // Within 24 h: a = 1 of 2. Contaminated: a.
        Assert.Equal(["logging_rate_24h_by_variant 0.5", "sessions_submitted_d7 4", "users_active_d1 2", "users_assigned 2", "users_contaminated 1", "users_logged_24h 1"], await RowsAsync("2026-03-02", "blue"));
        Assert.Equal(["logging_rate_24h_by_variant 0", "sessions_submitted_d7 0", "users_active_d1 0", "users_assigned 1", "users_contaminated 0", "users_logged_24h 0"], await RowsAsync("2026-03-02", "red"));
        Assert.Empty(await RowsAsync("2026-03-04", "red"));
        Assert.Empty(await RowsAsync("2026-03-03", "blue"));
    }

    [Fact]
    public async Task Rows_of_the_last_eight_days_change_as_the_future_arrives()
    {
        await RollAsync(Assigned("a", "2026-03-02T23:00:00Z", "blue"));
        Assert.Contains("sessions_submitted_d7 0", await RowsAsync("2026-03-02", "blue"));
        await RollAsync(Event("a", "2026-03-09T22:59:59Z", "session_submitted"));   // seven days later, a second before the time is over
        Assert.Contains("sessions_submitted_d7 1", await RowsAsync("2026-03-02", "blue"));
    }

    [Fact]
    public async Task A_late_earlier_assignment_moves_the_user_to_its_day_and_variant()
    {
        await RollAsync(Assigned("a", "2026-03-20T10:00:00Z", "red"), Assigned("b", "2026-03-20T10:00:00Z", "red"));
        await RollAsync(Assigned("a", "2026-03-02T10:00:00Z", "blue", received: "2026-03-21T10:00:00Z"));
        // a belongs to blue on 2 March now, contaminated by red on the 20th; red keeps b. The 20th lies far behind the eight days.
        Assert.Contains("users_assigned 1", await RowsAsync("2026-03-02", "blue"));
        Assert.Contains("users_contaminated 1", await RowsAsync("2026-03-02", "blue"));
        Assert.Contains("users_assigned 1", await RowsAsync("2026-03-20", "red"));
        Assert.Contains("users_contaminated 0", await RowsAsync("2026-03-20", "red"));
    }

    [Fact]
    public async Task Two_visitors_of_an_account_are_one_user()
    {
        await RollAsync(
            Assigned("phone", "2026-03-02T10:00:00Z", "blue", account: "ann"),
            Assigned("laptop", "2026-03-02T11:00:00Z", "red", account: "ann"),
            Event("laptop", "2026-03-02T12:00:00Z", "session_submitted"));   // without account, but the laptop is ann's that day
        // ann: assigned blue at 10:00, told red at 11:00, submitted at 12:00.
        Assert.Equal(["logging_rate_24h_by_variant 1", "sessions_submitted_d7 1", "users_active_d1 0", "users_assigned 1", "users_contaminated 1", "users_logged_24h 1"], await RowsAsync("2026-03-02", "blue"));
        Assert.Empty(await RowsAsync("2026-03-02", "red"));
    }

    [Fact]
    public async Task A_defined_experiment_counts_conversions_within_its_hours_also_for_days_before_it_was_defined()
    {
        await RollAsync(
            Assigned("a", "2026-03-02T10:00:00Z", "blue"), Event("a", "2026-03-04T10:00:00Z", "purchase"),    // exactly 48 h
            Assigned("b", "2026-03-02T10:00:00Z", "blue"), Event("b", "2026-03-04T10:00:01Z", "purchase"),    // over
            Assigned("c", "2026-03-02T10:00:00Z", "blue"), Event("c", "2026-03-02T09:00:00Z", "purchase"));   // before
        Assert.True(await new ExperimentStore(Database.Source, TimeProvider.System).AddAsync(new("app", "button", "Button", [new("blue", 1), new("red", 1)], "red", "purchase", 48, null, null), default));
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Contains("users_converted 1", await RowsAsync("2026-03-02", "blue"));
    }

    [Fact]
    public async Task An_assignment_without_experiment_or_variant_assigns_nobody()
    {
        await RollAsync(
            Event("a", "2026-03-02T10:00:00Z", "experiment_assigned"),
            Event("b", "2026-03-02T10:00:00Z", "experiment_assigned", props: """{"experimentId":"button"}"""),
            Event("c", "2026-03-02T10:00:00Z", "experiment_assigned", props: """{"experimentId":{"a":1},"variantId":"blue"}"""),
            Event("d", "2026-03-02T10:00:00Z", "experiment_assigned", props: $$"""{"experimentId":"{{new string('x', 129)}}","variantId":"blue"}"""));
        Assert.Empty(await RowsAsync("select * from experiment_metric_rollups"));
    }

    [Fact]
    public async Task The_next_day_begins_at_midnight_and_may_be_a_leap_day()
    {
        await RollAsync(
            Assigned("a", "2028-02-28T23:59:59.999999Z", "blue"), Event("a", "2028-02-29T00:00:00Z", "page_view"),             // the first instant of the next day
            Assigned("b", "2028-02-28T00:00:00Z", "blue"), Event("b", "2028-02-29T23:59:59.999999Z", "page_view"),             // its last
            Assigned("c", "2028-02-28T10:00:00Z", "blue"), Event("c", "2028-02-28T23:59:59Z", "page_view"), Event("c", "2028-03-01T00:00:00Z", "page_view"),   // the same day, and the day after next
            Assigned("d", "2028-02-29T00:00:00Z", "blue"), Event("d", "2028-03-07T00:00:00Z", "session_submitted"));           // of the 29th; exactly 7 x 24 h over the month's end
        // 28 February: a b c, of whom a and b were active on the 29th. 29 February: d, not active on 1 March, one submit.
        Assert.Equal(["logging_rate_24h_by_variant 0", "sessions_submitted_d7 0", "users_active_d1 2", "users_assigned 3", "users_contaminated 0", "users_logged_24h 0"], await RowsAsync("2028-02-28", "blue"));
        Assert.Equal(["logging_rate_24h_by_variant 0", "sessions_submitted_d7 1", "users_active_d1 0", "users_assigned 1", "users_contaminated 0", "users_logged_24h 0"], await RowsAsync("2028-02-29", "blue"));
    }
}
