using System.Runtime.CompilerServices;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>How many came how far, and how long they took, by group.</summary>
/// <param name="hasGroups">Without them all are of one, and nothing is kept to tell them apart.</param>
internal sealed class FunnelTally(int steps, bool hasGroups) : IDisposable
{
    private readonly Dictionary<int, long[]> visitors = [];
    private readonly PooledList<long>[] taken = [.. Enumerable.Range(1, steps - 1).Select(_ => new PooledList<long>())];
    private readonly PooledList<int>[] keys = [.. Enumerable.Range(1, steps - 1).Select(_ => new PooledList<int>())];
    private long[]? lastCounts;
    private int lastKey;

    /// <summary>Those who came no further than the first step.</summary>
    public void AddEntered(int key, long count = 1) => CountsOf(key)[0] += count;

    /// <param name="times">Of the steps that were reached.</param>
    public void Add(int key, ReadOnlySpan<long> times)
    {
        var counts = CountsOf(key);
        counts[0]++;
        for (var k = 1; k < times.Length; k++)
        {
            counts[k]++;
            taken[k - 1].Add(times[k] - times[k - 1]);
            if (hasGroups) keys[k - 1].Add(key);
        }
    }

    /// <summary>In the order of groups: by code points, the one without a value last.</summary>
    public static int CompareKeys(Words words, int a, int b) =>
        a == b ? 0 : a == 0 || b == 0 ? (a == 0).CompareTo(b == 0) : CodePoints.Compare(words[a]!, words[b]!);

    public static FunnelResult Result(FunnelQuery query, IReadOnlyList<FunnelTally> tallies, Words? words)
    {
        var steps = query.Steps.Count;
        Dictionary<int, long[]> all = [];
        foreach (var (key, counts) in tallies.SelectMany(t => t.visitors))
        {
            if (!all.TryGetValue(key, out var sums)) all[key] = sums = new long[steps];
            for (var k = 0; k < steps; k++) sums[k] += counts[k];
        }
        var total = new long[steps];
        foreach (var counts in all.Values) for (var k = 0; k < steps; k++) total[k] += counts[k];
        var overall = new FunnelCounts(null, total, [.. Enumerable.Range(0, steps - 1).Select(k => MedianOfAll(tallies, k))]);
        if (words is null) return new FunnelResult(overall, [], false);

        var shown = all.OrderByDescending(c => c.Value[0]).ThenBy(c => c.Key, Comparer<int>.Create((a, b) => CompareKeys(words, a, b))).Take(query.Limit).ToList();
        var ofKeys = shown.ToDictionary(s => s.Key, _ => Enumerable.Range(0, steps - 1).Select(_ => new PooledList<long>()).ToArray());
        foreach (var tally in tallies)
        {
            for (var k = 0; k < steps - 1; k++)
            {
                var micros = tally.taken[k].Items;
                var of = tally.keys[k].Items;
                for (var i = 0; i < micros.Length; i++) if (ofKeys.TryGetValue(of[i], out var lists)) lists[k].Add(micros[i]);
            }
        }
        var result = new FunnelResult(
            overall, [.. shown.Select(s => new FunnelCounts(words[s.Key], s.Value, [.. ofKeys[s.Key].Select(l => Median(l.Writable))]))], all.Count > query.Limit);
        foreach (var list in ofKeys.Values.SelectMany(l => l)) list.Dispose();
        return result;
    }

    public void Dispose()
    {
        foreach (var list in taken) list.Dispose();
        foreach (var list in keys) list.Dispose();
    }

    private static double? MedianOfAll(IReadOnlyList<FunnelTally> tallies, int step)
    {
        using var all = new PooledList<long>();
        foreach (var tally in tallies) all.AddRange(tally.taken[step].Items);
        return Median(all.Writable);
    }

    private long[] CountsOf(int key)
    {
        if (lastCounts is not null && lastKey == key) return lastCounts;
        if (!visitors.TryGetValue(key, out var counts)) visitors[key] = counts = new long[steps];
        (lastKey, lastCounts) = (key, counts);
        return counts;
    }

    /// <summary>In seconds, as PostgreSQL's percentile_cont has it; null of none.</summary>
    private static double? Median(Span<long> micros)
    {
        if (micros.Length == 0) return null;
        const double second = 1_000_000;
        var high = Select(micros, micros.Length / 2) / second;
        if (micros.Length % 2 == 1) return high;
        long most = 0;
        foreach (var before in micros[..(micros.Length / 2)]) most = Math.Max(most, before);   // what stands before it is not greater
        var low = most / second;
        return low + ((high - low) * 0.5);
    }

    /// <summary>The number that stands at this place in the order, which is there afterwards, none that is greater before it.</summary>
    [MethodImpl(MethodImplOptions.AggressiveOptimization)]
    private static long Select(Span<long> numbers, int place)
    {
        int low = 0, high = numbers.Length - 1;
        while (low < high)
        {
            var (i, j, pivot) = (low, high, numbers[(low + high) >>> 1]);
            while (i <= j)
            {
                while (numbers[i] < pivot) i++;
                while (numbers[j] > pivot) j--;
                if (i > j) break;
                (numbers[i], numbers[j]) = (numbers[j], numbers[i]);
                i++;
                j--;
            }
            if (place <= j) high = j;
            else if (place >= i) low = i;
            else break;
        }
        return numbers[place];
    }
}
