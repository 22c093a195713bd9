using System.Numerics;
using System.Runtime.InteropServices;

namespace Footfall.Segments;

/// <summary>
/// Values one after another, outside the collector's heap, in <see cref="NativeBlocks"/>: it grows without a copy of what is there, and what it takes
/// is free the moment it is disposed of. A day's building fills and empties tens of megabytes every few seconds; left to the collector,
/// several builds' leavings lay about. Whoever makes one disposes of it.
/// </summary>
/// <typeparam name="T">Of 1, 2, 4, 8 or 16 bytes.</typeparam>
internal sealed unsafe class Column<T> : IDisposable
    where T : unmanaged
{
    private const int FirstValues = 16;
    private static readonly int Shift = BitOperations.Log2(NativeBlocks.BlockBytes) - BitOperations.Log2((uint)sizeof(T));
    private static readonly int PerBlock = 1 << Shift;

    private nint[] blocks = [];
    private int used;       // blocks
    private int capacity;   // values; a first block begins small

    public int Count { get; private set; }

    /// <summary>Bytes that it takes.</summary>
    public long Bytes => (long)capacity * sizeof(T);

    public ref T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Count, nameof(index));
            return ref ((T*)blocks[index >> Shift])[index & (PerBlock - 1)];
        }
    }

    public void Add(T value)
    {
        if (Count == capacity) Grow();
        ((T*)blocks[Count >> Shift])[Count & (PerBlock - 1)] = value;
        Count++;
    }

    /// <summary>So many more values, all of them 0.</summary>
    public void AddZeros(int count)
    {
        for (var left = count; left > 0;)
        {
            if (Count == capacity) Grow();
            var now = Math.Min(left, capacity - Count);
            new Span<T>((T*)blocks[Count >> Shift] + (Count & (PerBlock - 1)), now).Clear();
            Count += now;
            left -= now;
        }
    }

    public void Dispose()
    {
        for (var i = 0; i < used; i++)
        {
            if (capacity < PerBlock) NativeMemory.Free((void*)blocks[i]);
            else NativeBlocks.Give(blocks[i]);
        }
        (blocks, used, capacity, Count) = ([], 0, 0, 0);
    }

    private void Grow()
    {
        if (used == blocks.Length) Array.Resize(ref blocks, Math.Max(4, used * 2));
        if (capacity >= PerBlock)
        {
            blocks[used++] = NativeBlocks.Take();
            capacity += PerBlock;
            return;
        }
        // A day of little traffic has some hundred columns of a few values.
        var more = Math.Max(FirstValues, capacity * 2);
        if (more < PerBlock)
        {
            blocks[0] = (nint)NativeMemory.Realloc((void*)blocks[0], (nuint)more * (nuint)sizeof(T));
        }
        else
        {
            var block = NativeBlocks.Take();
            NativeMemory.Copy((void*)blocks[0], (void*)block, (nuint)capacity * (nuint)sizeof(T));
            NativeMemory.Free((void*)blocks[0]);
            blocks[0] = block;
        }
        (used, capacity) = (1, more);
    }
}

/// <summary>Values side by side, outside the collector's heap like a <see cref="Column{T}"/>'s, and as many as there are from the start. Not cleared.</summary>
internal sealed unsafe class Scratch<T> : IDisposable
    where T : unmanaged
{
    private T* values;

    public Scratch(int length)
    {
        ArgumentOutOfRangeException.ThrowIfNegative(length);
        values = (T*)NativeMemory.Alloc((nuint)NativeBlocks.Asked((long)length * sizeof(T)));
        Length = length;
    }

    public int Length { get; private set; }

    public Span<T> Span => new(values, Length);

    public ref T this[int index]
    {
        get
        {
            ArgumentOutOfRangeException.ThrowIfGreaterThanOrEqual((uint)index, (uint)Length, nameof(index));
            return ref values[index];
        }
    }

    public void Dispose()
    {
        NativeMemory.Free(values);
        values = null;
        Length = 0;
    }
}

/// <summary>Codes, from 0 up, as wide as the greatest needs: most facts of sessions have few values.</summary>
internal sealed class NarrowColumn : IDisposable
{
    private Column<byte>? bytes = new();
    private Column<ushort>? shorts;
    private Column<int>? ints;

    public int Count => bytes?.Count ?? shorts?.Count ?? ints!.Count;

    public long Bytes => (bytes?.Bytes ?? 0) + (shorts?.Bytes ?? 0) + (ints?.Bytes ?? 0);

    public int this[int index]
    {
        get => bytes is not null ? bytes[index] : shorts is not null ? shorts[index] : ints![index];
        set
        {
            Widen(value);
            if (bytes is not null) bytes[index] = (byte)value;
            else if (shorts is not null) shorts[index] = (ushort)value;
            else ints![index] = value;
        }
    }

    public void Add(int value)
    {
        Widen(value);
        bytes?.Add((byte)value);
        shorts?.Add((ushort)value);
        ints?.Add(value);
    }

    public void Dispose()
    {
        bytes?.Dispose();
        shorts?.Dispose();
        ints?.Dispose();
    }

    private void Widen(int value)
    {
        if (bytes is not null && value > byte.MaxValue)
        {
            shorts = new Column<ushort>();
            for (var i = 0; i < bytes.Count; i++) shorts.Add(bytes[i]);
            bytes.Dispose();
            bytes = null;
        }
        if (shorts is not null && value > ushort.MaxValue)
        {
            ints = new Column<int>();
            for (var i = 0; i < shorts.Count; i++) ints.Add(shorts[i]);
            shorts.Dispose();
            shorts = null;
        }
    }
}
