using System.Numerics;
using System.Runtime.CompilerServices;
using System.Runtime.InteropServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Follows the visitors of one range after the other through a funnel: <see cref="FunnelQuery"/> says how.</summary>
/// <param name="keyOf">What group a visitor is of whose counted attempt began then, where that is not the event's to tell.</param>
internal sealed class FunnelWorker(int steps, long reach, Words? words, Func<int, long, int>? keyOf)
{
    /// <summary>Events of one range: visitors that have more cannot be told apart by ranges.</summary>
    private const int MostMarks = 8_000_000;

    /// <summary>Up to so many events of a visitor it is quickest to just look through them.</summary>
    private const int Few = 32;

    /// <summary>An event of a step.</summary>
    [StructLayout(LayoutKind.Auto)]
    private record struct Mark(long At, int Visitor, int Key, int Step);

    private readonly long[] best = new long[steps], times = new long[steps];
    private Mark[] marks = new Mark[4_096], ordered = [];
    private int count, from;
    private int[] starts = [];
    private ulong[] entered = [], wentOn = [];

    public FunnelTally Tally { get; } = new(steps);

    public void Begin(int fromVisitor, int toVisitor)
    {
        (from, count) = (fromVisitor, 0);
        var width = toVisitor - fromVisitor;
        if (starts.Length < width + 1)
        {
            starts = new int[width + 1];
            (entered, wentOn) = (new ulong[(width >> 6) + 1], new ulong[(width >> 6) + 1]);
        }
        Array.Clear(starts);
        Array.Clear(entered);
        Array.Clear(wentOn);
    }

    /// <summary>Who has an event of the first step; of others nothing is kept.</summary>
    public void Enter(int visitor) => entered[(visitor - from) >> 6] |= 1UL << (visitor - from);

    /// <summary>Who has one of the second.</summary>
    public void GoOn(int visitor) => wentOn[(visitor - from) >> 6] |= 1UL << (visitor - from);

    /// <summary>Counts those who cannot come further than the first step, where nobody asks for their group. False when nobody is left to follow.</summary>
    public bool Narrow()
    {
        long only = 0;
        ulong left = 0;
        for (var i = 0; i < entered.Length; i++)
        {
            only += BitOperations.PopCount(entered[i] & ~wentOn[i]);
            left |= entered[i] &= wentOn[i];
        }
        if (only > 0) Tally.AddEntered(0, only);
        return left != 0;
    }

    /// <summary>Whether the visitor's events are of any use: after the marks have been set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Follows(int visitor) => (entered[(visitor - from) >> 6] >> (visitor - from) & 1) != 0;

    /// <summary>An event of a visitor who <see cref="Follows"/>.</summary>
    public void Add(int visitor, long at, int step, int key)
    {
        var own = visitor - from;
        if (count == marks.Length)
        {
            if (count >= MostMarks) throw new TooMuchForSegmentsException();
            Array.Resize(ref marks, count * 2);
        }
        marks[count++] = new Mark(at, own, key, step);
        starts[own]++;
    }

    public void Count()
    {
        if (ordered.Length < count) ordered = new Mark[marks.Length];
        var sum = 0;
        foreach (ref var start in starts.AsSpan()) (start, sum) = (sum, sum + start);
        for (var i = 0; i < count; i++) ordered[starts[marks[i].Visitor]++] = marks[i];
        for (var first = 0; first < count;)
        {
            var last = starts[ordered[first].Visitor];   // where the next visitor's begin, by now
            Follow(ordered.AsSpan(first, last - first));
            first = last;
        }
    }

    private void Follow(Span<Mark> way)
    {
        var visitor = from + way[0].Visitor;
        if (way.Length == 1)
        {
            Tally.AddEntered(keyOf?.Invoke(visitor, way[0].At) ?? way[0].Key);
            return;
        }
        Sort(way);
        var (reached, key) = way.Length <= Few ? FollowFew(way) : FollowMany(way);
        if (keyOf is not null) key = keyOf(visitor, best[0]);
        if (reached == 1) Tally.AddEntered(key);
        else Tally.Add(key, best.AsSpan(0, reached));
    }

    private (int Reached, int Key) FollowFew(ReadOnlySpan<Mark> way)
    {
        int most = 0, key = 0;
        for (var i = 0; i < way.Length; i++)
        {
            if (way[i].Step != 0) continue;
            if (most == steps && way[i].At > best[0]) break;   // none can come further, and the first counts
            var reached = Chain(way, i, times);
            if (!IsBetter(reached, way[i].At, way[i].Key, most, key)) continue;
            (most, key) = (reached, way[i].Key);
            times.AsSpan(0, reached).CopyTo(best);
        }
        return (most, key);
    }

    /// <summary>The steps that the attempt which begins with this event reaches, and when.</summary>
    private int Chain(ReadOnlySpan<Mark> way, int entry, long[] when)
    {
        when[0] = way[entry].At;
        // Of what happens at the same instant nobody knows the order, so that all of it may follow.
        var place = entry;
        while (place > 0 && way[place - 1].At == when[0]) place--;
        for (var k = 1; k < steps; k++)
        {
            while (place < way.Length && way[place].Step != k) place++;
            if (place == way.Length || way[place].At > when[0] + reach) return k;
            when[k] = way[place].At;
            while (place > 0 && way[place - 1].At == when[k]) place--;
        }
        return steps;
    }

    /// <summary>The same step by step for all attempts at once, each step in one pass from behind: nobody's way is long enough to take long.</summary>
    private (int Reached, int Key) FollowMany(ReadOnlySpan<Mark> way)
    {
        List<int> attempts = [];
        for (var i = 0; i < way.Length; i++) if (way[i].Step == 0) attempts.Add(i);
        var at = new long[attempts.Count];
        var reached = new int[attempts.Count];
        for (var a = 0; a < at.Length; a++) (at[a], reached[a]) = (way[attempts[a]].At, 1);
        for (var k = 1; k < steps; k++)
        {
            // Attempts that came as far stand where they stand in the order of their beginnings: later ones never stand before earlier ones.
            var place = way.Length;
            long? next = null;
            for (var a = at.Length - 1; a >= 0; a--)
            {
                if (reached[a] != k) continue;
                while (place > 0 && way[place - 1].At >= at[a])
                {
                    place--;
                    if (way[place].Step == k) next = way[place].At;
                }
                if (next is not { } found || found > way[attempts[a]].At + reach) continue;
                (at[a], reached[a]) = (found, k + 1);
            }
        }
        int most = 0, key = 0, chosen = 0;
        for (var a = 0; a < at.Length; a++)
        {
            var entry = way[attempts[a]];
            if (!IsBetter(reached[a], entry.At, entry.Key, most, key)) continue;
            (most, key, chosen, best[0]) = (reached[a], entry.Key, attempts[a], entry.At);
        }
        Chain(way, chosen, best);
        return (most, key);
    }

    private bool IsBetter(int reached, long at, int key, int most, int bestKey) =>
        reached != most ? reached > most : at != best[0] ? at < best[0] : key != bestKey && words is not null && FunnelTally.CompareKeys(words, key, bestKey) < 0;

    private static void Sort(Span<Mark> way)
    {
        if (way.Length > Few)
        {
            way.Sort((a, b) => a.At.CompareTo(b.At));
            return;
        }
        for (var i = 1; i < way.Length; i++)
        {
            var mark = way[i];
            var place = i;
            for (; place > 0 && way[place - 1].At > mark.At; place--) way[place] = way[place - 1];
            way[place] = mark;
        }
    }
}
