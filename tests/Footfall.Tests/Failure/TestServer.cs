using System.Collections.Concurrent;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;

namespace Footfall.Tests.Failure;

/// <summary>The whole server inside the test's process, on a real port: for tests that need its clock or its disk, and no killing.</summary>
internal sealed class TestServer : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(2);
    private readonly WebApplication app;

    private TestServer(WebApplication app, HeardLog log)
    {
        this.app = app;
        Log = log;
        Client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
    }

    public HttpClient Client { get; }
    public HeardLog Log { get; }
    public IServiceProvider Services => app.Services;

    /// <summary>Configuration as on a command line. Each service of <paramref name="change"/> takes the place of the product's own.</summary>
    public static async Task<TestServer> StartAsync(string dataFolder, Action<IServiceCollection>? change, params string[] arguments)
    {
        var log = new HeardLog();
        var built = FootfallHost.Build(["--DataDir", dataFolder, "--urls", "http://127.0.0.1:0", "--environment", "Production", "--Postgres:Binaries", TestPostgres.Binaries.ToString(), .. arguments], builder =>
        {
            builder.Logging.ClearProviders().AddProvider(log);
            change?.Invoke(builder.Services);
        });
        try
        {
            await built.StartAsync();
            // It listens before its database is open; a test that starts then finds some of its work not done yet, on a slow machine.
            await built.Services.GetRequiredService<DatabaseGate>().WaitAsync(CancellationToken.None).WaitAsync(Patience);
            return new TestServer(built, log);
        }
        catch
        {
            await built.DisposeAsync();
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app.StopAsync();
        await app.DisposeAsync();
    }
}

/// <summary>Keeps what the server logs.</summary>
internal sealed class HeardLog : ILoggerProvider, ILogger
{
    private readonly ConcurrentQueue<(LogLevel Level, string Line)> lines = new();

    public List<string> Errors => [.. lines.Where(l => l.Level >= LogLevel.Error).Select(l => l.Line)];

    public ILogger CreateLogger(string categoryName) => this;
    public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;
    public bool IsEnabled(LogLevel logLevel) => logLevel != LogLevel.None;

    public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
        lines.Enqueue((logLevel, $"{eventId.Id}: {formatter(state, exception)} {exception}"));

    public void Dispose()
    {
    }
}

/// <summary>The real clock, put forward or back; its timers and intervals are the real ones, as those of a machine whose clock is set are.</summary>
internal sealed class ShiftedTime : TimeProvider
{
    private long shift;

    public void Shift(TimeSpan by) => Interlocked.Exchange(ref shift, by.Ticks);

    /// <summary>It is now so late, and time goes on from there.</summary>
    public void Set(DateTimeOffset now) => Shift(now - base.GetUtcNow());

    public override DateTimeOffset GetUtcNow() => base.GetUtcNow().AddTicks(Interlocked.Read(ref shift));
}
