using System.Diagnostics.CodeAnalysis;
using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>
/// Where a form that was posted without script leads. A form may name any path, and any address on the property's own hosts,
/// on those of <c>Leads:RedirectHosts</c>, or on this server; whatever else it names is overlooked, so that nobody can use
/// this server's good name to lead people elsewhere.
/// </summary>
internal sealed class Redirects(IOptions<LeadsOptions> options)
{
    public const string ThanksPage = "/v1/leads/thanks";
    public const string ErrorPage = "/v1/leads/sorry";
    private const int Longest = 2048;

    private readonly HashSet<string> hosts = [.. Split(options.Value.RedirectHosts).Select(h => h.ToLowerInvariant())];

    public static IEnumerable<string> Split(string hosts) => hosts.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries);

    /// <summary>After a lead was taken.</summary>
    public string Thanks(HttpRequest request, string? asked, Property? property) =>
        Allowed(request, asked, property) ?? Configured(request, property?.ThanksUrl, property) ?? ThanksPage;

    /// <summary>After it was not, with the reason's code, which the page may tell people apart.</summary>
    public string Error(HttpRequest request, string? asked, Property? property, string code)
    {
        var page = Allowed(request, asked, property) ?? Configured(request, property?.ErrorUrl, property) ?? ErrorPage;
        var fragment = page.IndexOf('#', StringComparison.Ordinal);
        var (head, tail) = fragment < 0 ? (page, "") : (page[..fragment], page[fragment..]);
        return $"{head}{(head.Contains('?', StringComparison.Ordinal) ? '&' : '?')}error={code}{tail}";
    }

    /// <summary>What the operator said for the property holds wherever it leads.</summary>
    private string? Configured(HttpRequest request, string? url, Property? property) => url is ['/', ..] ? Allowed(request, url, property) : url;

    /// <summary>Whether a property may be told to lead there: a path, or an http or https address.</summary>
    public static bool IsAddress(string text) =>
        text.Length <= Longest && !text.Any(c => c is <= ' ' or '\\' or > '~') && (text[0] == '/' ? !text.StartsWith("//", StringComparison.Ordinal) : TryRead(text, out _));

    /// <summary>The address to go to; null when there is none that may be gone to.</summary>
    private string? Allowed(HttpRequest request, string? asked, Property? property)
    {
        // Browsers drop tabs and line breaks and take \ for /, so that what is checked would not be what they go to.
        if (asked is not { Length: > 0 and <= Longest } || asked.Any(c => c is <= ' ' or '\\' or > '~')) return null;
        if (asked[0] == '/')
        {
            if (asked.StartsWith("//", StringComparison.Ordinal)) return null;
            return PageOf(request, property) is { } page ? page + asked : asked;
        }
        return TryRead(asked, out var uri) && IsOwn(uri, request, property) ? uri.AbsoluteUri : null;
    }

    /// <summary>A path is one of the site that the form stands on, where that is known to be one of ours.</summary>
    private string? PageOf(HttpRequest request, Property? property)
    {
        if (!TryRead(request.Headers.Origin.ToString(), out var uri) && !TryRead(request.Headers.Referer.ToString(), out uri)) return null;
        if (uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase) || !IsOwn(uri, request, property)) return null;
        return uri.GetLeftPart(UriPartial.Authority);
    }

    private bool IsOwn(Uri uri, HttpRequest request, Property? property) =>
        hosts.Contains(uri.IdnHost) || property?.Owns(uri.IdnHost) == true || uri.Authority.Equals(request.Host.Value, StringComparison.OrdinalIgnoreCase);

    private static bool TryRead(string text, [NotNullWhen(true)] out Uri? uri) =>
        Uri.TryCreate(text, UriKind.Absolute, out uri) && uri.Scheme is "http" or "https" && uri.UserInfo.Length == 0 && uri.Host.Length > 0;
}
