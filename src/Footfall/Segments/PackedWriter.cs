using System.Buffers.Binary;
using System.IO.Compression;
using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Footfall.Segments;

/// <summary>Writes the values of a segment's sections. The forms are in docs/segments.md. What is written is outside the collector's heap: whoever makes one disposes of it.</summary>
internal sealed unsafe class PackedWriter : IDisposable
{
    // Of what was tried on a day of 350,000 events, this is within 4 % of the smallest at a third of its time.
    private const int Quality = 4;
    private const int Window = 22;

    private const int FirstBytes = 4_096;

    private byte* bytes;
    private int capacity;
    private int length;
    private byte[] before = [];   // the text before
    private int beforeLength;

    public ReadOnlySpan<byte> Written => new(bytes, length);

    public void Clear() => length = 0;

    public void Byte(byte value) => Room(1)[0] = value;

    public void Number(ulong value)
    {
        for (; value >= 0x80; value >>= 7) Byte((byte)(value | 0x80));
        Byte((byte)value);
    }

    public void Fixed(uint value) => BinaryPrimitives.WriteUInt32LittleEndian(Room(sizeof(uint)), value);

    public void Raw(ReadOnlySpan<byte> value) => value.CopyTo(Room(value.Length));

    public void Text(string value)
    {
        var count = Encoding.UTF8.GetByteCount(value);
        Number((ulong)count);
        Encoding.UTF8.GetBytes(value, Room(count));
    }

    /// <summary>Texts in order, each by what it has in common with the one before.</summary>
    /// <param name="count">One more than there are: the first stands for none.</param>
    public void Texts(int count, Action<TextAction> all)
    {
        Number((ulong)count);
        beforeLength = 0;
        all(Text);
    }

    /// <summary>Numbers as planes: the lowest byte of each, then the next of each, as many as the greatest needs. Alike bytes together pack well.</summary>
    public void Planes(ReadOnlySpan<uint> values)
    {
        uint most = 0;
        foreach (var value in values) most |= value;
        var planes = most == 0 ? 0 : (39 - BitOperations.LeadingZeroCount(most)) / 8;
        Byte((byte)planes);
        for (var shift = 0; shift < planes * 8; shift += 8)
        {
            var to = Room(values.Length);
            for (var i = 0; i < values.Length; i++) to[i] = (byte)(values[i] >> shift);
        }
    }

    /// <summary>All that was written to <paramref name="section"/>, packed.</summary>
    public void Section(PackedWriter section)
    {
        using var packed = Packed(section.Written, out var written);
        Number((ulong)section.Written.Length);
        Number((ulong)written);
        Raw(packed.Span[..written]);
    }

    public static byte[] Pack(ReadOnlySpan<byte> raw)
    {
        using var packed = Packed(raw, out var written);
        return packed.Span[..written].ToArray();
    }

    public void Dispose()
    {
        NativeMemory.Free(bytes);
        bytes = null;
        (capacity, length) = (0, 0);
    }

    private static Scratch<byte> Packed(ReadOnlySpan<byte> raw, out int written)
    {
        var buffer = new Scratch<byte>(BrotliEncoder.GetMaxCompressedLength(raw.Length));
        // All at once: piece by piece, the same bytes would come out otherwise.
        if (BrotliEncoder.TryCompress(raw, buffer.Span, out written, Quality, Window)) return buffer;
        buffer.Dispose();
        throw new InvalidOperationException("Brotli needs more room than it says.");
    }

    private void Text(ReadOnlySpan<byte> text)
    {
        var common = before.AsSpan(0, beforeLength).CommonPrefixLength(text);
        Number((ulong)common);
        Number((ulong)(text.Length - common));
        Raw(text[common..]);
        if (before.Length < text.Length) before = new byte[text.Length * 2];
        text.CopyTo(before);
        beforeLength = text.Length;
    }

    /// <summary>Room behind what is written, which now counts as written.</summary>
    private Span<byte> Room(int count)
    {
        if (capacity - length < count)
        {
            var wanted = NativeBlocks.Asked(Math.Max((long)length + count, Math.Max(FirstBytes, Math.Min(capacity * 3L / 2, Array.MaxLength))));
            bytes = (byte*)NativeMemory.Realloc(bytes, (nuint)wanted);
            capacity = checked((int)wanted);
        }
        var room = new Span<byte>(bytes + length, count);
        length += count;
        return room;
    }
}
