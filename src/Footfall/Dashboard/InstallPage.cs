using System.Globalization;
using System.Net;
using Footfall.Capture;

namespace Footfall.Dashboard;

/// <summary>The page at /install: the snippet for a property, and whether its first event has come.</summary>
internal sealed class InstallPage(TimeProvider time)
{
    private const string DefaultProperty = "default";
    private const int LongestProperty = 64;

    public Task WriteAsync(HttpContext context)
    {
        var request = context.Request;
        context.Response.ContentType = "text/html; charset=utf-8";
        context.Response.Headers.CacheControl = "no-store";
        var asked = request.Query["property"].ToString().Trim();
        var valid = PropertyId.IsValid(asked);
        return context.Response.WriteAsync(Render($"{request.Scheme}://{request.Host}", valid ? asked : DefaultProperty, asked.Length > 0 && !valid), context.RequestAborted);
    }

    /// <param name="address">Of this server, as the reader's browser knows it.</param>
    internal string Render(string address, string property, bool wasInvalid)
    {
        var since = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var snippet = SnippetOf(address, property);
        var picture = $"""<noscript><img src="{address}/v1/pixel.gif?property={property}" alt=""></noscript>""";
        var named = WebUtility.HtmlEncode(property);
        var body = $"""
            <section class="panel">
              <h1>Count a site</h1>
              <p>One line of HTML, and its pages are counted. Nothing else to set up: the property is made by its first event.</p>
              <ol class="steps">
                <li>
                  <h2>Name the site</h2>
                  <form class="ask" method="get" action="/install">
                    <label for="property">Property: the site's name in figures and addresses</label>
                    <input id="property" name="property" value="{named}" maxlength="{LongestProperty}" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]*" autocomplete="off" spellcheck="false">
                    <button>Use it</button>
                  </form>
                  {(wasInvalid ? "<p class=\"bad\">A property has letters, digits, dots, hyphens or underscores, 64 at most, and begins with a letter or digit.</p>" : "")}
                </li>
                <li>
                  <h2>Put this into the head of every page</h2>
                  <div class="command"><pre tabindex="0"><code>{WebUtility.HtmlEncode(snippet)}</code></pre><button type="button" data-copy hidden>Copy</button></div>
                  <details>
                    <summary>Also count visitors without JavaScript</summary>
                    <p class="muted">As the first thing of the body:</p>
                    <div class="command"><pre tabindex="0"><code>{WebUtility.HtmlEncode(picture)}</code></pre><button type="button" data-copy hidden>Copy</button></div>
                  </details>
                </li>
                <li>
                  <h2>Open a page of the site</h2>
                  <p class="arrival" role="status" data-arrival data-property="{named}" data-since="{since}">Waiting for the first event of {named}</p>
                  <p class="next" data-next hidden><a href="/">See how the server is doing</a>, or read what else can be counted: <a href="/docs/install.md">the documentation</a>.</p>
                  <noscript><p>This page watches by itself with JavaScript. Without, <a href="/v1/install/arrived?property={WebUtility.UrlEncode(property)}&amp;since={since}">ask</a>.</p></noscript>
                  <p class="muted">Not counted unless asked: pages on localhost (<code>data-localhost</code>), in frames, and in browsers that a program drives.</p>
                </li>
              </ol>
            </section>
            <section class="panel">
              <h2>Other ways</h2>
              <p class="muted"><a href="/docs/install.md">Single-page apps, WordPress, Next.js, Blazor, Shopify, the site's own domain, lead forms, settings and consent</a></p>
            </section>
            """;
        return Page.Whole("Count a site", body).Replace("</head>", "  <link rel=\"stylesheet\" href=\"/assets/install.css\">\n  <script src=\"/assets/install.js\" type=\"module\"></script>\n</head>", StringComparison.Ordinal);
    }

    /// <summary>The tag that a site's pages hold. Not encoded: it is shown as text.</summary>
    internal static string SnippetOf(string address, string property) => $"""<script async src="{address}/t.js" data-property="{property}"></script>""";
}
