using System.Diagnostics;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>
/// A site, the server that counts it, and its database: what browser tests stand on. One for all of them, started when the
/// first asks: each test has paths and a browser profile of its own.
/// </summary>
public sealed class TrackedSite : IAsyncLifetime
{
    private const string Activity = "/t.activity";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan Linger = TimeSpan.FromMilliseconds(700);
    private static readonly SemaphoreSlim Once = new(1, 1);
    private static readonly HttpClient Http = new();
    private static WebApplication? server;
    private static TestSite? site;
    private static TestDatabase? database;

    internal TestSite Site => site!;
    public TestDatabase Database => database!;

    /// <summary>The server's address, as pages know it.</summary>
    public string Server => Site.Server;

    public async ValueTask InitializeAsync()
    {
        await Once.WaitAsync();
        try
        {
            if (server is not null) return;
            database = await TestDatabase.CreateAsync();
            site = await TestSite.StartAsync();
            server = FootfallHost.Build(["--DataDir", TestFolder.New("tracker"), "--Postgres:ConnectionString", database.ConnectionString, "--urls", "http://127.0.0.1:0", "--Demo:Enabled", "true", "--Logging:LogLevel:Default", "None"]);
            await server.StartAsync();
            await server.Services.GetRequiredService<DatabaseGate>().WaitAsync(CancellationToken.None);
            site.Server = $"http://stats.test:{new Uri(server.Urls.First()).Port}";
        }
        finally
        {
            Once.Release();
        }
    }

    public ValueTask DisposeAsync() => ValueTask.CompletedTask;

    /// <summary>At the end of the run.</summary>
    internal static async Task StopAsync()
    {
        if (server is not null)
        {
            await server.StopAsync();
            await server.DisposeAsync();
        }
        if (site is not null) await site.DisposeAsync();
        if (database is not null) await database.DisposeAsync();
    }

    /// <summary>A new browser profile.</summary>
    internal static async Task<IBrowserContext> ProfileAsync(Action<BrowserNewContextOptions>? change = null)
    {
        var options = new BrowserNewContextOptions { ViewportSize = new() { Width = 1000, Height = 800 } };
        change?.Invoke(options);
        var profile = await (await TestBrowser.GetAsync()).NewContextAsync(options);
        await profile.AddInitScriptAsync($"document.addEventListener('load', e => {{ if (e.target.src?.includes('{Activity}')) e.target.ran = true }}, true)");
        return profile;
    }

    /// <summary>
    /// Waits until what runs on the page is there, however long it takes: the file that comes last of those that are always
    /// loaded. The core has asked for it when the page has loaded; on a page that is not counted it asks for none.
    /// </summary>
    internal static Task RunningAsync(IPage page) => page.EvaluateAsync($$"""
        new Promise(done => (function look() {
          const script = document.querySelector("script[src*='{{Activity}}']");
          if (document.readyState === 'complete' && (!script || script.ran)) done();
          else setTimeout(look, 20);
        })())
        """);

    /// <summary>Waits by the page's own clock, on which what the page had put off until then has been done.</summary>
    internal static Task PassAsync(IPage page, int milliseconds) => page.EvaluateAsync("ms => new Promise(done => setTimeout(done, ms))", milliseconds);

    /// <summary>Waits until the page has had an idle moment after those that it was asked for before, and what came of it.</summary>
    internal static async Task IdleAsync(IPage page)
    {
        await RunningAsync(page);
        await page.EvaluateAsync("new Promise(done => requestIdleCallback(done))");
        await PassAsync(page, 300);
    }

    /// <summary>
    /// Waits until the query gives the rows, and until all that the server has taken so far is stored, so that one row too
    /// many shows. Rows that are right at the first look prove nothing yet: a page may still have something to send.
    /// </summary>
    public async Task ShowsAsync(string sql, params string[] expected)
    {
        var watch = Stopwatch.StartNew();
        for (var look = 0; watch.Elapsed < Patience; look++)
        {
            if ((await Database.RowsAsync(sql)).SequenceEqual(expected))
            {
                if (look == 0) await Task.Delay(Linger);
                await DrainedAsync();
                break;
            }
            await Task.Delay(50);
        }
        Assert.Equal(expected, await Database.RowsAsync(sql));
    }

    /// <summary>Events are stored in the order in which they were taken: with one of ours all before it are there.</summary>
    private async Task DrainedAsync()
    {
        var marker = $"/{Guid.NewGuid()}";
        using var body = new StringContent($$"""{"eventType":"marker","path":"{{marker}}","traffic":{"propertyId":"marker"} }""");
        using (await Http.PostAsync($"http://127.0.0.1:{new Uri(Server).Port}/v1/events", body)) { }
        for (var i = 0; i < 200 && await Database.ScalarAsync<long>("select count(*) from events where property_id = 'marker' and path = @path", ("path", marker)) == 0; i++) await Task.Delay(20);
    }

    /// <summary>Waits until the query gives a row, and returns its first column.</summary>
    public async Task<T> FirstAsync<T>(string sql)
    {
        var watch = Stopwatch.StartNew();
        while (watch.Elapsed < Patience)
        {
            if ((await Database.RowsAsync(sql)).Count > 0) return (await Database.ScalarAsync<T>(sql))!;
            await Task.Delay(50);
        }
        Assert.Fail($"No row within {Patience}: {sql}");
        return default!;
    }

    /// <summary>Waits until this many events of the type on the path, and on those below it, are stored.</summary>
    public Task StoredAsync(string path, string eventType, int count) =>
        ShowsAsync($"select count(*) from events where (path = '{path}' or path like '{path}/%') and event_type = '{eventType}'", $"{count}");
}
