using System.Net;
using System.Net.Http.Headers;
using System.Text;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Telemetry;

public sealed class MetricsEndpointTests(MetricsEndpointTests.Server server) : IClassFixture<MetricsEndpointTests.Server>
{
    private const string MetricsKey = "a-key-for-metrics-alone";

    public sealed class Server : IAsyncLifetime
    {
        public ApiServer Api { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", $"--Telemetry:MetricsKey={MetricsKey}", "--Access:FailedAttemptsPerMinute=1000", "--Capture:RateLimit:Enabled=false");

        public ValueTask DisposeAsync() => Api.DisposeAsync();
    }

    [Fact]
    public async Task What_became_of_events_is_counted_by_outcome()
    {
        var before = await ReadAsync();
        await SendAsync("""[{"eventType":"page_view","anonId":"metrics-visitor"},{"eventType":"page_view","anonId":"metrics-visitor"}]""");
        await SendAsync("""{"eventType":""}""");
        await SendAsync("{");
        await SendAsync("""{"eventType":"page_view","anonId":"metrics-visitor"}""", ("Sec-GPC", "1"));

        var after = await ReadAsync();
        Assert.Equal(3, Grown("""footfall_capture_events_total{outcome="accepted",reason=""}"""));
        Assert.Equal(1, Grown("""footfall_capture_events_total{outcome="rejected",reason="validation_failed"}"""));
        Assert.Equal(1, Grown("""footfall_capture_events_total{outcome="rejected",reason="invalid_json"}"""));
        Assert.Equal(4, Grown("footfall_capture_duration_seconds_count"));
        Assert.True(Grown("footfall_journal_flush_duration_seconds_count") >= 2);
        await Eventually.HoldsAsync(async () =>
        {
            after = await ReadAsync();
            return Grown("footfall_ingest_events_total") >= 3 && Grown("footfall_ingest_lag_seconds_count") >= 1 ? null : "not ingested";
        }, TestContext.Current.CancellationToken);

        double Grown(string name) => after.Series.GetValueOrDefault(name) - before.Series.GetValueOrDefault(name);
    }

