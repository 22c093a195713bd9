namespace Footfall.Capture;

/// <summary>Which pages may send: those of the configured origins, or of any when none is configured. A server's request names no origin and is always let in.</summary>
internal sealed class AllowedOrigins(string configured)
{
    private readonly HashSet<string> origins = [.. Split(configured).Select(o => o.TrimEnd('/').ToLowerInvariant())];

    public bool Any => origins.Count == 0;

    /// <summary>A page of this very server (its demo, its dashboard) is no stranger: <paramref name="host"/> is the request's own.</summary>
    public bool Allows(string origin, string? host) =>
        Any || origins.Contains(origin.ToLowerInvariant()) || (host is not null && IsOrigin(origin) && origin.EndsWith("://" + host, StringComparison.OrdinalIgnoreCase));

    public static IEnumerable<string> Split(string? configured) =>
        (configured ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries).Where(o => o != "*");

    public static bool IsOrigin(string text) =>
        Uri.TryCreate(text, UriKind.Absolute, out var uri) && uri.Scheme is "http" or "https" && uri.Host.Length > 0
        && uri.PathAndQuery == "/" && uri.Fragment.Length == 0 && uri.UserInfo.Length == 0;
}
