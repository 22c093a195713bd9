namespace Footfall.Capture;

/// <summary>
/// UUIDs of version 7 that only grow: 48 bits of milliseconds, then a counter that starts at random in each millisecond
/// and goes up by one for each event, then random bits. Where the clock steps back, the last millisecond goes on, so that
/// the order of ids is the order of arrival.
/// </summary>
internal sealed class EventIds
{
    private const int CounterBits = 42;
    private readonly Lock gate = new();
    private long lastMs = -1;
    private ulong counter;

    public Guid Next(DateTimeOffset receivedAt)
    {
        var ms = Math.Max(0, receivedAt.ToUnixTimeMilliseconds());
        ulong count;
        lock (gate)
        {
            if (ms > lastMs)
            {
                lastMs = ms;
                counter = (ulong)Random.Shared.NextInt64(1L << (CounterBits - 1));     // half of the range is left to count
            }
            else if (++counter == 1UL << CounterBits)
            {
                counter = 0;
                lastMs++;
            }
            ms = lastMs;
            count = counter;
        }
        // RFC 9562, 5.7: unix_ts_ms, version 7, rand_a (the counter's upper 12 bits), variant, rand_b (its lower 30, then 32 random ones).
        var high = ((ulong)ms << 16) | 0x7000 | (count >> 30);
        var low = 0x8000_0000_0000_0000 | ((count & 0x3FFF_FFFF) << 32) | (uint)Random.Shared.NextInt64(1L << 32);
        Span<byte> bytes = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        System.Buffers.Binary.BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], low);
        return new Guid(bytes, bigEndian: true);
    }
}
