using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Footfall.Access;
using Footfall.Definitions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Definitions;

[Trait("Category", TestCluster.Category)]
public sealed class DefinitionsApiTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Experiment = """{"id":"%","name":"Button","variants":[{"id":"red","weight":1},{"id":"blue","weight":3}],"control":"red","metric":{"eventType":"purchase","withinHours":48}}""";

    private async Task<(int Status, JsonElement Body)> SendAsync(HttpMethod method, string url, string? json, string? key = ApiServer.AdminKey, string type = "application/json")
    {
        using var request = new HttpRequestMessage(method, url);
        if (key is not null) request.Headers.Add("x-admin-key", key);
        if (json is not null) request.Content = new StringContent(json, Encoding.UTF8, type);
        using var response = await server.Client.SendAsync(request);
        return ((int)response.StatusCode, JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement);
    }

    [Fact]
    public async Task An_experiment_is_made_read_and_changed()
    {
        var (status, body) = await SendAsync(HttpMethod.Post, "/v1/experiments", Experiment.Replace("%", "made"));
        Assert.Equal(201, status);
        Assert.Equal("made", body.GetProperty("experiment").GetProperty("id").GetString());
        Assert.Equal((409, "experiment_exists"), await SendAsync(HttpMethod.Post, "/v1/experiments", Experiment.Replace("%", "made")) is var (s, b) ? (s, b.GetProperty("error").GetString()) : default);
        (status, body) = await SendAsync(HttpMethod.Patch, "/v1/experiments/made", """{"name":"Other","end":"2026-03-31"}""");
        Assert.Equal((200, "Other", "2026-03-31", 48), (status, body.GetProperty("experiment").GetProperty("name").GetString(), body.GetProperty("experiment").GetProperty("end").GetString(), body.GetProperty("experiment").GetProperty("metric").GetProperty("withinHours").GetInt32()));
        var list = await server.JsonAsync("/v1/experiments");
        Assert.Contains(list.GetProperty("experiments").EnumerateArray(), e => e.GetProperty("id").GetString() == "made" && e.GetProperty("name").GetString() == "Other");
        Assert.Equal(404, (await SendAsync(HttpMethod.Patch, "/v1/experiments/none", "{}")).Status);
    }

    [Fact]
    public async Task A_split_stands_once_users_are_assigned()
    {
        await SendAsync(HttpMethod.Post, "/v1/experiments", Experiment.Replace("%", "standing"));
        await server.StoreAsync(Told.Event("s", "2026-03-02T10:00:00Z", "experiment_assigned", property: "default", props: """{"experimentId":"standing","variantId":"red"}"""));
        var (status, body) = await SendAsync(HttpMethod.Patch, "/v1/experiments/standing", """{"variants":[{"id":"red"},{"id":"blue"}]}""");
        Assert.Equal((409, "experiment_has_users"), (status, body.GetProperty("error").GetString()));
        Assert.Equal(200, (await SendAsync(HttpMethod.Patch, "/v1/experiments/standing", """{"variants":[{"id":"red","weight":1},{"id":"blue","weight":3}],"name":"x"}""")).Status);
    }

    [Fact]
    public async Task A_user_gets_the_same_variant_each_time_without_a_key()
    {
        await SendAsync(HttpMethod.Post, "/v1/experiments", Experiment.Replace("%", "sticky"));
        var first = await VariantAsync("sticky", "user-1");
        for (var i = 0; i < 5; i++) Assert.Equal(first, await VariantAsync("sticky", "user-1"));
        await SendAsync(HttpMethod.Patch, "/v1/experiments/sticky", """{"end":"2020-01-01"}""");
        Assert.Equal(("red", false), await VariantAsync("sticky", "user-1"));   // over: everybody gets the control
        Assert.Equal(HttpStatusCode.NotFound, (await server.Client.GetAsync("/v1/experiments/none/variant?userId=u")).StatusCode);
        Assert.Equal(HttpStatusCode.BadRequest, (await server.Client.GetAsync("/v1/experiments/sticky/variant")).StatusCode);
    }

    private async Task<(string? Variant, bool Running)> VariantAsync(string id, string user)
    {
        var body = await server.Client.GetFromJsonAsync<JsonElement>($"/v1/experiments/{id}/variant?userId={user}");
        return (body.GetProperty("variantId").GetString(), body.GetProperty("running").GetBoolean());
    }

    [Fact]
    public void Users_split_by_the_weights_and_experiments_independently()
    {
        var one = new ExperimentDefinition("app", "one", "", [new("a", 1), new("b", 3)], "a", "x", 1, null, null);
        var two = one with { Id = "two" };
        var users = Enumerable.Range(0, 20_000).Select(n => (One: VariantSplit.Of(one, $"u{n}"), Two: VariantSplit.Of(two, $"u{n}"))).ToList();
        // A quarter is 5,000, give or take four standard deviations of sqrt(20000 * 1/4 * 3/4) = 61.2; both a: a sixteenth, 1,250 +- 4 * 34.2.
        Assert.InRange(users.Count(u => u.One == "a"), 4755, 5245);
        Assert.InRange(users.Count(u => u is { One: "a", Two: "a" }), 1113, 1387);
    }

    [Fact]
    public async Task A_funnel_is_made_listed_and_removed()
    {
        var (status, _) = await SendAsync(HttpMethod.Post, "/v1/funnels", """{"name":"buy","windowHours":12,"steps":[{"name":"see","eventTypes":["page_view"],"path":"/p*"},{"name":"buy","eventTypes":["purchase"],"props":{"plan":"pro"}}]}""");
        Assert.Equal(201, status);
        var funnels = (await server.JsonAsync("/v1/funnels")).GetProperty("funnels").EnumerateArray().ToDictionary(f => f.GetProperty("name").GetString()!);
        Assert.True(funnels["core_journey"].GetProperty("isConfigured").GetBoolean());
        Assert.Equal("pro", funnels["buy"].GetProperty("steps")[1].GetProperty("props").GetProperty("plan").GetString());
        Assert.Equal(200, (await SendAsync(HttpMethod.Delete, "/v1/funnels/buy", null)).Status);
        Assert.Equal((404, "funnel_not_found"), await SendAsync(HttpMethod.Delete, "/v1/funnels/buy", null) is var (s, b) ? (s, b.GetProperty("error").GetString()) : default);
        Assert.Equal((409, "funnel_is_configured"), await SendAsync(HttpMethod.Delete, "/v1/funnels/core_journey", null) is var (s2, b2) ? (s2, b2.GetProperty("error").GetString()) : default);
    }

    [Fact]
    public async Task An_account_s_profile_is_put_by_the_host_product()
    {
        var ingest = await server.NewTokenAsync(AccessRole.Ingest);
        Assert.Equal(200, (await SendAsync(HttpMethod.Put, "/v1/accounts/u%2F1", """{"username":"annie","displayName":"Ann","firstName":"Ann","lastName":"B"}""", ingest)).Status);
        Assert.Equal(200, (await SendAsync(HttpMethod.Put, "/v1/accounts/u%2F1", """{"username":"ann"}""", ingest)).Status);
        await using var command = server.Database.Source.CreateCommand("select id || ' ' || username || ' ' || coalesce(display_name, '-') from accounts where username = 'ann'");
        Assert.Contains("1 ann -", (string)(await command.ExecuteScalarAsync())!, StringComparison.Ordinal);   // replaced as a whole
        Assert.Equal(403, (await SendAsync(HttpMethod.Put, "/v1/accounts/u1", "{}", ApiServer.DashboardToken)).Status);
    }

    [Fact]
    public async Task An_account_is_renamed_only_by_its_property_s_keys_and_events()
    {
        var (shop, blog, all) = (await server.NewTokenAsync(AccessRole.Ingest, property: "shop"), await server.NewTokenAsync(AccessRole.Ingest, property: "blog"), await server.NewTokenAsync(AccessRole.Ingest));
        await PutAsync(200, "own", shop, """{"username":"ann"}""");                            // new: the shop's
        await PutAsync(403, "own", blog, """{"username":"eve"}""");
        await PutAsync(403, "own", blog, """{"username":"eve","propertyId":"shop"}""");        // nor by saying so
        await PutAsync(200, "own", shop, """{"username":"anne"}""");
        await PutAsync(200, "shared", all, """{"username":"bob"}""");                          // of all properties
        await PutAsync(403, "shared", shop, """{"username":"eve"}""");
        await PutAsync(200, "shared", all, """{"username":"bob","propertyId":"blog"}""");      // given to the blog
        await PutAsync(200, "shared", blog, """{"username":"bobby"}""");
        Assert.Equal(["own|anne|shop", "shared|bobby|blog"], await AccountsAsync("own", "shared"));

        // Anybody may send an event to any property, also one that did not exist before.
        await server.StoreAsync(
            Told.Event("eve", "2026-03-02T10:00:00Z", property: "made-by-eve") with { AccountId = "own", AccountUsername = "eve", OccurredAt = TimeProvider.System.GetUtcNow().AddMinutes(1), ReceivedAt = TimeProvider.System.GetUtcNow() },
            Told.Event("ann", "2026-03-02T10:00:00Z", property: "shop") with { AccountId = "fresh", AccountUsername = "first" },
            Told.Event("eve", "2026-03-02T10:00:00Z", property: "blog") with { AccountId = "other", AccountUsername = "x" });
        await server.StoreAsync(
            Told.Event("eve", "2026-03-02T11:00:00Z", property: "blog") with { AccountId = "fresh", AccountUsername = "eve" },
            Told.Event("ann", "2026-03-02T10:30:00Z", property: "shop") with { AccountId = "fresh", AccountUsername = "second" });
        Assert.Equal(["fresh|second|shop", "own|anne|shop"], await AccountsAsync("fresh", "own"));

        async Task PutAsync(int expected, string id, string key, string json)
        {
            var (status, body) = await SendAsync(HttpMethod.Put, $"/v1/accounts/{id}", json, key);
            Assert.True(expected == status, $"{id} {json}: {status} {body}");
            if (status == 403) Assert.Contains(body.GetProperty("error").GetString(), new[] { "account_not_allowed", "property_not_allowed" });
        }

        Task<List<string>> AccountsAsync(params string[] ids) => server.Database.RowsAsync("select id, username, property_id from accounts where id = any (@ids) order by id", ("ids", ids));
    }

    [Theory]
    [InlineData("/v1/experiments", "", "invalid_json", null)]
    [InlineData("/v1/experiments", "[1]", "invalid_json", null)]
    [InlineData("/v1/experiments", "null", "invalid_json", null)]
    [InlineData("/v1/experiments", """{"id":1}""", "invalid_json", "id")]
    [InlineData("/v1/experiments", """{"id":"a b","variants":[{"id":"x"},{"id":"y"}],"metric":{"eventType":"e"}}""", "validation_failed", "id")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"}],"metric":{"eventType":"e"}}""", "validation_failed", "variants")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"x"}],"metric":{"eventType":"e"}}""", "validation_failed", "variants[1].id")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},null],"metric":{"eventType":"e"}}""", "validation_failed", "variants[1].id")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x","weight":0},{"id":"y"}],"metric":{"eventType":"e"}}""", "validation_failed", "variants[0].weight")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"y"}],"control":"z","metric":{"eventType":"e"}}""", "validation_failed", "control")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"y"}]}""", "validation_failed", "metric.eventType")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"y"}],"metric":{"eventType":"e","withinHours":721}}""", "validation_failed", "metric.withinHours")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"y"}],"metric":{"eventType":"e"},"start":"1.3.2026"}""", "validation_failed", "start")]
    [InlineData("/v1/experiments", """{"id":"a","variants":[{"id":"x"},{"id":"y"}],"metric":{"eventType":"e"},"start":"2026-03-02","end":"2026-03-01"}""", "validation_failed", "end")]
    [InlineData("/v1/experiments", """{"id":"a","propertyId":"../x","variants":[{"id":"x"},{"id":"y"}],"metric":{"eventType":"e"}}""", "validation_failed", "propertyId")]
    [InlineData("/v1/funnels", """{"name":"a'; drop table funnels","steps":[]}""", "validation_failed", "name")]
    [InlineData("/v1/funnels", """{"name":"a"}""", "validation_failed", "steps")]
    [InlineData("/v1/funnels", """{"name":"a","windowHours":0,"steps":[{"name":"x","eventTypes":["e"]},{"name":"y","eventTypes":["e"]}]}""", "validation_failed", "windowHours")]
    [InlineData("/v1/funnels", """{"name":"a","steps":[{"name":"x","eventTypes":["e"]},{"name":"x","eventTypes":["e"]}]}""", "validation_failed", "steps[1].name")]
    [InlineData("/v1/funnels", """{"name":"a","steps":[{"name":"x","eventTypes":[]},{"name":"y","eventTypes":["e"]}]}""", "validation_failed", "steps[0].eventTypes")]
    [InlineData("/v1/funnels", """{"name":"a","steps":[{"name":"x","eventTypes":["e"],"path":"p"},{"name":"y","eventTypes":["e"]}]}""", "validation_failed", "steps[0].path")]
    [InlineData("/v1/funnels", """{"name":"a","steps":[{"name":"x","eventTypes":["e"],"props":{"k":null}},{"name":"y","eventTypes":["e"]}]}""", "validation_failed", "steps[0].props")]
    public async Task Bad_definitions_are_refused_by_field(string url, string json, string error, string? field)
    {
        var (status, body) = await SendAsync(HttpMethod.Post, url, json);
        Assert.Equal((400, error), (status, body.GetProperty("error").GetString()));
        Assert.False(body.GetProperty("ok").GetBoolean());
        Assert.Equal(field, body.TryGetProperty("parameter", out var parameter) ? parameter.GetString() : null);
        Assert.NotEmpty(body.GetProperty("message").GetString()!);
    }

    [Fact]
    public async Task Only_the_right_keys_define_and_bodies_have_limits()
    {
        Assert.Equal(401, (await SendAsync(HttpMethod.Post, "/v1/experiments", "{}", key: null)).Status);
        Assert.Equal(403, (await SendAsync(HttpMethod.Post, "/v1/funnels", "{}", ApiServer.DashboardToken)).Status);
        Assert.Equal(415, (await SendAsync(HttpMethod.Post, "/v1/funnels", "{}", type: "text/plain")).Status);
        Assert.Equal(413, (await SendAsync(HttpMethod.Post, "/v1/funnels", $"{{\"name\":\"{new string('x', 70_000)}\"}}")).Status);
        var scoped = await server.NewTokenAsync(AccessRole.Admin, property: "other");
        Assert.Equal(403, (await SendAsync(HttpMethod.Post, "/v1/experiments", """{"id":"a","propertyId":"default"}""", scoped)).Status);
    }
}
