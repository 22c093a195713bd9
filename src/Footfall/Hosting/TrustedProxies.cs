using System.Net;
using Microsoft.AspNetCore.HttpOverrides;
using Microsoft.Extensions.Options;
using IPNetwork = System.Net.IPNetwork;

namespace Footfall.Hosting;

/// <summary>
/// <c>TrustedProxies</c>: addresses and networks (<c>10.0.0.1, 172.16.0.0/12, ::1</c>) whose forwarding headers are believed.
/// Without it nobody's are: a visitor could otherwise write any address there.
/// </summary>
public static class TrustedProxies
{
    public const string Key = "TrustedProxies";

    /// <summary>The header in which they tell the visitor's address, where it is not X-Forwarded-For: some write addresses of their own behind the visitor's there.</summary>
    public const string HeaderKey = "TrustedProxyHeader";

    /// <summary>Call before <c>Build</c>.</summary>
    public static IServiceCollection AddTrustedProxies(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<TrustedProxyOptions>()
            .Configure(o => (o.Entries, o.Header) = (Entries(configuration), configuration[HeaderKey] is { Length: > 0 } header ? header.Trim() : ForwardedHeadersDefaults.XForwardedForHeaderName))
            .Validate(o => o.Header.All(c => char.IsAsciiLetterOrDigit(c) || c == '-'), $"{HeaderKey} must be the name of a header, such as Fly-Client-IP.")
            .Validate(o => o.Entries.All(e => IPAddress.TryParse(e, out _) || IPNetwork.TryParse(e, out _)), $"{Key} must be addresses or networks separated by commas, such as 10.0.0.1, 172.16.0.0/12.")
            .ValidateOnStart();
        services.AddOptions<ForwardedHeadersOptions>().Configure<IOptions<TrustedProxyOptions>>((forwarded, trusted) =>
        {
            forwarded.ForwardedHeaders = ForwardedHeaders.XForwardedFor | ForwardedHeaders.XForwardedProto;
            forwarded.ForwardedForHeaderName = trusted.Value.Header;
            forwarded.ForwardLimit = null;      // as many as there are trusted proxies in a row
            forwarded.KnownProxies.Clear();
            forwarded.KnownIPNetworks.Clear();  // the framework's own default trusts loopback
            foreach (var entry in trusted.Value.Entries)
            {
                if (IPAddress.TryParse(entry, out var address)) forwarded.KnownProxies.Add(address);
                else forwarded.KnownIPNetworks.Add(IPNetwork.Parse(entry));
            }
        });
        return services;
    }

    /// <summary>First in the pipeline: all behind it sees the visitor's address.</summary>
    public static IApplicationBuilder UseTrustedProxies(this IApplicationBuilder app)
    {
        var trusted = app.ApplicationServices.GetRequiredService<IOptions<TrustedProxyOptions>>().Value;
        return trusted.Entries.Count == 0 ? app : app.UseForwardedHeaders();
    }

    // A comma list, as an environment variable has it, or a JSON array.
    private static List<string> Entries(IConfiguration configuration)
    {
        var section = configuration.GetSection(Key);
        var values = section.Value is { } list ? list.Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries) : section.GetChildren().Select(c => c.Value?.Trim() ?? "");
        return [.. values];
    }
}

/// <summary>What <c>TrustedProxies</c> and <c>TrustedProxyHeader</c> say.</summary>
internal sealed class TrustedProxyOptions
{
    public List<string> Entries { get; set; } = [];

    public string Header { get; set; } = ForwardedHeadersDefaults.XForwardedForHeaderName;
}
