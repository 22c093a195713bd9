using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;
using Microsoft.Playwright;

namespace Footfall.Benchmarks;

/// <summary>
/// What the tag costs a page: traces of Chromium's main thread while the same page is loaded with and without it, in turns.
/// The page without it is loaded twice a round: what those two differ by is noise, and the tag should differ by no more.
/// A fourth page has the least that a tag of this kind can be (<see cref="Least"/>): what lies below its figure is the browser's.
/// </summary>
internal static class TrackerBenchmark
{
    private const string Chromium = "/usr/bin/chromium";
    private const string Paragraph = "<p>Ten swings a day are a small thing, and small things are kept. The first week is for the hips, the second for the breath, and from the third on nobody counts any more. <a href='/other'>More about that</a>.</p>";

    /// <summary>Reads an id and keeps one, loads one more file, and sends one request, with nothing around them.</summary>
    private const string Least = "(() => { const host = document.currentScript.src.split('/', 3).join('/'); localStorage.getItem('id'); localStorage.setItem('id', 'x'); const more = document.createElement('script'); more.src = host + '/t.more.js'; document.head.appendChild(more); fetch(host + '/v1/events', { method: 'POST', body: '[]', keepalive: true, credentials: 'omit' }); })()";

    private static readonly string[] Pages = ["/plain", "/plain", "/tagged", "/least"];

    public static async Task RunAsync(string folder, int rounds)
    {
        await using var server = Server.StartProduct(folder);
        await server.ReadyAsync();
        await using var least = await SiteAsync("");
        await using var site = await SiteAsync($"<script async src='http://127.0.0.1:{server.Port}/t.js' data-property='cost' data-localhost data-webdriver></script>", $"<script async src='{least.Urls.First()}/t.least.js'></script>");
        using var playwright = await Playwright.CreateAsync();
        await using var browser = await playwright.Chromium.LaunchAsync(new BrowserTypeLaunchOptions { ExecutablePath = Environment.GetEnvironmentVariable("FOOTFALL_TEST_CHROMIUM") is { Length: > 0 } named ? named : Chromium, Args = ["--no-sandbox", "--disable-gpu"] });

        var address = site.Urls.First();
        foreach (var path in Pages) await LoadTrace.OfAsync(browser, address + path);      // the browser's own first time
        var traces = await InTurnsAsync(rounds, path => LoadTrace.OfAsync(browser, address + path));
        var metrics = await InTurnsAsync(rounds, path => LoadMetrics.OfAsync(browser, address + path));
        Report(traces);
        Report(metrics);
    }

    /// <summary>What each of the pages gave: each comes first, second, third and fourth equally often.</summary>
    private static async Task<List<T>[]> InTurnsAsync<T>(int rounds, Func<string, Task<T>> load)
    {
        List<T>[] loads = [.. Pages.Select(_ => new List<T>())];
        for (var round = 0; round < rounds; round++)
        {
            for (var turn = 0; turn < Pages.Length; turn++)
            {
                var which = (round + turn) % Pages.Length;
                loads[which].Add(await load(Pages[which]));
            }
        }
        return loads;
    }

    private static void Report(List<LoadMetrics>[] loads)
    {
        Figures.Title($"The same without tracing: {loads[2].Count} loads each, CPU time of the main thread, medians");
        Row("script, ms", m => m.ScriptMs);
        Row("all tasks, ms", m => m.TaskMs);

        void Row(string name, Func<LoadMetrics, double> value)
        {
            double[][] values = [.. loads.Select(list => list.Select(value).ToArray())];
            double[] without = [.. values[0], .. values[1]];
            Figures.Line(name, $"without {Figures.Median(values[0]):0.00}, again {Figures.Median(values[1]):0.00}, with the tag {Figures.Median(values[2]):0.00}, with the least {Figures.Median(values[3]):0.00}");
            Figures.Line("  of the tag", Difference(without, values[2]));
            Figures.Line("  of the least", Difference(without, values[3]));
            Figures.Line("  of the page to itself", Difference(values[0], values[1]));
        }
    }

