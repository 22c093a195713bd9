using System.Diagnostics;
using System.Net;
using Npgsql;

namespace Footfall.Benchmarks.Load;

/// <summary>What is left of very many distinct paths: the day's figures hold no more than the most frequent ones, and questions about paths are answered.</summary>
internal static class DistinctPaths
{
    // What the day's figures keep of them, whatever comes: docs/definitions.md, landing pages.
    private const int MostLandingPages = 1000;
    private const int MostRowMegabytes = 4;
    private const int MostMemoryMegabytes = 300;
    private static readonly TimeSpan Patience = TimeSpan.FromMinutes(10);

    public static async Task<bool> LookAsync(Rig rig)
    {
        await using var database = rig.OpenDatabase();
        var watch = Stopwatch.StartNew();
        while (await OfAsync<long>(database, "select count(*) from dirty_days") > 0 || await OfAsync<long>(database, "select count(*) from daily_metric_rollups") == 0)
        {
            if (watch.Elapsed > Patience) throw new TimeoutException("The day is not rolled up after ten minutes.");
            await Task.Delay(500);
        }
        var paths = await OfAsync<long>(database, "select count(distinct path) from events");
        var landing = await OfAsync<int>(database, "select max(jsonb_array_length(landing_pages)) from daily_metric_rollups");
        var row = await OfAsync<int>(database, "select max(pg_column_size(d.*)) from daily_metric_rollups d");
        var segment = await OfAsync<string>(database, "select coalesce(max(case when octet_length(payload) = 0 then 'none: the day is too large, rows answer' else octet_length(payload) / 1048576 || ' MB, ' || decoded_bytes / 1048576 || ' MB decoded' end), 'not built yet') from day_segments");
        Figures.Line("distinct paths; rolled up after", $"{paths:N0}; {watch.Elapsed.TotalSeconds:N1} s");
        Figures.Line("the day's row, landing pages in it, segment", $"{row / 1024:N0} KB, {landing:N0}, {segment}");

        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{rig.Server.Port}"), Timeout = TimeSpan.FromMinutes(2) };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);
        var day = await OfAsync<string>(database, "select max(day)::text from daily_metric_rollups");
        var asked = Stopwatch.StartNew();
        using var answer = await client.GetAsync(new Uri($"/v1/metrics/breakdown?dimension=path&metrics=visitors,page_views&from={day}&to={day}&limit=50", UriKind.Relative));
        Figures.Line("pages of the day", $"{(int)answer.StatusCode} after {asked.Elapsed.TotalSeconds:N2} s, {(await answer.Content.ReadAsByteArrayAsync()).Length / 1024:N0} KB");
        var most = rig.Server.Memory("VmHWM");
        Figures.Line("memory of the server at most", $"{most:N0} MB");
        return landing <= MostLandingPages && row <= MostRowMegabytes << 20 && most <= MostMemoryMegabytes && answer.StatusCode == HttpStatusCode.OK;
    }

    private static async Task<T> OfAsync<T>(NpgsqlDataSource database, string sql)
    {
        await using var command = database.CreateCommand(sql);
        command.CommandTimeout = 300;
        return (T)(await command.ExecuteScalarAsync())!;
    }
}
