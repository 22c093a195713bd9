using System.Numerics;
using System.Runtime.InteropServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Which rows of a segment conditions keep: 1 or 0 for each.</summary>
internal static class RowMask
{
    // A condition that few codes meet, or fail, is compared many rows at a time; others are looked up row by row.
    private const int MostCompared = 4;

    /// <summary>Takes out the rows whose code does not hold.</summary>
    /// <param name="codes">Not constant.</param>
    /// <param name="holds">By code, 1 or 0.</param>
    public static void And(Span<byte> rows, Codes codes, byte[] holds)
    {
        var kept = holds.AsSpan().Count((byte)1);
        var isNot = holds.Length - kept < kept;
        if ((isNot ? holds.Length - kept : kept) <= MostCompared && (codes.Bytes is not null || codes.Shorts is not null))
        {
            var which = Enumerable.Range(0, holds.Length).Where(code => holds[code] != 0 != isNot).ToArray();
            if (codes.Bytes is { } bytes) AndOneOf(rows, bytes, Array.ConvertAll(which, code => (byte)code), isNot);
            else AndOneOf(rows, codes.Shorts!, Array.ConvertAll(which, code => (ushort)code), isNot);
            return;
        }
        if (codes.Bytes is { } narrow) for (var i = 0; i < rows.Length; i++) rows[i] &= holds[narrow[i]];
        else if (codes.Shorts is { } shorts) for (var i = 0; i < rows.Length; i++) rows[i] &= holds[shorts[i]];
        else for (var i = 0; i < rows.Length; i++) rows[i] &= holds[codes.Ints![i]];
    }

    /// <summary>The rows that are kept, ascending.</summary>
    public static int[] List(ReadOnlySpan<byte> rows)
    {
        const int bytesOfWord = sizeof(ulong), bitsOfByte = 8;
        var list = new int[rows.Count((byte)1)];
        var words = MemoryMarshal.Cast<byte, ulong>(rows);
        var at = 0;
        for (var w = 0; w < words.Length; w++)
        {
            for (var word = words[w]; word != 0; word &= word - 1) list[at++] = (w * bytesOfWord) + (BitOperations.TrailingZeroCount(word) / bitsOfByte);
        }
        for (var row = words.Length * bytesOfWord; row < rows.Length; row++) if (rows[row] != 0) list[at++] = row;
        return list;
    }

    private static void AndOneOf(Span<byte> rows, ReadOnlySpan<byte> codes, byte[] which, bool isNot)
    {
        var wide = MemoryMarshal.Cast<byte, Vector<byte>>(rows);
        var of = MemoryMarshal.Cast<byte, Vector<byte>>(codes[..rows.Length]);
        var flip = isNot ? Vector<byte>.AllBitsSet : Vector<byte>.Zero;
        for (var i = 0; i < wide.Length; i++)
        {
            var is1 = flip;
            foreach (var code in which) is1 ^= Vector.Equals(of[i], new Vector<byte>(code));   // a row has one code: at most one is equal
            wide[i] &= is1;
        }
        for (var row = wide.Length * Vector<byte>.Count; row < rows.Length; row++) if (which.AsSpan().Contains(codes[row]) == isNot) rows[row] = 0;
    }

    private static void AndOneOf(Span<byte> rows, ReadOnlySpan<ushort> codes, ushort[] which, bool isNot)
    {
        var wide = MemoryMarshal.Cast<byte, Vector<byte>>(rows);
        var of = MemoryMarshal.Cast<ushort, Vector<ushort>>(codes[..rows.Length]);
        var flip = isNot ? Vector<ushort>.AllBitsSet : Vector<ushort>.Zero;
        for (var i = 0; i < wide.Length; i++)
        {
            var (low, high) = (flip, flip);
            foreach (var code in which)
            {
                var wanted = new Vector<ushort>(code);
                low ^= Vector.Equals(of[2 * i], wanted);
                high ^= Vector.Equals(of[(2 * i) + 1], wanted);
            }
            wide[i] &= Vector.Narrow(low, high);
        }
        for (var row = wide.Length * Vector<byte>.Count; row < rows.Length; row++) if (which.AsSpan().Contains(codes[row]) == isNot) rows[row] = 0;
    }
}
