using System.Net;
using System.Text.Json;
using System.Text;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.TestHost;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Npgsql;

namespace Footfall.Tests.Capture;

/// <summary>The real endpoint on a log in memory. The database is away: capture must not notice.</summary>
internal sealed class CaptureServer : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly string folder;

    private CaptureServer(WebApplication app, string folder, SettableTime time, MemoryLog log) =>
        (this.app, this.folder, Time, Log, Client) = (app, folder, time, log, app.GetTestClient());

    public HttpClient Client { get; }
    public MemoryLog Log { get; }
    public SettableTime Time { get; }
    public IServiceProvider Services => app.Services;
    public List<OutcomeCount> Counts => Services.GetRequiredService<OutcomeCounters>().Pending();

    public static async Task<CaptureServer> StartAsync(params (string Key, string Value)[] settings)
    {
        var dataFolder = TestFolder.New("capture");
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.Configuration.AddInMemoryCollection(settings.Select(s => KeyValuePair.Create(s.Key, (string?)s.Value)));
        builder.WebHost.UseTestServer();
        var time = new SettableTime();
        var log = new MemoryLog();
        var services = builder.Services;
        services.AddRouting();
        services.AddLogging(l => l.SetMinimumLevel(LogLevel.None));
        services.AddSingleton<TimeProvider>(time);
        services.AddSingleton(new DataFolder(dataFolder));
        services.AddSingleton<ICaptureLog>(log);
        services.AddSingleton<DatabaseGate>();
        services.AddSingleton<ChangeFeed>();
        services.AddSingleton(NpgsqlDataSource.Create("Host=/nowhere;Username=nobody"));
        services.AddTrustedProxies(builder.Configuration);
        services.AddCapture(builder.Configuration);
        var server = builder.Build();
        // The test server has no connections: their address comes from this header.
        server.Use((context, next) =>
        {
            context.Connection.RemoteIpAddress = IPAddress.Parse(context.Request.Headers["test-address"].FirstOrDefault() ?? "203.0.113.7");
            return next(context);
        });
        server.UseTrustedProxies();
        server.UseRouting();
        server.MapCapture();
        await server.StartAsync();
        return new CaptureServer(server, dataFolder, time, log);
    }

    public Task<HttpResponseMessage> PostAsync(string json, params (string Name, string Value)[] headers) =>
        PostAsync(Encoding.UTF8.GetBytes(json), "application/json", headers);

    public Task<HttpResponseMessage> PostAsync(byte[] body, string? type, params (string Name, string Value)[] headers)
    {
        var request = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new ByteArrayContent(body) };
        if (type is not null) request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
        foreach (var (name, value) in headers)
        {
            if (!request.Headers.TryAddWithoutValidation(name, value)) request.Content.Headers.TryAddWithoutValidation(name, value);
        }
        return Client.SendAsync(request);
    }

    /// <summary>Sends one event that must be taken, and gives it back as it was written to the log.</summary>
    public async Task<CapturedEvent> TakenAsync(string json, params (string Name, string Value)[] headers)
    {
        var before = Log.Events.Count;
        using var response = await PostAsync(json, headers);
        var text = await response.Content.ReadAsStringAsync();
        Xunit.Assert.True(response.StatusCode == HttpStatusCode.Accepted, text);
        Xunit.Assert.Equal("""{"ok":true,"accepted":1}""", text);
        Xunit.Assert.Equal(before + 1, Log.Events.Count);
        return Log.Events[^1];
    }

    /// <summary>What was counted before is another test's.</summary>
    public async Task ForgetCountsAsync()
    {
        await Services.GetRequiredService<OutcomeCounters>().FlushAsync(CancellationToken.None);
        Log.Counts.Clear();
    }

    public static async Task<JsonElement> JsonAsync(HttpResponseMessage response) =>
        JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
        Directory.Delete(folder, recursive: true);
    }
}

/// <summary>Keeps what it is given, decoded; or refuses.</summary>
internal sealed class MemoryLog : ICaptureLog
{
    private readonly Lock gate = new();

    public List<CapturedEvent> Events { get; } = [];
    public List<OutcomeCount> Counts { get; } = [];
    public AppendResult Answer { get; set; } = AppendResult.Durable;

    public ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        lock (gate)
        {
            if (Answer == AppendResult.Durable) CaptureRecord.Read(payload.Span, Events, Counts);
        }
        return ValueTask.FromResult(Answer);
    }
}

/// <summary>A clock that stands where it is put; timers never fire.</summary>
internal sealed class SettableTime : TimeProvider
{
    public DateTimeOffset Now { get; set; } = new(2026, 3, 14, 9, 26, 53, 589, TimeSpan.Zero);

    public override DateTimeOffset GetUtcNow() => Now;
    public override long GetTimestamp() => Now.UtcTicks;
    public override long TimestampFrequency => TimeSpan.TicksPerSecond;
    public override ITimer CreateTimer(TimerCallback callback, object? state, TimeSpan dueTime, TimeSpan period) => new NoTimer();

    private sealed class NoTimer : ITimer
    {
        public bool Change(TimeSpan dueTime, TimeSpan period) => true;
        public void Dispose() { }
        public ValueTask DisposeAsync() => ValueTask.CompletedTask;
    }
}
