using System.Collections.Concurrent;
using System.Diagnostics;

namespace Footfall.Benchmarks.Load;

/// <summary>What was sent, what was answered and after how long. An event's number is its identity: in its eventId, and in what is stored.</summary>
internal sealed class LoadTally
{
    private readonly ConcurrentBag<List<(long Number, float Ms, bool Retried)>> taken = [];
    private readonly ConcurrentDictionary<string, long> refusals = new(StringComparer.Ordinal);
    private long sent;

    public long Sent => Interlocked.Read(ref sent);

    public IReadOnlyDictionary<string, long> Refusals => refusals;

    public List<(long Number, float Ms, bool Retried)> NewList()
    {
        List<(long, float, bool)> list = [];
        taken.Add(list);
        return list;
    }

    public void Began(int events) => Interlocked.Add(ref sent, events);

    public void Refused(int status, string error) => refusals.AddOrUpdate(status == EventConnection.Broke ? error : $"{status} {error}", 1, static (_, n) => n + 1);

    /// <summary>After every sender has ended.</summary>
    public (long[] Acknowledged, float[] Ms, long Retried, float LongestRetriedMs) Sum()
    {
        var all = taken.SelectMany(l => l).ToList();
        var retried = all.Where(t => t.Retried).ToList();
        long[] numbers = [.. all.Select(t => t.Number)];
        float[] ms = [.. all.Where(t => !t.Retried).Select(t => t.Ms)];
        Array.Sort(numbers);
        Array.Sort(ms);
        return (numbers, ms, retried.Count, retried.Count == 0 ? 0 : retried.Max(t => t.Ms));
    }

    public static float Ms(long since) => (float)Stopwatch.GetElapsedTime(since).TotalMilliseconds;

    public static float Percentile(float[] sorted, double share) => sorted.Length == 0 ? 0 : sorted[Math.Clamp((int)Math.Ceiling(sorted.Length * share) - 1, 0, sorted.Length - 1)];
}
