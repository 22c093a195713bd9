using System.Collections.Frozen;
using Microsoft.Extensions.Options;

namespace Footfall.Tracker;

/// <summary>A small shop that is tracked, at /demo/: plain files that may be copied to any web server.</summary>
internal static class DemoSite
{
    private const string Prefix = "Footfall.DemoSite.";
    private static readonly FrozenDictionary<string, byte[]> Files = Load();

    public static bool IsOn(IServiceProvider services) =>
        services.GetRequiredService<IOptions<DemoOptions>>().Value.Enabled ?? services.GetRequiredService<IHostEnvironment>().IsDevelopment();

    public static void Map(IEndpointRouteBuilder routes)
    {
        // Links of the pages are relative: without the slash they would lead elsewhere.
        routes.MapGet("/demo", (HttpContext context) =>
        {
            if (context.Request.Path.Value!.EndsWith('/')) return AnswerAsync(context, "index.html");
            context.Response.Redirect("/demo/");
            return Task.CompletedTask;
        });
        routes.MapGet("/demo/{name}", (HttpContext context, string name) => AnswerAsync(context, name));
    }

    private static Task AnswerAsync(HttpContext context, string name)
    {
        var response = context.Response;
        if (!Files.TryGetValue(name, out var file))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            file = Files["404.html"];
            name = "404.html";
        }
        response.ContentType = System.IO.Path.GetExtension(name) switch
        {
            ".html" => "text/html; charset=utf-8",
            ".css" => "text/css; charset=utf-8",
            ".js" => "text/javascript; charset=utf-8",
            ".svg" => "image/svg+xml",
            ".pdf" => "application/pdf",
            _ => "application/octet-stream",
        };
        response.Headers.CacheControl = "no-cache";
        // Clicks from page to page show as such; the server's other pages keep quiet about where one comes from.
        response.Headers["Referrer-Policy"] = "strict-origin-when-cross-origin";
        response.ContentLength = file.Length;
        return response.Body.WriteAsync(file, context.RequestAborted).AsTask();
    }

    private static FrozenDictionary<string, byte[]> Load()
    {
        var program = typeof(DemoSite).Assembly;
        return program.GetManifestResourceNames()
            .Where(n => n.StartsWith(Prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(n => n[Prefix.Length..], n =>
            {
                using var stream = program.GetManifestResourceStream(n)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return bytes;
            }, StringComparer.Ordinal);
    }
}
