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

    /// <summary>The address as one types it on this machine: a wildcard becomes localhost.</summary>
    public static string ForPeople(string url) =>
        url.Replace("://0.0.0.0", "://localhost", StringComparison.Ordinal).Replace("://[::]", "://localhost", StringComparison.Ordinal).TrimEnd('/');
}
