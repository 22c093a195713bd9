using System.Numerics;
using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Follows the visitors of one range after the other through a funnel: <see cref="FunnelQuery"/> says how.</summary>
/// <param name="keyOf">What group a visitor is of whose counted attempt began then, where that is not the event's to tell.</param>
internal sealed class FunnelWorker(int steps, long reach, Words? words, Func<int, long, int>? keyOf) : IDisposable
{
    /// <summary>Events of one range: visitors that have more cannot be told apart by ranges.</summary>
    private const int MostMarks = 8_000_000;

    private const int Block = 4_096;

    /// <summary>Up to so many events of a visitor it is quickest to just look through them.</summary>
    private const int Few = 32;

    private const int StepBits = 8;

    /// <summary>An event of a step.</summary>
    /// <param name="When">Microseconds since the window's start, and behind them the step.</param>
    private readonly record struct Mark(long When, int Visitor, int Key)
    {
        public long At => When >> StepBits;

        public int Step => (int)(When & ((1 << StepBits) - 1));

        public static Mark Of(long at, int visitor, int key, int step) => new(at << StepBits | (long)step, visitor, key);
    }

    private readonly long[] best = new long[steps], times = new long[steps];
    private readonly PooledList<Mark> marks = new(), ordered = new();
    private int from;
    private int[] starts = [];

    public FunnelTally Tally { get; } = new(steps, words is not null);

    /// <summary>Who has an event of the first step; of others nothing is kept.</summary>
    public VisitorMarks Entered { get; } = new();

    /// <summary>Who has one of the second.</summary>
    public VisitorMarks WentOn { get; } = new();

    public void Begin(int fromVisitor, int toVisitor)
    {
        from = fromVisitor;
        marks.Clear();
        ordered.Clear();
        var width = toVisitor - fromVisitor;
        if (starts.Length < width + 1) starts = new int[width + 1];
        Array.Clear(starts);
        Entered.Begin(from, width);
        WentOn.Begin(from, width);
    }

    /// <summary>Counts those who cannot come further than the first step, where nobody asks for their group. False when nobody is left to follow.</summary>
    public bool Narrow()
    {
        var only = Entered.Narrow(WentOn);
        if (only > 0) Tally.AddEntered(0, only);
        return !Entered.IsEmpty;
    }

    /// <summary>Whether the visitor's events are of any use: after the marks have been set.</summary>
    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Follows(int visitor) => Entered.Has(visitor);

    /// <summary>An event of a visitor who <see cref="Follows"/>.</summary>
    public void Add(int visitor, long at, int step, int key)
    {
        if (marks.Count >= MostMarks) throw new TooMuchForSegmentsException();
        marks.Add(Mark.Of(at, visitor - from, key, step));
    }

    /// <summary>Events of one step, each of which counts unless its visitor does not follow or it is too late.</summary>
    /// <param name="hits">Indexes of the segment's hits, from the first up to, and without, the second.</param>
    /// <param name="dayStart">Of the segment, in microseconds since the window's start.</param>
    /// <param name="end">What is later is too late.</param>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(DaySegment segment, (int First, int Last) hits, long dayStart, long end, int step)
    {
        var (rows, visitorOf, times, micros) = (segment.HitRow, segment.Visitor, segment.HitTime, segment.HitMicros);
        for (var first = hits.First; first < hits.Last; first += Block)
        {
            if (marks.Count >= MostMarks) throw new TooMuchForSegmentsException();
            var last = Math.Min(hits.Last, first + Block);
            var room = marks.Room(last - first);
            var taken = 0;
            for (var hit = first; hit < last; hit++)
            {
                // Written whether it counts or not, and written over if not: who follows cannot be foretold.
                var visitor = visitorOf[rows[hit]];
                var at = dayStart + (times[hit] * 1_000L) + (micros is null ? 0 : micros[hit]);
                room[taken] = Mark.Of(at, visitor - from, 0, step);
                taken += (Entered.Has(visitor) ? 1 : 0) & (at < end ? 1 : 0);
            }
            marks.Take(taken);
        }
    }

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Count()
    {
        var all = marks.Items;
        foreach (ref readonly var mark in all) starts[mark.Visitor]++;
        var way = ordered.Room(all.Length);
        var sum = 0;
        foreach (ref var start in starts.AsSpan()) (start, sum) = (sum, sum + start);
        foreach (ref readonly var mark in all) way[starts[mark.Visitor]++] = mark;
        for (var first = 0; first < way.Length;)
        {
            var last = starts[way[first].Visitor];   // where the next visitor's begin, by now
            Follow(way[first..last]);
            first = last;
        }
    }

    public void Dispose()
    {
        marks.Dispose();
        ordered.Dispose();
        Tally.Dispose();
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

    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
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

/// <summary>A bit for each visitor of one range.</summary>
internal sealed class VisitorMarks
{
    private ulong[] bits = [];
    private int from;

    public void Begin(int fromVisitor, int width)
    {
        from = fromVisitor;
        if (bits.Length < (width >> 6) + 1) bits = new ulong[(width >> 6) + 1];
        else Array.Clear(bits);
    }

    public bool IsEmpty => !bits.AsSpan().ContainsAnyExcept(0UL);

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public bool Has(int visitor) => (bits[(visitor - from) >> 6] >> (visitor - from) & 1) != 0;

    [MethodImpl(MethodImplOptions.AggressiveInlining)]
    public void Add(int visitor) => bits[(visitor - from) >> 6] |= 1UL << (visitor - from);

    /// <summary>The visitors of these rows.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    public void Add(ReadOnlySpan<int> rows, int[] visitorOf)
    {
        var (to, first) = (bits, from);
        foreach (var row in rows)
        {
            var visitor = visitorOf[row] - first;
            to[visitor >> 6] |= 1UL << visitor;
        }
    }

    /// <summary>Takes out those that the other does not have. Returns how many.</summary>
    public long Narrow(VisitorMarks other)
    {
        long only = 0;
        for (var i = 0; i < bits.Length; i++)
        {
            only += BitOperations.PopCount(bits[i] & ~other.bits[i]);
            bits[i] &= other.bits[i];
        }
        return only;
    }
}
