using System.Diagnostics;
using System.Text.Json;
using Footfall.Cli;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>How fast the dashboard is with 90 days of the demo in it, and that it can be printed. The figures stand in the test's output.</summary>
public sealed class PaceTests(ApiServer server, ITestOutputHelper output) : IClassFixture<ApiServer>
{
    private static readonly string Path = $"/p/demo?from={DashboardServer.Yesterday.AddDays(-89):yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    // As Chromium reports it: the largest paint, how much moved, and the bytes that came over the line.
    private const string Measure = """
        () => new Promise(resolve => {
          let lcp = 0, cls = 0;
          new PerformanceObserver(l => { for (const e of l.getEntries()) lcp = e.startTime; }).observe({ type: 'largest-contentful-paint', buffered: true });
          new PerformanceObserver(l => { for (const e of l.getEntries()) cls += e.value; }).observe({ type: 'layout-shift', buffered: true });
          setTimeout(() => {
            const page = performance.getEntriesByType('navigation')[0];
            const all = [page, ...performance.getEntriesByType('resource')];
            resolve({ lcp, cls, firstByte: page.responseStart - page.requestStart, loaded: page.loadEventEnd, bytes: all.reduce((n, e) => n + e.encodedBodySize, 0), requests: all.length,
                      fcp: performance.getEntriesByName('first-contentful-paint')[0]?.startTime ?? 0 });
          }, 600);
        })
        """;

    [Fact]
    public async Task Ninety_days_come_at_once_without_moving_and_can_be_printed()
    {
        using var said = new StringWriter();
        var exit = await FootfallCommand.RunAsync(["demo", "--Postgres:ConnectionString", server.Database.ConnectionString, "--DataDir", TestFolder.New("pace")], said, said, TestContext.Current.CancellationToken);
        Assert.True(exit == 0, said.ToString());

        await using var context = await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions { BaseURL = server.Client.BaseAddress!.ToString(), ViewportSize = new ViewportSize { Width = 1440, Height = 900 }, Locale = "en-GB" });
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in?return=/start");
        await page.FillAsync("input[name=key]", ApiServer.AdminKey);
        await page.ClickAsync("button.main");
        await page.ArriveAsync("**/start");
        var clock = Stopwatch.StartNew();
        await page.GotoAsync(Path);       // the first one of these days reads them
        output.WriteLine($"first of its kind: {clock.ElapsedMilliseconds} ms");
        List<JsonElement> runs = [];
        for (var i = 0; i < 5; i++)
        {
            // A browser that has been here before brings the files along: this one begins with nothing.
            await using var fresh = await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions { BaseURL = server.Client.BaseAddress!.ToString(), ViewportSize = new ViewportSize { Width = 1440, Height = 900 }, StorageState = await context.StorageStateAsync() });
            var look = await fresh.NewPageAsync();
            await look.GotoAsync(Path);
            await look.WaitForSelectorAsync("ff-chart[data-drawn]");
            runs.Add((await look.EvaluateAsync<JsonElement>(Measure)).Clone());
        }
        double Median(string figure) => runs.Select(r => r.GetProperty(figure).GetDouble()).Order().ElementAt(runs.Count / 2);
        output.WriteLine($"median of {runs.Count} cold loads of 90 days: first byte {Median("firstByte"):0} ms, FCP {Median("fcp"):0} ms, LCP {Median("lcp"):0} ms, CLS {Median("cls"):0.###}, loaded {Median("loaded"):0} ms, {Median("bytes"):0} bytes in {Median("requests"):0} requests");
        clock.Restart();
        await page.GotoAsync($"{Path}&is.country=DE");
        output.WriteLine($"filtered for the first time: {clock.ElapsedMilliseconds} ms, its page drawn and loaded");
        Assert.True(Median("bytes") is > 20_000 and < 150_000, $"{Median("bytes")} bytes");
        Assert.Equal(0, Median("cls"), 3);
        // Twenty times what is measured on a quiet machine: others may be at work on this one.
        Assert.InRange(Median("lcp"), 1, 5_000);

        await page.GotoAsync(Path);
        await page.EmulateMediaAsync(new PageEmulateMediaOptions { Media = Media.Print, ColorScheme = ColorScheme.Dark });
        Assert.Equal("rgb(255, 255, 255)", await page.EvaluateAsync<string>("getComputedStyle(document.body).backgroundColor"));
        foreach (var hidden in new[] { ".top nav", "#filter", "#days", "#account", "#chart-table", "ff-chart .canvas", ".skip" }) Assert.False(await page.Locator(hidden).First.IsVisibleAsync(), hidden);
        foreach (var shown in new[] { ".kpis", "ff-chart .still svg", ".rows", ".trust", "#properties" }) Assert.True(await page.Locator(shown).First.IsVisibleAsync(), shown);
        Assert.True(await page.EvaluateAsync<int>("document.documentElement.scrollWidth - innerWidth") <= 0);
        var paper = await page.PdfAsync(new PagePdfOptions { Format = "A4" });
        var sheets = System.Text.RegularExpressions.Regex.Count(System.Text.Encoding.Latin1.GetString(paper), @"/Type\s*/Page\b");
        Assert.InRange(sheets, 1, 3);
        if (Environment.GetEnvironmentVariable("FOOTFALL_SCREENSHOTS") is { Length: > 0 } folder) await File.WriteAllBytesAsync(System.IO.Path.Combine(folder, "printed.pdf"), paper, TestContext.Current.CancellationToken);
    }
}
