using System.Collections.Concurrent;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Http;
using Microsoft.AspNetCore.Routing;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging;
using Xunit;

namespace Footfall.Tests.Security;

/// <summary>The whole server, every endpoint of it, without the limits that would hide what is behind them; its log is kept.</summary>
public sealed class WatchedServer : IAsyncLifetime
{
    public const string AdminKey = "an-admin-key-for-attackers";
    private WebApplication? app;
    private TestDatabase? database;
    private readonly Lines lines = new();

    public HttpClient Client { get; private set; } = null!;

    public IServiceProvider Services => app!.Services;

    public Uri Address => Client.BaseAddress!;

    /// <summary>Every line that was logged, with its level and what was thrown.</summary>
    internal IReadOnlyCollection<string> Log => lines.Written;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        app = FootfallHost.Build(
            [
                "--DataDir", TestFolder.New("attacked"), "--urls", "http://127.0.0.1:0", "--Rollups:Enabled", "false", "--Demo:Enabled", "true",
                "--Postgres:ConnectionString", database.ConnectionString, "--Postgres:MaxPoolSize", "20", "--Access:AdminKey", AdminKey, "--Access:FailedAttemptsPerMinute", "100000",
                "--Capture:RateLimit:Enabled", "false", "--Leads:RateLimit:Enabled", "false", "--Explore:MaxConcurrentQueries", "16",
            ],
            builder => builder.Logging.AddProvider(lines));
        await app.StartAsync();
        await app.Services.GetRequiredService<DatabaseGate>().WaitAsync(CancellationToken.None);
        Client = new HttpClient(new SocketsHttpHandler { AllowAutoRedirect = false, UseCookies = false, MaxConnectionsPerServer = 64 }) { BaseAddress = new Uri(app.Urls.First()), Timeout = TimeSpan.FromSeconds(60) };
    }

    public async ValueTask DisposeAsync()
    {
        Client.Dispose();
        await app!.StopAsync();
        await app.DisposeAsync();
        await database!.DisposeAsync();
    }

    /// <summary>Every endpoint with each method that it takes.</summary>
    internal IReadOnlyList<Target> Targets() =>
    [
        .. Services.GetServices<EndpointDataSource>().SelectMany(s => s.Endpoints).OfType<RouteEndpoint>()
            .SelectMany(e => (e.Metadata.GetMetadata<IHttpMethodMetadata>()?.HttpMethods ?? [HttpMethods.Get, HttpMethods.Post])
                .Select(m => new Target(m, "/" + e.RoutePattern.RawText!.TrimStart('/'), e.Metadata.GetMetadata<ApiNotes>())))
            .DistinctBy(t => (t.Method, t.Route)).OrderBy(t => t.Route, StringComparer.Ordinal).ThenBy(t => t.Method, StringComparer.Ordinal),
    ];

    private sealed class Lines : ILoggerProvider, ILogger
    {
        private readonly ConcurrentQueue<string> written = new();

        public IReadOnlyCollection<string> Written => written;

        public ILogger CreateLogger(string categoryName) => this;

        public IDisposable? BeginScope<TState>(TState state) where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => logLevel >= LogLevel.Information;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter) =>
            written.Enqueue($"{logLevel} {eventId.Id} {formatter(state, exception)} {exception}");

        public void Dispose()
        {
        }
    }
}

/// <param name="Notes">What the API's document says of it: names of parameters, an example of a body.</param>
internal sealed record Target(string Method, string Route, ApiNotes? Notes);
