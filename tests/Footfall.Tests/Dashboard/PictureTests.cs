using System.Buffers.Binary;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Cli;
using Footfall.Dashboard.Overview;
using Footfall.Dashboard.Sharing;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Tracker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>
/// Pictures of the pages with the demo's history in them. FOOTFALL_PICTURES=docs/images makes those of the README;
/// FOOTFALL_SCREENSHOTS=FOLDER keeps all of them, to be looked at.
/// </summary>
public sealed class PictureTests(ApiServer server) : IClassFixture<ApiServer>
{
    private static readonly (string Name, string Path)[] Pages =
    [
        ("overview", $"/p/demo?from={DashboardServer.Yesterday.AddDays(-29):yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}"), ("realtime", "/p/demo/realtime"), ("funnels", "/p/demo/funnels?period=90d"), ("experiments", "/p/demo/experiments"),
        ("entities", "/p/demo/entities"), ("vitals", "/p/demo/vitals?period=90d"), ("health", "/p/demo/health"),
        ("leads", "/p/demo/leads"), ("settings", "/p/demo/settings"), ("shared-links", "/p/demo/settings/links"), ("tokens", "/p/demo/settings/tokens"),
        ("reports", "/p/demo/reports"), ("funnel", "/p/demo/funnels/core_journey?period=90d&by=source"), ("funnel-form", "/p/demo/new/funnel"), ("experiment-form", "/p/demo/experiments/hero/edit"), ("experiment-remove", "/p/demo/experiments/hero/remove"), ("retention", "/p/demo/retention"), ("report-mail", "/p/demo/reports/preview.html"), ("path", "/p/demo/by/path?period=90d"), ("welcome", "/welcome"), ("error", "/p/demo?period=fortnight"), ("empty", "/p/empty.example"),
        ("sign-in", "/sign-in"), ("snippet", "/p/demo/settings/snippet"), ("browser", "/p/demo/settings/browser"), ("server", "/p/demo/settings/server"), ("delete", "/p/demo/settings/delete"),
        ("compared", "/p/demo?period=7d&compare=previous_year&is.country=CA&not.source=direct"), ("hours", "/p/demo?period=yesterday"), ("variants", "/p/demo/funnels/core_journey?period=90d&by=variant:hero"), ("entity", "/p/demo/entities?type=product&id=bell"), ("nothing", "/p/demo?has.path=/no-such-page"),
        ("empty-realtime", "/p/empty.example/realtime"), ("empty-funnels", "/p/empty.example/funnels"), ("empty-experiments", "/p/empty.example/experiments"), ("empty-entities", "/p/empty.example/entities"),
        ("empty-vitals", "/p/empty.example/vitals"), ("empty-health", "/p/empty.example/health"), ("empty-leads", "/p/empty.example/leads"), ("empty-retention", "/p/empty.example/retention"), ("empty-settings", "/p/empty.example/settings"), ("empty-reports", "/p/empty.example/reports"), ("empty-path", "/p/empty.example/by/path"),
    ];

    /// <summary>What opens at a key or a click.</summary>
    private static readonly (string Name, string Path, string? Key, string? Click)[] Opened =
    [
        ("filter-open", "/p/demo", "f", null), ("days-open", "/p/demo", null, "#days > summary"), ("compare-open", "/p/demo", null, "#compare > summary"), ("keys-open", "/p/demo", "?", null), ("note-open", "/p/demo", null, "#add-note > summary"),
        ("more-open", "/p/demo", null, "#more-pages > summary"), ("properties-open", "/p/demo", null, "#properties > summary"), ("account-open", "/p/demo", null, "#account > summary"),
        ("table-open", "/p/demo?period=7d", "t", null), ("variants-open", "/p/demo/funnels?period=90d", null, "#variants-0 > summary"),
        ("map", "/p/demo?countries=map", null, null), ("revoke-open", "/p/demo/settings/tokens", null, ".tokens .menu > summary"), ("take-back-open", "/p/demo/settings/links", null, ".tokens .menu > summary"),
    ];

    /// <summary>Pages that another page leads to: by its first link of the kind.</summary>
    private static readonly (string Name, string From, string Link)[] Led = [("lead", "/p/demo/leads", "main a[href*='/p/demo/leads/']")];

    private const string Experiment = """
        {"propertyId": "demo", "id": "hero", "name": "Calm or bold hero", "variants": [{"id": "calm", "weight": 1}, {"id": "bold", "weight": 1}], "control": "calm", "metric": {"eventType": "add_to_cart", "withinHours": 24}}
        """;

