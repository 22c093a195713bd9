using System.Buffers.Binary;
using System.Net;
using System.Net.Sockets;
using System.Runtime.InteropServices;
using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>
/// A bucket of requests per address, refilled evenly. An IPv6 network of /64 counts as one address, which is what a
/// subscriber gets. The machine itself is not limited: behind loopback stands a proxy that nobody declared, and all visitors with it.
/// </summary>
internal sealed class AddressLimiter(IOptions<CaptureOptions> options, TimeProvider time)
{
    private const int Shards = 64;
    private const int MaxPerShard = 4096;

    private readonly CaptureOptions.RateLimitOptions limits = options.Value.RateLimit;
    private readonly Shard[] shards = [.. Enumerable.Range(0, Shards).Select(_ => new Shard())];

    private struct Bucket
    {
        public double Tokens;
        public long At;
    }

    private sealed class Shard
    {
        public Lock Gate { get; } = new();
        public Dictionary<ulong, Bucket> Buckets { get; set; } = [];
    }

    /// <summary>Takes one request from the address's bucket. When it is empty, says after how many seconds to come again.</summary>
    public bool TryTake(IPAddress? address, out int retryAfterSeconds)
    {
        retryAfterSeconds = 0;
        if (!limits.Enabled || address is null || IPAddress.IsLoopback(PersonalHashes.Normalised(address))) return true;
        var key = Key(address);
        var shard = shards[(int)(key * 0x9E37_79B9_7F4A_7C15 >> 58)];
        var now = time.GetTimestamp();
        lock (shard.Gate)
        {
            if (shard.Buckets.Count >= MaxPerShard) Sweep(shard, now);
            ref var bucket = ref CollectionsMarshal.GetValueRefOrAddDefault(shard.Buckets, key, out var known);
            bucket.Tokens = known ? Math.Min(limits.Burst, bucket.Tokens + Refill(bucket.At, now)) : limits.Burst;
            bucket.At = now;
            if (bucket.Tokens >= 1)
            {
                bucket.Tokens--;
                return true;
            }
            retryAfterSeconds = Math.Max(1, (int)Math.Ceiling((1 - bucket.Tokens) / limits.PerSecond));
            return false;
        }
    }

    private double Refill(long from, long to) => Math.Max(0, time.GetElapsedTime(from, to).TotalSeconds * limits.PerSecond);

    /// <summary>A full bucket is as good as none. Where none is full, a flood of addresses is under way, and all begin anew.</summary>
    private void Sweep(Shard shard, long now)
    {
        var kept = new Dictionary<ulong, Bucket>();
        foreach (var (key, bucket) in shard.Buckets)
        {
            if (bucket.Tokens + Refill(bucket.At, now) < limits.Burst) kept.Add(key, bucket);
        }
        shard.Buckets = kept.Count < MaxPerShard * 3 / 4 ? kept : [];
    }

    private static ulong Key(IPAddress address)
    {
        address = PersonalHashes.Normalised(address);
        Span<byte> bytes = stackalloc byte[16];
        address.TryWriteBytes(bytes, out _);
        return address.AddressFamily == AddressFamily.InterNetwork
            ? BinaryPrimitives.ReadUInt32BigEndian(bytes)
            : BinaryPrimitives.ReadUInt64BigEndian(bytes);
    }
}
