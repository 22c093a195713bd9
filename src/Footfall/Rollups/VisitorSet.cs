using System.Buffers.Binary;
using System.Numerics;
using System.Runtime.InteropServices;

namespace Footfall.Rollups;

/// <summary>
/// A set of visitor numbers as one compact value: a version byte (1), then chunks of 65,536 numbers in ascending
/// order, each as <c>varint(distance to the chunk before), kind byte, data</c>. The kinds, whichever is smallest for
/// the chunk: 0 sorted 16-bit values (a varint count before them), 1 a bitmap of 8,192 bytes, 2 runs (a varint count,
/// then 16-bit first value and 16-bit length minus one). All little-endian. The same set always gives the same bytes.
/// The idea is that of Roaring bitmaps (Chambi et al., "Better bitmap performance with Roaring bitmaps", 2016); no
/// library of them restores here, and of their operations only union and count are needed.
/// </summary>
internal static class VisitorSet
{
    private const byte Version = 1;
    internal const int ChunkBits = 16;
    internal const int BitmapBytes = 8192;

    internal enum Kind : byte
    {
        Array = 0,
        Bitmap = 1,
        Runs = 2,
    }

    /// <summary>Encodes numbers that are ascending and distinct.</summary>
    public static byte[] Encode(ReadOnlySpan<int> ascending)
    {
        using var output = new MemoryStream(16 + ascending.Length * 2);
        output.WriteByte(Version);
        var previous = 0;
        while (!ascending.IsEmpty)
        {
            var chunk = ascending[0] >> ChunkBits;
            var n = 1;
            var runs = 1;
            for (; n < ascending.Length && ascending[n] >> ChunkBits == chunk; n++)
            {
                if (ascending[n] <= ascending[n - 1]) throw new ArgumentException("The numbers are not ascending and distinct.", nameof(ascending));
                if (ascending[n] != ascending[n - 1] + 1) runs++;
            }
            Varint.Write(output, (uint)(chunk - previous));
            WriteChunk(output, ascending[..n], runs);
            previous = chunk;
            ascending = ascending[n..];
        }
        return output.ToArray();
    }

    /// <summary>How many numbers the set holds.</summary>
    public static int Count(ReadOnlySpan<byte> set)
    {
        var union = new VisitorUnion();
        union.Add(set);
        return union.Count;
    }

    private static void WriteChunk(MemoryStream output, ReadOnlySpan<int> numbers, int runs)
    {
        var asArray = numbers.Length * 2;
        var asRuns = runs * 4;
        Span<byte> two = stackalloc byte[2];
        if (asRuns < asArray && asRuns < BitmapBytes)
        {
            output.WriteByte((byte)Kind.Runs);
            Varint.Write(output, (uint)runs);
            for (var i = 0; i < numbers.Length;)
            {
                var first = i;
                while (++i < numbers.Length && numbers[i] == numbers[i - 1] + 1) { }
                WriteShort(output, two, numbers[first]);
                WriteShort(output, two, i - first - 1);
            }
        }
        else if (asArray <= BitmapBytes)
        {
            output.WriteByte((byte)Kind.Array);
            Varint.Write(output, (uint)numbers.Length);
            foreach (var number in numbers) WriteShort(output, two, number);
        }
        else
        {
            output.WriteByte((byte)Kind.Bitmap);
            Span<byte> bitmap = stackalloc byte[BitmapBytes];
            bitmap.Clear();
            foreach (var number in numbers) bitmap[(number & 0xffff) >> 3] |= (byte)(1 << (number & 7));
            output.Write(bitmap);
        }
    }

    private static void WriteShort(MemoryStream output, Span<byte> two, int value)
    {
        BinaryPrimitives.WriteUInt16LittleEndian(two, (ushort)value);
        output.Write(two);
    }
}

/// <summary>The union of visitor sets, in memory as bitmaps: 8 KiB for each chunk of 65,536 numbers that has any.</summary>
internal sealed class VisitorUnion
{
    private readonly Dictionary<int, ulong[]> chunks = [];

    public int Count => chunks.Values.Sum(words =>
    {
        var n = 0;
        foreach (var word in words) n += BitOperations.PopCount(word);
        return n;
    });

    /// <summary>How many odd numbers the union holds: of a set of users, the accounts.</summary>
    public int CountOdd => chunks.Values.Sum(words =>
    {
        var n = 0;
        foreach (var word in words) n += BitOperations.PopCount(word & 0xAAAA_AAAA_AAAA_AAAA);
        return n;
    });

    public bool Contains(int number) => chunks.TryGetValue(number >> VisitorSet.ChunkBits, out var words) && (words[(number & 0xffff) >> 6] & (1UL << number)) != 0;

    public void Add(int number) => Chunk(number >> VisitorSet.ChunkBits)[(number & 0xffff) >> 6] |= 1UL << number;

    /// <exception cref="InvalidDataException">The bytes are not a visitor set of a known version.</exception>
    public void Add(ReadOnlySpan<byte> set)
    {
        if (set.IsEmpty || set[0] != 1) throw new InvalidDataException("A visitor set has an unknown version; roll the day up again.");
        set = set[1..];
        var chunk = 0;
        while (!set.IsEmpty)
        {
            chunk += (int)Varint.Read(ref set);
            var kind = (VisitorSet.Kind)Varint.Take(ref set, 1)[0];
            var words = Chunk(chunk);
            switch (kind)
            {
                case VisitorSet.Kind.Array:
                    var values = MemoryMarshal.Cast<byte, ushort>(Varint.Take(ref set, (int)Varint.Read(ref set) * 2));
                    foreach (var value in values) words[value >> 6] |= 1UL << value;
                    break;
                case VisitorSet.Kind.Bitmap:
                    var bits = MemoryMarshal.Cast<byte, ulong>(Varint.Take(ref set, VisitorSet.BitmapBytes));
                    for (var i = 0; i < words.Length; i++) words[i] |= bits[i];
                    break;
                case VisitorSet.Kind.Runs:
                    var runs = MemoryMarshal.Cast<byte, ushort>(Varint.Take(ref set, (int)Varint.Read(ref set) * 4));
                    for (var i = 0; i < runs.Length; i += 2) Fill(words, runs[i], runs[i] + runs[i + 1]);
                    break;
                default:
                    throw new InvalidDataException("A visitor set has a chunk of an unknown kind; roll the day up again.");
            }
        }
    }

    private ulong[] Chunk(int key) =>
        CollectionsMarshal.GetValueRefOrAddDefault(chunks, key, out _) ??= new ulong[VisitorSet.BitmapBytes / 8];

    private static void Fill(ulong[] words, int first, int last)
    {
        if (last > 0xffff) throw new InvalidDataException("A visitor set has a run over the end of its chunk; roll the day up again.");
        var from = ulong.MaxValue << first;
        var to = ulong.MaxValue >> (63 - (last & 63));
        if (first >> 6 == last >> 6)
        {
            words[first >> 6] |= from & to;
            return;
        }
        words[first >> 6] |= from;
        words.AsSpan((first >> 6) + 1, (last >> 6) - (first >> 6) - 1).Fill(ulong.MaxValue);
        words[last >> 6] |= to;
    }
}
