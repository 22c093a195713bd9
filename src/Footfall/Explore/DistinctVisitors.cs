using System.Numerics;
using System.Runtime.CompilerServices;

namespace Footfall.Explore;

/// <summary>
/// Counts different visitors, group after group: a bit for each visitor number. Numbers are dense, so that the bits of a million visitors
/// lie in a processor's cache.
/// </summary>
internal sealed class DistinctVisitors
{
    // Below this share of the words a group remembers which words it touched; above, all are counted and cleared in one sweep.
    private const int SweepShare = 8;

    // Numbers of nobody, which are not counted, lie in as many words behind those of the visitors: one word alone would have to wait for itself.
    private const int WordsOfNobody = 8;

    private readonly ulong[] bits;
    private readonly int words;
    private readonly int[] touched;
    private int touchedCount;
    private bool sweeps;

    /// <param name="greatest">The greatest number that will come.</param>
    public DistinctVisitors(int greatest)
    {
        words = (greatest >> 6) + 1;
        bits = new ulong[words + WordsOfNobody];
        touched = new int[(bits.Length / SweepShare) + 1];
    }

    /// <summary>By row: the visitor, or a number of nobody where the row is not kept.</summary>
    /// <param name="greatest">As the counter was made with.</param>
    /// <param name="rows">1 where it is kept, else 0.</param>
    /// <param name="to">As long as <paramref name="visitors"/>, at least.</param>
    public static void OrNobody(int greatest, ReadOnlySpan<int> visitors, ReadOnlySpan<byte> rows, Span<int> to)
    {
        var nobody = ((greatest >> 6) + 1) << 6;
        rows = rows[..visitors.Length];
        to = to[..visitors.Length];
        for (var row = 0; row < visitors.Length; row++)
        {
            var kept = -rows[row];      // all bits, or none: without a branch that nobody could foretell
            to[row] = (visitors[row] & kept) | ((nobody + ((row & (WordsOfNobody - 1)) << 6)) & ~kept);
        }
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
        long count = 0;
        if (sweeps)
        {
            foreach (var word in bits.AsSpan(0, words)) count += BitOperations.PopCount(word);
            Array.Clear(bits);
            return count;
        }
        foreach (var word in touched.AsSpan(0, touchedCount))
        {
            if (word < words) count += BitOperations.PopCount(bits[word]);
            bits[word] = 0;
        }
        return count;
    }
}
