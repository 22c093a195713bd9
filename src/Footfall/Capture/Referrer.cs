namespace Footfall.Capture;

/// <summary>A referring page as it is kept: scheme, host and path; never its query, fragment or user.</summary>
/// <param name="Url">Null when there is none, or none that can be read.</param>
/// <param name="Host">Lower case, without port.</param>
/// <param name="Unreadable">Something was sent that is no address of a page or app.</param>
internal readonly record struct Referrer(string? Url, string? Host, bool Unreadable)
{
    private const int MaxKept = 2048;

    /// <summary>An Android app; the host is its package name.</summary>
    public bool IsApp => Url?.StartsWith("android-app://", StringComparison.Ordinal) == true;

    public static Referrer Read(string? text)
    {
        if (string.IsNullOrEmpty(text)) return default;
        var scheme = text.StartsWith("https://", StringComparison.OrdinalIgnoreCase) ? "https://"
            : text.StartsWith("http://", StringComparison.OrdinalIgnoreCase) ? "http://"
            : text.StartsWith("android-app://", StringComparison.OrdinalIgnoreCase) ? "android-app://"
            : null;
        if (scheme is null) return new Referrer(null, null, true);

        var rest = text.AsSpan(scheme.Length);
        var hostEnd = rest.IndexOfAny("/?#\\");
        var authority = hostEnd < 0 ? rest : rest[..hostEnd];
        authority = authority[(authority.LastIndexOf('@') + 1)..];
        var host = HostOf(authority);
        if (host is null) return new Referrer(null, null, true);

        var path = hostEnd < 0 ? "/" : rest[hostEnd..];
        var pathEnd = path.IndexOfAny('?', '#');
        if (pathEnd >= 0) path = path[..pathEnd];
        var url = $"{scheme}{authority.ToString().ToLowerInvariant()}{(path.IsEmpty ? "/" : PagePath.WithoutAddresses(path.ToString()))}";
        return new Referrer(url.Length <= MaxKept ? url : Cut(url), host, false);
    }

    /// <summary>Lower case and without port; null where it is no host name or address.</summary>
    public static string? HostOf(ReadOnlySpan<char> authority)
    {
        if (authority.StartsWith("["))
        {
            var close = authority.IndexOf(']');
            return close > 0 && System.Net.IPAddress.TryParse(authority[1..close], out var address) ? $"[{address}]" : null;
        }
        var colon = authority.LastIndexOf(':');
        if (colon >= 0)
        {
            if (!ushort.TryParse(authority[(colon + 1)..], out _)) return null;
            authority = authority[..colon];
        }
        authority = authority.TrimEnd('.');
        if (authority.IsEmpty || authority.Length > 253) return null;
        foreach (var c in authority)
        {
            if (!char.IsLetterOrDigit(c) && c is not ('.' or '-' or '_')) return null;
        }
        return authority.ToString().ToLowerInvariant();
    }

    /// <summary>The host of an Origin or Referer header; null where there is none.</summary>
    public static string? HostOfUrl(string? url)
    {
        if (url is null) return null;
        var start = url.IndexOf("://", StringComparison.Ordinal);
        if (start < 0) return null;
        var rest = url.AsSpan(start + 3);
        var end = rest.IndexOfAny("/?#");
        return HostOf(end < 0 ? rest : rest[..end]);
    }

    private static string Cut(string url) => char.IsHighSurrogate(url[MaxKept - 1]) ? url[..(MaxKept - 1)] : url[..MaxKept];
}
