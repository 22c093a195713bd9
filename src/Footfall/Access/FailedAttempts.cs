using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Footfall.Access;

/// <summary>Counts wrong keys by address, so that nobody can try many. Of an IPv6 address the /64 network counts: its owner has all of it.</summary>
internal sealed class FailedAttempts(IOptions<AccessOptions> options) : IAsyncDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(
        address => RateLimitPartition.GetFixedWindowLimiter(address, _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = options.Value.FailedAttemptsPerMinute,
            Window = TimeSpan.FromMinutes(1),
        }));

    /// <summary>True when the address has used its attempts up: not even a right key is looked at.</summary>
    public bool IsBlocked(IPAddress? address) => limiter.GetStatistics(Network(address))?.CurrentAvailablePermits == 0;

    public void Add(IPAddress? address) => limiter.AttemptAcquire(Network(address)).Dispose();

    public ValueTask DisposeAsync() => limiter.DisposeAsync();

    private static IPAddress Network(IPAddress? address)
    {
        if (address is null) return IPAddress.None;
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        if (address.IsIPv4MappedToIPv6) return address.MapToIPv4();
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
