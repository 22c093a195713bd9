using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>The command line beside a running server, on its data folder and its PostgreSQL.</summary>
public sealed class CommandTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task Rollups_are_checked_found_wrong_and_mended_beside_a_running_server()
    {
        var folder = TestFolder.New("cli");
        await using var server = await ServerProcess.StartListeningAsync(folder, Ct, "--Capture:RateLimit:Enabled", "false");
        await server.ReadyAsync(Ct);
        await using var database = StoredFacts.Embedded(folder);
        var now = TimeProvider.System.GetUtcNow();
        for (var n = 0; n < 30; n++)
            await server.Client.TakenAsync($$$"""{"eventType":"page_view","eventId":"{{{n}}}","anonId":"visitor-of-{{{n % 4}}}","path":"/{{{n % 3}}}","timestamp":"{{{now.AddHours(-n):O}}}","props":{"k":"{{{n}}}"}}""");
        await StoredFacts.DrainAsync(server.Client, database, Ct);

        await SucceedsAsync("Recomputed", "rollups", "run");
        await SucceedsAsync("daily", "rollups", "status");
        await Eventually.IsTrueAsync("no day waits", async () => await StoredFacts.ScalarAsync(database, "select count(*) from dirty_days") == 0, Ct);   // a marked day is not compared
        await SucceedsAsync("Raw events and rollups agree", "rollups", "discrepancy");

        // A figure that nobody can have counted, on the day before yesterday's eve: no event comes to mark the day again.
        var day = DateOnly.FromDateTime(now.AddHours(-26).UtcDateTime);
        var right = await StoredFacts.ScalarAsync(database, $"select page_views from daily_metric_rollups where property_id = 'default' and day = '{day:yyyy-MM-dd}'");
        await using (var tamper = database.CreateCommand($"update daily_metric_rollups set page_views = page_views + 1000 where property_id = 'default' and day = '{day:yyyy-MM-dd}'"))
            Assert.Equal(1, await tamper.ExecuteNonQueryAsync(Ct));
        var (exit, output, error) = await RunAsync("rollups", "discrepancy");
        Assert.Equal(1, exit);
        var row = Assert.Single(output.Split('\n'), l => l.Contains("page_views", StringComparison.Ordinal));
        foreach (var cell in new[] { "default", $"{day:yyyy-MM-dd}", $"{right}", $"{right + 1000:N0}", "+1,000" })
            Assert.Contains(cell, row, StringComparison.Ordinal);
        Assert.Contains($"rollups backfill --from {day:yyyy-MM-dd} --to {day:yyyy-MM-dd}", error, StringComparison.Ordinal);

        await SucceedsAsync("Recomputed", "rollups", "backfill", "--from", $"{day:yyyy-MM-dd}", "--to", $"{day:yyyy-MM-dd}", "--property-id", "default");
        await SucceedsAsync("Raw events and rollups agree", "rollups", "discrepancy", "--from", $"{day:yyyy-MM-dd}", "--to", $"{day:yyyy-MM-dd}");
        Assert.Equal(right, await StoredFacts.ScalarAsync(database, $"select page_views from daily_metric_rollups where property_id = 'default' and day = '{day:yyyy-MM-dd}'"));

        (exit, _, error) = await RunAsync("rollups", "discrepancy", "--property-id", "nobody-knows-it");
        Assert.Equal(1, exit);
        Assert.Contains("There is no property nobody-knows-it", error, StringComparison.Ordinal);

        // The server was there all the time, and has kept its PostgreSQL.
        await server.ReadyAsync(Ct);
        await StoredFacts.DrainAsync(server.Client, database, Ct);
        await StoredFacts.HoldAsync(database);
        await server.InterruptAsync(Ct);
        Assert.Equal(0, server.ExitCode);

        Task<(int ExitCode, string Output, string Error)> RunAsync(params string[] arguments) => ServerProcess.CommandAsync(folder, Ct, arguments);

        async Task SucceedsAsync(string says, params string[] arguments)
        {
            var ran = await RunAsync(arguments);
            Assert.True(ran.ExitCode == 0, $"exit code {ran.ExitCode}\n{ran.Output}\n{ran.Error}");
            Assert.Contains(says, ran.Output, StringComparison.Ordinal);
        }
    }
}
