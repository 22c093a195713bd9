using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>Views as a real browser makes them, read from the database.</summary>
public sealed class PageViewTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{

    private string Url(string path) => tracked.Site.Address + path;

    [Fact]
    public async Task A_page_view_is_stored_once_with_its_campaign_and_without_its_query()
    {
        tracked.Site.Page("/first");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/first?utm_source=letter&utm_medium=email&utm_campaign=may&token=secret#part"), new() { Referer = "https://mail.example.org/inbox" });
        await tracked.ShowsAsync(
            "select e.path, e.is_entrance, e.traffic_source, e.device_type, s.utm_source, s.utm_campaign, s.referrer_host, v.kind from events e join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id join visitors v on v.id = e.visitor_id where e.path like '/first%' and e.event_type = 'page_view'",
            "/first|True|email|desktop|letter|may|mail.example.org|anon_id");
    }

    [Fact]
    public async Task A_click_id_is_known_to_have_been_there_and_is_not_kept()
    {
        tracked.Site.Page("/click");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/click?gclid=abc123"));
        await tracked.ShowsAsync("select path, traffic_source from events where path like '/click%' and event_type = 'page_view'", "/click|paid_search");
    }

    [Fact]
    public async Task Reloads_and_visits_from_the_same_browser_are_one_visitor()
    {
        tracked.Site.Page("/again");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/again"));
        await page.ReloadAsync();
        await using (var other = await TrackedSite.ProfileAsync())
        {
            await (await other.NewPageAsync()).GotoAsync(Url("/again"));
            await tracked.ShowsAsync("select count(*), count(distinct visitor_id), count(distinct session_id) from events where path = '/again' and event_type = 'page_view'", "3|2|2");
        }
    }

    [Fact]
    public async Task Two_tabs_are_one_visitor_in_one_session()
    {
        tracked.Site.Page("/tabs");
        await using var profile = await TrackedSite.ProfileAsync();
        await (await profile.NewPageAsync()).GotoAsync(Url("/tabs"));
        await (await profile.NewPageAsync()).GotoAsync(Url("/tabs"));
        await tracked.ShowsAsync("select count(*), count(distinct visitor_id), count(distinct session_id) from events where path = '/tabs' and event_type = 'page_view'", "2|1|1");
    }

    [Fact]
    public async Task A_page_that_changes_its_address_is_viewed_again()
    {
        tracked.Site.Page("/spa");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/spa"));
        await TrackedSite.RunningAsync(page);
        await tracked.StoredAsync("/spa", "page_view", 1);
        foreach (var step in new[] { "history.pushState({}, '', '/spa/two')", "history.replaceState({}, '', '/spa/two')", "history.pushState({}, '', '/spa/two?q=1')", "history.replaceState({}, '', '/spa/three')", "history.back()" })
        {
            await page.EvaluateAsync(step);
            await TrackedSite.PassAsync(page, 250);
        }
        await tracked.ShowsAsync(
            "select path from events where path like '/spa%' and event_type = 'page_view' order by occurred_at",
            "/spa", "/spa/two", "/spa/three", "/spa/two");
    }

    [Fact]
    public async Task A_hash_is_a_page_only_where_asked()
    {
        tracked.Site.Page("/plain");
        tracked.Site.Page("/hash", attributes: "data-hash");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        foreach (var path in new[] { "/plain", "/hash" })
        {
            await page.GotoAsync(Url(path + "#/a"));
            await TrackedSite.RunningAsync(page);
            await page.EvaluateAsync("location.hash = '/b'");
            await TrackedSite.PassAsync(page, 300);
        }
        await tracked.ShowsAsync("select path from events where (path like '/plain%' or path like '/hash%') and event_type = 'page_view' order by occurred_at", "/plain", "/hash#/a", "/hash#/b");
    }

    [Fact]
    public async Task A_page_that_comes_back_from_the_back_forward_cache_is_viewed_again()
    {
        tracked.Site.Page("/cached", head: "<script>addEventListener('pageshow', e => { if (e.persisted) window.fromCache = 1; })</script>");
        tracked.Site.Raw("/elsewhere", "<!doctype html><title>Elsewhere</title><p>Elsewhere");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/cached"));
        await tracked.StoredAsync("/cached", "page_view", 1);
        await page.GotoAsync(Url("/elsewhere"));
        await page.EvaluateAsync("history.back()");
        await page.WaitForFunctionAsync("window.fromCache", options: new() { PollingInterval = 100 });
        await tracked.StoredAsync("/cached", "page_view", 2);
    }

