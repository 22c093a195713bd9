using System.Globalization;
using Footfall.Capture;

namespace Footfall.Dashboard.Sharing;

/// <summary>What a shared link is to be, as the form has it.</summary>
/// <param name="Expires">The last day on which it works; empty: for ever.</param>
/// <param name="Origins">Sites that may show it in a frame, one to a line.</param>
internal sealed record SharedLinkForm(string Name, string Password, string Expires, string Origins)
{
    private const int MaxOrigins = 20;
    private static readonly char[] Breaks = ['\r', '\n', ',', ' ', '\t'];

    public static readonly SharedLinkForm Empty = new("", "", "", "");

    public static SharedLinkForm Of(IFormCollection form) => new(form["name"].ToString().Trim(), form["password"].ToString(), form["expires"].ToString().Trim(), form["origins"].ToString());

    public string? Problem(DateOnly today) =>
        Name.Length is 0 or > 100 || !Explore.StorableText.Is(Name) ? "No link was made: say who it is for, in 1 to 100 characters."
        : Password.Length is > 0 and (< PasswordHash.Fewest or > PasswordHash.Most) ? $"No link was made: a password has {PasswordHash.Fewest} to {PasswordHash.Most} characters."
        : Expires.Length > 0 && !(Day is { } day && day >= today && day.Year < 9000) ? "No link was made: its last day must be a day such as 2026-02-13, not before today."
        : Lines.FirstOrDefault(l => OriginOf(l) is null) is { } line ? $"No link was made: {Address.Shown(line)} is no origin. Write scheme and host of the site that shows it, such as https://shop.example."
        : Lines.Length > MaxOrigins ? $"No link was made: at most {MaxOrigins} sites can show it."
        : Password.Length > 0 && Lines.Length > 0 ? "No link was made: browsers keep nothing for pages in a frame of another site, so that the password would be asked for ever. Leave the password or the frames out."
        : null;

    /// <summary>The end of its last day, in UTC.</summary>
    public DateTimeOffset? ExpiresAt => Day is { } day ? new DateTimeOffset(day.AddDays(1), TimeOnly.MinValue, TimeSpan.Zero) : null;

    public string[] FrameAncestors => [.. Lines.Select(OriginOf).OfType<string>().Distinct(StringComparer.Ordinal)];

    private string[] Lines => Origins.Split(Breaks, StringSplitOptions.RemoveEmptyEntries);

    private DateOnly? Day => DateOnly.TryParseExact(Expires, "yyyy-MM-dd", CultureInfo.InvariantCulture, DateTimeStyles.None, out var day) ? day : null;

    // Built anew from its parts, so that nothing of what was typed but a scheme, a host and a port gets into a header.
    private static string? OriginOf(string line)
    {
        if (!AllowedOrigins.IsOrigin(line) || !Uri.TryCreate(line, UriKind.Absolute, out var uri)) return null;
        var host = uri.IdnHost.ToLowerInvariant();
        if (Uri.CheckHostName(host) is not (UriHostNameType.Dns or UriHostNameType.IPv4)) return null;
        return uri.IsDefaultPort ? $"{uri.Scheme}://{host}" : string.Create(CultureInfo.InvariantCulture, $"{uri.Scheme}://{host}:{uri.Port}");
    }
}
