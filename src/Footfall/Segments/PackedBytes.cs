using System.Buffers.Binary;
using System.IO.Compression;
using System.Text;

namespace Footfall.Segments;

/// <summary>Reads what <see cref="PackedWriter"/> wrote. Whatever is not as it must be is an <see cref="InvalidDataException"/>.</summary>
internal ref struct PackedReader(ReadOnlySpan<byte> bytes)
{
    /// <summary>More than any day may have: what asks for more is damaged.</summary>
    public const int MaxNumbers = 0x03FF_FFFF;

    private ReadOnlySpan<byte> rest = bytes;

    public readonly bool AtEnd => rest.IsEmpty;

    public ReadOnlySpan<byte> Raw(int count)
    {
        if ((uint)count > (uint)rest.Length) throw Damaged("it ends early");
        var taken = rest[..count];
        rest = rest[count..];
        return taken;
    }

    public byte Byte() => Raw(1)[0];

    public uint Fixed() => BinaryPrimitives.ReadUInt32LittleEndian(Raw(4));

    public ulong Number()
    {
        ulong value = 0;
        for (var shift = 0; shift < 64; shift += 7)
        {
            var b = Byte();
            value |= (ulong)(b & 0x7f) << shift;
            if (b < 0x80) return value;
        }
        throw Damaged("a number has no end");
    }

    /// <summary>A number of things that are there: of each, at least one bit.</summary>
    public int Count(int most = MaxNumbers)
    {
        var value = Number();
        return value <= (ulong)most ? (int)value : throw Damaged("a count is too large");
    }

    public string Text() => Encoding.UTF8.GetString(Raw(Count()));

    public string[] Texts()
    {
        var texts = new string[Count()];
        if (texts.Length == 0) throw Damaged("a table of texts has no place for none");
        var now = new byte[256];
        for (var i = 1; i < texts.Length; i++)
        {
            var common = Count();
            var more = Raw(Count());
            if (common > now.Length) throw Damaged("a text has more in common than there is");
            if (common + more.Length > now.Length) Array.Resize(ref now, (common + more.Length) * 2);
            more.CopyTo(now.AsSpan(common));
            texts[i] = Encoding.UTF8.GetString(now.AsSpan(0, common + more.Length));
        }
        return texts;
    }

    public uint[] Planes(int count)
    {
        var values = new uint[count];
        var planes = PlaneCount(4);
        for (var shift = 0; shift < planes * 8; shift += 8)
        {
            var from = Raw(count);
            for (var i = 0; i < values.Length; i++) values[i] |= (uint)from[i] << shift;
        }
        return values;
    }

    /// <summary>As numbers from 0 up.</summary>
    public Numbers Numbers(int count)
    {
        var planes = PlaneCount(4);
        switch (count == 0 ? 0 : planes)
        {
            case 0: return new Numbers();
            case 1:
                var plane = Raw(count);
                return plane.ContainsAnyExcept(plane[0]) ? new Numbers { Bytes = plane.ToArray() } : new Numbers { Constant = plane[0] };
            case 2:
                var low = Raw(count);
                var high = Raw(count);
                var shorts = new ushort[count];
                for (var i = 0; i < shorts.Length; i++) shorts[i] = (ushort)(low[i] | high[i] << 8);
                return new Numbers { Shorts = shorts };
            default:
                var ints = new int[count];
                for (var shift = 0; shift < planes * 8; shift += 8)
                {
                    var from = Raw(count);
                    for (var i = 0; i < ints.Length; i++) ints[i] |= from[i] << shift;
                }
                return new Numbers { Ints = ints };
        }
    }

    public ushort[] Shorts(int count)
    {
        var values = new ushort[count];
        var planes = PlaneCount(2);
        for (var shift = 0; shift < planes * 8; shift += 8)
        {
            var from = Raw(count);
            for (var i = 0; i < values.Length; i++) values[i] |= (ushort)(from[i] << shift);
        }
        return values;
    }

    /// <summary>A packed section, unpacked.</summary>
    public byte[] Section()
    {
        var length = Count(Array.MaxLength);
        return Unpack(Raw(Count(Array.MaxLength)), length);
    }

    public static byte[] Unpack(ReadOnlySpan<byte> packed, int length)
    {
        var raw = GC.AllocateUninitializedArray<byte>(length);
        if (!BrotliDecoder.TryDecompress(packed, raw, out var written) || written != length) throw Damaged("a section does not unpack");
        return raw;
    }

    public static InvalidDataException Damaged(string how) => new($"The segment is damaged: {how}.");

    private int PlaneCount(int most)
    {
        var planes = Byte();
        return planes <= most ? planes : throw Damaged("a column has too many planes");
    }
}
