using System.Collections.Concurrent;
using System.Text;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Xunit;

namespace Footfall.Tests.Telemetry;

public sealed class OtlpTests
{
    [Fact]
    public async Task A_collector_gets_metrics_and_traces_and_nothing_of_a_person()
    {
        await using var collector = await Collector.StartAsync();
        await using (var api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", $"--OTEL_EXPORTER_OTLP_ENDPOINT={collector.Address}", "--Telemetry:OtlpHeaders=x-team=one", "--Telemetry:TraceRatio=1"))
        {
            using var body = new StringContent("""{"eventType":"page_view","path":"/secret-page","anonId":"secret-visitor","accountId":"secret-account"}""", Encoding.UTF8, "application/json");
            using (await api.Client.PostAsync("/v1/events?secret-query=1", body)) { }
            using (await api.Client.GetAsync("/secret-address")) { }
            using (await api.GetAsync("/v1/leads?email=secret-ann@example.com", ("x-admin-key", ApiServer.AdminKey), ("User-Agent", "secret-agent"))) { }
            using (await api.GetAsync("/v1/leads/not-a-number/export?secret-query=1", ("x-admin-key", ApiServer.AdminKey))) { }
        }   // stopping sends what is left

        Assert.All(collector.Got, g => Assert.Equal("one", g.Team));
        var metrics = collector.Of("/v1/metrics");
        var traces = collector.Of("/v1/traces");
        foreach (var name in (string[])["footfall", "footfall.capture.events", "footfall.journal.size", "footfall.http.request.duration", "db.client.connection.count", "dotnet.process.cpu.time"]) Assert.Contains(name, metrics, StringComparison.Ordinal);
        foreach (var name in (string[])["service.name", "POST /v1/events", "GET /v1/leads", "GET none", "http.route"]) Assert.Contains(name, traces, StringComparison.Ordinal);
        Assert.DoesNotContain("secret-", metrics + traces, StringComparison.Ordinal);
        Assert.DoesNotContain("127.0.0.1", traces, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_collector_that_is_away_holds_nothing_up()
    {
        await using var api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Telemetry:OtlpEndpoint=http://127.0.0.1:9", "--Telemetry:TraceRatio=1");
        using var body = new StringContent("""{"eventType":"page_view","anonId":"some-visitor"}""", Encoding.UTF8, "application/json");
        using var answer = await api.Client.PostAsync("/v1/events", body);
        Assert.Equal(202, (int)answer.StatusCode);
    }

    /// <summary>Takes what a collector would; protobuf keeps its texts readable.</summary>
    private sealed class Collector : IAsyncDisposable
    {
        private readonly WebApplication app;

        private Collector(WebApplication app) => this.app = app;

        public ConcurrentQueue<(string Path, string Team, string Body)> Got { get; } = new();

        public string Address => app.Urls.First();

        public string Of(string path) => string.Concat(Got.Where(g => g.Path == path).Select(g => g.Body));

        public static async Task<Collector> StartAsync()
        {
            var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
            builder.WebHost.UseKestrelCore().UseUrls("http://127.0.0.1:0");
            var collector = new Collector(builder.Build());
            collector.app.Run(async context =>
            {
                using var bytes = new MemoryStream();
                await context.Request.Body.CopyToAsync(bytes);
                collector.Got.Enqueue((context.Request.Path.Value!, context.Request.Headers["x-team"].ToString(), Encoding.Latin1.GetString(bytes.ToArray())));
            });
            await collector.app.StartAsync();
            return collector;
        }

        public async ValueTask DisposeAsync()
        {
            await app.StopAsync();
            await app.DisposeAsync();
        }
    }
}
