using System.Collections.Concurrent;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>A browser in front of the dashboard that hears every complaint.</summary>
internal sealed class PageBrowser : IAsyncDisposable
{
    private readonly IBrowserContext context;
    private readonly int width;
    private readonly ColorScheme scheme;

    private PageBrowser(IBrowserContext context, IPage page, int width, ColorScheme scheme)
    {
        (this.context, Page, this.width, this.scheme) = (context, page, width, scheme);
        page.Console += (_, message) =>
        {
            if (message.Type is "error" or "warning") Complaints.Enqueue($"{page.Url}: {message.Text}");
        };
        page.PageError += (_, error) => Complaints.Enqueue($"{page.Url}: {error}");
    }

    public IPage Page { get; }
    public ConcurrentQueue<string> Complaints { get; } = new();

    public static async Task<PageBrowser> OpenAsync(Uri server, int width = 1440, ColorScheme scheme = ColorScheme.Light, bool javaScript = true, string? key = ApiServer.AdminKey)
    {
        var opened = await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions
        {
            BaseURL = server.ToString(),
            ViewportSize = new ViewportSize { Width = width, Height = 900 },
            ColorScheme = scheme,
            Locale = "en-GB",
            JavaScriptEnabled = javaScript,
            ReducedMotion = ReducedMotion.Reduce,
        });
        var browser = new PageBrowser(opened, await opened.NewPageAsync(), width, scheme);
        if (key is null) return browser;
        await browser.Page.GotoAsync("/sign-in");
        await browser.Page.FillAsync("input[name=key]", key);
        await browser.Page.ClickAsync("button.main");
        await browser.Page.ArriveAsync("**/p/**");
        return browser;
    }

    public async Task GoAsync(string path, string name)
    {
        await Page.GotoAsync(path);
        await LookAsync(name);
    }

    /// <summary>The page fits, runs nothing that a visitor sent, and axe finds nothing. FOOTFALL_SCREENSHOTS=FOLDER keeps a picture.</summary>
    public async Task LookAsync(string name)
    {
        await Page.LoadAsync();      // a click may have begun another page, which has no document yet
        var wide = await Page.EvaluateAsync<string>("document.documentElement.scrollWidth <= innerWidth ? '' : [...document.querySelectorAll('body *')].filter(e => e.getBoundingClientRect().right > innerWidth).slice(0, 5).map(e => e.outerHTML.slice(0, 80)).join(' | ')");
        Assert.True(wide.Length == 0, $"{name} is wider than {width}: {wide}");
        Assert.False(await Page.EvaluateAsync<bool>("!!window.harmed"), name);
        Assert.True(await Page.EvaluateAsync<string>(Unseen) is { Length: 0 }, $"{name} has text of the colour that is behind it: {await Page.EvaluateAsync<string>(Unseen)}");
        await Page.EvaluateAsync(Axe());
        var found = await Page.EvaluateAsync<JsonElement>("axe.run(document, { resultTypes: ['violations'] }).then(r => r.violations.map(v => v.id + ': ' + v.nodes.slice(0, 3).map(n => n.target.join(' ') + ' ' + n.failureSummary).join(' | ')))");
        foreach (var violation in found.EnumerateArray()) Complaints.Enqueue($"{name} at {width}: {violation}");
        if (Environment.GetEnvironmentVariable("FOOTFALL_SCREENSHOTS") is { Length: > 0 } folder)
            await Page.ScreenshotAsync(new PageScreenshotOptions { Path = Path.Combine(folder, $"{name}-{width}-{(scheme == ColorScheme.Dark ? "dark" : "light")}.png"), FullPage = true });
    }

    /// <summary>Text that nobody can see, which axe leaves undecided: of the very colour of what is behind it.</summary>
    public const string Unseen = """
        [...document.querySelectorAll('body *')].filter(e => {
          if (![...e.childNodes].some(n => n.nodeType === 3 && n.data.trim()) || !e.checkVisibility({ visibilityProperty: true })) return false;
          const color = getComputedStyle(e).color;
          for (let at = e; at; at = at.parentElement) {
            const behind = getComputedStyle(at).backgroundColor;
            if (behind !== 'rgba(0, 0, 0, 0)') return behind === color;
          }
          return false;
        }).map(e => e.outerHTML.slice(0, 80)).join(' | ')
        """;

    /// <summary>Presses Tab until the focus is on what the selector names.</summary>
    public async Task TabToAsync(string selector)
    {
        for (var i = 0; i < 120; i++)
        {
            await Page.Keyboard.PressAsync("Tab");
            if (await Page.EvaluateAsync<bool>("s => document.activeElement?.matches(s) ?? false", selector)) return;
        }
        Assert.Fail($"The keyboard does not reach {selector} on {Page.Url}");
    }

    public async ValueTask DisposeAsync() => await context.DisposeAsync();

    private static string Axe()
    {
        using var stream = typeof(PageBrowser).Assembly.GetManifestResourceStream("axe.js")!;
        using var reader = new StreamReader(stream);
        return reader.ReadToEnd() + "; 0";
    }
}
