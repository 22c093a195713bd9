using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>How many came how far, and how long they took, by group.</summary>
internal sealed class FunnelTally(int steps)
{
    private readonly Dictionary<int, long[]> visitors = [];
    private readonly List<(int Key, long Micros)>[] taken = [.. Enumerable.Range(1, steps - 1).Select(_ => new List<(int, long)>())];
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
            taken[k - 1].Add((key, times[k] - times[k - 1]));
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
        var overall = new FunnelCounts(null, total, [.. Enumerable.Range(0, steps - 1).Select(k => Median([.. tallies.SelectMany(t => t.taken[k].Select(x => x.Micros))]))]);
        if (words is null) return new FunnelResult(overall, [], false);

        var shown = all.OrderByDescending(c => c.Value[0]).ThenBy(c => c.Key, Comparer<int>.Create((a, b) => CompareKeys(words, a, b))).Take(query.Limit).ToList();
        var ofKeys = shown.ToDictionary(s => s.Key, _ => Enumerable.Range(0, steps - 1).Select(_ => new List<long>()).ToArray());
        foreach (var tally in tallies)
        {
            for (var k = 0; k < steps - 1; k++)
            {
                foreach (var (key, micros) in tally.taken[k]) if (ofKeys.TryGetValue(key, out var lists)) lists[k].Add(micros);
            }
        }
        return new FunnelResult(
            overall, [.. shown.Select(s => new FunnelCounts(words[s.Key], s.Value, [.. ofKeys[s.Key].Select(l => Median([.. l]))]))], all.Count > query.Limit);
    }

    private long[] CountsOf(int key)
    {
        if (lastCounts is not null && lastKey == key) return lastCounts;
        if (!visitors.TryGetValue(key, out var counts)) visitors[key] = counts = new long[steps];
        (lastKey, lastCounts) = (key, counts);
        return counts;
    }

    /// <summary>In seconds, as PostgreSQL's percentile_cont has it; null of none.</summary>
    private static double? Median(long[] micros)
    {
        if (micros.Length == 0) return null;
        const double second = 1_000_000;
        var high = Select(micros, micros.Length / 2) / second;
        if (micros.Length % 2 == 1) return high;
        var low = micros.AsSpan(0, micros.Length / 2).ToArray().Max() / second;   // what is before it is not greater
        return low + ((high - low) * 0.5);
    }

    /// <summary>The number that stands at this place in the order, which is there afterwards, none that is greater before it.</summary>
    private static long Select(long[] numbers, int place)
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
