using System.Collections.Frozen;
using System.Security.Cryptography;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Footfall.Dashboard;

/// <summary>Files that the program carries in itself, so that it serves them wherever it is started from.</summary>
internal static class Files
{
    private static readonly FrozenDictionary<string, Entry> Assets = Load("Footfall.Assets.");
    private static readonly FrozenDictionary<string, Entry> Docs = Load("Footfall.Docs.");

    private sealed record Entry(byte[] Bytes, EntityTagHeaderValue Tag);

    public static Results<FileContentHttpResult, NotFound> Asset(string name) =>
        Answer(Assets, name, Path.GetExtension(name) switch
        {
            ".css" => "text/css; charset=utf-8",
            ".svg" => "image/svg+xml",
            _ => "text/javascript; charset=utf-8",
        });

    // Browsers offer text/markdown for download; as plain text it can be read at once.
    public static Results<FileContentHttpResult, NotFound> Documentation(string name) => Answer(Docs, $"{name}.md", "text/plain; charset=utf-8");

    private static Results<FileContentHttpResult, NotFound> Answer(FrozenDictionary<string, Entry> files, string name, string type) =>
        files.TryGetValue(name, out var file) ? TypedResults.File(file.Bytes, type, entityTag: file.Tag) : TypedResults.NotFound();

    private static FrozenDictionary<string, Entry> Load(string prefix)
    {
        var program = typeof(Files).Assembly;
        return program.GetManifestResourceNames()
            .Where(n => n.StartsWith(prefix, StringComparison.Ordinal))
            .ToFrozenDictionary(n => n[prefix.Length..], n =>
            {
                using var stream = program.GetManifestResourceStream(n)!;
                var bytes = new byte[stream.Length];
                stream.ReadExactly(bytes);
                return new Entry(bytes, new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes)[..8])}\""));
            }, StringComparer.Ordinal);
    }
}
