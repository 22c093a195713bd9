using System.Net;

namespace Footfall.Capture;

/// <summary>Addresses that are nowhere in particular: private, shared, local, for documentation, for groups (IANA's special-purpose registries).</summary>
internal static class SpecialNetworks
{
    private static readonly IPNetwork[] V4 = Parse(
        "0.0.0.0/8", "10.0.0.0/8", "100.64.0.0/10", "127.0.0.0/8", "169.254.0.0/16", "172.16.0.0/12", "192.0.0.0/24", "192.0.2.0/24", "192.168.0.0/16",
        "198.18.0.0/15", "198.51.100.0/24", "203.0.113.0/24", "224.0.0.0/4", "240.0.0.0/4");

    private static readonly IPNetwork[] V6 = Parse("::/127", "100::/64", "2001:db8::/32", "3fff::/20", "fc00::/7", "fe80::/10", "ff00::/8");

    public static bool Hold(IPAddress address)
    {
        address = PersonalHashes.Normalised(address);
        foreach (var network in address.AddressFamily == System.Net.Sockets.AddressFamily.InterNetwork ? V4 : V6)
        {
            if (network.Contains(address)) return true;
        }
        return false;
    }

    private static IPNetwork[] Parse(params ReadOnlySpan<string> networks)
    {
        var parsed = new IPNetwork[networks.Length];
        for (var i = 0; i < networks.Length; i++) parsed[i] = IPNetwork.Parse(networks[i]);
        return parsed;
    }
}
