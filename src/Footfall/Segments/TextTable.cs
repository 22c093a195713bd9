using System.Buffers.Binary;
using System.Runtime.InteropServices;
using System.Text;

namespace Footfall.Segments;

/// <summary>Different texts as UTF-8, with codes in the order in which they first came, from 1; later, in the order of their code points.</summary>
internal sealed class TextTable : IDisposable
{
    private readonly TextArena arena = new();
    private readonly Column<uint> places = new();   // in the arena, by code less 1
    private readonly HashSlots slots = new();

    /// <summary>One more than there are.</summary>
    public int Count => places.Count + 1;

    public long Bytes => arena.Bytes + places.Bytes + slots.Bytes;

    public ReadOnlySpan<byte> this[int code] => arena[places[code - 1]];

    /// <summary>0 where it is not there.</summary>
    public int Find(ReadOnlySpan<byte> text)
    {
        var hash = HashOf(text);
        return Find(text, hash, out _);
    }

    public int Add(ReadOnlySpan<byte> text)
    {
        var hash = HashOf(text);
        if (Find(text, hash, out var slot) is > 0 and var known) return known;
        places.Add(arena.Add(text));
        return slots.Put(slot, hash);
    }

    /// <summary>Codes by place in the order of code points, which is that of UTF-8 bytes; [0] is 0. No text can be looked up or added any more.</summary>
    public Scratch<int> Sort()
    {
        slots.Dispose();
        var order = new Scratch<int>(Count);
        for (var code = 0; code < Count; code++) order[code] = code;
        using var keys = new Scratch<ulong>(Count);
        Sort(order.Span[1..], keys.Span[1..], 0);
        return order;
    }

    /// <summary>From codes to places.</summary>
    public static Scratch<int> PlacesOf(Scratch<int> order)
    {
        var placeOf = new Scratch<int>(order.Length);
        for (var i = 0; i < order.Length; i++) placeOf[order[i]] = i;
        return placeOf;
    }

    public void Dispose()
    {
        arena.Dispose();
        places.Dispose();
        slots.Dispose();
    }

    /// <summary>Of texts that have their first bytes in common: by the next eight, then what has these in common too.</summary>
    private void Sort(Span<int> codes, Span<ulong> keys, int from)
    {
        var longest = 0;
        for (var i = 0; i < codes.Length; i++)
        {
            var text = this[codes[i]];
            longest = Math.Max(longest, text.Length);
            keys[i] = KeyOf(text, from);
        }
        keys.Sort(codes);
        for (var first = 0; first < codes.Length;)
        {
            var end = first + 1;
            while (end < codes.Length && keys[end] == keys[first]) end++;
            if (end - first > 1)
            {
                // What has ended is filled up with 0, a byte that a text may have too.
                if (from + sizeof(ulong) >= longest) codes[first..end].Sort((a, b) => this[a].Length.CompareTo(this[b].Length));
                else Sort(codes[first..end], keys[first..end], from + sizeof(ulong));
            }
            first = end;
        }
    }

    private static ulong KeyOf(ReadOnlySpan<byte> text, int from)
    {
        if (text.Length - from >= sizeof(ulong)) return BinaryPrimitives.ReadUInt64BigEndian(text[from..]);
        ulong key = 0;
        for (var i = 0; i < sizeof(ulong); i++) key = key << 8 | (from + i < text.Length ? text[from + i] : 0UL);
        return key;
    }

    private int Find(ReadOnlySpan<byte> text, int hash, out int slot)
    {
        slot = slots.First(hash);
        for (int code; (code = slots.Seek(ref slot, hash)) != 0; slot = slots.Next(slot))
        {
            if (this[code].SequenceEqual(text)) return code;
        }
        return 0;
    }

    // Seeded anew in each process: nobody who sends texts knows which come to the same.
    private static int HashOf(ReadOnlySpan<byte> text)
    {
        var hash = new HashCode();
        hash.AddBytes(text);
        return hash.ToHashCode();
    }
}

/// <summary>Texts one behind the other, each with its length, outside the collector's heap.</summary>
internal sealed unsafe class TextArena : IDisposable
{
    private const int BlockShift = 16;
    private const int BlockBytes = NativeBlocks.BlockBytes;
    private const int FirstBytes = 256;
    private const int LengthBytes = 4;

