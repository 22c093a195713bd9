using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>What the tag costs a page, coarsely: no machine of a test run is quiet. Benchmarks measure it (docs/performance.md).</summary>
public sealed class CostTests(TrackedSite tracked, ITestOutputHelper output) : IClassFixture<TrackedSite>
{
    private const int Rounds = 3;

    /// <summary>Half a long task, on a machine that runs other browsers meanwhile.</summary>
    private const double MostMs = 25;

    [Fact]
    public async Task Loading_takes_little_script_and_no_long_task()
    {
        tracked.Site.Page("/with", "<h1>A page</h1><p>With words.</p>", "data-off='vitals'");
        tracked.Site.Page("/whole", "<h1>A page</h1><p>With words.</p>");
        tracked.Site.Raw("/without", "<!doctype html><html><head><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'></head><body><h1>A page</h1><p>With words.</p></body></html>");
        await using var profile = await TrackedSite.ProfileAsync();
        await profile.AddInitScriptAsync("window.longTasks = 0; new PerformanceObserver(l => { longTasks += l.getEntries().length }).observe({ type: 'longtask' })");
        List<double> with = [], without = [], whole = [];
        var longTasks = 0;
        for (var i = 0; i < Rounds; i++)
        {
            without.Add((await MeasureAsync(profile, "/without")).ScriptMs);
            with.Add((await MeasureAsync(profile, "/with")).ScriptMs);
            var (script, tasks) = await MeasureAsync(profile, "/whole");
            whole.Add(script);
            longTasks = i == 0 ? tasks : Math.Min(longTasks, tasks);
        }
        // Other tests run beside this one: the least of the rounds is what the tag itself costs.
        var cost = with.Min() - without.Min();
        output.WriteLine($"script: {without.Min():0.00} ms without, {with.Min():0.00} ms with, {whole.Min():0.00} ms with the vitals, which come when the page is idle; long tasks {longTasks}");
        Assert.InRange(cost, -5, MostMs);
        Assert.Equal(0, longTasks);
    }

    private async Task<(double ScriptMs, int LongTasks)> MeasureAsync(IBrowserContext profile, string path)
    {
        var page = await profile.NewPageAsync();
        var session = await profile.NewCDPSessionAsync(page);
        await session.SendAsync("Performance.enable");
        await page.GotoAsync(tracked.Site.Address + path);
        await page.WaitForTimeoutAsync(800);
        var metrics = (await session.SendAsync("Performance.getMetrics"))!.Value.GetProperty("metrics");
        var script = metrics.EnumerateArray().First(m => m.GetProperty("name").GetString() == "ScriptDuration").GetProperty("value").GetDouble();
        var tasks = await page.EvaluateAsync<int>("longTasks");
        await page.CloseAsync();
        return (script * 1000, tasks);
    }
}
