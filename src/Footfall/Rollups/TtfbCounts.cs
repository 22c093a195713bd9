namespace Footfall.Rollups;

/// <summary>
/// How often each whole millisecond of time to first byte was measured in a day, so that the percentile of any window
/// is exact without its raw rows. As bytes: pairs of varint(distance of the value to the one before), varint(count),
/// ascending by value.
/// </summary>
internal sealed class TtfbCounts
{
    private readonly SortedDictionary<int, long> counts = [];

    public void Add(int milliseconds, long times) => counts[milliseconds] = counts.GetValueOrDefault(milliseconds) + times;

    public void Add(ReadOnlySpan<byte> encoded)
    {
        var value = 0;
        while (!encoded.IsEmpty)
        {
            value += (int)Varint.Read(ref encoded);
            Add(value, (long)Varint.Read(ref encoded));
        }
    }

    public byte[] Encode()
    {
        using var output = new MemoryStream();
        var previous = 0;
        foreach (var (value, count) in counts)
        {
            Varint.Write(output, (ulong)(value - previous));
            Varint.Write(output, (ulong)count);
            previous = value;
        }
        return output.ToArray();
    }

    /// <summary>The value at <paramref name="fraction"/> with linear interpolation between neighbours, as PostgreSQL's <c>percentile_cont</c>, rounded half away from zero; null when nothing was measured.</summary>
    public int? Percentile(double fraction)
    {
        var total = counts.Values.Sum();
        if (total == 0) return null;
        var rank = fraction * (total - 1);
        var lower = ValueAt((long)Math.Floor(rank));
        var upper = ValueAt((long)Math.Ceiling(rank));
        return (int)Math.Round(lower + (upper - lower) * (rank - Math.Floor(rank)), MidpointRounding.AwayFromZero);
    }

    private int ValueAt(long index)
    {
        foreach (var (value, count) in counts)
        {
            if (index < count) return value;
            index -= count;
        }
        throw new InvalidOperationException("The index lies behind the last value.");
    }
}
