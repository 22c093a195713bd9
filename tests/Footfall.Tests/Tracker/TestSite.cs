using System.Collections.Concurrent;
using Microsoft.AspNetCore.Builder;
using Microsoft.AspNetCore.Hosting;
using Microsoft.AspNetCore.Http;
using Microsoft.Extensions.Logging;

namespace Footfall.Tests.Tracker;

/// <summary>A stranger's site at http://shop.test, on another origin than the server that counts it.</summary>
internal sealed class TestSite : IAsyncDisposable
{
    private readonly WebApplication app;
    private readonly ConcurrentDictionary<string, (string Html, (string Name, string Value)[] Headers)> pages = [];

    private TestSite(WebApplication app) => this.app = app;

    /// <summary>Paths that were asked for.</summary>
    public ConcurrentBag<string> Requests { get; } = [];

    public int Port => new Uri(app.Urls.First()).Port;

    /// <summary>Where the tag's script comes from.</summary>
    public string Server { get; set; } = "";

    public string Address => $"http://shop.test:{Port}";

    public static async Task<TestSite> StartAsync()
    {
        var builder = WebApplication.CreateEmptyBuilder(new WebApplicationOptions());
        builder.WebHost.UseKestrelCore();
        builder.WebHost.ConfigureKestrel(o => o.Listen(System.Net.IPAddress.Loopback, 0));
        builder.Logging.SetMinimumLevel(LogLevel.None);
        var web = builder.Build();
        var site = new TestSite(web);
        web.Run(site.AnswerAsync);
        await web.StartAsync();
        return site;
    }

    /// <summary>The tag as a site would have it; tests are driven by a WebDriver, which it is told to overlook.</summary>
    public string Tag(string attributes = "") => $"""<script async src="{Server}/t.js" data-property="shop" data-webdriver {attributes}></script>""";

    /// <summary>A whole page with the tag in its head.</summary>
    public void Page(string path, string body = "<h1>A page</h1>", string attributes = "", string head = "", params (string Name, string Value)[] headers) =>
        Raw(path, $"<!doctype html><html><head><meta charset=utf-8><title>A page</title><link rel=icon href='data:,'>{head}{Tag(attributes)}</head><body>{body}</body></html>", headers);

    public void Raw(string path, string html, params (string Name, string Value)[] headers) => pages[path] = (html, headers);

    public async ValueTask DisposeAsync()
    {
        await app.StopAsync();
        await app.DisposeAsync();
    }

    private async Task AnswerAsync(HttpContext context)
    {
        Requests.Add(context.Request.Path);
        if (!pages.TryGetValue(context.Request.Path, out var page))
        {
            context.Response.StatusCode = 404;
            return;
        }
        foreach (var (name, value) in page.Headers) context.Response.Headers[name] = value;
        context.Response.ContentType = context.Request.Path.Value!.EndsWith(".js", StringComparison.Ordinal) ? "text/javascript" : "text/html; charset=utf-8";
        await context.Response.WriteAsync(page.Html);
    }
}
