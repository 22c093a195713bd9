using System.Diagnostics;
using System.Net;

namespace Footfall.Benchmarks;

/// <summary>Summaries over 90 days of a property with ten million events, through HTTP, beside an endpoint of the same server that asks the database for 1. One client, one request at a time, the two in turn.</summary>
internal static class SummaryBenchmark
{
    private const int Warm = 2000;
    private const int Uncached = 85;

    public static async Task RunAsync(string folder)
    {
        await using (var database = await BenchDatabase.OpenAsync(folder))
        {
            await RollupBenchmark.FillAsync(database);
            var days = RollupBenchmark.BigTo.DayNumber - RollupBenchmark.BigFrom.DayNumber + 1;
            if (await database.NumberAsync($"select count(*) from daily_metric_rollups where property_id = '{RollupBenchmark.Big}'") < days)
            {
                var watch = Stopwatch.StartNew();
                await RollupBenchmark.Runner(database).RunAsync(RollupBenchmark.BigFrom, RollupBenchmark.BigTo, RollupBenchmark.Big, null, null, CancellationToken.None);
                Console.WriteLine($"  rolled {days} days up in {watch.Elapsed.TotalSeconds:N1} s");
            }
        }
        Figures.Title("Summary over 90 days, property of 10 M events");
        var plain = $"/v1/metrics/summary?propertyId={RollupBenchmark.Big}&from={RollupBenchmark.BigFrom:yyyy-MM-dd}&to={RollupBenchmark.BigTo:yyyy-MM-dd}";
        var compared = $"{plain}&compareTo=previous_period";
        await using var server = Server.StartWithYardsticks(folder, "--Rollups:Enabled", "false");
        await server.ReadyAsync();
        using var client = Client(server);

        Figures.Line("first request of the process", $"{(await TimeAsync(client, plain)).TotalMilliseconds,8:N1} ms");
        Figures.Line("first with compareTo=previous_period", $"{(await TimeAsync(client, compared)).TotalMilliseconds,8:N1} ms");

        // Windows of other lengths were never asked for: what a window costs after each new rollup.
        List<double> uncached = [];
        for (var n = 1; n <= Uncached; n++) uncached.Add((await TimeAsync(client, plain.Replace($"from={RollupBenchmark.BigFrom:yyyy-MM-dd}", $"from={RollupBenchmark.BigFrom.AddDays(-n):yyyy-MM-dd}", StringComparison.Ordinal))).TotalMilliseconds);
        Report("not in the cache", uncached);

        Dictionary<string, List<double>> times = new() { [plain] = [], [compared] = [], [ServeChild.SelectOne] = [] };
        for (var n = 0; n < Warm + 500; n++)
        {
            foreach (var (path, taken) in times)
            {
                var time = await TimeAsync(client, path);
                if (n >= 500) taken.Add(time.TotalMilliseconds);
            }
        }
        Report("warm", times[plain]);
        Report("warm, compareTo=previous_period", times[compared]);
        Report("select 1 through the same stack", times[ServeChild.SelectOne]);
        Figures.Line("p95 (under 10 ms), ratio to select 1", $"{P95(times[plain]) / P95(times[ServeChild.SelectOne]):N2}");
    }

    /// <summary>Asks for summaries of the server's default property, as dashboards do.</summary>
    public static async Task AskAsync(Server server, int times)
    {
        using var client = Client(server);
        for (var n = 0; n < times; n++) await TimeAsync(client, $"/v1/metrics/summary?window_days={1 + n % 90}&compareTo=previous_period");
    }

    private static HttpClient Client(Server server)
    {
        var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);
        return client;
    }

    private static async Task<TimeSpan> TimeAsync(HttpClient client, string path)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await client.GetAsync(new Uri(path, UriKind.Relative));
        await answer.Content.ReadAsByteArrayAsync();
        if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"{path} was answered with {(int)answer.StatusCode}.");
        return watch.Elapsed;
    }

    private static double P95(List<double> times) => Figures.Percentile([.. times.Order()], 0.95);

    private static void Report(string name, List<double> times)
    {
        double[] sorted = [.. times.Order()];
        Figures.Line(name, $"p50 {Figures.Percentile(sorted, 0.5):N2}, p95 {Figures.Percentile(sorted, 0.95):N2}, p99 {Figures.Percentile(sorted, 0.99):N2} ms");
    }
}
