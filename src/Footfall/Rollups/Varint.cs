namespace Footfall.Rollups;

/// <summary>Unsigned integers as little-endian base-128 bytes, as the day rows' compact values use them.</summary>
internal static class Varint
{
    public static void Write(Stream output, ulong value)
    {
        for (; value >= 0x80; value >>= 7) output.WriteByte((byte)(value | 0x80));
        output.WriteByte((byte)value);
    }

    /// <exception cref="InvalidDataException">The input ends early or the value has more than 64 bits.</exception>
    public static ulong Read(ref ReadOnlySpan<byte> input)
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Take(ref input, 1)[0];
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
        throw new InvalidDataException("A compact value of a day row is damaged; roll the day up again.");
    }

    /// <exception cref="InvalidDataException">Fewer than <paramref name="n"/> bytes are left.</exception>
    public static ReadOnlySpan<byte> Take(ref ReadOnlySpan<byte> input, int n)
    {
        if ((uint)n > (uint)input.Length) throw new InvalidDataException("A compact value of a day row ends early; roll the day up again.");
        var taken = input[..n];
        input = input[n..];
        return taken;
    }
}