    private static void Report(List<LoadTrace>[] traces)
    {
        var tag = traces[2];
        Figures.Title($"The tag on a page: {tag.Count} loads each with an empty cache, medians");
        var own = tag.SelectMany(t => t.ByFile.Keys).Distinct().Order().ToList();
        Figures.Line("the tag's own main-thread work, in 4 s from the start on", $"{Figures.Median(tag.Select(t => t.OwnMs)):0.00} ms, worst load {tag.Max(t => t.OwnMs):0.00} ms");
        Figures.Line("  of it CPU time", $"{Figures.Median(tag.Select(t => t.OwnCpuMs)):0.00} ms (goal: under 5), worst load {tag.Max(t => t.OwnCpuMs):0.00} ms");
        foreach (var file in own) Figures.Line($"  {file}", $"{Figures.Median(tag.Select(t => t.ByFile.GetValueOrDefault(file))):0.00} ms");
        Figures.Line("  the least that such a tag takes, CPU time", $"{Figures.Median(traces[3].Select(t => t.OwnCpuMs)):0.00} ms: an id read and kept, a file loaded, a request sent");
        Figures.Line("  before DOMContentLoaded", $"{Figures.Median(tag.Select(t => t.OwnBeforeReadyMs)):0.00} ms: what compiling the core and reading its settings takes");
        Figures.Line("  its longest task", $"{Figures.Median(tag.Select(t => t.OwnLongestMs)):0.00} ms, worst load {tag.Max(t => t.OwnLongestMs):0.00} ms (a long task has 50)");
        Console.WriteLine();
        Console.WriteLine($"  {"",-34}{"without",10}{"again",10}{"with",10}   difference of the tag      of the page to itself");
        Row("main thread busy, ms", t => t.BusyMs);
        Row("script, ms", t => t.ScriptMs);
        Row("layout and style, ms", t => t.LayoutMs);
        Row("longest task, ms", t => t.LongestTaskMs);
        Row("long tasks", t => t.LongTasks);
        Row("DOMContentLoaded, ms", t => t.ReadyMs);
        Row("load, ms", t => t.LoadMs);
        Row("first contentful paint, ms", t => t.FirstPaintMs);
        Row("largest contentful paint, ms", t => t.LargestPaintMs);
        Row("total blocking time, ms", t => t.BlockingMs);
        Row("cumulative layout shift", t => t.LayoutShift);

        void Row(string name, Func<LoadTrace, double> value)
        {
            double[][] values = [.. traces.Select(list => list.Select(value).ToArray())];
            double[] without = [.. values[0], .. values[1]];
            Console.WriteLine($"  {name,-34}{Figures.Median(values[0]),10:0.00}{Figures.Median(values[1]),10:0.00}{Figures.Median(values[2]),10:0.00}   {Difference(without, values[2]),-26} {Difference(values[0], values[1])}");
        }
    }

    /// <summary>Difference of the medians, and where 95 % of resampled ones lie.</summary>
    private static string Difference(double[] from, double[] to)
    {
        var random = new Random(7);
        double[] Resampled(double[] values) => [.. values.Select(_ => values[random.Next(values.Length)])];
        double[] differences = [.. Enumerable.Range(0, 2_000).Select(_ => Figures.Median(Resampled(to)) - Figures.Median(Resampled(from))).Order()];
        return $"{Figures.Median(to) - Figures.Median(from):+0.00;-0.00;0.00} ({Figures.Percentile(differences, 0.025):+0.00;-0.00;0.00} to {Figures.Percentile(differences, 0.975):+0.00;-0.00;0.00})";
    }

    /// <summary>An article with styles, a picture and a script of its own, as a site would have them.</summary>
    private static async Task<WebApplication> SiteAsync(string tag, string least = "")
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(o => o.Listen(System.Net.IPAddress.Loopback, 0));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var site = builder.Build();
        site.Run(context =>
        {
            var (type, body) = context.Request.Path.Value switch
            {
                "/plain" => ("text/html; charset=utf-8", Page("")),
                "/tagged" => ("text/html; charset=utf-8", Page(tag)),
                "/least" => ("text/html; charset=utf-8", Page(least)),
                "/t.least.js" => ("text/javascript", Least),
                "/t.more.js" => ("text/javascript", ""),
                "/site.css" => ("text/css", "body { font: 17px/1.5 serif; margin: 2em auto; max-width: 40em } img { width: 100% } nav a { padding: 0 1em }"),
                "/site.js" => ("text/javascript", "document.querySelectorAll('a').forEach(a => a.addEventListener('click', () => {})); document.title += ' - ready';"),
                "/picture.svg" => ("image/svg+xml", "<svg xmlns='http://www.w3.org/2000/svg' viewBox='0 0 800 400'><rect width='800' height='400' fill='#8a3b12'/></svg>"),
                _ => ("text/plain", ""),
            };
            context.Response.ContentType = type;
            context.Response.Headers.AccessControlAllowOrigin = "*";
            return context.Response.WriteAsync(body);
        });
        await site.StartAsync();
        return site;
    }

    private static string Page(string tag) =>
        $"<!doctype html><html lang=en><head><meta charset=utf-8><title>An article</title><link rel=icon href='data:,'><link rel=stylesheet href='/site.css'><script defer src='/site.js'></script>{tag}</head><body><h1>An article</h1><img src='/picture.svg' width=800 height=400 alt=''>{string.Concat(Enumerable.Repeat(Paragraph, 60))}</body></html>";
}
