using System.Diagnostics;

namespace Footfall.Benchmarks.Load;

/// <summary>One scenario from start to the count of what is stored. Fails where an acknowledged event is missing, or any is there twice.</summary>
internal static class LoadRun
{
    /// <returns>Whether everything held.</returns>
    public static async Task<bool> RunAsync(Scenario scenario, double? asked)
    {
        var seconds = asked ?? scenario.Seconds;
        var plan = scenario with { Seconds = seconds };
        Figures.Title($"{plan.Name}: {plan.What}{(asked is null ? "" : $" ({seconds:N0} s)")}");
        await using var rig = await Rig.StartAsync(plan.IsApart, plan.DiskMegabytes, plan.Configuration);
        // What is compiled and made once is no part of it.
        var tally = new LoadTally();
        await new LoadGenerator(rig.Server.Port, 16, static n => ($"warm-up-{n % 100:000}", "/warm-up"), tally).RunAsync(2, null, 5000, CancellationToken.None);
        var warm = tally.Sum().Acknowledged.LongLength;

        tally = new LoadTally();
        var watch = new Watch(rig.Server, TimeSpan.FromSeconds(plan.IsSoak ? Math.Clamp(seconds / 60, 0.5, 5) : 1));
        using var over = new CancellationTokenSource();
        var watching = watch.RunAsync(over.Token);
        var clock = Stopwatch.StartNew();
        var generator = new LoadGenerator(rig.Server.Port, plan.Connections, n => plan.Of(n), tally, plan.Batch);
        var meanwhile = plan.Meanwhile?.Invoke(rig, seconds, CancellationToken.None) ?? Task.CompletedTask;
        await generator.RunAsync(seconds, plan.Due(), plan.Most, CancellationToken.None);
        var (took, loaded) = (clock.Elapsed, rig.Server.Age.TotalSeconds);
        await meanwhile;
        var drained = await rig.DrainedAsync();
        await over.CancelAsync();
        await watching;
        var atWork = watch.Moments.Where(m => m.Seconds <= loaded).ToList();

        var (acknowledged, ms, retried, longest) = tally.Sum();
        Figures.Line("answered", $"{acknowledged.LongLength / took.TotalSeconds:N0} events/s{(plan.Batch > 1 ? $" in requests of {plan.Batch}" : "")}, p50 {LoadTally.Percentile(ms, 0.5):N1}, p99 {LoadTally.Percentile(ms, 0.99):N1}, p99.9 {LoadTally.Percentile(ms, 0.999):N1} ms");
        Figures.Line("sent, acknowledged, after more than one try", $"{tally.Sent:N0}, {acknowledged.LongLength:N0}, {retried:N0}{(retried > 0 ? $" (the longest after {longest / 1000:N1} s)" : "")}");
        Figures.Line("refusals and breaks", tally.Refusals.Count == 0 ? "none" : string.Join(", ", tally.Refusals.OrderByDescending(r => r.Value).Select(r => $"{r.Key}: {r.Value:N0}")));
        var stored = await StoredAsync(rig);
        var (lost, twice, others) = Compare(acknowledged, stored);
        Figures.Line("stored; lost; twice; without an answer", $"{stored.LongLength:N0}; {lost:N0}; {twice:N0}; {others:N0}");
        var most = watch.Moments;
        if (most.Count > 0) Figures.Line("at most: memory, journal, lag, files", $"{most.Max(m => m.MemoryMb):N0} MB, {most.Max(m => m.JournalMb):N1} MB, {most.Max(m => m.LagSeconds):N0} s, {most.Max(m => m.Files):N0}; drained in {drained.TotalSeconds:N1} s");
        var holds = lost == 0 && twice == 0 && warm > 0;
        if (plan.IsSoak) holds &= IsFlat(atWork);
        if (plan.After is { } after) holds &= await after(rig);
        if (!holds) Console.Error.WriteLine($"{plan.Name} did not hold.");
        return holds;
    }

    /// <summary>The numbers of what is stored, in order.</summary>
    private static async Task<long[]> StoredAsync(Rig rig)
    {
        await using var database = rig.OpenDatabase();
        await using var connection = await database.OpenConnectionAsync();
        List<long> numbers = [];
        await using var rows = await connection.BeginBinaryExportAsync("copy (select (props ->> 'k')::bigint from events where path <> '/warm-up' and event_type = 'page_view') to stdout (format binary)");
        while (await rows.StartRowAsync() >= 0) numbers.Add(await rows.ReadAsync<long>());
        numbers.Sort();
        return [.. numbers];
    }

    /// <param name="acknowledged">Sorted, each once.</param>
    /// <param name="stored">Sorted.</param>
    internal static (long Lost, long Twice, long Others) Compare(long[] acknowledged, long[] stored)
    {
        long lost = 0, twice = 0, others = 0;
        var i = 0;
        foreach (var number in acknowledged)
        {
            for (; i < stored.Length && stored[i] < number; i++)
            {
                if (i > 0 && stored[i] == stored[i - 1]) twice++;
                else others++;
            }
            if (i < stored.Length && stored[i] == number) i++;
            else lost++;
        }
        for (; i < stored.Length; i++)
        {
            if (i > 0 && stored[i] == stored[i - 1]) twice++;
            else others++;
        }
        return (lost, twice, others);
    }

    /// <summary>The last quarter against the second: the first still fills caches.</summary>
    private static bool IsFlat(List<Moment> moments)
    {
        if (moments.Count < 20)
        {
            Figures.Line("flat", $"{moments.Count} looks are too few to tell: run it longer");
            return false;
        }
        var quarter = moments.Count / 4;
        var (early, late) = (moments.Skip(quarter).Take(quarter).ToList(), moments.TakeLast(quarter).ToList());
        var flat = Flat("memory, MB", m => m.MemoryMb, share: 0.1, absolute: 20);
        flat &= Flat("journal, MB", m => m.JournalMb, share: 0.5, absolute: 2);
        flat &= Flat("open files", m => m.Files, share: 0, absolute: 20);
        flat &= Flat("threads", m => m.Threads, share: 0, absolute: 10);
        return flat;

        bool Flat(string what, Func<Moment, double> of, double share, double absolute)
        {
            var (before, after) = (Figures.Median(early.Select(of)), Figures.Median(late.Select(of)));
            var holds = after <= (before * (1 + share)) + absolute;
            Figures.Line(what, $"second quarter {before:N1}, last quarter {after:N1}: {(holds ? "flat" : "GROWS")}");
            return holds;
        }
    }
}
