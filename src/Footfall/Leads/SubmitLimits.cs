using System.Net;
using System.Net.Sockets;
using System.Threading.RateLimiting;
using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>
/// How often one network address may send forms, and how often one e-mail address may be sent. Of an IPv6 address the /64
/// network counts. The machine itself is not limited by address: behind loopback stands a proxy that nobody declared.
/// </summary>
internal sealed class SubmitLimits : IAsyncDisposable
{
    private readonly bool enabled;
    private readonly PartitionedRateLimiter<IPAddress> byAddress;
    private readonly PartitionedRateLimiter<string> byEmail;

    public SubmitLimits(IOptions<LeadsOptions> options)
    {
        var limits = options.Value.RateLimit;
        enabled = limits.Enabled;
        byAddress = PartitionedRateLimiter.Create<IPAddress, IPAddress>(address => RateLimitPartition.GetSlidingWindowLimiter(address, _ => Window(limits.PerAddressPerMinute, TimeSpan.FromMinutes(1))));
        byEmail = PartitionedRateLimiter.Create<string, string>(email => RateLimitPartition.GetSlidingWindowLimiter(email, _ => Window(limits.PerEmailPerHour, TimeSpan.FromHours(1))));
    }

    /// <summary>False with the seconds to wait when the address has sent too many.</summary>
    public bool TryTake(IPAddress? address, out int retryAfterSeconds)
    {
        retryAfterSeconds = 0;
        if (!enabled || address is null) return true;
        address = PersonalHashes.Normalised(address);
        if (IPAddress.IsLoopback(address)) return true;
        return Taken(byAddress.AttemptAcquire(Network(address)), 10, out retryAfterSeconds);
    }

    /// <inheritdoc cref="TryTake(IPAddress?, out int)"/>
    public bool TryTake(EmailAddress email, out int retryAfterSeconds)
    {
        retryAfterSeconds = 0;
        return !enabled || Taken(byEmail.AttemptAcquire(email.Normalized), 600, out retryAfterSeconds);
    }

    public async ValueTask DisposeAsync()
    {
        await byAddress.DisposeAsync();
        await byEmail.DisposeAsync();
    }

    private static SlidingWindowRateLimiterOptions Window(int permits, TimeSpan window) => new() { PermitLimit = permits, Window = window, SegmentsPerWindow = 6, AutoReplenishment = true };

    private static bool Taken(RateLimitLease lease, int usual, out int retryAfterSeconds)
    {
        using (lease)
        {
            retryAfterSeconds = lease.IsAcquired ? 0 : lease.TryGetMetadata(MetadataName.RetryAfter, out var wait) ? Math.Max(1, (int)Math.Ceiling(wait.TotalSeconds)) : usual;
            return lease.IsAcquired;
        }
    }

    private static IPAddress Network(IPAddress address)
    {
        if (address.AddressFamily != AddressFamily.InterNetworkV6) return address;
        var bytes = address.GetAddressBytes();
        bytes.AsSpan(8).Clear();
        return new IPAddress(bytes);
    }
}
