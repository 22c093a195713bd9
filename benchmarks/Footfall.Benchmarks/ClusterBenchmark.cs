using System.Diagnostics;
using Footfall.Ingestion;
using Footfall.Metrics;
using Footfall.Postgres;
using Footfall.Rollups;
using Microsoft.Extensions.Caching.Memory;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>
/// The same work on a Citus cluster and on a single PostgreSQL, in turns. Both are given by connection strings to empty databases that the
/// caller made (docs/cluster.md, Figures); the cluster's has its workers added.
/// </summary>
internal static class ClusterBenchmark
{
    private const string Property = "bench";
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    private static readonly CancellationToken Ct = CancellationToken.None;

    public static async Task RunAsync(string cluster, string single, int history)
    {
        await using var many = Source(cluster);
        await using var one = Source(single);
        (string Name, NpgsqlDataSource Source)[] both = [("cluster", many), ("single", one)];
        foreach (var (_, source) in both) await Migrator.RunAsync(source, Ct);
        var report = await Distribution.RunAsync(many, Distribution.UsualShards, dryRun: false, Ct);
        Figures.Title($"{report.Workers.Count} workers, {report.Shards} shards, beside one PostgreSQL");

        foreach (var (name, source) in both)
        {
            await source.ReloadTypesAsync(Ct);
            var watch = Stopwatch.StartNew();
            await IngestAsync(source, Start, 14, history, batch: 20_000);
            Figures.Line($"{name}: filling with {history:N0} events of 14 days", $"{history / watch.Elapsed.TotalSeconds,10:N0} rows/s");
            await ExecuteAsync(source, "analyze visitors, sessions, events, event_keys");
        }
        var day = 14;
        foreach (var (rows, batch) in new[] { (100_000, 20_000), (20_000, 2_000), (2_000, 100) })
        {
            var rates = both.ToDictionary(b => b.Name, _ => new List<double>());
            for (var round = 0; round < 3; round++, day++)
            {
                foreach (var (name, source) in both)
                {
                    var watch = Stopwatch.StartNew();
                    await IngestAsync(source, Start.AddDays(day), 1, rows, batch);
                    rates[name].Add(rows / watch.Elapsed.TotalSeconds);
                }
            }
            Tell($"ingestion in batches of {batch:N0}, rows/s", rates, higherIsBetter: true);
        }

        var clock = TimeProvider.System;
        var rollups = both.ToDictionary(b => b.Name, _ => new List<double>());
        for (var round = 0; round < 3; round++)
        {
            foreach (var (name, source) in both)
            {
                var runner = new RollupRunner(source, new RollupStore(source), [new DailyMetrics(), new DailyIngest()], clock, NullLogger<RollupRunner>.Instance);
                var watch = Stopwatch.StartNew();
                var at = DateOnly.FromDateTime(Start.AddDays(7).UtcDateTime);
                var done = await runner.RunAsync(at, at, Property, null, null, Ct);
                if (done.Error is { } error) throw new InvalidOperationException(error);
                rollups[name].Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        Tell($"rollup of a day of {history / 14:N0} events, ms", rollups, higherIsBetter: false);

        foreach (var (_, source) in both)
        {
            var runner = new RollupRunner(source, new RollupStore(source), [new DailyMetrics(), new DailyIngest()], clock, NullLogger<RollupRunner>.Instance);
            await runner.RunDirtyAsync(null, wait: true, Ct);
        }
        var summaries = both.ToDictionary(b => b.Name, _ => new List<double>());
        var (from, to) = (DateOnly.FromDateTime(Start.UtcDateTime), DateOnly.FromDateTime(Start.UtcDateTime).AddDays(13));
        for (var round = 0; round < 60; round++)
        {
            foreach (var (name, source) in both)
            {
                using var cache = new MemoryCache(new MemoryCacheOptions { SizeLimit = 4096 });
                var store = new SummaryStore(source);
                var watch = Stopwatch.StartNew();
                var state = await store.StateAsync(Property, Ct);
                await new SummaryReader(store, cache).ReadAsync(new SummaryQuery(Property, new Window(from, to), null, false), state, to, Ct);
                if (round >= 10) summaries[name].Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        Tell("summary of 14 days, not in the cache, ms", summaries, higherIsBetter: false);

        var questions = both.ToDictionary(b => b.Name, _ => new List<double>());
        for (var round = 0; round < 8; round++)
        {
            foreach (var (name, source) in both)
            {
                await using var command = source.CreateCommand("""
                    select path, count(*), count(distinct visitor_id)
                    from events
                    where property_id = 'bench' and occurred_at >= '2026-03-02' and occurred_at < '2026-03-16' and session_id is not null and device_type <> 'bot'
                    group by path order by 2 desc limit 10
                    """);
                var watch = Stopwatch.StartNew();
                await command.ExecuteNonQueryAsync(Ct);
                if (round >= 2) questions[name].Add(watch.Elapsed.TotalMilliseconds);
            }
        }
        Tell($"visitors by page, of {history:N0} raw events, ms", questions, higherIsBetter: false);
    }

    /// <summary>Times each statement of some batches of each size, into a cluster with some history.</summary>
    public static async Task ProfileAsync(string cluster, int history)
    {
        await using var source = Source(cluster);
        await Migrator.RunAsync(source, Ct);
        await Distribution.RunAsync(source, Distribution.UsualShards, dryRun: false, Ct);
        await source.ReloadTypesAsync(Ct);
        await IngestAsync(source, Start, 14, history, batch: 20_000);
        await ExecuteAsync(source, "analyze visitors, sessions, events, event_keys");
        await using var writer = new BatchWriter(source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        var day = 14;
        foreach (var size in new[] { 20_000, 2_000, 100 })
        {
            var from = Start.AddDays(day++);
            List<IngestBatch> batches = [];
            foreach (var chunk in new Traffic(seed: from.DayOfYear, Property, 100_000).Between(from, from.AddDays(1), 4 * size).Chunk(size))
            {
                batches.Add(new IngestBatch());
                foreach (var e in chunk) batches[^1].Add(e);
            }
            await StatementProfile.RunAsync(writer, batches);
        }
    }

    private static void Tell(string what, Dictionary<string, List<double>> figures, bool higherIsBetter)
    {
        var (cluster, single) = (Figures.Median(figures["cluster"]), Figures.Median(figures["single"]));
        Figures.Line(what, $"{cluster,10:N1} cluster {single,10:N1} single, cluster is {(higherIsBetter ? cluster / single : single / cluster):N2} times as fast");
    }

    private static NpgsqlDataSource Source(string connection)
    {
        var parsed = PostgresConnection.Parse(connection);
        parsed.Timezone = "UTC";
        parsed.CommandTimeout = 0;
        return NpgsqlDataSource.Create(parsed);
    }

    private static async Task IngestAsync(NpgsqlDataSource source, DateTimeOffset from, int days, int rows, int batch)
    {
        await using var writer = new BatchWriter(source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        foreach (var chunk in new Traffic(seed: from.DayOfYear, Property, 100_000).Between(from, from.AddDays(days), rows).Chunk(batch))
        {
            var filled = new IngestBatch();
            foreach (var e in chunk) filled.Add(e);
            await writer.WriteAsync(filled, (_, _) => Task.CompletedTask, Ct);
        }
    }

    private static async Task ExecuteAsync(NpgsqlDataSource source, string sql)
    {
        await using var command = source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Ct);
    }
}
