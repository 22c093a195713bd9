using System.Net;

namespace Footfall.Dashboard;

/// <summary>The frame around every page.</summary>
internal static class Page
{
    /// <summary>Text made safe to stand between tags and in quoted attributes.</summary>
    public static string Text(string text) => WebUtility.HtmlEncode(text);

    public static string Whole(string title, string body) => $"""
        <!doctype html>
        <html lang="en">
        <head>
          <meta charset="utf-8">
          <meta name="viewport" content="width=device-width, initial-scale=1">
          <meta name="color-scheme" content="light dark">
          <meta name="robots" content="noindex">
          <title>{Text(title)} - Footfall</title>
          <link rel="icon" href="/assets/footfall.svg" type="image/svg+xml">
          <link rel="stylesheet" href="/assets/footfall.css">
          <script src="/assets/copy.js" type="module"></script>
        </head>
        <body>
          <header class="top"><a class="name" href="/">Footfall</a></header>
          <main>
        {body}
          </main>
        </body>
        </html>
        """;
}
