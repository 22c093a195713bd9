using System.Diagnostics;
using System.Net;
using System.Text.Json;

namespace Footfall.Benchmarks;

/// <summary>What product teams ask, through HTTP, beside an endpoint of the same server that asks the database for 1. One client, one request at a time, the addresses in turn.</summary>
internal static class ProductAnswers
{
    private const int Rounds = 400;
    private const int WarmUp = 100;

    /// <param name="folder">Filled and rolled up by <see cref="ProductModels"/>.</param>
    public static async Task RunAsync(string folder)
    {
        Figures.Title("Answers about two million product events, 60 days");
        await using var server = Server.StartWithYardsticks(folder, "--Rollups:Enabled", "false");
        await server.ReadyAsync();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{server.Port}") };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);

        var (first, last) = (ProductModels.First, ProductModels.Last);
        var month = Dates(last.AddDays(-29), last);
        const string hot = "property=app&entity_type=profile&entity_id=hot";
        var page10 = $"/api/analytics/visitors?{hot}&{month}&limit=50&cursor={await CursorAsync(client, $"/api/analytics/visitors?{hot}&{month}&limit=50", 9)}";
        (string Name, string Address, double? Goal)[] asked =
        [
            ("select 1 through the same stack", ServeChild.SelectOne, null),
            ("time series, daily, hot entity, 30 days", $"/api/analytics/time-series?{hot}&{month}", 20),
            ("time series, hourly, hot entity, 30 days", $"/api/analytics/time-series?{hot}&{month}&period=hourly", 20),
            ("time series, monthly, hot entity, 60 days", $"/api/analytics/time-series?{hot}&{Dates(first, last)}&period=monthly", 20),
            ("visitors of a plain entity, 30 days", $"/api/analytics/visitors?property=app&entity_type=profile&entity_id=e7&{month}&limit=50", 50),
            ("visitors of the hot entity, 30 days", $"/api/analytics/visitors?{hot}&{month}&limit=50", 50),
            ("the same, tenth page", page10, 50),
            ("visitors of the hot entity, all days", $"/api/analytics/visitors?{hot}&{Dates(first, last)}&limit=50", 50),
            ("visitors of the hot entity, the first 30 days", $"/api/analytics/visitors?{hot}&{Dates(first, first.AddDays(29))}&limit=50", 50),
            ("visitors of the hot entity, 30 days, by name", $"/api/analytics/visitors?{hot}&{month}&limit=50&search=ser12", 50),
            ("daily figures, 30 days", $"/v1/metrics/daily?property=app&{Days(last.AddDays(-29), last)}", 20),
            ("experiments' rows, 30 days", $"/v1/metrics/experiments?property=app&{Days(last.AddDays(-29), last)}", 20),
            ("an experiment's analysis, all days", $"/v1/metrics/experiments?property=app&{Days(last.AddDays(-29), last)}&experiment_id=button", 20),
            ("funnels, 30 days", $"/v1/metrics/funnels?property=app&{Days(last.AddDays(-29), last)}", 20),
            ("variant of a user", "/v1/experiments/button/variant?propertyId=app&userId=user-1", null),
        ];
        var times = asked.Select(_ => new List<double>()).ToArray();
        for (var round = 0; round < WarmUp + Rounds; round++)
        {
            for (var i = 0; i < asked.Length; i++)
            {
                var took = await TimeAsync(client, asked[i].Address);
                if (round >= WarmUp) times[i].Add(took.TotalMilliseconds);
            }
        }
        var yardstick = Figures.Percentile([.. times[0].Order()], 0.95);
        for (var i = 0; i < asked.Length; i++)
        {
            double[] sorted = [.. times[i].Order()];
            var p95 = Figures.Percentile(sorted, 0.95);
            Figures.Line(asked[i].Name, $"p50 {Figures.Percentile(sorted, 0.5),7:N2}  p95 {p95,7:N2}  p99 {Figures.Percentile(sorted, 0.99),7:N2} ms   {p95 / yardstick,5:N1} x select 1{(asked[i].Goal is { } goal ? $"   under {goal} ms: {(p95 < goal ? "yes" : "NO")}" : "")}");
        }
        Console.WriteLine($"  ({Figures.Machine()})");
    }

    private static string Dates(DateOnly from, DateOnly to) => $"date_from={from:yyyy-MM-dd}&date_to={to:yyyy-MM-dd}";

    private static string Days(DateOnly from, DateOnly to) => $"from={from:yyyy-MM-dd}&to={to:yyyy-MM-dd}";

    private static async Task<string> CursorAsync(HttpClient client, string address, int pages)
    {
        var cursor = "";
        for (var page = 0; page < pages; page++)
        {
            using var body = JsonDocument.Parse(await client.GetStringAsync(new Uri(cursor.Length == 0 ? address : $"{address}&cursor={cursor}", UriKind.Relative)));
            cursor = body.RootElement.GetProperty("next_cursor").GetString() ?? throw new InvalidOperationException($"There is no page {page + 2}.");
        }
        return cursor;
    }

    private static async Task<TimeSpan> TimeAsync(HttpClient client, string address)
    {
        var watch = Stopwatch.StartNew();
        using var answer = await client.GetAsync(new Uri(address, UriKind.Relative));
        await answer.Content.ReadAsByteArrayAsync();
        if (answer.StatusCode != HttpStatusCode.OK) throw new InvalidOperationException($"{address} was answered with {(int)answer.StatusCode}.");
        return watch.Elapsed;
    }
}
