using System.Globalization;
using System.Net;

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
        var valid = asked.Length is > 0 and <= LongestProperty && char.IsAsciiLetterOrDigit(asked[0]) && asked.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '_' or '-');
        return context.Response.WriteAsync(Render($"{request.Scheme}://{request.Host}", valid ? asked : DefaultProperty, asked.Length > 0 && !valid), context.RequestAborted);
    }

    /// <param name="address">Of this server, as the reader's browser knows it.</param>
    internal string Render(string address, string property, bool wasInvalid)
    {
        var since = time.GetUtcNow().UtcDateTime.ToString("yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
        var snippet = $"""<script async src="{address}/t.js" data-property="{property}"></script>""";
        var picture = $"""<noscript><img src="{address}/v1/pixel.gif?property={property}" alt=""></noscript>""";
        var body = $"""
            <section class="panel">
              <h1>Count a site</h1>
              <p>Put this line into the head of every page of the site.</p>
              <form method="get" action="/install">
                <label for="property">Property</label> <input id="property" name="property" value="{WebUtility.HtmlEncode(property)}" maxlength="{LongestProperty}" required pattern="[A-Za-z0-9][A-Za-z0-9._\-]*"> <button>Use it</button>
              </form>
              {(wasInvalid ? "<p class=\"bad\">A property has letters, digits, dots, hyphens or underscores, 64 at most, and begins with a letter or digit.</p>" : "")}
              <div class="command"><pre tabindex="0"><code>{WebUtility.HtmlEncode(snippet)}</code></pre><button type="button" data-copy hidden>Copy</button></div>
              <p class="muted">For visitors without JavaScript, as the first thing of the body:</p>
              <div class="command"><pre tabindex="0"><code>{WebUtility.HtmlEncode(picture)}</code></pre><button type="button" data-copy hidden>Copy</button></div>
            </section>
            <section class="panel">
              <h2>Is it there?</h2>
              <p role="status" data-arrival data-property="{WebUtility.HtmlEncode(property)}" data-since="{since}">Waiting for an event of {WebUtility.HtmlEncode(property)}: open a page of the site in another tab.</p>
              <noscript><p>This page watches by itself with JavaScript. Without, <a href="/v1/install/arrived?property={WebUtility.UrlEncode(property)}&amp;since={since}">ask</a>.</p></noscript>
              <p class="muted">Pages on localhost are counted only with <code>data-localhost</code> on the tag. <a href="/docs/install.md">More: single-page apps, WordPress, Next.js, Blazor, one's own domain</a></p>
            </section>
            """;
        return Page.Whole("Count a site", body).Replace("</head>", "  <script src=\"/assets/install.js\" type=\"module\"></script>\n</head>", StringComparison.Ordinal);
    }
}
