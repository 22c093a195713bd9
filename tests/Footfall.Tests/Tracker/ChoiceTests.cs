using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>What visitors want, and what sites configure.</summary>
public sealed class ChoiceTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private const string Kind = "select e.event_type, v.kind from events e join visitors v on v.id = e.visitor_id where e.path = '{0}' and e.event_type in ('page_view', 'after') order by e.occurred_at";

    private static string KindOn(string path) => Kind.Replace("{0}", path, StringComparison.Ordinal);

    private async Task<IPage> OpenAsync(IBrowserContext profile, string path)
    {
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + path);
        await TrackedSite.RunningAsync(page);
        return page;
    }

    /// <summary>What is in the browser beside the visitor's own choice.</summary>
    private static Task<string> KeptAsync(IPage page) => page.EvaluateAsync<string>("Object.keys(localStorage).filter(k => k !== 'ff.choice').join() + document.cookie");

    [Fact]
    public async Task Global_Privacy_Control_leaves_nothing_in_the_browser_and_no_lasting_id()
    {
        tracked.Site.Page("/gpc");
        await using var profile = await TrackedSite.ProfileAsync(o => o.ExtraHTTPHeaders = new Dictionary<string, string> { ["Sec-GPC"] = "1" });
        await profile.AddInitScriptAsync("Object.defineProperty(Navigator.prototype, 'globalPrivacyControl', { get: () => true })");
        var page = await OpenAsync(profile, "/gpc");
        await tracked.ShowsAsync(KindOn("/gpc"), "page_view|cookieless");
        Assert.Equal("", await KeptAsync(page));
    }

    [Theory]
    [InlineData("gpc", "globalPrivacyControl", "true")]
    [InlineData("dnt", "doNotTrack", "'1'")]
    public async Task A_site_may_take_a_wish_for_not_counting_at_all(string setting, string property, string value)
    {
        var path = $"/drop-{setting}";
        tracked.Site.Page(path, attributes: $"data-{setting}='drop'");
        tracked.Site.Page(path + "-not");
        await using var profile = await TrackedSite.ProfileAsync();
        await profile.AddInitScriptAsync($"Object.defineProperty(Navigator.prototype, '{property}', {{ get: () => {value} }})");
        await OpenAsync(profile, path);
        await OpenAsync(profile, path + "-not");
        await tracked.ShowsAsync($"select path from events where path like '{path}%' and event_type = 'page_view'", path + "-not");
    }

    [Fact]
    public async Task A_link_of_the_dashboard_leaves_this_browser_out_and_counts_it_again()
    {
        tracked.Site.Page("/own");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/own#ff.choice=drop");
        await page.GotoAsync(tracked.Site.Address + "/own?later");
        await page.WaitForTimeoutAsync(400);
        Assert.Equal("", await KeptAsync(page));
        Assert.Equal(0, await tracked.FirstAsync<long>("select count(*) from events where path like '/own%'"));
        await page.GotoAsync("about:blank");
        await page.GotoAsync(tracked.Site.Address + "/own#ff.choice=");
        await tracked.StoredAsync("/own", "page_view", 1);
    }

    [Fact]
    public async Task No_link_counts_who_refused_to_be()
    {
        tracked.Site.Page("/denied-before");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/denied-before");
        await page.EvaluateAsync("footfall('consent', 'denied')");
        await page.GotoAsync("about:blank");
        await page.GotoAsync(tracked.Site.Address + "/denied-before#ff.choice=");
        await tracked.StoredAsync("/denied-before", "page_view", 2);
        Assert.Equal("", await KeptAsync(page));
        Assert.Equal("cookieless", await page.EvaluateAsync<string>("localStorage.getItem('ff.choice')"));
    }

    [Fact]
    public async Task Opting_out_ends_it_for_good()
    {
        tracked.Site.Page("/out");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/out");
        await tracked.StoredAsync("/out", "page_view", 1);
        await page.EvaluateAsync("footfall('optOut'); footfall('event', 'after')");
        await page.ReloadAsync();
        await page.WaitForTimeoutAsync(400);
        await page.EvaluateAsync("footfall('event', 'after')");
        await tracked.ShowsAsync(KindOn("/out"), "page_view|anon_id");
        Assert.Equal("", await KeptAsync(page));
    }

    [Fact]
    public async Task Refused_consent_forgets_the_id_and_counts_without_one()
    {
        tracked.Site.Page("/refused");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/refused");
        await tracked.StoredAsync("/refused", "page_view", 1);
        await page.EvaluateAsync("footfall('consent', 'denied'); footfall('event', 'after')");
        await tracked.ShowsAsync(KindOn("/refused"), "page_view|anon_id", "after|cookieless");
        Assert.Equal("", await KeptAsync(page));
    }

    [Fact]
    public async Task Consent_before_the_tag_is_loaded_counts_from_the_first_view()
    {
        tracked.Site.Page("/asked", attributes: "data-cookieless", head: "<script>window.footfall = function () { (footfall.q = footfall.q || []).push(arguments) }; footfall('consent', location.search.slice(1) || 'denied')</script>");
        await using var profile = await TrackedSite.ProfileAsync();
        await OpenAsync(profile, "/asked");
        await tracked.ShowsAsync(KindOn("/asked"), "page_view|cookieless");
        await OpenAsync(profile, "/asked?granted");
        await tracked.ShowsAsync(KindOn("/asked"), "page_view|cookieless", "page_view|anon_id");
    }

    [Fact]
    public async Task Without_a_word_from_the_visitor_a_cookieless_site_keeps_nothing()
    {
        tracked.Site.Page("/cookieless", attributes: "data-cookieless");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/cookieless");
        await tracked.ShowsAsync(KindOn("/cookieless"), "page_view|cookieless");
        Assert.Equal("", await KeptAsync(page));
    }

    [Fact]
    public async Task Configuration_decides_what_is_counted()
    {
        (string Name, string Attributes, bool Counted)[] cases =
        [
            ("excluded", "data-exclude='/x-excluded,/admin/*'", false),
            ("excluded-by-beginning", "data-exclude='/x-excl*'", false),
            ("not-excluded", "data-exclude='/x-not'", true),
            ("other-domain", "data-domains='example.org'", false),
            ("own-domain", "data-domains='example.org, shop.test'", true),
            ("sampled-out", "data-sample='0'", false),
            ("sampled", "data-sample='100'", true),
            ("views-off", "data-off='views,vitals'", false),
            ("hook-drops", "data-before-send='keepNone'", false),
            ("hook-throws", "data-before-send='breaks'", false),
            ("hook-is-missing", "data-before-send='nowhere'", true),
        ];
        await using var profile = await TrackedSite.ProfileAsync();
        List<string> errors = [];
        foreach (var (name, attributes, _) in cases)
        {
            tracked.Site.Page("/x-" + name, attributes: attributes, head: "<script>function keepNone() { return false } function breaks() { throw new Error('mine') }</script>");
            var page = await profile.NewPageAsync();
            page.PageError += (_, error) => errors.Add($"{name}: {error}");
            await page.GotoAsync($"{tracked.Site.Address}/x-{name}");
            await TrackedSite.RunningAsync(page);
            await page.CloseAsync(new() { RunBeforeUnload = true });
        }
        await tracked.ShowsAsync(
            "select path from events where path like '/x-%' and event_type = 'page_view' order by path",
            [.. cases.Where(c => c.Counted).Select(c => "/x-" + c.Name).Order(StringComparer.Ordinal)]);
        Assert.Empty(errors);
    }

    [Fact]
    public async Task A_hook_may_change_what_is_sent()
    {
        tracked.Site.Page("/hooked/secret", attributes: "data-before-send='veil'", head: "<script>function veil(e) { e.path = '/hooked/veiled'; return e }</script>");
        await using var profile = await TrackedSite.ProfileAsync();
        await OpenAsync(profile, "/hooked/secret");
        await tracked.ShowsAsync("select distinct path from events where path like '/hooked%' and event_type = 'page_view'", "/hooked/veiled");
    }

    [Fact]
    public async Task Robots_and_localhost_are_not_counted_unless_asked()
    {
        tracked.Site.Raw("/robot", $"<!doctype html><title>Robot</title><script async src='{tracked.Server}/t.js' data-property='shop'></script>");
        tracked.Site.Page("/local");
        await using var profile = await TrackedSite.ProfileAsync();
        await OpenAsync(profile, "/robot");
        var page = await profile.NewPageAsync();
        await page.GotoAsync($"http://127.0.0.1:{tracked.Site.Port}/local");
        await page.WaitForTimeoutAsync(900);
        await tracked.ShowsAsync("select path from events where path in ('/robot', '/local')");
    }
}
