using System.Net;
using System.Net.Sockets;
using Footfall.Tests.Infrastructure;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>Nothing lost, nothing twice, whatever happens to the line and to the server.</summary>
public sealed class DeliveryTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    [Fact]
    public async Task What_happened_offline_arrives_once_and_in_order_when_the_line_is_back()
    {
        tracked.Site.Page("/offline");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/offline");
        await tracked.StoredAsync("/offline", "page_view", 1);
        await profile.SetOfflineAsync(true);
        for (var i = 0; i < 5; i++)
        {
            await page.EvaluateAsync($"footfall('event', 'step', {{ n: {i} }})");
            await page.WaitForTimeoutAsync(300);
        }
        await page.WaitForTimeoutAsync(1000);
        Assert.Equal(5, await page.EvaluateAsync<int>("Object.keys(localStorage).filter(k => k.startsWith('ff.q.')).map(k => localStorage[k]).join().split('\"step\"').length - 1"));
        await profile.SetOfflineAsync(false);
        await tracked.ShowsAsync("select props->>'n' from events where path = '/offline' and event_type = 'step' order by occurred_at", "0", "1", "2", "3", "4");
        await tracked.ShowsAsync("select max(received_at - occurred_at) > interval '1 second' from events where path = '/offline' and event_type = 'step'", "True");
        Assert.Equal(0, await page.EvaluateAsync<int>("Object.keys(localStorage).filter(k => k.startsWith('ff.q.')).length"));
    }

    [Fact]
    public async Task What_was_lost_with_a_page_is_sent_by_the_next_one()
    {
        // The browser takes the beacon, and it gets nowhere: as when the line or the server goes in that moment.
        tracked.Site.Page("/left", head: "<script>navigator.sendBeacon = () => true</script>");
        tracked.Site.Page("/left/next");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/left");
        await tracked.StoredAsync("/left", "page_view", 1);
        await page.EvaluateAsync("footfall('event', 'goodbye')");
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await Task.Delay(500);
        Assert.Empty(await tracked.Database.RowsAsync("select 1 from events where event_type = 'goodbye'"));
        await (await profile.NewPageAsync()).GotoAsync(tracked.Site.Address + "/left/next");
        await tracked.StoredAsync("/left", "goodbye", 1);
        await tracked.StoredAsync("/left", "engagement", 1);
    }

    [Fact]
    public async Task A_visit_through_many_pages_and_tabs_sends_nothing_twice()
    {
        foreach (var n in Enumerable.Range(1, 3))
            tracked.Site.Raw($"/walk/{n}", $"<!doctype html><title>{n}</title><link rel=icon href='data:,'><h1>{n}</h1><a id=next href='/walk/{n + 1}'>Next</a> <a id=tab target=_blank href='/walk/3'>Tab</a><button data-ff-event=pressed>Press</button>{tracked.Site.Tag().Replace("shop", "walk", StringComparison.Ordinal)}");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/walk/1");
        foreach (var pause in new[] { 900, 50 })
        {
            // Long enough for answers, and too short: the click and what it leads to are under way when the page goes.
            await TrackedSite.RunningAsync(page);
            await page.WaitForTimeoutAsync(pause);
            await page.ClickAsync("button");
            await page.ClickAsync("#next");
            await page.WaitForFunctionAsync("window.footfall && window.footfall.on");
        }
        await page.WaitForTimeoutAsync(300);
        var tab = await profile.RunAndWaitForPageAsync(() => page.ClickAsync("#tab"));
        await tab.WaitForTimeoutAsync(900);
        await page.EvaluateAsync("history.back()");
        await page.WaitForTimeoutAsync(900);
        await tab.CloseAsync(new() { RunBeforeUnload = true });
        await page.CloseAsync(new() { RunBeforeUnload = true });
        var last = await profile.NewPageAsync();
        await last.GotoAsync(tracked.Site.Address + "/walk/1");
        await tracked.ShowsAsync(
            "select path, count(*) from events where property_id = 'walk' and event_type = 'page_view' group by path order by path",
            "/walk/1|2", "/walk/2|2", "/walk/3|2");
        await tracked.ShowsAsync("select count(*) from events where property_id = 'walk' and event_type = 'pressed'", "2");
        await tracked.ShowsAsync("select sum(events_duplicate), sum(events_rejected) from daily_ingest_rollups where property_id = 'walk'", "0|0");
        // The last page has asked about what the others left behind, and keeps nothing that arrived.
        Assert.Equal(0, await last.EvaluateAsync<int>("Object.keys(localStorage).filter(k => k.startsWith('ff.q.')).length"));
    }

    [Fact]
    public async Task A_server_that_is_busy_gets_the_events_later()
    {
        tracked.Site.Page("/busy");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        var refused = 0;
        await page.RouteAsync("**/v1/events?*", async route =>
        {
            var status = refused switch { 0 => 503, 1 => 429, _ => 0 };
            refused++;
            if (status == 0) await route.ContinueAsync();
            else await route.FulfillAsync(new() { Status = status, Headers = new Dictionary<string, string> { ["retry-after"] = "1", ["access-control-allow-origin"] = "*", ["access-control-expose-headers"] = "Retry-After" } });
        });
        await page.GotoAsync(tracked.Site.Address + "/busy");
        await tracked.StoredAsync("/busy", "page_view", 1);
        Assert.True(refused >= 3, $"The tracker tried {refused} times.");
    }

    [Fact]
    public async Task A_server_that_is_killed_while_people_browse_loses_nothing_and_counts_nothing_twice()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var site = await TestSite.StartAsync();
        var folder = TestFolder.New("killed");
        var port = FreePort();
        site.Server = $"http://stats.test:{port}";
        site.Page("/browse");
        string[] arguments = ["--urls", $"http://127.0.0.1:{port}", "--Postgres:ConnectionString", database.ConnectionString];
        var ct = TestContext.Current.CancellationToken;

        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        var sent = 0;
        var server = ServerProcess.Start(folder, arguments);
        try
        {
            await server.SaysAsync("is ready", ct);
            for (var round = 0; round < 3; round++)
            {
                await page.GotoAsync($"{site.Address}/browse");
                await page.WaitForFunctionAsync("window.footfall && window.footfall.on");
                for (var i = 0; i < 4; i++)
                {
                    await page.EvaluateAsync($"footfall('event', 'step', {{ n: {sent++} }})");
                    await page.WaitForTimeoutAsync(200);
                }
                if (round == 2) break;
                await server.KillAsync(ct);
                for (var i = 0; i < 4; i++)
                {
                    await page.EvaluateAsync($"footfall('event', 'step', {{ n: {sent++} }})");
                    await page.WaitForTimeoutAsync(200);
                }
                // To another page while nobody answers: the tag's file comes from the browser's cache.
                await page.GotoAsync($"{site.Address}/browse");
                await page.WaitForFunctionAsync("window.footfall && window.footfall.on");
                await page.EvaluateAsync($"footfall('event', 'step', {{ n: {sent++} }})");
                await server.DisposeAsync();
                server = ServerProcess.Start(folder, arguments);
                await server.SaysAsync("is ready", ct);
            }
            var watch = System.Diagnostics.Stopwatch.StartNew();
            var expected = $"{sent}|{sent}|5";
            const string sql = "select count(*) filter (where event_type = 'step'), count(distinct props->>'n'), count(*) filter (where event_type = 'page_view') from events";
            while (watch.Elapsed < TimeSpan.FromSeconds(30) && (await database.RowsAsync(sql))[0] != expected) await Task.Delay(200, ct);
            Assert.Equal([expected], await database.RowsAsync(sql));
            Assert.Equal(["1"], await database.RowsAsync("select count(distinct visitor_id) from events"));
        }
        finally
        {
            await server.DisposeAsync();
        }
    }

    [Fact]
    public async Task Blocked_storage_costs_the_lasting_id_and_nothing_else()
    {
        // A sandboxed page has an origin that nothing can be kept for.
        tracked.Site.Page("/sandbox", headers: ("Content-Security-Policy", "sandbox allow-scripts"));
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        List<string> console = [];
        page.Console += (_, message) => console.Add(message.Text);
        page.PageError += (_, error) => console.Add(error);
        await page.GotoAsync(tracked.Site.Address + "/sandbox");
        await tracked.ShowsAsync("select v.kind from events e join visitors v on v.id = e.visitor_id where e.path = '/sandbox' and e.event_type = 'page_view'", "cookieless");
        Assert.Empty(console);
    }

    [Fact]
    public async Task Without_localStorage_a_cookie_keeps_the_id()
    {
        tracked.Site.Page("/cookie", head: "<script>Object.defineProperty(window, 'localStorage', { get() { throw new DOMException('blocked') } })</script>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/cookie");
        await page.WaitForTimeoutAsync(400);
        await page.ReloadAsync();
        await tracked.ShowsAsync("select count(*), count(distinct e.visitor_id), min(v.kind) from events e join visitors v on v.id = e.visitor_id where e.path = '/cookie' and e.event_type = 'page_view'", "2|1|anon_id");
        var cookie = Assert.Single(await profile.CookiesAsync());
        Assert.Equal(("ff.id", SameSiteAttribute.Lax), (cookie.Name, cookie.SameSite));
    }

    [Fact]
    public async Task A_strict_content_security_policy_that_names_the_server_is_enough()
    {
        tracked.Site.Page("/strict", "<h1>Strict</h1>", headers: ("Content-Security-Policy", $"default-src 'none'; img-src data:; script-src {tracked.Server}; connect-src {tracked.Server}"));
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        List<string> console = [];
        page.Console += (_, message) => console.Add(message.Text);
        await page.GotoAsync(tracked.Site.Address + "/strict");
        await TrackedSite.IdleAsync(page);
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await tracked.ShowsAsync("select event_type from events where path = '/strict' order by event_type", "engagement", "page_view", "web_vitals");
        Assert.Empty(console);
    }

    private static int FreePort()
    {
        using var listener = new TcpListener(IPAddress.Loopback, 0);
        listener.Start();
        return ((IPEndPoint)listener.LocalEndpoint).Port;
    }
}
