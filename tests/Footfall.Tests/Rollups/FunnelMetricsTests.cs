using Footfall.Definitions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class FunnelMetricsTests : DayFixture
{
    internal override FunnelDefinition[] Configured =>
    [
        new("checkout", [new("cart", ["page_view"], "/cart*"), new("pay", ["pay"], null, new Dictionary<string, string> { ["plan"] = "pro" })], 48),
    ];

    private Task<List<string>> UsersAsync(string day, string funnel = "core_journey", string experiment = "", string variant = "") =>
        RowsAsync($"select step_name, users from funnel_rollups where property_id = 'app' and day = '{day}' and funnel_name = '{funnel}' and experiment_id = '{experiment}' and variant_id = '{variant}' order by step_index");

    [Fact]
    public async Task Users_go_from_step_to_step_in_order_within_24_hours_of_entering()
    {
        await RollAsync(
            // a goes all the way, the last step exactly 24 h after entering, on the next day.
            Event("a", "2026-03-02T10:00:00Z", "app_opened"), Event("a", "2026-03-02T10:01:00Z", "workout_started"), Event("a", "2026-03-02T10:02:00Z", "exercise_logged"),
            Event("a", "2026-03-02T10:03:00Z", "session_submitted"), Event("a", "2026-03-03T10:00:00Z", "achievement_unlocked"),
            // b logs before the workout starts: only what comes at or after the step before counts, so b ends at step 2.
            Event("b", "2026-03-02T10:00:00Z", "tab_opened"), Event("b", "2026-03-02T10:01:00Z", "exercise_logged"), Event("b", "2026-03-02T10:02:00Z", "workouts_default_loaded"),
            // c enters at 10:00 (the first open of the day counts, not the second) and starts a workout a second too late.
            Event("c", "2026-03-02T10:00:00Z", "app_opened"), Event("c", "2026-03-02T20:00:00Z", "app_opened"), Event("c", "2026-03-03T10:00:01Z", "workout_started"),
            // d starts a workout at the instant of opening: at or after.
            Event("d", "2026-03-02T12:00:00Z", "app_opened"), Event("d", "2026-03-02T12:00:00Z", "workout_started"),
            // e never opens.
            Event("e", "2026-03-02T12:00:00Z", "workout_started"));
        // Step 1: a b c d = 4; 2: a b d = 3; 3: a = 1; 4: a = 1; 5: a = 1.
        Assert.Equal(["active_open 4", "workout_engaged 3", "exercise_logged 1", "session_submitted 1", "achievement_unlocked 1"], await UsersAsync("2026-03-02"));
        Assert.Empty(await UsersAsync("2026-03-03"));   // nobody opened on the 3rd
    }

    [Fact]
    public async Task A_step_on_the_next_day_changes_the_day_of_entering()
    {
        await RollAsync(Event("a", "2026-03-02T23:00:00Z", "app_opened"));
        Assert.Equal("workout_engaged 0", (await UsersAsync("2026-03-02"))[1]);
        await RollAsync(Event("a", "2026-03-03T22:00:00Z", "workout_started"));
        Assert.Equal("workout_engaged 1", (await UsersAsync("2026-03-02"))[1]);
    }

    [Fact]
    public async Task A_user_who_enters_on_two_days_counts_on_both()
    {
        await RollAsync(Event("a", "2026-03-02T10:00:00Z", "app_opened"), Event("a", "2026-03-03T09:00:00Z", "app_opened"), Event("a", "2026-03-03T09:30:00Z", "workout_started"));
        // The workout lies within 24 h of both entries.
        Assert.Equal(["active_open 1", "workout_engaged 1"], (await UsersAsync("2026-03-02"))[..2]);
        Assert.Equal(["active_open 1", "workout_engaged 1"], (await UsersAsync("2026-03-03"))[..2]);
    }

    [Fact]
    public async Task Variants_count_users_assigned_by_the_end_of_the_day_of_entering()
    {
        const string blue = """{"experimentId":"button","variantId":"blue"}""", red = """{"experimentId":"button","variantId":"red"}""";
        await RollAsync(
            Event("a", "2026-03-01T10:00:00Z", "experiment_assigned", props: blue), Event("a", "2026-03-02T10:00:00Z", "app_opened"),
            Event("b", "2026-03-02T10:00:00Z", "app_opened"), Event("b", "2026-03-02T10:00:01Z", "experiment_assigned", props: blue), Event("b", "2026-03-02T10:01:00Z", "workout_started"),
            Event("c", "2026-03-02T10:00:00Z", "app_opened"), Event("c", "2026-03-03T10:00:00Z", "experiment_assigned", props: red),   // a day too late
            Event("d", "2026-03-02T10:00:00Z", "app_opened"));
        Assert.Equal(["active_open 4", "workout_engaged 1"], (await UsersAsync("2026-03-02"))[..2]);
        Assert.Equal(["active_open 2", "workout_engaged 1"], (await UsersAsync("2026-03-02", experiment: "button", variant: "blue"))[..2]);
        Assert.Empty(await UsersAsync("2026-03-02", experiment: "button", variant: "red"));

        // A late assignment before c's: c was red on the 1st already, so c's entry on the 2nd is red's.
        await RollAsync(Event("c", "2026-03-01T10:00:00Z", "experiment_assigned", props: red, received: "2026-03-04T00:00:00Z"));
        Assert.Equal(["active_open 1", "workout_engaged 0"], (await UsersAsync("2026-03-02", experiment: "button", variant: "red"))[..2]);
    }

    [Fact]
    public async Task Steps_may_ask_for_a_path_and_for_props()
    {
        await RollAsync(
            Event("a", "2026-03-02T10:00:00Z", "page_view", path: "/cart/1?x=2"), Event("a", "2026-03-04T10:00:00Z", "pay", props: """{"plan":"pro"}"""),   // 48 h
            Event("b", "2026-03-02T10:00:00Z", "page_view", path: "/cart"), Event("b", "2026-03-02T10:01:00Z", "pay", props: """{"plan":"free"}"""),
            Event("c", "2026-03-02T10:00:00Z", "page_view", path: "/"), Event("c", "2026-03-02T10:01:00Z", "pay", props: """{"plan":"pro"}"""));
        Assert.Equal(["cart 2", "pay 1"], await UsersAsync("2026-03-02", "checkout"));
    }

    [Fact]
    public async Task A_funnel_made_later_counts_days_before_and_leaves_nothing_when_it_goes()
    {
        await RollAsync(Event("a", "2026-03-02T10:00:00Z", "page_view"), Event("a", "2026-03-02T10:01:00Z", "signup"));
        var store = Footfall.Tests.Model.AllModels.Funnels(Database.Source);
        Assert.True(await store.AddAsync("app", new FunnelDefinition("join_us", [new("see", ["page_view"]), new("sign", ["signup"])], 1), default));
        Assert.False(await store.AddAsync("app", new FunnelDefinition("join_us", [new("see", ["page_view"]), new("sign", ["signup"])], 1), default));
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal(["see 1", "sign 1"], await UsersAsync("2026-03-02", "join_us"));
        Assert.True(await store.RemoveAsync("app", "join_us", default));
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Empty(await UsersAsync("2026-03-02", "join_us"));
        Assert.Empty(await RowsAsync("select fact from user_facts where fact like 'step:join%'"));
    }

    [Fact]
    public async Task A_window_is_the_sum_of_its_days_and_an_empty_day_adds_nothing()
    {
        await RollAsync(
            Event("a", "2028-02-28T23:59:59.999999Z", "app_opened"), Event("a", "2028-02-29T00:00:00Z", "workout_started"),   // enters on the 28th, over midnight into a leap day
            Event("b", "2028-02-28T10:00:00Z", "app_opened"),
            Event("a", "2028-03-01T10:00:00Z", "tab_opened"), Event("a", "2028-03-02T10:00:00Z", "workouts_default_loaded"), Event("a", "2028-03-02T10:00:00.000001Z", "exercise_logged"));
        var reader = new Footfall.Metrics.FunnelsReader(Database.Source);
        // 28 February: a b, of whom a came to step 2. 29: nobody opened. 1 March: a, step 2 exactly 24 h after, step 3 a microsecond over.
        var window = Assert.Single(await reader.ReadAsync("app", new(Day("2028-02-28"), Day("2028-03-01")), "core_journey", default));
        Assert.Equal([(3L, null, 1.0), (2L, 2.0 / 3, 2.0 / 3), (0L, 0.0, 0.0)], window.Steps.Take(3).Select(s => (s.Users, s.FromPrevious, s.FromFirst)));
        Assert.Null(window.Steps[3].FromPrevious);   // nobody was at the step before
        var day = Assert.Single(await reader.ReadAsync("app", new(Day("2028-03-01"), Day("2028-03-01")), "core_journey", default));
        Assert.Equal([1L, 1, 0, 0, 0], day.Steps.Select(s => s.Users));
        Assert.Empty(await reader.ReadAsync("app", new(Day("2028-02-29"), Day("2028-02-29")), "core_journey", default));
    }
}
