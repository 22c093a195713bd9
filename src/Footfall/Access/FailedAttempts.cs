using System.Net;
using System.Threading.RateLimiting;
using Microsoft.Extensions.Options;

namespace Footfall.Access;

/// <summary>Counts wrong keys by address, so that nobody can try many.</summary>
internal sealed class FailedAttempts(IOptions<AccessOptions> options) : IAsyncDisposable
{
    private readonly PartitionedRateLimiter<IPAddress> limiter = PartitionedRateLimiter.Create<IPAddress, IPAddress>(
        address => RateLimitPartition.GetFixedWindowLimiter(address, _ => new FixedWindowRateLimiterOptions
        {
            PermitLimit = options.Value.FailedAttemptsPerMinute,
            Window = TimeSpan.FromMinutes(1),
        }));

    /// <summary>True when the address has used its attempts up: not even a right key is looked at.</summary>
    public bool IsBlocked(IPAddress? address) => limiter.GetStatistics(address ?? IPAddress.None)?.CurrentAvailablePermits == 0;

    public void Add(IPAddress? address) => limiter.AttemptAcquire(address ?? IPAddress.None).Dispose();

    public ValueTask DisposeAsync() => limiter.DisposeAsync();
}
