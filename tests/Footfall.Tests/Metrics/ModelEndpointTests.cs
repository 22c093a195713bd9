using System.Text.Json;
using Footfall.Access;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Metrics;

/// <summary>Read models over HTTP: what their own tests say is computed right arrives right.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ModelEndpointTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Entity = "entity_type=profile&entity_id=42&date_from=2026-03-02&date_to=2026-03-08&property=models";

    [Fact]
    public async Task Product_experiments_funnels_and_entities_are_answered()
    {
        await server.StoreAsync(
            Told.Event("one", "2026-03-02T10:00:00", "app_opened", "/", "models"),
            Told.Event("one", "2026-03-02T11:00:00", "session_submitted", "/", "models"),
            Told.Event("one", "2026-03-02T11:05:00", "experiment_assigned", "/", "models", props: """{"experimentId":"e1","variantId":"a"}"""),
            Told.Event("two", "2026-03-02T12:00:00", "tab_opened", "/", "models"),
            Told.Event("one", "2026-03-03T10:00:00", path: "/u/42", property: "models", engagedMs: 4000, props: """{"engagedTimeMs":4000}""") with { EntityType = "profile", EntityId = "42", AccountId = "acc", AccountUsername = "=ada" },
            Told.Event("two", "2026-03-04T10:00:00", path: "/u/42", property: "models") with { EntityType = "profile", EntityId = "42" },
            Told.Event("two", "2026-03-05T10:00:00", path: "/u/42", property: "models") with { EntityType = "profile", EntityId = "42" });

        var daily = await server.JsonAsync("/v1/metrics/daily?property=models&from=2026-03-02&to=2026-03-03");
        var monday = daily.GetProperty("product").GetProperty("days")[0];
        Assert.Equal((2, 1, 0.5), (monday.GetProperty("dau").GetInt64(), monday.GetProperty("sessionsSubmitted").GetInt64(), monday.GetProperty("loggingRate24h").GetDouble()));
        Assert.Equal(2, daily.GetProperty("days")[0].GetProperty("uniqueVisitors").GetInt32());

        var funnel = (await server.JsonAsync("/v1/metrics/funnels?property=models&from=2026-03-02&to=2026-03-02&funnel_name=core_journey")).GetProperty("funnels")[0];
        Assert.Equal(2, funnel.GetProperty("steps")[0].GetProperty("users").GetInt64());

        var experiment = await server.JsonAsync("/v1/metrics/experiments?property=models&from=2026-03-02&to=2026-03-02&experiment_id=e1");
        Assert.Contains(experiment.GetProperty("days").EnumerateArray(), d => d.GetProperty("metricName").GetString() == "users_assigned" && d.GetProperty("value").GetDouble() == 1);
        Assert.Equal(JsonValueKind.Null, experiment.GetProperty("analysis").ValueKind);

        var week = (await server.JsonAsync($"/api/analytics/time-series?{Entity}&period=weekly")).GetProperty("points").EnumerateArray().Single();
        Assert.Equal((3, 2, 1, 1), (week.GetProperty("total_views").GetInt64(), week.GetProperty("unique_visitors").GetInt32(), week.GetProperty("unique_accounts").GetInt32(), week.GetProperty("anonymous_visitors").GetInt32()));

        var first = await server.JsonAsync($"/api/analytics/visitors?{Entity}&limit=1");
        Assert.Equal(2, first.GetProperty("visitors")[0].GetProperty("visit_count").GetInt64());   // two, who came last
        var second = await server.JsonAsync($"/api/analytics/visitors?{Entity}&limit=1&cursor={first.GetProperty("next_cursor").GetString()}");
        var ada = second.GetProperty("visitors")[0];
        Assert.Equal(("acc", "=ada", 4.0), (ada.GetProperty("account_id").GetString(), ada.GetProperty("username").GetString(), ada.GetProperty("avg_time_on_page").GetDouble()));
        Assert.Equal(JsonValueKind.Null, second.GetProperty("next_cursor").ValueKind);
        using var csv = await server.GetAsync($"/api/analytics/visitors?{Entity}&search=ADA", ("Accept", "text/csv"));
        Assert.Contains("acc,\"'=ada\",", await csv.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("breakdown?dimension=path&")]
    [InlineData("timeseries?")]
    [InlineData("vitals?")]
    public async Task How_far_back_raw_events_reach_is_said(string question)
    {
        await server.StoreAsync(Told.Event("kept", "2026-03-02T10:00:00", property: "kept"), Told.Event("gone", "2026-03-02T10:00:00", property: "gone"));
        await server.Database.ExecuteAsync("insert into purged_days values ('gone', '2026-02-28') on conflict do nothing");
        Assert.Equal(JsonValueKind.Null, (await server.JsonAsync($"/v1/metrics/{question}property=kept&window_days=7")).GetProperty("completeFrom").ValueKind);
        Assert.Equal("2026-03-01", (await server.JsonAsync($"/v1/metrics/{question}property=gone&window_days=7")).GetProperty("completeFrom").GetString());
    }

    [Theory]
    [InlineData("time-series")]
    [InlineData("visitors")]
    public async Task Single_visitors_are_for_plan_pro(string endpoint)
    {
        var token = await server.NewTokenAsync(AccessRole.Dashboard, AccessPlan.Free);
        var (status, body) = await server.ErrorAsync($"/api/analytics/{endpoint}?{Entity}", ("x-dashboard-token", token));
        Assert.Equal((403, "plan_required"), (status, body.GetProperty("error").GetString()));
    }

    [Theory]
    [InlineData("/api/analytics/time-series?entity_id=1", "entity_type")]
    [InlineData("/api/analytics/time-series?entity_type=a", "entity_id")]
    [InlineData("/api/analytics/time-series?entity_type=a&entity_id=1&period=yearly", "period")]
    [InlineData("/api/analytics/time-series?entity_type=a&entity_id=1&period=hourly&window_days=1000", "period")]
    [InlineData("/api/analytics/time-series?entity_type=a&entity_id=1&date_from=2026-02-30", "date_from")]
    [InlineData("/api/analytics/visitors?entity_type=a&entity_id=1&date_to=9999-12-31", "date_to")]
    [InlineData("/api/analytics/visitors?entity_type=a&entity_id=1&date_from=2026-02-02&date_to=2026-02-01", "date_from")]
    [InlineData("/api/analytics/visitors?entity_type=a&entity_id=1&cursor=x", "cursor")]
    [InlineData("/api/analytics/visitors?entity_type=a&entity_id=1&limit=0", "limit")]
    [InlineData("/api/analytics/visitors?entity_type=a&entity_id=1&search=", "search")]
    [InlineData("/api/analytics/visitors?entity_type=a%00&entity_id=1", "entity_type")]
    [InlineData("/v1/metrics/funnels?funnel_name=", "funnel_name")]
    [InlineData("/v1/metrics/experiments?experiment_id=a&experiment_id=b", "experiment_id")]
    public async Task What_cannot_be_asked_is_refused_by_name(string url, string parameter)
    {
        var (status, body) = await server.ErrorAsync(url);
        Assert.Equal((400, parameter), (status, body.GetProperty("parameter").GetString()));
    }
}
