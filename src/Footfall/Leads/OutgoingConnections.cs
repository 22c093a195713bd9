using System.Net;
using System.Net.Sockets;
using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>Section <c>Outgoing</c>: where this server may connect to on behalf of its configuration.</summary>
internal sealed class OutgoingOptions
{
    public const string Section = "Outgoing";

    /// <summary>Private and reserved addresses and networks that may be connected to all the same, separated by commas.</summary>
    public string? AllowedNetworks { get; set; }

    /// <summary>Null when an entry is neither an address nor a network.</summary>
    public List<IPNetwork>? Networks()
    {
        List<IPNetwork> networks = [];
        foreach (var entry in (AllowedNetworks ?? "").Split(',', StringSplitOptions.RemoveEmptyEntries | StringSplitOptions.TrimEntries))
        {
            if (IPAddress.TryParse(entry, out var address)) networks.Add(new IPNetwork(address, address.GetAddressBytes().Length * 8));
            else if (IPNetwork.TryParse(entry, out var network)) networks.Add(network);
            else return null;
        }
        return networks;
    }
}

/// <summary>An outgoing request was not made. The message names what it would have reached by its host only.</summary>
internal sealed class OutgoingRefusedException(string message) : IOException(message);

/// <summary>
/// HTTP clients for addresses that somebody configured. Every name is resolved here, each of its addresses is checked, and the
/// connection goes to one that was checked: what a name means cannot change in between, and nothing inside this machine or
/// its network is reached unless that is allowed. Redirects are not followed: what is sent is for that address alone.
/// </summary>
internal sealed class OutgoingConnections
{
    private static readonly TimeSpan ConnectPatience = TimeSpan.FromSeconds(5);
    private static readonly IPNetwork Nat64 = IPNetwork.Parse("64:ff9b::/96");
    private static readonly IPNetwork SixToFour = IPNetwork.Parse("2002::/16");
    private static readonly IPNetwork Compatible = IPNetwork.Parse("::/96");

    private readonly List<IPNetwork> allowed;
    private readonly Func<string, CancellationToken, Task<IPAddress[]>> resolve;

    public OutgoingConnections(IOptions<OutgoingOptions> options) : this(options.Value.Networks() ?? [], Dns.GetHostAddressesAsync)
    {
    }

    internal OutgoingConnections(List<IPNetwork> allowed, Func<string, CancellationToken, Task<IPAddress[]>> resolve) => (this.allowed, this.resolve) = (allowed, resolve);

    /// <summary>A client for one purpose, for as long as the server runs.</summary>
    public HttpClient Client(TimeSpan patience) => new(new SocketsHttpHandler
    {
        AllowAutoRedirect = false,
        PooledConnectionLifetime = TimeSpan.FromMinutes(5),   // names may move while the server runs
        ConnectTimeout = ConnectPatience,
        UseCookies = false,
        ConnectCallback = async (context, cancellationToken) => await ConnectAsync(context.DnsEndPoint, cancellationToken),
    })
    {
        Timeout = patience,
    };

    /// <exception cref="OutgoingRefusedException">One of the host's addresses may not be reached. All are refused then: such a host is set up wrong, or for harm.</exception>
    public async Task<Stream> ConnectAsync(DnsEndPoint to, CancellationToken cancellationToken)
    {
        var addresses = IPAddress.TryParse(to.Host.Trim('[', ']'), out var literal) ? [literal] : await resolve(to.Host, cancellationToken);
        if (addresses.Length == 0) throw new OutgoingRefusedException($"{to.Host} has no address.");
        if (Array.Exists(addresses, a => !IsAllowed(a)))
            throw new OutgoingRefusedException($"{to.Host} leads to a private or reserved address, which this server connects to only where Outgoing:AllowedNetworks names it.");
        var socket = new Socket(SocketType.Stream, ProtocolType.Tcp) { NoDelay = true };
        try
        {
            await socket.ConnectAsync(addresses, to.Port, cancellationToken);
            return new NetworkStream(socket, ownsSocket: true);
        }
        catch
        {
            socket.Dispose();
            throw;
        }
    }

    internal bool IsAllowed(IPAddress address)
    {
        if (address.IsIPv4MappedToIPv6) address = address.MapToIPv4();
        if (address.AddressFamily == AddressFamily.InterNetworkV6 && address.ScopeId != 0) address = new IPAddress(address.GetAddressBytes());
        if (allowed.Exists(n => n.Contains(address))) return true;
        return !SpecialNetworks.Hold(address) && (Inner(address) is not { } inner || IsAllowed(inner));
    }

    /// <summary>The IPv4 address that a translating network would reach by this one.</summary>
    private static IPAddress? Inner(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return null;
        var bytes = address.GetAddressBytes();
        return Nat64.Contains(address) || Compatible.Contains(address) ? new IPAddress(bytes.AsSpan(12, 4)) : SixToFour.Contains(address) ? new IPAddress(bytes.AsSpan(2, 4)) : null;
    }
}