    [Fact]
    public async Task Every_page_has_its_picture_light_and_dark()
    {
        using var output = new StringWriter();
        var exit = await FootfallCommand.RunAsync(["demo", "--Postgres:ConnectionString", server.Database.ConnectionString, "--DataDir", TestFolder.New("pictures")], output, output, TestContext.Current.CancellationToken);
        Assert.True(exit == 0, output.ToString());
        using var define = new HttpRequestMessage(HttpMethod.Post, "/v1/experiments") { Content = new StringContent(Experiment, System.Text.Encoding.UTF8, "application/json") };
        define.Headers.Add("x-admin-key", ApiServer.AdminKey);
        using var defined = await server.Client.SendAsync(define, TestContext.Current.CancellationToken);
        Assert.True(defined.IsSuccessStatusCode, await defined.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        await server.RollUpAsync();
        var wanted = Environment.GetEnvironmentVariable("FOOTFALL_PICTURES");
        var kept = Environment.GetEnvironmentVariable("FOOTFALL_SCREENSHOTS");
        var folder = !string.IsNullOrEmpty(wanted) ? Path.GetFullPath(wanted, Root()) : !string.IsNullOrEmpty(kept) ? Path.GetFullPath(kept, Root()) : TestFolder.New("pictures");
        var link = await DressAsync();
        string[] shared = ["", "/retention", "/funnels/core_journey", "/experiments"];
        foreach (var (scheme, width) in new[] { (ColorScheme.Light, 1440), (ColorScheme.Dark, 1440), (ColorScheme.Light, 390) })
        {
            await using var context = await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions
            {
                BaseURL = server.Client.BaseAddress!.ToString(),
                ViewportSize = new ViewportSize { Width = width, Height = 900 },
                ColorScheme = scheme,
                Locale = "en-GB",
                ReducedMotion = ReducedMotion.Reduce,
            });
            var page = await context.NewPageAsync();
            await page.GotoAsync("/sign-in?return=/start");
            await page.FillAsync("input[name=key]", ApiServer.AdminKey);
            await page.ClickAsync("button.main");
            await page.ArriveAsync("**/start");
            if (string.IsNullOrEmpty(wanted) && scheme == ColorScheme.Light && width > 500)
            {
                foreach (var paper in new[] { "a4", "letter" })
                {
                    var pdf = await context.APIRequest.GetAsync($"/p/demo/overview.pdf?period=30d&paper={paper}");
                    Assert.Equal(200, pdf.Status);
                    await File.WriteAllBytesAsync(Path.Combine(folder, $"overview-{paper}.pdf"), await pdf.BodyAsync(), TestContext.Current.CancellationToken);
                }
            }
            // The README needs two: the others are for looking at.
            foreach (var (name, path) in string.IsNullOrEmpty(wanted) ? [.. Pages, .. shared.Select(s => ($"shared{(s.Length == 0 ? "" : s.Replace('/', '-'))}", $"/s/{link}{s}")), .. Opened.Select(o => (o.Name, o.Path)), .. Led.Select(l => (l.Name, l.From))] : Pages[..1])
            {
                await page.GotoAsync(path);
                if (Led.FirstOrDefault(l => l.Name == name) is { Link: not null } led) await page.GotoAsync((await page.Locator(led.Link).First.GetAttributeAsync("href"))!);
                if (await page.Locator("ff-chart").CountAsync() > 0) await page.WaitForSelectorAsync("ff-chart[data-drawn]");
                if (Opened.FirstOrDefault(o => o.Name == name) is { Path: not null } opened)
                {
                    if (opened.Key is { } key) await page.Keyboard.PressAsync(key);
                    if (opened.Click is { } click) await page.ClickAsync(click);
                }
                var file = Path.Combine(folder, $"{name}-{(width < 500 ? "phone" : scheme == ColorScheme.Dark ? "dark" : "light")}.png");
                var picture = await page.ScreenshotAsync(new PageScreenshotOptions { Path = file, FullPage = string.IsNullOrEmpty(wanted) });
                Assert.True(await page.EvaluateAsync<string>(PageBrowser.Unseen) is { Length: 0 }, $"{name}: {await page.EvaluateAsync<string>(PageBrowser.Unseen)}");
                Assert.Equal((name, width), (name, BinaryPrimitives.ReadInt32BigEndian(picture.AsSpan(16))));
            }
        }
    }

    /// <summary>What people add to figures: notes, another site, keys for others. Returns the shared link.</summary>
    private async Task<string> DressAsync()
    {
        var notes = server.Services.GetRequiredService<NoteStore>();
        await notes.AddAsync("demo", DashboardServer.Yesterday.AddDays(-21), "The bold headline is live", TestContext.Current.CancellationToken);
        await notes.AddAsync("demo", DashboardServer.Yesterday.AddDays(-8), "Newsletter to everybody", TestContext.Current.CancellationToken);
        await server.Services.GetRequiredService<PropertyStore>().MakeAsync("empty.example", "Not yet live", ["empty.example"], TimeProvider.System.GetUtcNow(), TestContext.Current.CancellationToken);
        await server.NewTokenAsync(AccessRole.Dashboard, property: "demo");
        return (await server.Services.GetRequiredService<SharedLinkStore>().CreateAsync("a test", "demo", "The board", null, TimeProvider.System.GetUtcNow().AddDays(90), ["https://intranet.example"], TestContext.Current.CancellationToken)).Text;
    }

    private static string Root()
    {
        var folder = new DirectoryInfo(AppContext.BaseDirectory);
        while (!File.Exists(Path.Combine(folder!.FullName, "Footfall.slnx"))) folder = folder.Parent;
        return folder.FullName;
    }
}
