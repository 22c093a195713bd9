using System.Globalization;

namespace Footfall.Hosting;

/// <summary>Where the server listens when nobody says otherwise.</summary>
internal static class ListenAddress
{
    public const string Default = "http://localhost:5280";

    private static readonly string[] Said = ["urls", "http_ports", "https_ports"];

    /// <summary>PORT means every address (that is how platforms hand out ports); without it only this machine is served. Anything said in ASP.NET's own way wins.</summary>
    /// <exception cref="InvalidDataException">PORT is no port.</exception>
    public static void UseDefaultAddress(this WebApplicationBuilder builder)
    {
        var configuration = builder.Configuration;
        if (Said.Any(k => !string.IsNullOrWhiteSpace(configuration[k])) || configuration.GetSection("Kestrel:Endpoints").GetChildren().Any()) return;
        builder.WebHost.UseUrls(FromPort(configuration["PORT"]));
    }

    internal static string FromPort(string? port)
    {
        if (string.IsNullOrWhiteSpace(port)) return Default;
        if (!ushort.TryParse(port.Trim(), NumberStyles.None, CultureInfo.InvariantCulture, out var number))
            throw new InvalidDataException($"PORT is '{port}'; it must be a number between 0 and 65535.");
        return $"http://0.0.0.0:{number}";
    }

    /// <summary>Where the server of this configuration listens, as this machine reaches it: the first plain address, else the first there is.</summary>
    /// <exception cref="InvalidDataException">PORT is no port.</exception>
    public static string Of(IConfiguration configuration)
    {
        List<string> all =
        [
            .. configuration.GetSection("Kestrel:Endpoints").GetChildren().Select(e => e["Url"] ?? ""),
            .. List(configuration["urls"]),
            .. List(configuration["http_ports"]).Select(p => $"http://localhost:{p}"),
            .. List(configuration["https_ports"]).Select(p => $"https://localhost:{p}"),
        ];
        all.RemoveAll(u => u.Length == 0);
        return ForPeople(all.Find(u => u.StartsWith("http:", StringComparison.OrdinalIgnoreCase)) ?? all.FirstOrDefault() ?? FromPort(configuration["PORT"]));
    }

    /// <summary>The address as one types it on this machine: a wildcard becomes localhost.</summary>
    public static string ForPeople(string url) =>
        url.Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://[::]", "://localhost", StringComparison.Ordinal).Replace("://*", "://localhost", StringComparison.Ordinal).Replace("://+", "://localhost", StringComparison.Ordinal).TrimEnd('/');

    private static string[] List(string? text) => text?.Split(';', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) ?? [];
}
