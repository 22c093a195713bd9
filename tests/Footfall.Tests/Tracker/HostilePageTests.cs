using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>Pages that break their own browser: they go on as they would without the tag.</summary>
public sealed class HostilePageTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private static readonly (string Name, string Script)[] Hostilities =
    [
        ("polluted", "Object.prototype.path = 'x'; Object.prototype.query = 1; Object.prototype.traffic = 3; Object.prototype.f = null; Array.prototype.extra = function () {}; Array.prototype.toJSON = function () { return 'broken' };"),
        ("fetch-throws", "window.fetch = function () { throw new Error('mine') };"),
        ("fetch-is-none", "window.fetch = undefined;"),
        ("fetch-hangs", "window.fetch = function () { return new Promise(function () {}) };"),
        ("no-beacon", "navigator.sendBeacon = undefined;"),
        ("no-intl", "window.Intl = undefined;"),
        ("no-crypto", "Object.defineProperty(window, 'crypto', { value: undefined });"),
        ("no-idle", "window.requestIdleCallback = undefined; window.PerformanceObserver = undefined;"),
        ("no-search-params", "window.URLSearchParams = undefined;"),
        ("frozen-history", "Object.freeze(history);"),
        ("footfall-is-taken", "window.footfall = 'taken';"),
    ];

    [Fact]
    public async Task Views_are_counted_and_pages_see_no_error()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        List<string> problems = [], expected = [];
        foreach (var (name, script) in Hostilities)
        {
            var path = $"/hostile/{name}";
            tracked.Site.Page(path, head: $"<script>{script}</script>");
            var page = await profile.NewPageAsync();
            page.PageError += (_, error) => problems.Add($"{name}: {error}");
            page.Console += (_, message) => problems.Add($"{name}: {message.Text}");
            await page.GotoAsync(tracked.Site.Address + path + "?q=1");
            await TrackedSite.RunningAsync(page);
            await page.EvaluateAsync("history.pushState({}, '', location.pathname + '/next')");
            // What is under way is taken to arrive for a second; what hangs longer goes out again with the page.
            await TrackedSite.PassAsync(page, name == "fetch-hangs" ? 1500 : 300);
            await page.CloseAsync(new() { RunBeforeUnload = true });
            expected.Add(path);
            // Nobody can see the address of such a page change.
            if (name != "frozen-history") expected.Add(path + "/next");
        }
        await tracked.ShowsAsync("select path from events where path like '/hostile/%' and event_type = 'page_view' order by path collate \"C\"", [.. expected.Order(StringComparer.Ordinal)]);
        Assert.Empty(problems);
    }

    [Fact]
    public async Task Thousands_of_address_changes_are_bounded()
    {
        tracked.Site.Page("/wild");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/wild");
        await TrackedSite.RunningAsync(page);
        var took = await page.EvaluateAsync<double>("() => { const t = performance.now(); for (let i = 0; i < 2000; i++) history.replaceState({}, '', '/wild/' + i); return performance.now() - t }");
        await tracked.ShowsAsync("select path from events where path like '/wild%' and event_type = 'page_view' order by occurred_at", "/wild", "/wild/1999");
        // Ours is a cleared timer each; the rest is the browser, on a machine that may be busy.
        Assert.True(took < 10_000, $"2,000 changes took {took} ms.");
    }

    [Fact]
    public async Task A_page_that_sends_without_end_is_capped()
    {
        tracked.Site.Page("/endless");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/endless");
        await page.WaitForTimeoutAsync(400);
        await page.EvaluateAsync("for (let i = 0; i < 3000; i++) footfall('event', 'again')");
        var kept = await page.EvaluateAsync<int>("Object.keys(localStorage).filter(k => k.startsWith('ff.q.')).map(k => localStorage[k]).join().length");
        Assert.InRange(kept, 1, 100_000);
        await Task.Delay(3000);
        Assert.InRange(await tracked.Database.ScalarAsync<long>("select count(*) from events where path = '/endless' and event_type = 'again'"), 1, 320);
    }

    [Fact]
    public async Task A_huge_page_is_scrolled_without_long_tasks()
    {
        tracked.Site.Page("/huge", "<script>for (let i = 0; i < 20000; i++) document.write('<p>' + i + '</p>')</script>", head: "<script>window.long = []; new PerformanceObserver(l => l.getEntries().forEach(e => window.long.push(Math.round(e.startTime)))).observe({ type: 'longtask' });</script>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/huge");
        await page.WaitForTimeoutAsync(1500);
        // What one event of ours costs here, and its share of a scroll.
        var cost = await page.EvaluateAsync<double>("() => { const t = performance.now(); for (let i = 0; i < 200; i++) document.dispatchEvent(new Event('scroll')); return (performance.now() - t) / 200 }");
        Assert.True(cost < 1, $"A scroll event costs {cost} ms.");
        await tracked.StoredAsync("/huge", "page_view", 1);
    }
}
