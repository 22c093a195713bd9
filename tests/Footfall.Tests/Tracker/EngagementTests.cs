using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>Time and depth as a real browser measures them.</summary>
public sealed class EngagementTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private const string Long = "<h1>Long</h1><div style='height:4000px'></div><p>End";

    [Fact]
    public async Task A_long_read_with_scrolling_is_measured_within_half_a_second()
    {
        // The page's own clock, from when it could be seen until it is left.
        tracked.Site.Page("/read", Long, head: "<script>addEventListener('pagehide', () => localStorage.setItem('truth', performance.now() - performance.timing.domInteractive + performance.timing.navigationStart))</script>");
        tracked.Site.Raw("/read/truth", "<!doctype html><title>Truth</title><link rel=icon href='data:,'>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/read");
        await page.WaitForFunctionAsync("window.footfall && window.footfall.on");
        for (var i = 0; i < 6; i++)
        {
            await page.Mouse.WheelAsync(0, 300);
            await page.WaitForTimeoutAsync(600);
        }
        var depth = await page.EvaluateAsync<double>("Math.round((scrollY + innerHeight) / document.documentElement.scrollHeight * 100)");
        await page.CloseAsync(new() { RunBeforeUnload = true });
        var after = await profile.NewPageAsync();
        await after.GotoAsync(tracked.Site.Address + "/read/truth");
        await after.WaitForFunctionAsync("localStorage.getItem('truth')");
        var truth = await after.EvaluateAsync<double>("+localStorage.getItem('truth')");
        var engaged = await tracked.FirstAsync<int>("select (props->>'engagedTimeMs')::int from events where path = '/read' and event_type = 'engagement'");
        Assert.InRange(engaged, truth - 500, truth + 500);
        await tracked.ShowsAsync("select props->>'scrollDepthPercent' from events where path = '/read' and event_type = 'engagement'", $"{depth}");
        await tracked.ShowsAsync("select s.engaged_ms = " + engaged + " from sessions s where landing_path = '/read'", "True");
    }

    [Fact]
    public async Task Time_is_told_to_the_page_view_that_it_belongs_to()
    {
        tracked.Site.Page("/one", Long);
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/one");
        await TrackedSite.RunningAsync(page);
        await page.WaitForFunctionAsync("performance.now() > 1900");
        await page.EvaluateAsync("history.pushState({}, '', '/one/two')");
        await page.WaitForTimeoutAsync(700);
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await tracked.ShowsAsync(
            """
            select v.path, round((e.props->>'engagedTimeMs')::numeric / 1000)
            from events e join events v on v.visitor_id = e.visitor_id and v.event_type = 'page_view' and v.path = e.path
            where e.event_type = 'engagement' and e.path like '/one%'
            order by v.path
            """,
            "/one|2", "/one/two|1");
    }

    [Fact]
    public async Task A_tab_in_the_background_gathers_no_time()
    {
        tracked.Site.Page("/behind");
        await using var browser = await PlainBrowser.StartAsync();
        var tab = await browser.OpenAsync(tracked.Site.Address + "/behind");
        // Three seconds in front, less what the page takes to load, and four behind another.
        await Task.Delay(2000);
        var other = await browser.OpenAsync("about:blank");
        await Task.Delay(4000);
        await browser.ShowAsync(tab);
        await Task.Delay(1000);
        await browser.CloseAsync(tab);
        await tracked.ShowsAsync("select sum((props->>'engagedTimeMs')::int) between 1000 and 3900 from events where path = '/behind' and event_type = 'engagement'", "True");
        await browser.CloseAsync(other);
    }

    [Fact]
    public async Task Vitals_come_when_the_page_is_left()
    {
        tracked.Site.Page("/vitals", "<h1>Vital</h1><button onclick='const t = performance.now(); while (performance.now() - t < 120);'>Press</button>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + "/vitals");
        await TrackedSite.IdleAsync(page);
        await page.ClickAsync("button");
        await TrackedSite.PassAsync(page, 300);
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await tracked.ShowsAsync(
            "select path, props ? 'fcpMs', props ? 'lcpMs', props ? 'ttfbMs', props ? 'clsScore', (props->>'inpMs')::int >= 100 from events where path = '/vitals' and event_type = 'web_vitals'",
            "/vitals|True|True|True|True|True");
    }
}
