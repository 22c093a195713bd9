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

    [Fact]
    public async Task Examples_have_exactly_the_fields_of_real_answers()
    {
        await server.StoreAsync(
            Told.Event("doc", "2026-01-05T10:00:00", path: "/pricing", property: "doc", props: """{"lcpMs":1200}"""),
            Told.Event("doc2", "2026-01-05T10:00:00", path: "/pricing", property: "doc"));
        var document = await server.JsonAsync("/openapi/v1.json");
        foreach (var (path, query) in new[] { ("breakdown", "&dimension=path&metrics=visitors,page_views"), ("timeseries", "&interval=day&metrics=visitors"), ("vitals", "") })
        {
            var example = document.GetProperty("paths").GetProperty($"/v1/metrics/{path}").GetProperty("get").GetProperty("responses").GetProperty("200").GetProperty("content").GetProperty("application/json").GetProperty("example");
            var real = await server.JsonAsync($"/v1/metrics/{path}?property=doc&from=2026-01-05&to=2026-01-05{query}");
            Assert.Empty(Shape(example, "").Except(Shape(real, "")));
        }

        static IEnumerable<string> Shape(JsonElement e, string at) => e.ValueKind switch
        {
            JsonValueKind.Object => e.EnumerateObject().SelectMany(p => Shape(p.Value, $"{at}.{p.Name}").Prepend($"{at}.{p.Name}")),
            JsonValueKind.Array => e.EnumerateArray().SelectMany(i => Shape(i, $"{at}[]")),
            _ => [],
        };
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
