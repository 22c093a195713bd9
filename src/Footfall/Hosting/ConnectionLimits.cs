using Microsoft.AspNetCore.Server.Kestrel.Core;

namespace Footfall.Hosting;

/// <summary>What one connection may take: who sends a byte a second, opens and says nothing, or sends headers without end, is cut off.</summary>
internal static class ConnectionLimits
{
    /// <summary>The largest body of any endpoint that has no smaller limit of its own.</summary>
    public const long MaxBodyBytes = 16L << 20;

    public static void Set(KestrelServerOptions kestrel)
    {
        kestrel.AddServerHeader = false;
        var limits = kestrel.Limits;
        limits.RequestHeadersTimeout = TimeSpan.FromSeconds(10);
        limits.KeepAliveTimeout = TimeSpan.FromSeconds(75);   // longer than proxies keep theirs, or they meet a connection that is just being closed
        limits.MinRequestBodyDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MinResponseDataRate = new MinDataRate(bytesPerSecond: 240, gracePeriod: TimeSpan.FromSeconds(5));
        limits.MaxRequestHeaderCount = 64;
        limits.MaxRequestBodySize = MaxBodyBytes;
        limits.Http2.MaxStreamsPerConnection = 100;
        limits.Http2.KeepAlivePingDelay = TimeSpan.FromSeconds(30);
        limits.Http2.KeepAlivePingTimeout = TimeSpan.FromSeconds(20);
    }
}
