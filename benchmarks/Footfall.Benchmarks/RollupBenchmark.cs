using System.Diagnostics;
using Footfall.Rollups;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>
/// The rollup of a day with a million events, beside one sequential scan with a count of exactly that day's rows (a table of
/// nothing else, so that the neighbours in the week's partition do not slow the yardstick), with little and with much history.
/// </summary>
internal static class RollupBenchmark
{
    public const string Big = "big";
    public static readonly DateOnly BigFrom = new(2026, 1, 5);
    public static readonly DateOnly BigTo = BigFrom.AddDays(89);

    private const string Small = "small";
    private const int Rounds = 3;
    private static readonly DateOnly BigDay = BigFrom.AddDays(80);
    private static readonly DateOnly SmallFrom = new(2025, 1, 6);
    private static readonly DateOnly SmallDay = SmallFrom.AddDays(9);

    /// <summary>Ten million events over 90 days on one property, two million over ten days on another: on both, one day has a million.</summary>
    public static async Task FillAsync(BenchDatabase database)
    {
        await new History(database, Small, 2_000_000).FillAsync(Days(SmallFrom, SmallDay, SmallDay, others: 1_000_000));
        await new History(database, Big, 0).FillAsync(Days(BigFrom, BigTo, BigDay, others: 9_000_000));
    }

    public static async Task RunAsync(BenchDatabase database)
    {
        await FillAsync(database);
        Figures.Title("Rollup of one day with 1 M events");
        foreach (var (property, day) in Both) await CopyAsync(database, property, day);
        var runner = Runner(database);
        Dictionary<string, List<double>> rollups = new() { [Small] = [], [Big] = [] }, scans = new() { [Small] = [], [Big] = [] };
        for (var round = 0; round <= Rounds; round++)
        {
            foreach (var (property, day) in Both)
            {
                var scan = await ScanAsync(database, property, day);
                var watch = Stopwatch.StartNew();
                var report = await runner.RunAsync(day, day, property, null, null, CancellationToken.None);
                if (report.Failed > 0) throw new InvalidOperationException(report.Error);
                Figures.Line($"round {round}, {property}: rollup, scan", $"{watch.ElapsedMilliseconds,8:N0} {scan.TotalMilliseconds,8:N0} ms");
                if (round == 0) continue;   // the first finds nothing in memory
                rollups[property].Add(watch.Elapsed.TotalMilliseconds);
                scans[property].Add(scan.TotalMilliseconds);
            }
        }
        foreach (var (property, day) in Both)
        {
            var rows = await database.NumberAsync($"select count(*) from {Copy(property)}");
            var all = await database.NumberAsync($"select sum(events) from ingest_counts where property_id = '{property}'");
            var (rollup, scan) = (Figures.Median(rollups[property]), Figures.Median(scans[property]));
            Figures.Line($"day of {rows:N0} events, property of {all:N0}", $"{rollup,8:N0} ms");
            Figures.Line("  one sequential scan with count", $"{scan,8:N0} ms");
            Figures.Line("  ratio (at most 15; at most 10 s)", $"{rollup / scan,8:N1}");
        }
        Figures.Line("much history to little (about 1)", $"{Figures.Median(rollups[Big]) / Figures.Median(rollups[Small]),8:N2}");
    }

    public static RollupRunner Runner(BenchDatabase database) =>
        new(database.Source, new RollupStore(database.Source), [new DailyMetrics(), new DailyIngest()], TimeProvider.System, NullLogger<RollupRunner>.Instance);

    private static (string Property, DateOnly Day)[] Both => [(Small, SmallDay), (Big, BigDay)];

    private static string Copy(string property) => $"benchmark_day_of_{property}";

    private static IEnumerable<(DateOnly, int)> Days(DateOnly from, DateOnly to, DateOnly large, int others)
    {
        var each = others / (to.DayNumber - from.DayNumber);
        for (var day = from; day <= to; day = day.AddDays(1)) yield return (day, day == large ? 1_000_000 : each);
    }

    private static async Task CopyAsync(BenchDatabase database, string property, DateOnly day)
    {
        await database.RunAsync($"""
            create table if not exists {Copy(property)} as
            select * from events where property_id = '{property}' and occurred_at >= '{day:yyyy-MM-dd}' and occurred_at < '{day.AddDays(1):yyyy-MM-dd}'
            """);
        await database.RunAsync($"vacuum analyze {Copy(property)}");
    }

    private static async Task<TimeSpan> ScanAsync(BenchDatabase database, string property, DateOnly day)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        await using (var plain = new NpgsqlCommand("set max_parallel_workers_per_gather = 0", connection)) await plain.ExecuteNonQueryAsync();
        await using var count = new NpgsqlCommand($"select count(*) from {Copy(property)} where property_id = @property and occurred_at >= @from and occurred_at < @to", connection) { CommandTimeout = 0 };
        count.Parameters.AddWithValue("property", property);
        count.Parameters.AddWithValue("from", new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero));
        count.Parameters.AddWithValue("to", new DateTimeOffset(day.AddDays(1).ToDateTime(TimeOnly.MinValue), TimeSpan.Zero));
        var watch = Stopwatch.StartNew();
        await count.ExecuteScalarAsync();
        return watch.Elapsed;
    }
}