    private nint[] blocks = [];
    private readonly HashSet<int> odd = [];   // blocks of another size
    private int used;       // blocks
    private int size;       // of the last
    private int filled;     // of the last

    public long Bytes { get; private set; }

    /// <param name="place">What <see cref="Add"/> gave.</param>
    public ReadOnlySpan<byte> this[uint place]
    {
        get
        {
            var block = (int)(place >> BlockShift);
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual(block, used, nameof(place));
            var at = (byte*)blocks[block] + (place & (BlockBytes - 1));
            int length = *at++;
            if (length == byte.MaxValue)
            {
                length = BinaryPrimitives.ReadInt32LittleEndian(new ReadOnlySpan<byte>(at, LengthBytes));
                at += LengthBytes;
            }
            return new ReadOnlySpan<byte>(at, length);
        }
    }

    public uint Add(ReadOnlySpan<byte> text)
    {
        var needed = text.Length + 1 + (text.Length >= byte.MaxValue ? LengthBytes : 0);
        if (used == 0 || size - filled < needed) Grow(needed);
        var place = checked(((uint)(used - 1) << BlockShift) | (uint)filled);
        var at = new Span<byte>((byte*)blocks[used - 1] + filled, needed);
        if (text.Length >= byte.MaxValue)
        {
            at[0] = byte.MaxValue;
            BinaryPrimitives.WriteInt32LittleEndian(at[1..], text.Length);
        }
        else
        {
            at[0] = (byte)text.Length;
        }
        text.CopyTo(at[(needed - text.Length)..]);
        filled += needed;
        return place;
    }

    public void Dispose()
    {
        for (var i = 0; i < used; i++)
        {
            if (odd.Contains(i)) NativeMemory.Free((void*)blocks[i]);
            else NativeBlocks.Give(blocks[i]);
        }
        odd.Clear();
        (blocks, used, size, filled, Bytes) = ([], 0, 0, 0, 0);
    }

    private void Grow(int needed)
    {
        if (used == 1 && size < BlockBytes && filled + needed < BlockBytes)
        {
            var more = Math.Min(BlockBytes - 1, Math.Max(size * 2, filled + needed));
            blocks[0] = (nint)NativeMemory.Realloc((void*)blocks[0], (nuint)more);
            Bytes += more - size;
            size = more;
            return;
        }
        if (used == 1 << (32 - BlockShift)) throw new InvalidOperationException("A day's texts take more than 4 GB.");
        if (used == blocks.Length) Array.Resize(ref blocks, Math.Max(4, used * 2));
        // The first begins small. Where a text begins has two bytes: a block that is longer, for a text that is, has nothing else in it.
        size = used == 0 && needed < BlockBytes ? Math.Max(FirstBytes, needed) : Math.Max(BlockBytes, needed);
        if (size == BlockBytes)
        {
            blocks[used] = NativeBlocks.Take();
        }
        else
        {
            blocks[used] = (nint)NativeMemory.Alloc((nuint)size);
            odd.Add(used);
        }
        used++;
        filled = 0;
        Bytes += size;
    }
}

/// <summary>Texts in the order of their code points, which is that of their UTF-8 bytes and of PostgreSQL's collation "C".</summary>
internal static class CodePoints
{
    public static int Compare(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var common = a.CommonPrefixLength(b);
        if (common == a.Length || common == b.Length) return a.Length.CompareTo(b.Length);
        var (x, y) = (a[common], b[common]);
        // UTF-16 puts what it writes in two units between U+D800 and U+DFFF; by code point it comes after all the rest.
        if (char.IsSurrogate(x) != char.IsSurrogate(y)) return char.IsSurrogate(x) ? 1 : -1;
        return x.CompareTo(y);
    }

    public static int Compare(string a, string b) => Compare(a.AsSpan(), b.AsSpan());
}

/// <summary>A .NET string as UTF-8, in a buffer that serves for one after the other.</summary>
internal sealed class Utf8Buffer
{
    private byte[] bytes = new byte[512];

    /// <summary>Good until the next.</summary>
    public ReadOnlySpan<byte> Of(string text)
    {
        if (bytes.Length < Encoding.UTF8.GetMaxByteCount(text.Length)) bytes = new byte[Encoding.UTF8.GetMaxByteCount(text.Length) * 2];
        return bytes.AsSpan(0, Encoding.UTF8.GetBytes(text, bytes));
    }
}
