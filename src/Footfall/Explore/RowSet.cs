using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using System.Runtime.Intrinsics;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Some rows of a segment: a bit for each, 64 to a word.</summary>
internal sealed class RowSet
{
    private const int RowsOfWord = 64;

    // A condition that few codes meet, or fail, is compared many rows at a time; others are looked up row by row.
    private const int MostCompared = 4;

    private readonly ulong[] words;
    private readonly int count;

    private RowSet(int count) => (this.count, words) = (count, new ulong[(count + RowsOfWord - 1) / RowsOfWord]);

    public static RowSet None(int count) => new(count);

    public static RowSet All(int count)
    {
        var rows = new RowSet(count);
        rows.words.AsSpan().Fill(ulong.MaxValue);
        if (count % RowsOfWord != 0) rows.words[^1] = (1UL << count) - 1;
        return rows;
    }

    public bool this[int row]
    {
        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        get => (words[row >> 6] >> row & 1) != 0;
    }

    /// <summary>The bits themselves: of row n, bit n % 64 of word n / 64.</summary>
    public ulong[] Words => words;

    public void Add(int row) => words[row >> 6] |= 1UL << row;

    /// <summary>Takes out the rows whose code does not hold.</summary>
    /// <param name="codes">Not constant.</param>
    /// <param name="holds">By code, 1 or 0.</param>
    public void And(Codes codes, byte[] holds)
    {
        var kept = holds.AsSpan().Count((byte)1);
        var isNot = holds.Length - kept < kept;
        if ((isNot ? holds.Length - kept : kept) <= MostCompared && (codes.Bytes is not null || codes.Shorts is not null))
        {
            var which = Enumerable.Range(0, holds.Length).Where(code => holds[code] != 0 != isNot).ToArray();
            if (which.Length == 1 && codes.Bytes is { } one) AndOne(one.AsSpan(0, count), (byte)which[0], isNot ? ulong.MaxValue : 0);
            else if (codes.Bytes is { } bytes) AndOneOf(bytes.AsSpan(0, count), Array.ConvertAll(which, code => Vector256.Create((byte)code)), isNot);
            else AndOneOf(codes.Shorts.AsSpan(0, count), Array.ConvertAll(which, code => Vector256.Create((ushort)code)), isNot);
            AndEach(codes, holds, count / RowsOfWord);
        }
        else
        {
            AndEach(codes, holds, 0);
        }
    }

    public int Count()
    {
        var sum = 0;
        foreach (var word in words) sum += BitOperations.PopCount(word);
        return sum;
    }

    /// <summary>How many there are before this row.</summary>
    public int CountBefore(int row)
    {
        var sum = 0;
        foreach (var word in words.AsSpan(0, row / RowsOfWord)) sum += BitOperations.PopCount(word);
        return row % RowsOfWord == 0 ? sum : sum + BitOperations.PopCount(words[row / RowsOfWord] & ((1UL << row) - 1));
    }

    /// <summary>The rows, ascending.</summary>
    public Enumerator GetEnumerator() => new(words);

    public struct Enumerator(ulong[] words)
    {
        private int at = -1;
        private ulong word;

        public int Current { get; private set; }

        [MethodImpl(MethodImplOptions.AggressiveInlining)]
        public bool MoveNext()
        {
            while (word == 0)
            {
                if (++at >= words.Length) return false;
                word = words[at];
            }
            Current = (at * RowsOfWord) + BitOperations.TrailingZeroCount(word);
            word &= word - 1;
            return true;
        }
    }

    /// <summary>The usual condition: one value.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AndOne(ReadOnlySpan<byte> codes, byte which, ulong flip)
    {
        var wanted = Vector256.Create(which);
        var of = MemoryMarshal.Cast<byte, Vector256<byte>>(codes);
        var to = words.AsSpan(0, of.Length / 2);
        for (var w = 0; w < to.Length; w++)
        {
            var low = Vector256.Equals(of[2 * w], wanted).ExtractMostSignificantBits();
            ulong high = Vector256.Equals(of[(2 * w) + 1], wanted).ExtractMostSignificantBits();
            to[w] &= flip ^ (low | high << 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AndOneOf(ReadOnlySpan<byte> codes, Vector256<byte>[] which, bool isNot)
    {
        var of = MemoryMarshal.Cast<byte, Vector256<byte>>(codes);
        var flip = isNot ? ulong.MaxValue : 0;
        for (var w = 0; w < codes.Length / RowsOfWord; w++)
        {
            var (low, high) = (Vector256<byte>.Zero, Vector256<byte>.Zero);
            foreach (var code in which)
            {
                low |= Vector256.Equals(of[2 * w], code);
                high |= Vector256.Equals(of[(2 * w) + 1], code);
            }
            words[w] &= flip ^ (low.ExtractMostSignificantBits() | (ulong)high.ExtractMostSignificantBits() << 32);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AndOneOf(ReadOnlySpan<ushort> codes, Vector256<ushort>[] which, bool isNot)
    {
        var of = MemoryMarshal.Cast<ushort, Vector256<ushort>>(codes);
        var flip = isNot ? ulong.MaxValue : 0;
        for (var w = 0; w < codes.Length / RowsOfWord; w++)
        {
            ulong found = 0;
            for (var quarter = 0; quarter < 4; quarter++)
            {
                var equal = Vector256<ushort>.Zero;
                foreach (var code in which) equal |= Vector256.Equals(of[(4 * w) + quarter], code);
                found |= (ulong)equal.ExtractMostSignificantBits() << (16 * quarter);
            }
            words[w] &= flip ^ found;
        }
    }

    /// <param name="from">The first word that is looked at.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private void AndEach(Codes codes, byte[] holds, int from)
    {
        var (bytes, shorts, ints) = (codes.Bytes, codes.Shorts, codes.Ints);
        for (var w = from; w < words.Length; w++)
        {
            if (words[w] == 0) continue;
            var first = w * RowsOfWord;
            var last = Math.Min(count, first + RowsOfWord);
            ulong found = 0;
            if (bytes is not null) for (var row = first; row < last; row++) found |= (ulong)holds[bytes[row]] << row;
            else if (shorts is not null) for (var row = first; row < last; row++) found |= (ulong)holds[shorts[row]] << row;
            else for (var row = first; row < last; row++) found |= (ulong)holds[ints![row]] << row;
            words[w] &= found;
        }
    }
}
