using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Footfall.Tracker;

/// <summary>
/// The tracker's files as the build left them in the assembly (web/build-tracker.mjs). The core has a name that never
/// changes and is asked for anew each hour; it names the others by their hash, so that they may be kept for a year.
/// </summary>
internal static class TrackerFiles
{
    public const string CorePath = "/t.js";
    public const int HashLength = 16;
    private const string ForAnHour = "public, max-age=3600, stale-while-revalidate=86400";
    private const string ForAYear = "public, max-age=31536000, immutable";

    public static IReadOnlyList<TrackerFile> All { get; } = Load();

    /// <summary>
    /// For a core that a browser has kept from before an upgrade and that names a file of then: the one of now, to be asked for
    /// anew each time. Null where there never was such a file.
    /// </summary>
    public static TrackerFile? Successor(string name) =>
        All.FirstOrDefault(f => f.Path.StartsWith($"/t.{name}.", StringComparison.Ordinal)) is { } file ? file with { CacheControl = "no-cache" } : null;

    private static List<TrackerFile> Load()
    {
        List<TrackerFile> files = [];
        foreach (var name in (string[])["core", "activity", "form"])
        {
            var plain = Resource($"{name}.js");
            // The address that web/build-tracker.mjs has written into the file that loads this one.
            var hash = Convert.ToHexStringLower(SHA256.HashData(plain))[..HashLength];
            var hashed = new TrackerFile($"/t.{name}.{hash}.js", ForAYear, hash, plain, Resource($"{name}.js.gz"), Resource($"{name}.js.br"));
            files.Add(hashed);
            if (name == "core") files.Add(hashed with { Path = CorePath, CacheControl = ForAnHour });
        }
        return files;
    }

    private static byte[] Resource(string name)
    {
        using var stream = typeof(TrackerFiles).Assembly.GetManifestResourceStream($"Footfall.Tracker.{name}")
            ?? throw new InvalidOperationException($"The assembly was built without the tracker's {name}: build src/Footfall with Node.js installed.");
        var bytes = new byte[stream.Length];
        stream.ReadExactly(bytes);
        return bytes;
    }
}

/// <summary>One file in the encodings that browsers ask for.</summary>
internal sealed record TrackerFile(string Path, string CacheControl, string Hash, byte[] Plain, byte[] Gzip, byte[] Brotli)
{
    public Task WriteAsync(HttpContext context)
    {
        var (body, encoding) = Choose(context.Request.Headers.AcceptEncoding.ToString());
        var headers = context.Response.Headers;
        var tag = $"\"{Hash}{(encoding is null ? "" : "-" + encoding)}\"";
        headers.CacheControl = CacheControl;
        headers.ETag = tag;
        headers.Vary = HeaderNames.AcceptEncoding;
        // Sites that isolate themselves (Cross-Origin-Embedder-Policy) load only what says that it may be loaded.
        headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        headers.AccessControlAllowOrigin = "*";
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(tag, StringComparison.Ordinal))
        {
            context.Response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        if (encoding is not null) headers.ContentEncoding = encoding;
        context.Response.ContentType = "text/javascript; charset=utf-8";
        context.Response.ContentLength = body.Length;
        return HttpMethods.IsHead(context.Request.Method) ? Task.CompletedTask : context.Response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private (byte[] Body, string? Encoding) Choose(string accepted)
    {
        if (accepted.Length == 0 || !StringWithQualityHeaderValue.TryParseList([accepted], out var list)) return (Plain, null);
        var wanted = list.Where(e => e.Quality is null or > 0).Select(e => e.Value.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return wanted.Contains("br") ? (Brotli, "br") : wanted.Contains("gzip") ? (Gzip, "gzip") : (Plain, null);
    }
}
