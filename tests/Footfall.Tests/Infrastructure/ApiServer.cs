using System.Net;
using System.Text.Json;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Infrastructure;

/// <summary>The whole server on a port of its own, with a database of the test class's own; its scheduled jobs are off.</summary>
public sealed class ApiServer : IAsyncLifetime
{
    public const string AdminKey = "an-admin-key-for-tests";
    public const string DashboardToken = "a-dashboard-token-for-tests";

    private WebApplication? app;

    public TestDatabase Database { get; private set; } = null!;
    public HttpClient Client { get; private set; } = null!;
    public IServiceProvider Services => app!.Services;

    public async ValueTask InitializeAsync() => await StartAsync($"--Access:AdminKey={AdminKey}", $"--Access:DashboardToken={DashboardToken}");

    /// <summary>With other configuration than the usual one; dispose it yourself.</summary>
    internal static async Task<ApiServer> StartNewAsync(params string[] configuration)
    {
        var server = new ApiServer();
        await server.StartAsync(configuration);
        return server;
    }

    private async Task StartAsync(params string[] configuration)
    {
        Database = await TestDatabase.CreateAsync();
        app = FootfallHost.Build([
            "--Outgoing:AllowedNetworks=127.0.0.0/8",   // where tests' stand-ins are
            "--DataDir", TestFolder.New("api"), "--urls", "http://127.0.0.1:0", "--Rollups:Enabled", "false",
            "--Postgres:ConnectionString", Database.ConnectionString, "--Postgres:MaxPoolSize", "10", .. configuration]);
        await app.StartAsync();
        await app.Services.GetRequiredService<DatabaseGate>().WaitAsync(CancellationToken.None);
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app!.StopAsync();
        await app.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>Stores events as ingestion does, closes sessions, rolls the changed days up.</summary>
    internal async Task StoreAsync(params IEnumerable<CapturedEvent> events)
    {
        var batch = new IngestBatch();
        foreach (var e in events) batch.Add(e);
        await using var writer = new BatchWriter(Database.Source, Services.GetRequiredService<EventPartitions>(), Services.GetRequiredService<IOptions<SessionsOptions>>(), TimeProvider.System);
        await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
        await RollUpAsync();
    }

    public async Task RollUpAsync()
    {
        await Services.GetRequiredService<SessionSealer>().SealAsync(default);
        Assert.Null((await Services.GetRequiredService<RollupRunner>().RunDirtyAsync(null, wait: true, default)).Error);
    }

    internal async Task<string> NewTokenAsync(AccessRole role, AccessPlan plan = AccessPlan.Free, string? property = null) =>
        (await Services.GetRequiredService<TokenStore>().CreateAsync("test", role, plan, property, default)).Text;

    /// <summary>Asks with the dashboard token unless another header is given.</summary>
    public async Task<HttpResponseMessage> GetAsync(string url, params (string Name, string Value)[] headers)
    {
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        if (headers.Length == 0 || headers.All(h => h.Name is "Accept" or "If-None-Match")) request.Headers.Add("x-dashboard-token", DashboardToken);
        foreach (var (name, value) in headers) request.Headers.TryAddWithoutValidation(name, value);
        return await Client.SendAsync(request);
    }

    public async Task<JsonElement> JsonAsync(string url)
    {
        using var response = await GetAsync(url);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, $"{(int)response.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    public async Task<(int Status, JsonElement Body)> ErrorAsync(string url, params (string Name, string Value)[] headers)
    {
        using var response = await GetAsync(url, headers);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.False(body.GetProperty("ok").GetBoolean());
        Assert.False(string.IsNullOrWhiteSpace(body.GetProperty("message").GetString()));
        return ((int)response.StatusCode, body);
    }
}

/// <summary>Events as Capture would hand them over, by what a test cares about.</summary>
internal static class Told
{
    private static int arrivals;

    public static CapturedEvent Event(
        string visitor, string at, string type = "page_view", string? path = "/", string property = "shop", bool conversion = false, int engagedMs = 0,
        string? props = null, TrafficSource source = TrafficSource.Direct, string? referrerHost = null, string? utmSource = null,
        DeviceType device = DeviceType.Desktop, string? country = null, string? received = null)
    {
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, Interlocked.Increment(ref arrivals));
        var occurred = DateTimeOffset.Parse(at, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal);
        return new CapturedEvent
        {
            Id = new Guid(id, bigEndian: true),
            VisitorId = VisitorIds.OfAnonId($"visitor-{visitor}"),
            VisitorKind = VisitorKind.AnonId,
            AnonId = $"visitor-{visitor}",
            PropertyId = property,
            EventType = type,
            Path = path,
            OccurredAt = occurred,
            ReceivedAt = received is null ? occurred.AddSeconds(1) : DateTimeOffset.Parse(received, System.Globalization.CultureInfo.InvariantCulture, System.Globalization.DateTimeStyles.AssumeUniversal),
            TrafficSource = source,
            ReferrerHost = referrerHost,
            UtmSource = utmSource,
            DeviceType = device,
            CountryCode = country,
            IsConversion = conversion,
            EngagedMs = engagedMs,
            Props = props is null ? null : System.Text.Encoding.UTF8.GetBytes(props),
        };
    }
}
