using Footfall.Access;
using Footfall.Dashboard.Sharing;
using Footfall.Definitions;
using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Settings and shared figures as people meet them, in Chromium.</summary>
public sealed class SettingsBrowserTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday.AddDays(-6):yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_page_is_quiet_fits_and_can_be_used_by_everyone(int width, ColorScheme scheme)
    {
        var settings = server.Service<PropertySettings>();
        await settings.SaveAsync("harmful", "<script>window.harmed=1</script>\u202egnp", ["shop.example", "a-rather-long-name-of-a-host.shops.example"], [new("\"><img src=x onerror=window.harmed=1>", "page_view", "/<b>*")], null, default);
        await server.Service<TokenStore>().CreateAsync($"<img src=x onerror=window.harmed=1>{new string('n', 60)}", AccessRole.Dashboard, AccessPlan.Pro, "harmful", default);
        await server.Service<SharedLinkStore>().CreateAsync("a test", "harmful", "'\"><script>window.harmed=1</script>", null, TimeProvider.System.GetUtcNow().AddDays(40), ["https://intranet.example", "http://localhost:8080"], default);
        await using var browser = await PageBrowser.OpenAsync(server.Address, width, scheme);
        foreach (var (path, name) in new[]
        {
            ("settings", "settings"), ("settings?done=saved", "settings-saved"), ("settings/snippet", "snippet"), ("settings/links", "links"), ("settings/tokens", "tokens"), ("settings/browser", "browser"),
            ("settings/server", "server"), ("settings/delete", "delete"),
        })
        {
            await browser.GoAsync($"/p/harmful/{path}", name);
        }
        foreach (var list in new[] { "tokens", "links" })
        {
            await browser.Page.GotoAsync($"/p/harmful/settings/{list}");
            await browser.Page.ClickAsync("table .menu summary");
            await browser.LookAsync($"{list}-revoke");
        }
        await browser.Page.FillAsync("input[name=name]", "The board");
        await browser.Page.FillAsync("textarea[name=origins]", "https://board.example");
        await browser.Page.ClickAsync("text=Make it");
        await browser.Page.WaitForSelectorAsync("text=Copy it now");
        await browser.LookAsync("links-made");
        await browser.Page.GotoAsync("/p/harmful/settings");
        await browser.Page.FillAsync("textarea[name=hosts]", "https://no-host/");
        await browser.Page.FillAsync("input[name=rawDays]", "-1");
        await browser.Page.ClickAsync("text=Save");
        await browser.Page.WaitForSelectorAsync("text=Nothing was saved yet");
        while (browser.Complaints.TryPeek(out var complaint) && complaint.Contains("400 (Bad Request)", StringComparison.Ordinal)) browser.Complaints.TryDequeue(out _);   // the answer to what was just sent
        await browser.LookAsync("settings-wrong");
        Assert.Empty(browser.Complaints);
    }

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Shared_figures_are_quiet_fit_and_can_be_used_by_everyone(int width, ColorScheme scheme)
    {
        var link = (await server.Service<SharedLinkStore>().CreateAsync("a test", "shop", "The board", null, null, [], default)).Text;
        var closed = (await server.Service<SharedLinkStore>().CreateAsync("a test", "shop", "The board", "open sesame", null, [], default)).Text;
        await using var browser = await PageBrowser.OpenAsync(server.Address, width, scheme, key: null);
        await browser.GoAsync($"/s/{link}?{Days}", "shared");
        await browser.Page.WaitForSelectorAsync("ff-chart[data-drawn]");
        await browser.Page.EvaluateAsync("window.same = true");
        await browser.Page.ClickAsync("a:has-text('Canada')");
        await browser.Page.ArriveAsync($"**/s/{link}?**is.country=CA");
        Assert.Equal("4", (await browser.Page.InnerTextAsync("#kpi-visitors .value")).Trim());
        Assert.True(await browser.Page.EvaluateAsync<bool>("window.same === true"), "The page was loaded anew.");
        await browser.Page.ClickAsync("nav >> text=Web vitals");
        await browser.Page.ArriveAsync($"**/s/{link}/vitals?**");
        await browser.GoAsync($"/s/{closed}?{Days}", "shared-password");
        await browser.Page.FillAsync("input[name=password]", "open sesame");
        await browser.Page.Keyboard.PressAsync("Enter");
        await browser.Page.WaitForSelectorAsync("#kpi-visitors");
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task A_frame_shows_it_on_the_named_site_and_on_no_other()
    {
        await using var site = await TestSite.StartAsync();
        site.Server = server.Address.ToString().TrimEnd('/');
        var store = server.Service<SharedLinkStore>();
        var allowed = (await store.CreateAsync("a test", "shop", "framed", null, null, [site.Address], default)).Text;
        var elsewhere = (await store.CreateAsync("a test", "shop", "framed", null, null, ["https://other.example"], default)).Text;
        var browser = await TestBrowser.GetAsync();
        await using var context = await browser.NewContextAsync();
        var page = await context.NewPageAsync();
        foreach (var (link, shown) in new[] { (allowed, true), (elsewhere, false) })
        {
            site.Raw($"/frame-{shown}", $"<!doctype html><html><head><title>A page</title></head><body><iframe src='{server.Address}s/{link}?{Days}' width='1200' height='800'></iframe></body></html>");
            await page.GotoAsync($"{site.Address}/frame-{shown}");
            if (shown) await page.FrameLocator("iframe").Locator("#kpi-visitors").WaitForAsync();
            else Assert.Equal(0, await page.FrameLocator("iframe").Locator("#kpi-visitors").CountAsync());
        }
    }

    [Fact]
    public async Task A_site_is_set_up_and_deleted_with_the_keyboard_and_without_JavaScript()
    {
        await server.Service<PropertySettings>().SaveAsync("plain", null, null, null, null, default);
        await using var browser = await PageBrowser.OpenAsync(server.Address, javaScript: false);
        var page = browser.Page;
        await page.GotoAsync("/p/plain/settings");
        await browser.TabToAsync("input[name=name]");
        await page.Keyboard.PressAsync("Control+A");
        await page.Keyboard.TypeAsync("A plain site");
        await browser.TabToAsync("textarea[name=hosts]");
        await page.Keyboard.TypeAsync("plain.example");
        await browser.TabToAsync("input[name=goalName]");
        await page.Keyboard.TypeAsync("Signed up");
        await page.Keyboard.PressAsync("Tab");
        await page.Keyboard.TypeAsync("signup");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAsync("**/settings?done=saved");
        Assert.Equal(3, await page.Locator("input[name=goalName]").CountAsync());   // the goal, and new empty rows
        await page.ClickAsync("nav >> text=This browser");
        Assert.Equal("https://plain.example/#ff.choice=drop", await page.GetAttributeAsync("text=Leave out", "href"));

        await page.ClickAsync("nav >> text=Tokens");
        await page.FillAsync("input[name=name]", "Ada");
        await page.ClickAsync("text=Make it");
        var text = (await page.InnerTextAsync("pre code")).Trim();
        Assert.StartsWith("fft_", text);
        await page.ClickAsync("table .menu summary");
        await page.FillAsync("input[name=typed]", "Ada");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAsync("**/tokens?done=revoked");

        await page.ClickAsync("nav >> text=Site");
        await page.ClickAsync("a.danger");
        await page.FillAsync("input[name=typed]", "plain");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("text=is deleted");
        Assert.Null(await server.Service<PropertySettings>().FindAsync("plain", default));
    }
}