    [Fact]
    public async Task A_tab_that_is_closed_at_once_is_counted()
    {
        tracked.Site.Page("/closed");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/closed"));
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await tracked.StoredAsync("/closed", "page_view", 1);
    }

    [Fact]
    public async Task A_prerendered_page_is_viewed_when_it_is_shown()
    {
        // Chromium prerenders on secure origins only; localhost is one.
        var address = $"http://localhost:{tracked.Site.Port}";
        tracked.Site.Page("/ahead", attributes: "data-localhost");
        tracked.Site.Raw("/start", """
            <!doctype html><title>Start</title>
            <script type="speculationrules">{"prerender":[{"source":"list","urls":["/ahead"],"eagerness":"immediate"}]}</script>
            <a href="/ahead">ahead</a><script>setTimeout(() => document.querySelector('a').click(), 4000)</script>
            """);
        await using var browser = await PlainBrowser.StartAsync();
        var asked = System.Diagnostics.Stopwatch.StartNew();
        await browser.OpenAsync(address + "/start");
        while (!tracked.Site.Requests.Contains("/ahead"))
        {
            Assert.True(asked.Elapsed < TimeSpan.FromSeconds(3.5), "Chromium did not prerender the page: the test would show nothing.");
            await Task.Delay(50);
        }
        await Task.Delay(2000);
        Assert.Empty(await tracked.Database.RowsAsync("select 1 from events where path = '/ahead'"));
        await tracked.StoredAsync("/ahead", "page_view", 1);
    }

    [Fact]
    public async Task A_missing_page_is_told_apart()
    {
        tracked.Site.Page("/missing-a", attributes: "data-404");
        tracked.Site.Page("/missing-b", head: "<meta name='ff-404' content='yes'>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(Url("/missing-a"));
        await TrackedSite.RunningAsync(page);
        await page.GotoAsync(Url("/missing-b"));
        await tracked.ShowsAsync(
            "select event_type, path from events where path like '/missing%' and event_type in ('page_view', 'not_found') order by occurred_at, event_type desc",
            "page_view|/missing-a", "not_found|/missing-a", "page_view|/missing-b", "not_found|/missing-b");
    }

    [Fact]
    public async Task An_entity_of_the_page_is_on_its_views()
    {
        tracked.Site.Page("/entity", attributes: "data-entity='product:bell'");
        await using var profile = await TrackedSite.ProfileAsync();
        await (await profile.NewPageAsync()).GotoAsync(Url("/entity"));
        await tracked.ShowsAsync("select entity_type, entity_id from events where path = '/entity' and event_type = 'page_view'", "product|bell");
    }

    [Fact]
    public async Task A_page_in_a_frame_is_counted_only_where_asked()
    {
        tracked.Site.Page("/inner");
        tracked.Site.Page("/inner-asked", attributes: "data-frames");
        tracked.Site.Raw("/outer", "<!doctype html><title>Outer</title><iframe src='/inner'></iframe><iframe src='/inner-asked'></iframe>");
        await using var profile = await TrackedSite.ProfileAsync();
        await (await profile.NewPageAsync()).GotoAsync(Url("/outer"));
        await tracked.ShowsAsync("select path from events where path like '/inner%' and event_type = 'page_view'", "/inner-asked");
    }

    [Fact]
    public async Task Without_JavaScript_a_picture_counts_the_view()
    {
        tracked.Site.Raw("/no-script", $"<!doctype html><title>Plain</title><noscript><img src='{tracked.Server}/v1/pixel.gif?property=shop&path=/no-script' alt=''></noscript>");
        await using var profile = await TrackedSite.ProfileAsync(o => o.JavaScriptEnabled = false);
        await (await profile.NewPageAsync()).GotoAsync(Url("/no-script"));
        await tracked.ShowsAsync("select e.event_type, e.property_id, v.kind from events e join visitors v on v.id = e.visitor_id where e.path = '/no-script'", "page_view|shop|cookieless");
    }
}
