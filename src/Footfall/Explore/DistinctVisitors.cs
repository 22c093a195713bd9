using System.Numerics;
using System.Runtime.CompilerServices;

namespace Footfall.Explore;

/// <summary>
/// Counts different visitors, group after group: a bit for each visitor number. Numbers are dense, so that the bits of a million visitors
/// lie in a processor's cache.
/// </summary>
internal sealed class DistinctVisitors
{
    /// <summary>A number that no visitor has, and that is not counted: numbers begin with 1.</summary>
    public const int Nobody = 0;

    // Below this share of the words a group remembers which words it touched; above, all are counted and cleared in one sweep.
    private const int SweepShare = 8;

    private readonly ulong[] bits;
    private readonly int[] touched;
    private int touchedCount;
    private bool sweeps;

    /// <param name="greatest">The greatest number that will come.</param>
    public DistinctVisitors(int greatest)
    {
        bits = new ulong[(greatest >> 6) + 1];
        touched = new int[(bits.Length / SweepShare) + 1];
    }

    /// <param name="most">How many numbers come at most, repeated ones too.</param>
    public void Begin(long most)
    {
        sweeps = most > touched.Length;
        touchedCount = 0;
    }

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int visitor)
    {
        ref var word = ref bits[visitor >> 6];
        if (!sweeps && word == 0) touched[touchedCount++] = visitor >> 6;
        word |= 1UL << visitor;
    }

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

    /// <summary>How many there were since <see cref="Begin"/>; forgets them.</summary>
    public long End()
    {
        var count = -(long)(bits[0] & 1);
        if (sweeps)
        {
            foreach (var word in bits) count += BitOperations.PopCount(word);
            Array.Clear(bits);
            return count;
        }
        foreach (var word in touched.AsSpan(0, touchedCount))
        {
            count += BitOperations.PopCount(bits[word]);
            bits[word] = 0;
        }
        return count;
    }
}
