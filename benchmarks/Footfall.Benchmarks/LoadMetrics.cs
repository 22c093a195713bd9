using Microsoft.Playwright;

namespace Footfall.Benchmarks;

/// <summary>
/// What Chromium itself counts of one page load, in ms of the main thread's CPU time, what the tool that drives it adds included. Nothing is
/// traced: a trace takes time of its own for every call that it notes.
/// </summary>
internal sealed record LoadMetrics(double ScriptMs, double TaskMs)
{
    /// <summary>Loads the page in a browser profile of its own.</summary>
    public static async Task<LoadMetrics> OfAsync(IBrowser browser, string url)
    {
        await using var profile = await browser.NewContextAsync(new() { ViewportSize = new() { Width = 1200, Height = 900 } });
        var page = await profile.NewPageAsync();
        var cdp = await profile.NewCDPSessionAsync(page);
        await cdp.SendAsync("Performance.enable", new Dictionary<string, object> { ["timeDomain"] = "threadTicks" });
        await page.GotoAsync(url);
        await page.WaitForTimeoutAsync(LoadTrace.WatchMs);
        var metrics = (await cdp.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics").EnumerateArray().ToDictionary(m => m.GetProperty("name").GetString()!, m => m.GetProperty("value").GetDouble());
        return new LoadMetrics(metrics["ScriptDuration"] * 1000, metrics["TaskDuration"] * 1000);
    }
}
