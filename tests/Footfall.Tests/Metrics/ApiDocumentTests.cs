using System.Net;
using System.Text.Json;
using System.Text.Json.Nodes;
using Footfall.Capture;
using Footfall.Metrics;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Metrics;

public sealed class ApiDocumentTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Accept = "FOOTFALL_ACCEPT_OPENAPI";
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    [Fact]
    public async Task A_changed_contract_is_a_visible_diff()
    {
        var now = JsonNode.Parse(await server.Client.GetStringAsync("/openapi/v1.json"))!.ToJsonString(Indented).ReplaceLineEndings("\n") + "\n";
        var file = Path.Combine(Root(), "tests", "Footfall.Tests", "Metrics", "openapi.v1.json");
        if (Environment.GetEnvironmentVariable(Accept) == "1") await File.WriteAllTextAsync(file, now);
        var before = await File.ReadAllTextAsync(file);
        var difference = before.Split('\n').Zip(now.Split('\n')).Select((lines, n) => (n, lines.First, lines.Second)).FirstOrDefault(l => l.First != l.Second);
        Assert.True(before == now, $"The API's document differs from tests/Footfall.Tests/Metrics/openapi.v1.json at line {difference.n + 1}:\n- {difference.First}\n+ {difference.Second}\nIf that is meant, run this test with {Accept}=1 and commit the file.");
    }

    [Fact]
    public async Task Every_endpoint_of_the_api_is_in_it()
    {
        var paths = (await server.JsonAsync("/openapi/v1.json")).GetProperty("paths").EnumerateObject().Select(p => p.Name).ToHashSet();
        var mapped = server.Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .Select(e => "/" + e.RoutePattern.RawText!.TrimStart('/')).Where(p => p.StartsWith("/v1/", StringComparison.Ordinal) || p.StartsWith("/api/", StringComparison.Ordinal)).ToHashSet();
        Assert.Contains("/v1/events", mapped);
        Assert.Empty(mapped.Except(paths));
    }

    [Fact]
    public void The_events_fields_are_those_of_the_reader()
    {
        var schema = JsonSerializer.SerializeToNode(Fields(EventsOperation.Event(), ""));
        var read = new[] { EventFields.Event, EventFields.UtmFields, EventFields.AccountFields, EventFields.TrafficFields, EventFields.WebVitalFields }.SelectMany(t => t.Select(f => f.Name));
        Assert.Equal(read.Order(StringComparer.Ordinal), schema!.AsArray().Select(n => n!.ToString()).Order(StringComparer.Ordinal));

        static IEnumerable<string> Fields(Microsoft.OpenApi.IOpenApiSchema schema, string prefix) =>
            (schema.Properties ?? new Dictionary<string, Microsoft.OpenApi.IOpenApiSchema>()).SelectMany(p => Fields(p.Value, $"{prefix}{p.Key}.").Prepend(prefix + p.Key));
    }

    private static readonly string[] MayBeMissing = ["eventVolumeByName.", "sessionsBySource.", "trafficSourceMix.", ".thresholds.", ".isConfigured", ".analysis.definition", ".steps[].path", ".steps[].props."];

    /// <summary>Everything that is asked with GET and answered with figures or definitions, and what to ask so that each member of the answer is there.</summary>
    private static readonly (string Path, string Query)[] Asked =
    [
        ("/v1/metrics/summary", "?propertyId=doc&from=2026-01-05&to=2026-01-05&compareTo=previous_period"),
        ("/v1/metrics/daily", "?property=doc&from=2026-01-05&to=2026-01-05"),
        ("/v1/metrics/breakdown", "?property=doc&from=2026-01-05&to=2026-01-05&dimension=path&metrics=visitors,page_views"),
        ("/v1/metrics/timeseries", "?property=doc&from=2026-01-05&to=2026-01-05&interval=day&metrics=visitors"),
        ("/v1/metrics/retention", "?property=doc&from=2026-01-05&to=2026-01-18&interval=week"),
        ("/v1/metrics/journeys", "?property=doc&from=2026-01-05&to=2026-01-05&path=/pricing"),
        ("/v1/metrics/realtime", "?property=doc"),
        ("/v1/metrics/vitals", "?property=doc&from=2026-01-05&to=2026-01-05"),
        ("/v1/metrics/experiments", "?property=doc&from=2026-01-05&to=2026-01-05&experiment_id=button"),
        ("/v1/metrics/funnels", "?property=doc&from=2026-01-05&to=2026-01-05&funnel_name=core_journey"),
        ("/api/analytics/time-series", "?property=doc&date_from=2026-01-05&date_to=2026-01-05&entity_type=profile&entity_id=42&period=weekly"),
        ("/api/analytics/visitors", "?property=doc&date_from=2026-01-05&date_to=2026-01-05&entity_type=profile&entity_id=42"),
        ("/v1/experiments", "?propertyId=doc"),
        ("/v1/experiments/{id}/variant", "?propertyId=doc&userId=u"),
        ("/v1/funnels", "?propertyId=doc"),
        ("/v1/healthz", ""),
    ];

    [Fact]
    public async Task Examples_have_exactly_the_members_of_real_answers()
    {
        await server.StoreAsync(
            Told.Event("doc", "2026-01-05T10:00:00", path: "/pricing", property: "doc", props: """{"lcpMs":1200}""", referrerHost: "google.com", source: Footfall.Capture.TrafficSource.OrganicSearch) with { EntityType = "profile", EntityId = "42", Referrer = "https://google.com/", AccountId = "7", AccountUsername = "ann" },
            Told.Event("doc2", "2026-01-05T10:00:00", path: "/pricing", property: "doc"),
            Told.Event("doc2", "2026-01-05T10:01:00", "app_opened", property: "doc"),
            Told.Event("doc2", "2026-01-05T10:02:00", "experiment_assigned", property: "doc", props: """{"experimentId":"button","variantId":"red"}"""),
            Told.Event("doc2", "2026-01-05T10:03:00", "purchase", property: "doc"),
            Told.Event("doc3", "2026-01-05T10:02:00", "experiment_assigned", property: "doc", props: """{"experimentId":"button","variantId":"blue"}"""),
            Told.Event("doc3", "2026-01-05T10:03:00", "purchase", property: "doc"),
            Told.Event("now", TimeProvider.System.GetUtcNow().AddSeconds(-1).ToString("O"), property: "doc", referrerHost: "google.com"));
        await PostAsync("/v1/experiments", """{"id":"button","propertyId":"doc","variants":[{"id":"red"},{"id":"blue"}],"metric":{"eventType":"purchase"},"start":"2026-01-01","end":"2026-12-31"}""");
        await PostAsync("/v1/funnels", """{"name":"buy","propertyId":"doc","steps":[{"name":"see","eventTypes":["page_view"],"path":"/p*"},{"name":"buy","eventTypes":["purchase"],"props":{"plan":"pro"}}]}""");
        await server.RollUpAsync();

        var document = await server.JsonAsync("/openapi/v1.json");
        (string Path, string Query, string? Body)[] asked =
        [
            .. Asked.Select(a => (a.Path, a.Query, (string?)null)),
            ("/v1/metrics/funnel", "", """{"property":"doc","from":"2026-01-05","to":"2026-01-05","by":"device","steps":[{"path":"/*"},{"eventType":"purchase"},{"eventType":"purchase"}]}"""),
            ("/v1/metrics/query", "", """{"property":"doc","from":"2026-01-05","to":"2026-01-05","dimension":"source","metrics":["visitors","sum:prop:revenue"]}"""),
        ];
        foreach (var (path, query, question) in asked)
        {
            var example = document.GetProperty("paths").GetProperty(path).GetProperty(question is null ? "get" : "post").GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("example");
            using var request = new HttpRequestMessage(question is null ? HttpMethod.Get : HttpMethod.Post, path.Replace("{id}", "button", StringComparison.Ordinal) + query);
            if (question is not null) request.Content = new StringContent(question, System.Text.Encoding.UTF8, "application/json");
            request.Headers.Add("x-admin-key", ApiServer.AdminKey);
            using var response = await server.Client.SendAsync(request);
            var real = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
            Assert.True(response.StatusCode == HttpStatusCode.OK, $"{path}: {real}");
            var (told, answered) = (Shape(example, "").ToHashSet(), Shape(real, "").ToHashSet());
            told.RemoveWhere(t => MayBeMissing.Any(m => t.Contains(m, StringComparison.Ordinal)));
            Assert.True(told.IsSubsetOf(answered), $"{path}: the example has what no answer has: {string.Join(", ", told.Except(answered))}");
            // What hangs on what was asked, or on names of the property's own, need not be in the example.
            Assert.True(answered.IsSubsetOf([.. told, .. answered.Where(a => MayBeMissing.Any(m => a.Contains(m, StringComparison.Ordinal)))]), $"{path}: the example lacks {string.Join(", ", answered.Except(told))}");
        }

        async Task PostAsync(string url, string json)
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, url) { Content = new StringContent(json, System.Text.Encoding.UTF8, "application/json") };
            request.Headers.Add("x-admin-key", ApiServer.AdminKey);
            using var response = await server.Client.SendAsync(request);
            Assert.Equal(HttpStatusCode.Created, response.StatusCode);
        }

        static IEnumerable<string> Shape(JsonElement e, string at) => e.ValueKind switch
        {
            JsonValueKind.Object => e.EnumerateObject().SelectMany(p => Shape(p.Value, $"{at}.{p.Name}").Prepend($"{at}.{p.Name}")),
            JsonValueKind.Array => e.EnumerateArray().SelectMany(i => Shape(i, $"{at}[]")),
            _ => [],
        };
    }

    [Fact]
    public async Task Bodies_of_questions_have_the_members_that_are_read()
    {
        foreach (var (path, type) in new[] { ("/v1/metrics/funnel", typeof(FunnelRequest)), ("/v1/metrics/query", typeof(QueryRequest)) })
        {
            using var request = new HttpRequestMessage(HttpMethod.Post, path) { Content = new StringContent("""{"nonsense":1,"steps":[{"path":"/"},{"path":"/"}],"dimension":"path"}""", System.Text.Encoding.UTF8, "application/json") };
            request.Headers.Add("x-admin-key", ApiServer.AdminKey);
            using var response = await server.Client.SendAsync(request);
            var message = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement.GetProperty("message").GetString()!;
            var read = message[(message.IndexOf("there are ", StringComparison.Ordinal) + "there are ".Length)..].TrimEnd('.').Split(", ").Where(m => m != "propertyId");
            Assert.Equal(type.GetProperties().Select(p => JsonNamingPolicy.CamelCase.ConvertName(p.Name)).Order(StringComparer.Ordinal), read.Order(StringComparer.Ordinal));
        }
    }

    [Fact]
    public async Task People_can_read_it_without_anything_from_elsewhere()
    {
        using var response = await server.Client.GetAsync("/openapi");
        Assert.Equal(HttpStatusCode.OK, response.StatusCode);
        var page = await response.Content.ReadAsStringAsync();
        Assert.Contains("/v1/metrics/breakdown", page);
        Assert.Contains("POST /v1/events", page);
        Assert.DoesNotContain("style=", page);
        Assert.DoesNotContain("<script>", page);
        Assert.DoesNotMatch("(src|href)=\"https?:", page);
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Footfall.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }
}
