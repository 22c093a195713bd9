using System.Security.Cryptography;
using System.Text;
using System.Text.Json;

namespace Footfall.Capture;

/// <summary>A site or app that sends events, as far as Capture needs to know it.</summary>
internal sealed class Property(string id, IEnumerable<string> hosts, IReadOnlyList<Goal> goals, string? accountSecret = null)
{
    private readonly HashSet<string> hosts = [.. hosts.Select(h => WithoutWww(h.Trim().ToLowerInvariant()).ToString())];

    private readonly byte[]? secret = accountSecret is null ? null : Encoding.UTF8.GetBytes(accountSecret);

    public string Id { get; } = id;

    /// <summary>Where a lead form without script leads when it names no address itself; null: to this server's own pages.</summary>
    public string? ThanksUrl { get; init; }

    /// <inheritdoc cref="ThanksUrl"/>
    public string? ErrorUrl { get; init; }

    /// <summary>Whether a page on the host is one of the property's own; www.example.com and example.com are the same.</summary>
    public bool Owns(string host) => hosts.Count > 0 && hosts.Contains(WithoutWww(host).ToString());

    /// <summary>
    /// Whether an account's id may be believed: without a secret always, with one only where the signature is the
    /// HMAC-SHA256 of the id under it, in hexadecimal. Compared in constant time.
    /// </summary>
    public bool Proves(string accountId, string? signature)
    {
        if (secret is null) return true;
        Span<byte> given = stackalloc byte[HMACSHA256.HashSizeInBytes], right = stackalloc byte[HMACSHA256.HashSizeInBytes];
        if (signature is not { Length: HMACSHA256.HashSizeInBytes * 2 } || Convert.FromHexString(signature, given, out _, out _) != System.Buffers.OperationStatus.Done) return false;
        HMACSHA256.HashData(secret, Encoding.UTF8.GetBytes(accountId), right);
        return CryptographicOperations.FixedTimeEquals(given, right);
    }

    public bool IsGoal(string eventType, string? path)
    {
        foreach (var goal in goals)
        {
            if (goal.IsMet(eventType, path)) return true;
        }
        return false;
    }

    public static ReadOnlySpan<char> WithoutWww(string host) => host.AsSpan(host.StartsWith("www.", StringComparison.Ordinal) ? 4 : 0);
}

/// <summary>What counts as a conversion: an event type, on any path or on one; a path that ends in * is a beginning.</summary>
internal sealed record Goal(string EventType, string? Path)
{
    public bool IsMet(string eventType, string? path)
    {
        if (eventType != EventType) return false;
        if (Path is null) return true;
        if (path is null) return false;
        var query = path.AsSpan().IndexOfAny('?', '#');
        var page = query < 0 ? path : path.AsSpan(0, query);
        return Path.EndsWith('*') ? page.StartsWith(Path.AsSpan(0, Path.Length - 1)) : page.SequenceEqual(Path);
    }

    /// <summary>Reads <c>[{"name", "eventType", "path"?}]</c>. An entry without an event type is no goal.</summary>
    public static IReadOnlyList<Goal> Read(string json)
    {
        using var document = JsonDocument.Parse(json);
        if (document.RootElement.ValueKind != JsonValueKind.Array) return [];
        List<Goal> goals = [];
        foreach (var entry in document.RootElement.EnumerateArray())
        {
            if (Text(entry, "eventType") is { } type) goals.Add(new Goal(type, Text(entry, "path")));
        }
        return goals;

        static string? Text(JsonElement entry, string name) =>
            entry.ValueKind == JsonValueKind.Object && entry.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String ? value.GetString() : null;
    }
}
