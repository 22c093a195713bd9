using System.Diagnostics;
using Footfall.Tests.Infrastructure;
using Microsoft.AspNetCore.Builder;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>A site, the server that counts it, and its database: what a class of browser tests stands on. Each test has a browser profile of its own.</summary>
public sealed class TrackedSite : IAsyncLifetime
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(20);
    private WebApplication? server;

    internal TestSite Site { get; private set; } = null!;
    public TestDatabase Database { get; private set; } = null!;
    public string Server { get; private set; } = "";

    public async ValueTask InitializeAsync()
    {
        Database = await TestDatabase.CreateAsync();
        Site = await TestSite.StartAsync();
        server = FootfallHost.Build(["--DataDir", TestFolder.New("tracker"), "--Postgres:ConnectionString", Database.ConnectionString, "--urls", "http://127.0.0.1:0", "--Demo:Enabled", "true", "--Logging:LogLevel:Default", "None"]);
        await server.StartAsync();
        Server = $"http://stats.test:{new Uri(server.Urls.First()).Port}";
        Site.Server = Server;
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null)
        {
            await server.StopAsync();
            await server.DisposeAsync();
        }
        await Site.DisposeAsync();
        await Database.DisposeAsync();
    }

    /// <summary>A new browser profile.</summary>
    internal static async Task<IBrowserContext> ProfileAsync(Action<BrowserNewContextOptions>? change = null)
    {
        var options = new BrowserNewContextOptions { ViewportSize = new() { Width = 1000, Height = 800 } };
        change?.Invoke(options);
        return await (await TestBrowser.GetAsync()).NewContextAsync(options);
    }

    /// <summary>Waits until the query gives the rows, and a moment longer, so that one row too many shows.</summary>
    public async Task ShowsAsync(string sql, params string[] expected)
    {
        var watch = Stopwatch.StartNew();
        List<string> rows;
        do
        {
            rows = await Database.RowsAsync(sql);
            if (rows.SequenceEqual(expected))
            {
                await Task.Delay(700);
                rows = await Database.RowsAsync(sql);
                break;
            }
            await Task.Delay(50);
        }
        while (watch.Elapsed < Patience);
        Assert.Equal(expected, rows);
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

    /// <summary>Waits until this many events of the type on paths that begin so are stored.</summary>
    public Task StoredAsync(string path, string eventType, int count) =>
        ShowsAsync($"select count(*) from events where path like '{path}%' and event_type = '{eventType}'", $"{count}");
}
