using System.Buffers;
using System.Numerics;
using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>
/// Counts different visitors, group after group: a bit for each visitor number. Numbers are dense, so that the bits of a million visitors
/// lie in a processor's cache. What goes over millions of rows is compiled for speed at once, so that the first questions are as quick as
/// later ones. The bits are lent by a pool: every question would else leave large arrays behind, which only a collection of everything takes away.
/// </summary>
internal sealed class DistinctVisitors : IDisposable
{
    // Below this share of the words a group remembers which words it touched; above, all are counted and cleared in one sweep.
    private const int SweepShare = 8;

    private readonly int words;
    private readonly int mostTouched;
    private ulong[] bits;
    private int[] touched;
    private int touchedCount;
    private bool sweeps;

    /// <param name="greatest">The greatest number that will come.</param>
    public DistinctVisitors(int greatest)
    {
        words = (greatest >> 6) + 1;
        mostTouched = (words / SweepShare) + 1;
        bits = ArrayPool<ulong>.Shared.Rent(words);
        touched = ArrayPool<int>.Shared.Rent(mostTouched);
        bits.AsSpan(0, words).Clear();
    }

    /// <param name="most">How many numbers come at most, repeated ones too.</param>
    public void Begin(long most)
    {
        sweeps = most > mostTouched;
        touchedCount = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int visitor)
    {
        ref var word = ref bits[visitor >> 6];
        if (!sweeps && word == 0) touched[touchedCount++] = visitor >> 6;
        word |= 1UL << visitor;
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<int> visitors)
    {
        if (sweeps)
        {
            var to = bits;
            foreach (var visitor in visitors) to[visitor >> 6] |= 1UL << visitor;
            return;
        }
        foreach (var visitor in visitors) Add(visitor);
    }

    /// <summary>The visitors of these rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<int> rows, int[] visitorOf)
    {
        if (sweeps)
        {
            var to = bits;
            foreach (var row in rows)
            {
                var visitor = visitorOf[row];
                to[visitor >> 6] |= 1UL << visitor;
            }
            return;
        }
        foreach (var row in rows) Add(visitorOf[row]);
    }

    /// <inheritdoc cref="Add(ReadOnlySpan{int}, int[])"/>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(RowSet rows, int[] visitorOf)
    {
        if (sweeps)
        {
            var to = bits;
            foreach (var row in rows)
            {
                var visitor = visitorOf[row];
                to[visitor >> 6] |= 1UL << visitor;
            }
            return;
        }
        foreach (var row in rows) Add(visitorOf[row]);
    }

    /// <summary>The visitors of those of these rows that are kept. Returns how many are, repeated ones too.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public long Add(ReadOnlySpan<int> rows, int[] visitorOf, RowSet keeps)
    {
        long kept = 0;
        if (sweeps)
        {
            var (to, keptRows) = (bits, keeps.Words);
            foreach (var row in rows)
            {
                var keep = keptRows[row >> 6] >> row & 1;   // shifted in, 0 or 1: without a branch that nobody could foretell
                kept += (long)keep;
                var visitor = visitorOf[row];
                to[visitor >> 6] |= keep << visitor;
            }
            return kept;
        }
        foreach (var row in rows)
        {
            if (!keeps[row]) continue;
            kept++;
            Add(visitorOf[row]);
        }
        return kept;
    }

    /// <summary>Those of another counter of the same numbers.</summary>
    public void Add(DistinctVisitors other)
    {
        if (sweeps != other.sweeps) throw new ArgumentException("Both count the same group.", nameof(other));
        if (!sweeps)
        {
            foreach (var word in other.touched.AsSpan(0, other.touchedCount))
            {
                if (bits[word] == 0) touched[touchedCount++] = word;
                bits[word] |= other.bits[word];
            }
            return;
        }
        var to = bits.AsSpan(0, words);
        var from = other.bits.AsSpan(0, words);
        for (var i = 0; i < to.Length; i++) to[i] |= from[i];
    }

    /// <summary>How many there were since <see cref="Begin"/>; forgets them.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public long End()
    {
        long count = 0;
        if (sweeps)
        {
            var all = bits.AsSpan(0, words);
            foreach (var word in all) count += BitOperations.PopCount(word);
            all.Clear();
            return count;
        }
        foreach (var word in touched.AsSpan(0, touchedCount))
        {
            count += BitOperations.PopCount(bits[word]);
            bits[word] = 0;
        }
        return count;
    }

    /// <summary>The greatest visitor number in the window; 0 where there is none.</summary>
    public static int Greatest(SegmentWindow window)
    {
        var greatest = 0;
        foreach (var s in window.Segments)
        {
            if (s.Homes > 0) greatest = Math.Max(greatest, s.Visitor[s.Homes - 1]);
            if (s.Rows > s.Homes) greatest = Math.Max(greatest, s.Visitor[s.Rows - 1]);
        }
        return greatest;
    }

    public void Dispose()
    {
        if (bits.Length > 0) ArrayPool<ulong>.Shared.Return(bits);
        if (touched.Length > 0) ArrayPool<int>.Shared.Return(touched);
        (bits, touched) = ([], []);
    }
}
