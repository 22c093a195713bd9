using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>What the tag does not do to a page. How long it takes is for benchmarks (docs/performance.md): no machine of a test run is quiet.</summary>
public sealed class CostTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private const string Plain = "<h1>A page</h1><p>With words.</p>";

    [Fact]
    public async Task Nothing_is_done_before_the_document_is_ready()
    {
        tracked.Site.Page("/unready", Plain, head: "<script defer src='/slow.js'></script><script>window.readyAt = 0; document.addEventListener('DOMContentLoaded', () => { window.kept = Object.keys(localStorage).length; window.readyAt = 1 }, true)</script>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        var parsed = new TaskCompletionSource();
        await page.RouteAsync("**/slow.js", async route =>
        {
            await parsed.Task;
            await route.FulfillAsync(new() { ContentType = "text/javascript", Body = "" });
        });
        await page.GotoAsync(tracked.Site.Address + "/unready", new() { WaitUntil = WaitUntilState.Commit });
        await page.WaitForFunctionAsync("window.footfall && window.footfall.on && document.readyState === 'interactive'");
        await page.WaitForTimeoutAsync(300);
        Assert.Equal(0, await page.EvaluateAsync<int>("localStorage.length + document.querySelectorAll('script[src*=activity]').length"));
        Assert.Equal("", await page.EvaluateAsync<string>("document.cookie"));
        parsed.SetResult();
        await page.WaitForFunctionAsync("window.readyAt");
        await tracked.StoredAsync("/unready", "page_view", 1);
        Assert.Equal(0, await page.EvaluateAsync<int>("window.kept"));
    }

    [Fact]
    public async Task Loading_lays_nothing_out_that_the_page_alone_would_not()
    {
        tracked.Site.Page("/with", Plain);
        tracked.Site.Raw("/without", $"<!doctype html><html><head><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'></head><body>{Plain}</body></html>");
        await using var profile = await TrackedSite.ProfileAsync();
        var without = await LayoutsAsync(profile, "/without");
        // One may come with the frame in which a file of the tag happens to arrive.
        Assert.InRange(await LayoutsAsync(profile, "/with"), 0, without + 1);
    }

    private async Task<double> LayoutsAsync(IBrowserContext profile, string path)
    {
        var page = await profile.NewPageAsync();
        var session = await profile.NewCDPSessionAsync(page);
        await session.SendAsync("Performance.enable");
        await page.GotoAsync(tracked.Site.Address + path);
        await page.WaitForTimeoutAsync(800);
        var metrics = (await session.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics");
        var layouts = metrics.EnumerateArray().First(m => m.GetProperty("name").GetString() == "LayoutCount").GetProperty("value").GetDouble();
        await page.CloseAsync();
        return layouts;
    }
}
