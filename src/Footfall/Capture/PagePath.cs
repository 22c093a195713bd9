using System.Text;

namespace Footfall.Capture;

/// <summary>A path as it is kept: without click ids, and with e-mail addresses blotted out; and what its query said of the source.</summary>
/// <param name="Path">Null when the client named none.</param>
/// <param name="ClickId">The strongest click id of its query.</param>
/// <param name="Query">The query as sent, without the question mark: only to be read from, never kept.</param>
internal readonly record struct PagePath(string? Path, ClickId ClickId, string? Query)
{
    private const string Blot = "***";

    public static PagePath Read(string? path)
    {
        if (path is null) return default;
        var query = path.IndexOf('?');
        if (query < 0) return new PagePath(WithoutAddresses(path), ClickId.None, null);

        var fragment = path.IndexOf('#', query);
        var end = fragment < 0 ? path.Length : fragment;
        var head = WithoutAddresses(path[..query]);
        var kept = new StringBuilder(head, path.Length);
        var clickId = ClickId.None;
        var separator = '?';
        var rest = path.AsSpan(query + 1, end - query - 1);
        foreach (var range in rest.Split('&'))
        {
            var pair = rest[range];
            var equals = pair.IndexOf('=');
            var name = equals < 0 ? pair : pair[..equals];
            if (ClickIds.TryFind(name, out var kind))
            {
                // A click on an advertisement is the stronger word: Search before Social before Other.
                if (clickId == ClickId.None || kind < clickId) clickId = kind;
                continue;
            }
            kept.Append(separator);
            separator = '&';
            if (equals >= 0 && EMailText.IsIn(pair[(equals + 1)..])) kept.Append(name).Append('=').Append(Blot);
            else if (EMailText.IsIn(pair)) kept.Append(Blot);
            else kept.Append(pair);
        }
        if (fragment >= 0) kept.Append(WithoutAddresses(path[fragment..]));
        return new PagePath(kept.ToString(), clickId, rest.ToString());
    }

    /// <summary>The value of a parameter of the query, decoded; null where it is absent, empty, or cannot be stored.</summary>
    public string? Parameter(string name)
    {
        if (Query is null) return null;
        var query = Query.AsSpan();
        foreach (var range in query.Split('&'))
        {
            var pair = query[range];
            var equals = pair.IndexOf('=');
            if (equals < 0 || !pair[..equals].Equals(name, StringComparison.OrdinalIgnoreCase)) continue;
            var value = Uri.UnescapeDataString(pair[(equals + 1)..].ToString().Replace('+', ' '));
            if (value.Length == 0 || value.Length > 256 || value.Contains('\0')) return null;
            return value;
        }
        return null;
    }

    /// <summary>Each segment that holds an e-mail address becomes a blot.</summary>
    public static string WithoutAddresses(string path)
    {
        if (!EMailText.IsIn(path)) return path;
        var segments = path.Split('/');
        for (var i = 0; i < segments.Length; i++)
        {
            if (EMailText.IsIn(segments[i])) segments[i] = segments[i].StartsWith('#') ? "#" + Blot : Blot;
        }
        return string.Join('/', segments);
    }
}

/// <summary>Finds what looks like an e-mail address in a piece of a URL.</summary>
internal static class EMailText
{
    public static bool IsIn(ReadOnlySpan<char> text)
    {
        for (var from = 0; from < text.Length;)
        {
            var found = text[from..].IndexOfAny('@', '%');
            if (found < 0) return false;
            var at = from + found;
            from = at + 1;
            var after = text[at] == '@' ? at + 1 : text[at..].StartsWith("%40") ? at + 3 : -1;
            if (after > 0 && at > 0 && IsLocalPart(text[at - 1]) && IsDomain(text[after..])) return true;
        }
        return false;
    }

    private static bool IsLocalPart(char c) => char.IsLetterOrDigit(c) || c is '.' or '_' or '-' or '+';

    /// <summary>Labels, a dot, and at least two letters that are no file's ending (<c>logo@2x.png</c>).</summary>
    private static bool IsDomain(ReadOnlySpan<char> text)
    {
        var n = 0;
        while (n < text.Length && (char.IsLetterOrDigit(text[n]) || text[n] is '.' or '-')) n++;
        var domain = text[..n].TrimEnd('.');
        var dot = domain.LastIndexOf('.');
        if (dot < 1) return false;
        var last = domain[(dot + 1)..];
        if (last.Length < 2) return false;
        foreach (var c in last)
        {
            if (!char.IsLetter(c)) return false;
        }
        return last is not ("png" or "jpg" or "jpeg" or "gif" or "svg" or "webp" or "avif" or "css" or "js" or "html");
    }
}
