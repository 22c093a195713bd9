using System.Collections.Concurrent;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Pages as people meet them, in Chromium.</summary>
public sealed class BrowserTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday.AddDays(-6):yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    private static readonly string[] Pages =
    [
        $"/p/shop?{Days}", $"/p/shop?{Days}&is.country=CA&countries=map&pages=landing&sources=campaign", $"/p/shop/by/path?{Days}", "/p/shop/realtime", $"/p/shop/vitals?{Days}", "/p/shop/health", $"/p/shop/funnels?{Days}", "/p/shop/experiments", "/p/shop/new/funnel", "/p/shop/funnels/core_journey", "/p/shop/leads", "/p/shop/settings", "/p/shop/settings/tokens", "/p/shop/settings/links", "/p/shop/settings/delete", "/p/blog/retention", "/p/blog?period=365d", "/p/blog/health", "/p/shop/new/experiment", "/p/shop/retention", "/p/shop/reports", "/p/shop/reports/preview.html", $"/p/shop/entities?{Days}", $"/p/shop/entities?{Days}&type=product&id=bell", "/welcome",
    ];

    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_page_is_quiet_fits_and_can_be_used_by_everyone(int width, ColorScheme scheme)
    {
        await using var context = await ContextAsync(width, scheme);
        var complaints = new ConcurrentQueue<string>();
        var page = await SignedInAsync(context, complaints);
        foreach (var path in Pages)
        {
            await page.GotoAsync(path);
            if (path.Contains("/vitals", StringComparison.Ordinal) || path.StartsWith("/p/shop?", StringComparison.Ordinal)) await page.WaitForSelectorAsync("ff-chart[data-drawn] .canvas svg path", new PageWaitForSelectorOptions { State = WaitForSelectorState.Attached });
            Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth") <= 0, $"{path} is wider than {width}: {await page.EvaluateAsync<string>("[...document.querySelectorAll('*')].filter(e => !e.closest('details:not([open])') && e.getBoundingClientRect().right > innerWidth).map(e => e.tagName + '.' + e.className).slice(0, 6).join(', ')")}");
            Assert.False(await page.EvaluateAsync<bool>("!!window.harmed"), path);
            Assert.Equal("", await page.EvaluateAsync<string>(PageBrowser.Unseen));
            await page.EvaluateAsync(Axe());
            var found = await page.EvaluateAsync<JsonElement>("axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))");
            foreach (var violation in found.EnumerateArray()) complaints.Enqueue($"{path} at {width}: {violation}");
        }
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task A_click_filters_a_key_changes_the_days_and_back_goes_back()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light);
        var complaints = new ConcurrentQueue<string>();
        var page = await SignedInAsync(context, complaints);
        await page.GotoAsync($"/p/shop?{Days}");
        await page.EvaluateAsync("window.same = true");
        await page.ClickAsync("a:has-text('Canada')");
        await page.ArriveAsync("**is.country=CA");
        Assert.Equal("4", (await page.InnerTextAsync("#kpi-visitors .value")).Trim());
        await page.ClickAsync("a.chip");
        await page.WaitForSelectorAsync("a.chip", new PageWaitForSelectorOptions { State = WaitForSelectorState.Detached });
        await page.GoBackAsync();
        await page.WaitForSelectorAsync("a.chip");
        await page.Keyboard.PressAsync("w");
        await page.ArriveAsync("**period=7d**");
        await page.Keyboard.PressAsync("c");
        await page.ArriveAsync("**compare=none**");
        await page.Keyboard.PressAsync("t");
        await page.WaitForSelectorAsync("#chart-table[open] tbody tr");
        await page.Keyboard.PressAsync("?");
        await page.WaitForSelectorAsync("dialog[open]");
        await page.Keyboard.PressAsync("Escape");
        await page.Keyboard.PressAsync("f");
        Assert.Equal("add.dimension", await page.EvaluateAsync<string>("document.activeElement.name"));
        Assert.True(await page.EvaluateAsync<bool>("window.same === true"), "The page was loaded anew.");
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task Every_key_that_the_help_names_does_what_it_says()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light);
        var page = await SignedInAsync(context, []);
        await page.GotoAsync("/p/shop");
        var attached = new PageWaitForSelectorOptions { State = WaitForSelectorState.Attached };
        foreach (var (key, period) in new[] { ("d", "today"), ("w", "7d"), ("q", "90d"), ("y", "365d") })
        {
            await page.Keyboard.PressAsync(key);
            await page.ArriveAsync($"**period={period}**");
        }
        await page.Keyboard.PressAsync("m");
        await page.WaitForSelectorAsync("#days li a[aria-current=true]:has-text('Last 30 days')", attached);
        Assert.DoesNotContain("period", page.Url);
        await page.Keyboard.PressAsync("c");
        await page.ArriveAsync("**compare=none**");
        await page.Keyboard.PressAsync("c");
        await page.WaitForSelectorAsync("#compare li a[aria-current=true]:has-text('vs previous period')", attached);
        Assert.DoesNotContain("compare", page.Url);
        foreach (var list in new[] { $"/p/shop/by/path?{Days}", "/p/shop/entities", "/p/shop/leads" })
        {
            await page.GotoAsync(list);
            await page.Keyboard.PressAsync("/");
            Assert.Equal("q", await page.EvaluateAsync<string>("document.activeElement.name"));
            await page.Keyboard.PressAsync("w");        // a letter of the search, and no other days
            Assert.Equal("w", await page.EvaluateAsync<string>("document.activeElement.value"));
            Assert.EndsWith(list, page.Url);
        }
        await page.GotoAsync("/p/shop/funnels");
        await page.Keyboard.PressAsync("?");
        var help = await page.InnerTextAsync("dialog[open]");
        foreach (var key in new[] { "D W M Q Y", "C", "F", "/", "T", "?" }) Assert.Contains(key, help);
    }

    [Fact]
    public async Task On_a_phone_the_charts_table_scrolls_by_itself()
    {
        await using var context = await ContextAsync(390, ColorScheme.Light);
        var page = await SignedInAsync(context, []);
        await server.Api.StoreAsync(Told.Event("before", $"{DashboardServer.Yesterday.AddDays(-20):yyyy-MM-dd}T10:00:00Z", property: "long"), Told.Event("now", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z", property: "long"));
        await page.GotoAsync($"/p/long?{Days}");
        await page.Keyboard.PressAsync("t");
        await page.WaitForSelectorAsync("#chart-table[open] th:has-text('Compared with')");
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth") <= 0);
    }

    [Fact]
    public async Task A_chart_is_read_with_the_keyboard_and_leads_to_a_day()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Dark);
        var page = await SignedInAsync(context, []);
        await page.GotoAsync($"/p/shop?{Days}");
        await page.WaitForSelectorAsync("ff-chart[data-drawn]");
        await page.FocusAsync("ff-chart");
        await page.Keyboard.PressAsync("End");
        await page.WaitForSelectorAsync("ff-chart .tip:not([hidden])");
        Assert.Contains("14", await page.InnerTextAsync("ff-chart .tip"));
        await page.Keyboard.PressAsync("Enter");
        var day = DashboardServer.Yesterday.ToString("yyyy-MM-dd");
        await page.ArriveAsync($"**from={day}&to={day}");
    }

    [Fact]
    public async Task Without_JavaScript_everything_is_there()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light, javaScript: false);
        var page = await SignedInAsync(context, []);
        await page.GotoAsync($"/p/shop?{Days}");
        Assert.Equal("14", (await page.InnerTextAsync("#kpi-visitors .value")).Trim());
        Assert.True(await page.Locator("ff-chart .still svg").IsVisibleAsync());
        Assert.Equal(7, (await page.Locator("ff-chart .still .chart-line:not(.then)").First.GetAttributeAsync("d"))!.Split('L').Length);
        await page.ClickAsync("#chart-table summary");
        Assert.Equal(7, await page.Locator("#chart-table tbody tr").CountAsync());
        await page.ClickAsync("#filter summary");
        await page.SelectOptionAsync("select[name='add.dimension']", "country");
        await page.FillAsync("input[name='add.value']", "CA");
        await page.ClickAsync("#filter button");
        await page.ArriveAsync("**is.country=CA");
        Assert.Equal("4", (await page.InnerTextAsync("#kpi-visitors .value")).Trim());
        await page.ClickAsync("#account summary");
        await page.ClickAsync("button:has-text('Dark')");
        Assert.Equal("dark", await page.GetAttributeAsync("html", "data-theme"));
        await page.ClickAsync("#account summary");
        await page.ClickAsync("button:has-text('Sign out')");
        await page.ArriveAsync("**/sign-in");
    }

    [Fact]
    public async Task The_page_now_shows_an_event_as_it_comes()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light);
        var complaints = new ConcurrentQueue<string>();
        var page = await SignedInAsync(context, complaints);
        await page.GotoAsync("/p/blog/realtime");
        await page.WaitForSelectorAsync("text=Nobody is here");
        var now = TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'");
        await server.Api.StoreAsync(Told.Event("live", now, property: "blog", path: "/just-now"));
        await page.WaitForSelectorAsync(".stream >> text=/just-now", new PageWaitForSelectorOptions { Timeout = 60_000 });
        Assert.Empty(complaints);
    }

    [Fact]
    public async Task Who_leaves_the_page_now_gets_the_other_page_though_an_event_comes_meanwhile()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light);
        var page = await SignedInAsync(context, []);
        await page.AddInitScriptAsync("window.changes = 0; window.EventSource = class extends EventSource { constructor(at) { super(at); this.addEventListener('changed', () => setTimeout(() => changes++)); } }");
        await server.Api.StoreAsync(Told.Event("news", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z", property: "news"));
        await page.GotoAsync("/p/news/realtime");
        await page.WaitForSelectorAsync("text=Nobody is here");
        var (asked, answered) = (new TaskCompletionSource(), new TaskCompletionSource());
        await page.RouteAsync("**/p/news", async route =>
        {
            asked.TrySetResult();
            await answered.Task;
            await route.ContinueAsync();
        });
        await page.ClickAsync("nav a[href='/p/news']");
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        for (var i = 0; await page.EvaluateAsync<int>("changes") == 0; i++)
        {
            Assert.True(i < 60, "The page was not told of an event.");
            await server.Api.StoreAsync(Told.Event($"news{i}", TimeProvider.System.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss'Z'"), property: "news"));
            await Task.Delay(1_000);
        }
        answered.SetResult();
        await page.ArriveAsync("**/p/news");
        await page.WaitForSelectorAsync("#kpi-visitors");
    }

    [Fact]
    public async Task A_note_is_pinned_marked_on_the_chart_read_along_it_changed_and_taken_away()
    {
        await using var context = await ContextAsync(1440, ColorScheme.Light);
        var complaints = new ConcurrentQueue<string>();
        var page = await SignedInAsync(context, complaints);
        await page.GotoAsync($"/p/blog?{Days}");
        await page.ClickAsync("#add-note summary");
        await page.FillAsync("#add-note input[name=day]", DashboardServer.Yesterday.ToString("yyyy-MM-dd"));
        await page.FillAsync("#add-note input[name=text]", "<img src=x onerror=harmed=1> out");
        await page.ClickAsync("#add-note button");
        await page.WaitForSelectorAsync("ff-chart .mark[data-number='1']");
        // At its day: the last one of the window.
        var (mark, chart) = (await page.Locator("ff-chart .mark").BoundingBoxAsync(), await page.Locator("ff-chart").BoundingBoxAsync());
        Assert.InRange(mark!.X, chart!.X + chart.Width - 30, chart.X + chart.Width);
        await page.FocusAsync("ff-chart");
        await page.Keyboard.PressAsync("End");
        Assert.Contains("<img src=x onerror=harmed=1> out", await page.InnerTextAsync("ff-chart .tip"));
        await page.ClickAsync(".notes summary");
        await page.FillAsync(".notes input[name=text]", "Out");
        await page.ClickAsync(".notes button:has-text('Save')");
        await page.WaitForSelectorAsync(".notes >> text=Out");
        await page.ClickAsync(".notes summary");
        await page.ClickAsync(".notes button:has-text('Take it away')");
        await page.WaitForSelectorAsync(".notes", new PageWaitForSelectorOptions { State = WaitForSelectorState.Detached });
        Assert.False(await page.EvaluateAsync<bool>("!!window.harmed"));
        Assert.Empty(complaints);
    }

    private static string Axe()
    {
        using var stream = typeof(BrowserTests).Assembly.GetManifestResourceStream("axe.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd() + "; 0";
    }

    private async Task<IBrowserContext> ContextAsync(int width, ColorScheme scheme, bool javaScript = true) => await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions
    {
        BaseURL = server.Address.ToString(),
        ViewportSize = new ViewportSize { Width = width, Height = 900 },
        ColorScheme = scheme,
        Locale = "en-GB",
        JavaScriptEnabled = javaScript,
        ReducedMotion = ReducedMotion.Reduce,
    });

    private static async Task<IPage> SignedInAsync(IBrowserContext context, ConcurrentQueue<string> complaints)
    {
        var page = await context.NewPageAsync();
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => complaints.Enqueue($"{page.Url}: {error}");
        await page.GotoAsync("/sign-in");
        await page.FillAsync("input[name=key]", ApiServer.AdminKey);
        await page.ClickAsync("button.main");
        await page.ArriveAsync("**/p/**");
        return page;
    }
}