    [Fact]
    public async Task It_tells_of_journal_pool_process_and_health()
    {
        // A process of its own: Npgsql counts the connections of all servers in one.
        var ct = TestContext.Current.CancellationToken;
        await using var database = await TestDatabase.CreateAsync();
        await using var process = await ServerProcess.StartListeningAsync(TestFolder.New("metrics"), ct, "--Postgres:ConnectionString", database.ConnectionString, "--Postgres:MaxPoolSize", "13", "--Access:AdminKey", ApiServer.AdminKey, "--Telemetry:MetricsKey", MetricsKey);
        await process.ReadyAsync(ct);
        using var request = new HttpRequestMessage(HttpMethod.Get, "/metrics") { Headers = { Authorization = new("Bearer", MetricsKey) } };
        using var answer = await process.Client.SendAsync(request, ct);
        var now = Exposition.Read(await answer.Content.ReadAsStringAsync(ct));
        Assert.Equal(1, now["footfall_ready"]);
        Assert.Equal(1L << 30, now["footfall_journal_limit_bytes"]);
        Assert.Equal(0, now["footfall_journal_failing"]);
        Assert.InRange(now["footfall_journal_age_seconds"], 0, 60);
        Assert.Equal(13, now["db_client_connection_max"]);
        Assert.InRange(now["""db_client_connection_count{db_client_connection_state="idle"}"""] + now["""db_client_connection_count{db_client_connection_state="used"}"""], 1, 13);
        Assert.True(now["db_client_operation_duration_seconds_count"] > 0);
        Assert.True(now["dotnet_process_memory_working_set_bytes"] > 1 << 20);
        Assert.True(now["footfall_process_open_files"] > 10);
        Assert.Equal("gauge", now.Types["dotnet_thread_pool_thread_count"]);
        Assert.Single(now.Series, s => s.Key.StartsWith("footfall_build{version=", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Whatever_strangers_send_makes_no_new_series_and_names_nobody()
    {
        const string Secret = "zq7x";
        string[] methods = ["GET", "POST", "BREW", Secret.ToUpperInvariant(), "DELETE"];
        // Once each, so that what is new below is not what nobody had asked before.
        foreach (var method in methods) await AskAsync(method, $"/{Secret}");
        await SendAsync(Event("first"), ("User-Agent", $"{Secret}/1.0"));
        await SendAsync("""{"eventType":""}""");
        await ReadAsync();
        var before = await ReadAsync();
        for (var i = 0; i < 300; i++)
        {
            await AskAsync(methods[i % methods.Length], $"/{Secret}{i}/page?{Secret}={i}");
            await SendAsync(Event($"{i}"), ("User-Agent", $"{Secret}/{i}"), ("X-Forwarded-For", $"192.0.2.{i % 250}"));
        }
        var after = await ReadAsync();
        Assert.DoesNotContain(after.Series.Keys.Except(before.Series.Keys), s => !s.Contains("ingest_", StringComparison.Ordinal) && !s.Contains("db_client", StringComparison.Ordinal));
        Assert.DoesNotContain(after.Series.Keys, s => s.Contains(Secret, StringComparison.OrdinalIgnoreCase) || s.Contains("127.0.0.1", StringComparison.Ordinal) || s.Contains("Host=", StringComparison.Ordinal));

        static string Event(string n) => $$$"""{"eventType":"{{{Secret}}}_{{{n}}}","path":"/{{{Secret}}}/{{{n}}}","anonId":"{{{Secret}}}-visitor-{{{n}}}","traffic":{"propertyId":"p{{{Secret}}}"}}""";
    }

    [Fact]
    public async Task The_admin_key_and_its_own_key_read_it_and_nobody_else_does()
    {
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/metrics"));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/metrics", ("Authorization", "Bearer wrong-key-wrong-key")));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/metrics", ("x-admin-key", ApiServer.AdminKey)));
        Assert.Equal(HttpStatusCode.OK, await StatusAsync("/metrics", ("Authorization", $"Bearer {MetricsKey}")));
        Assert.Equal(HttpStatusCode.Unauthorized, await StatusAsync("/v1/leads", ("Authorization", $"Bearer {MetricsKey}")));
        var reader = await server.Api.NewTokenAsync(Footfall.Access.AccessRole.Dashboard);
        Assert.Equal(HttpStatusCode.Forbidden, await StatusAsync("/metrics", ("Authorization", $"Bearer {reader}")));
    }

    [Fact]
    public async Task A_port_of_its_own_has_nothing_else()
    {
        await using var api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Telemetry:MetricsUrl=http://127.0.0.1:0");
        var address = ((Footfall.Telemetry.MetricsListener)api.Services.GetService(typeof(Footfall.Telemetry.MetricsListener))!).Address!;
        using var client = new HttpClient { BaseAddress = new Uri(address) };
        Exposition.Read(await client.GetStringAsync("/metrics"));
        foreach (var path in (string[])["/", "/v1/healthz", "/v1/leads", "/v1/events", "/metrics/"])
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
        }
        // Its own address still asks for a key.
        using var guarded = await api.Client.GetAsync("/metrics");
        Assert.Equal(HttpStatusCode.Unauthorized, guarded.StatusCode);
    }

    private async Task<Exposition> ReadAsync()
    {
        using var answer = await server.Api.GetAsync("/metrics", ("Authorization", $"Bearer {MetricsKey}"));
        Assert.Equal("text/plain", answer.Content.Headers.ContentType!.MediaType);
        return Exposition.Read(await answer.Content.ReadAsStringAsync());
    }

    private async Task<HttpStatusCode> StatusAsync(string url, params (string, string)[] headers)
    {
        using var answer = await server.Api.GetAsync(url, headers.Length == 0 ? [("x-none", "1")] : headers);
        return answer.StatusCode;
    }

    private async Task AskAsync(string method, string url)
    {
        using var request = new HttpRequestMessage(new HttpMethod(method), url);
        using var answer = await server.Api.Client.SendAsync(request);
    }

    private async Task SendAsync(string json, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new StringContent(json, Encoding.UTF8, new MediaTypeHeaderValue("application/json")) };
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        using var answer = await server.Api.Client.SendAsync(request);
        Assert.InRange((int)answer.StatusCode, 200, 499);
    }
}
