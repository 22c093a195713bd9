using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.Net.Http.Headers;

namespace Footfall.Dashboard;

/// <summary>Files that the program carries in itself, so that it serves them wherever it is started from.</summary>
internal static class Files
{
    private const string ForAYear = "public, max-age=31536000, immutable";

    private static readonly FrozenDictionary<string, Entry> Assets = Load("Footfall.Assets.", "Footfall.Bundle.");
    private static readonly FrozenDictionary<string, Entry> Docs = Load("Footfall.Docs.");

    /// <param name="Version">Of the content: an address with it may be kept for ever.</param>
    /// <param name="Gzip">Null where the build did not make it.</param>
    private sealed record Entry(byte[] Plain, string Version, byte[]? Gzip, byte[]? Brotli);

    /// <summary>The file's address with its version, as web/build-dashboard.mjs makes it.</summary>
    public static string Address(string name) => $"/assets/{name}?v={Assets[name].Version}";

    public static Task Asset(HttpContext context, string name) => AnswerAsync(context, Assets, name, Path.GetExtension(name) switch
    {
        ".css" => "text/css; charset=utf-8",
        ".svg" => "image/svg+xml",
        _ => "text/javascript; charset=utf-8",
    });

    // Browsers offer text/markdown for download; as plain text it can be read at once.
    public static Task Documentation(HttpContext context, string name) => AnswerAsync(context, Docs, $"{name}.md", "text/plain; charset=utf-8");

    private static Task AnswerAsync(HttpContext context, FrozenDictionary<string, Entry> files, string name, string type)
    {
        var response = context.Response;
        if (!files.TryGetValue(name, out var file))
        {
            response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        }
        var (body, encoding) = Choose(file, context.Request.Headers.AcceptEncoding.ToString());
        var tag = $"\"{file.Version}{(encoding is null ? "" : "-" + encoding)}\"";
        response.Headers.ETag = tag;
        response.Headers.Vary = HeaderNames.AcceptEncoding;
        response.Headers.CacheControl = context.Request.Query["v"] == file.Version ? ForAYear : "no-cache";
        if (context.Request.Headers.IfNoneMatch.ToString().Contains(tag, StringComparison.Ordinal))
        {
            response.StatusCode = StatusCodes.Status304NotModified;
            return Task.CompletedTask;
        }
        if (encoding is not null) response.Headers.ContentEncoding = encoding;
        response.ContentType = type;
        response.ContentLength = body.Length;
        return response.Body.WriteAsync(body, context.RequestAborted).AsTask();
    }

    private static (byte[] Body, string? Encoding) Choose(Entry file, string accepted)
    {
        if (accepted.Length == 0 || !StringWithQualityHeaderValue.TryParseList([accepted], out var list)) return (file.Plain, null);
        var wanted = list.Where(e => e.Quality is null or > 0).Select(e => e.Value.Value).ToHashSet(StringComparer.OrdinalIgnoreCase);
        return file.Brotli is not null && wanted.Contains("br") ? (file.Brotli, "br") : file.Gzip is not null && wanted.Contains("gzip") ? (file.Gzip, "gzip") : (file.Plain, null);
    }

    private static FrozenDictionary<string, Entry> Load(params string[] prefixes)
    {
        var program = typeof(Files).Assembly;
        var all = program.GetManifestResourceNames()
            .SelectMany(n => prefixes.Where(p => n.StartsWith(p, StringComparison.Ordinal)).Select(p => (Name: n[p.Length..], Resource: n)))
            .ToDictionary(f => f.Name, f => Read(f.Resource), StringComparer.Ordinal);
        return all.Where(f => Path.GetExtension(f.Key) is not (".gz" or ".br" or ".json")).ToFrozenDictionary(f => f.Key, f => new Entry(
            f.Value, Convert.ToHexStringLower(SHA256.HashData(f.Value))[..16], all.GetValueOrDefault($"{f.Key}.gz"), all.GetValueOrDefault($"{f.Key}.br")), StringComparer.Ordinal);

        byte[] Read(string resource)
        {
            using var stream = program.GetManifestResourceStream(resource)!;
            var bytes = new byte[stream.Length];
            stream.ReadExactly(bytes);
            return bytes;
        }
    }
}
