using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Rollups;

/// <summary>Anybody may send events: what they invent becomes no more rows than a limit allows, and what is left out is counted by reason.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LimitTests : DayFixture
{
    internal override RollupLimits Limits => new(Entities: 2, Experiments: 1, EventTypes: 2);

    private Task<List<string>> LeftOutAsync(string job) => RowsAsync($"select left_out from rollup_runs where job = '{job}' and left_out <> '{{}}' order by id desc limit 1");

    private CapturedEvent Assigned(string visitor, string experiment, string variant) =>
        Event(visitor, "2026-03-02T10:00:00Z", "experiment_assigned", props: $"{{\"experimentId\":\"{experiment}\",\"variantId\":\"{variant}\"}}");

    [Fact]
    public async Task The_most_viewed_entities_of_a_day_have_figures()
    {
        // y has three views, b two, a and c one each: y and b are kept, a and c (2 views) are not.
        await RollAsync([.. "y y y b b a c".Split(' ').Select((e, n) => Event($"v{n}", "2026-03-02T10:00:00Z", "page_view", entity: e))]);
        Assert.Equal(["b 2", "y 3"], await RowsAsync("select entity_id, total_views from analytics_aggregates where hour = -1 order by 1"));
        Assert.Equal(["b 2", "y 3"], await RowsAsync("select entity_id, count(*) from entity_visitors group by 1 order by 1"));
        Assert.Equal(["{\"entity_limit\": 2}"], await LeftOutAsync("hourly"));
        Assert.Equal(["{\"entity_limit\": 2}"], await LeftOutAsync("visitors"));
        // Of two alike the first by its characters: a second day with one view each of c, a, b keeps a and b.
        await RollAsync([.. "c a b".Split(' ').Select((e, n) => Event($"v{n}", "2026-03-03T10:00:00Z", "page_view", entity: e))]);
        Assert.Equal(["a", "b"], await RowsAsync("select entity_id from analytics_aggregates where hour = -1 and day = '2026-03-03' order by 1"));
    }

    [Fact]
    public async Task Defined_experiments_count_and_of_the_others_the_most_used()
    {
        await new ExperimentStore(Database.Source, TimeProvider.System).AddAsync(new("app", "mine", "Mine", [new("a", 1), new("b", 1)], "a", "purchase", 24, null, null), default);
        // mine has one user, loud two, quiet one: mine and loud are kept, quiet (one assignment) is not.
        await RollAsync(Assigned("u1", "mine", "a"), Assigned("u2", "loud", "x"), Assigned("u3", "loud", "x"), Assigned("u4", "quiet", "x"));
        Assert.Equal(["loud 2", "mine 1"], await RowsAsync("select experiment_id, sum(value) from experiment_metric_rollups where metric_name = 'users_assigned' group by 1 order by 1"));
        Assert.Equal(["{\"experiment_limit\": 1}"], await LeftOutAsync("experiment"));
    }

    [Fact]
    public async Task A_defined_experiment_keeps_its_variants_and_the_most_used_others()
    {
        await new ExperimentStore(Database.Source, TimeProvider.System).AddAsync(new("app", "mine", "Mine", [new("a", 1), new("b", 1)], "a", "purchase", 24, null, null), default);
        // a and b have one user each, v00 to v19 two each: with a and b there is room for 18 of the twenty others; v18 and v19 (4 assignments) are left out.
        await RollAsync([Assigned("ua", "mine", "a"), Assigned("ub", "mine", "b"), .. Enumerable.Range(0, 40).Select(n => Assigned($"u{n}", "mine", $"v{n / 2:00}"))]);
        var variants = await RowsAsync("select distinct variant_id from experiment_metric_rollups order by 1");
        Assert.Equal(["a", "b", .. Enumerable.Range(0, 18).Select(n => $"v{n:00}")], variants);
        Assert.Equal(["{\"variant_limit\": 4}"], await LeftOutAsync("experiment"));
    }

    [Fact]
    public async Task The_most_frequent_types_of_events_have_a_volume()
    {
        // x three times, b twice, a and c once: x and b have a volume; the users of all four are active.
        await RollAsync([.. "x x x b b a c".Split(' ').Select((t, n) => Event($"v{n}", "2026-03-02T10:00:00Z", t))]);
        Assert.Equal(["b 2", "x 3"], await RowsAsync("select dimension_key, value from daily_product_metrics where metric_name = 'event_volume_by_name' order by 1"));
        Assert.Equal("7", await MetricAsync("2026-03-02", "dau"));
        Assert.Equal(["{\"event_type_limit\": 2}"], await LeftOutAsync("product"));
    }
}
