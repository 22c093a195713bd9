using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

[Trait("Category", TestCluster.Category)]
public sealed class CommandLineTests(CommandLineFixture cli) : IClassFixture<CommandLineFixture>
{
    [Theory]
    [InlineData("nonsense")]
    [InlineData("rollups")]
    [InlineData("rollups run --window-days 0")]
    [InlineData("rollups run --window-days many")]
    [InlineData("rollups run --job weekly")]
    [InlineData("rollups backfill --from 2026-01-01")]
    [InlineData("rollups backfill --from 01/02/2026 --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-02-30 --to 2026-03-01")]
    [InlineData("rollups backfill --from yesterday --to today")]
    [InlineData("rollups backfill --from yesterday --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-01-03 --to tomorrow")]
    [InlineData("rollups backfill --from --to 2026-01-03")]
    [InlineData("rollups backfill --from= --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-01-01 --from 2026-01-02 --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-1-1 --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-01-01T00:00:00Z --to 2026-01-03")]
    [InlineData("rollups backfill --from 10000-01-01 --to 2026-01-03")]
    [InlineData("rollups backfill --from 2026-01-01 --to 2026-01-03 --restart maybe")]
    [InlineData("rollups discrepancy --form 2026-01-01")]
    [InlineData("rollups discrepancy --from yesterday")]
    [InlineData("rollups discrepancy --to 31.12.2026")]
    [InlineData("rollups discrepancy --from")]
    [InlineData("rollups run --window-days")]
    [InlineData("rollups run --window-days -1")]
    [InlineData("rollups run --window-days 99999999999")]
    [InlineData("rollups run --window-days 7 --window-days 8")]
    [InlineData("rollups status --from 2026-01-01")]
    [InlineData("export events --from yesterday --to 2026-01-03")]
    [InlineData("export events --from 2026-01-01 --to never")]
    [InlineData("export sessions --from 2026-01-01")]
    [InlineData("export rollups --from 2026-01-01 --to 2026-01-03 --format xml")]
    [InlineData("export rollups --from 2026-01-01 --to 2026-01-03 --property not/an/id")]
    [InlineData("export everything --from 2026-01-01 --to 2026-01-03")]
    [InlineData("import events")]
    [InlineData("import events x --property not/an/id")]
    [InlineData("import access-log x --hosts https://shop.example/")]
    [InlineData("purge --dry-run maybe")]
    [InlineData("token create")]
    [InlineData("token create --role owner")]
    [InlineData("token create --role dashboard --plan gold")]
    [InlineData("token create --role dashboard --property not/an/id")]
    [InlineData("token revoke")]
    [InlineData("token revoke not-an-id!")]
    [InlineData("properties set p --raw-days ninety")]
    [InlineData("properties set p --raw-days -1")]
    [InlineData("properties set p --rollup-months -2")]
    [InlineData("properties set p --account-secret short")]
    [InlineData("demo --events many")]
    [InlineData("migrate --cluster maybe")]
    [InlineData("properties show")]
    [InlineData("properties set not/an/id")]
    [InlineData("properties set p --public-summary maybe")]
    [InlineData("properties set p --goal signup")]
    [InlineData("properties set p --goal =page_view")]
    [InlineData("properties set p --goal a=page_view:pricing")]
    [InlineData("properties set p --hosts https://shop.example/")]
    [InlineData("properties set p --double-opt-in yes")]
    [InlineData("properties set p --thanks-url //evil.example")]
    [InlineData("properties set p --error-url javascript:x")]
    [InlineData("import access-log")]
    [InlineData("import access-log x --format iis")]
    [InlineData("import access-log x --property not/an/id")]
    public async Task A_command_that_is_not_understood_says_so_and_exits_with_2(string line)
    {
        var (exit, output, error) = await cli.RunAsync(line.Split(' '));
        Assert.Equal(2, exit);
        Assert.Empty(output);
        Assert.Contains("--help", error);
        Assert.DoesNotContain("   at ", error);
    }

    [Theory]
    [InlineData("rollups backfill --from 2026-01-02 --to 2026-01-01")]
    [InlineData("rollups discrepancy --from 2026-01-02 --to 2026-01-01")]
    [InlineData("export events --from 2026-01-02 --to 2026-01-01")]
    public async Task A_window_that_ends_before_it_begins_is_refused(string line)
    {
        var (exit, _, error) = await cli.RunAsync(line.Split(' '));
        Assert.Equal(2, exit);
        Assert.Contains("--from the earlier day", error);
    }

    [Theory]
    [InlineData("rollups backfill --from 2001-01-01 --to 2026-01-01")]
    [InlineData("rollups discrepancy --from 0001-01-01 --to 9999-12-31")]
    [InlineData("rollups run --job retention --window-days 7")]
    [InlineData("rollups run --job discrepancy --property-id p")]
    public async Task What_does_not_go_together_or_would_never_end_is_refused(string line)
    {
        var (exit, output, error) = await cli.RunAsync(line.Split(' '));
        Assert.Equal((2, ""), (exit, output));
        Assert.Matches("at most 3660|has no window", error);
    }

    [Fact]
    public async Task Jobs_without_a_window_run_by_hand_and_the_list_shows_every_job()
    {
        foreach (var job in new[] { "seal-sessions", "retention", "partitions", "discrepancy" })
        {
            var (code, said, problem) = await cli.RunAsync("rollups", "run", "--job", job);
            Assert.True(code == 0, problem);
            Assert.Equal($"{job}: done.", said.Trim());
        }
        var (exit, output, _) = await cli.RunAsync("rollups", "status");
        Assert.Equal(0, exit);
        Assert.All(Footfall.Cli.RollupsCommand.JobNames, name => Assert.Matches($"(?m)^{name} +[0-9*/]+ ", output));
        Assert.Matches(@"(?m)^retention +0 30 4 \* \* \? +own, rollups +", output);
        Assert.All(output.Split('\n'), l => Assert.InRange(l.Length, 0, 80));
    }

    [Fact]
    public async Task A_run_that_was_stopped_is_no_failure_and_a_backfill_says_that_it_goes_on()
    {
        var log = cli.WriteLog("stopped.log", Enumerable.Range(10, 9).Select(d =>
            $"203.0.113.{d} - - [{d}/Jan/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\""));
        Assert.Equal(0, (await cli.RunAsync("import", "access-log", log, "--property", "stopped")).Exit);
        string[] backfill = ["rollups", "backfill", "--from", "2026-01-10", "--to", "2026-01-18", "--property-id", "stopped"];
        // Somebody holds the table that the fifth day needs.
        await using (var connection = await cli.Database.Source.OpenConnectionAsync())
        {
            await using var transaction = await connection.BeginTransactionAsync();
            await using (var hold = new Npgsql.NpgsqlCommand("update daily_metric_rollups set events = events where property_id = 'stopped' and day = '2026-01-14'", connection)) Assert.Equal(1, await hold.ExecuteNonQueryAsync());
            using var stop = new CancellationTokenSource();
            var running = cli.RunAsync(stop.Token, backfill);
            await Infrastructure.Eventually.IsTrueAsync("four days are done", async () => await cli.Database.ScalarAsync<long>("select count(*) from backfill_days where scope = 'stopped'") == 5, TestContext.Current.CancellationToken);
            await stop.CancelAsync();
            var (interrupted, _, told) = await running;
            Assert.Equal(130, interrupted);
            Assert.Contains("Stopped.", told);
        }
        var (exit, output, _) = await cli.RunAsync("rollups", "status");
        Assert.Contains("cancelled", output);
        Assert.Equal(0, exit);

        (exit, output, _) = await cli.RunAsync(backfill);
        Assert.Equal(0, exit);
        Assert.Contains("of which 4 property-days were done", output);
        Assert.Contains("Recomputed 5 property-days", output);
        Assert.Contains("Recomputed 9 property-days", (await cli.RunAsync([.. backfill, "--restart"])).Output);
    }

    [Fact]
    public async Task A_wrong_configuration_names_every_key_at_once()
    {
        var (exit, _, error) = await cli.RunAsync("properties", "list", "--Rollups:BatchDays", "0", "--Capture:MaxProperties", "0");
        Assert.Equal(1, exit);
        Assert.Contains("Rollups:BatchDays", error);
        Assert.Contains("Capture:MaxProperties", error);
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public async Task A_database_that_is_not_there_is_told_without_a_stack_trace()
    {
        var (exit, _, error) = await cli.RunAsync("rollups", "status", "--Postgres:ConnectionString", "Host=127.0.0.1;Port=1;Username=x;Database=x");
        Assert.Equal(1, exit);
        Assert.Contains("database", error);
        Assert.DoesNotContain("   at ", error);
    }

    [Fact]
    public async Task A_property_is_made_changed_shown_and_listed()
    {
        var (exit, output, error) = await cli.RunAsync("properties", "set", "shop", "--name", "The shop", "--hosts", "Shop.example, www.shop.example", "--goal", "signup=page_view:/welcome*", "--goal", "order=order_placed");
        Assert.True(exit == 0, error);
        Assert.Contains("shop.example, www.shop.example", output);
        Assert.Contains("signup=page_view:/welcome*", output);
        Assert.Contains("private", output);

        Assert.Contains("confirmed by mail, thanks: /thanks, error: https://shop.example/sorry", (await cli.RunAsync("properties", "set", "shop", "--double-opt-in", "on", "--thanks-url", "/thanks", "--error-url", "https://shop.example/sorry")).Output, StringComparison.Ordinal);
        Assert.Contains("enough by themselves, thanks: this server's page, error: https", (await cli.RunAsync("properties", "set", "shop", "--double-opt-in", "off", "--thanks-url", "")).Output, StringComparison.Ordinal);
        (_, output, _) = await cli.RunAsync("properties", "set", "shop", "--public-summary", "on");
        Assert.Contains("The shop", output);
        Assert.Contains("order=order_placed", output);
        Assert.Contains("public", output);
        Assert.Equal(
            ["""[{"name": "signup", "path": "/welcome*", "eventType": "page_view"}, {"name": "order", "eventType": "order_placed"}]"""],
            await cli.Database.RowsAsync("select goals::text from properties where id = 'shop'"));

        Assert.Contains("none", (await cli.RunAsync("properties", "set", "shop", "--goal", "none")).Output);
        Assert.Matches("(?m)^shop  +The shop  +shop.example", (await cli.RunAsync("properties", "list")).Output);
        (exit, _, error) = await cli.RunAsync("properties", "show", "shopp");
        Assert.Equal(1, exit);
        Assert.Contains("There is no property shopp", error);
    }

    [Fact]
    public async Task A_rollup_that_raw_events_do_not_confirm_is_found_and_mended()
    {
        string[] window = ["--from", "2026-02-01", "--to", "2026-02-28", "--property-id", "d1"];
        var log = cli.WriteLog("rollups.log",
            "203.0.113.5 - - [10/Feb/2026:10:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0\"");
        Assert.Equal(0, (await cli.RunAsync("import", "access-log", log, "--property", "d1")).Exit);
        var (exit, output, _) = await cli.RunAsync(["rollups", "discrepancy", .. window]);
        Assert.Equal(0, exit);
        Assert.Single(output.TrimEnd().Split('\n'));

        await cli.Database.ExecuteAsync("update daily_metric_rollups set page_views = 5000 where property_id = 'd1' and day = '2026-02-10'");
        (exit, output, var error) = await cli.RunAsync(["rollups", "discrepancy", .. window]);
        Assert.Equal(1, exit);
        Assert.Matches(@"d1 +2026-02-10  page_views +1 +5,000 +\+4,999", output);
        Assert.All(output.Split('\n'), l => Assert.InRange(l.Length, 0, 80));
        Assert.Contains("rollups backfill --from 2026-02-10 --to 2026-02-10", error);

        (exit, output, error) = await cli.RunAsync(["rollups", "backfill", .. window]);
        Assert.True(exit == 0, error);
        Assert.Contains("28 property-days", output);
        Assert.Equal(0, (await cli.RunAsync(["rollups", "discrepancy", .. window])).Exit);

        (exit, output, _) = await cli.RunAsync("rollups", "status");
        Assert.Equal(0, exit);
        Assert.Contains("succeeded", output);
        Assert.Contains("Every day is up to date.", output);
        Assert.Equal(0, (await cli.RunAsync("rollups", "run", "--job", "daily", "--window-days", "2", "--property-id", "d1")).Exit);
    }

    [Fact]
    public async Task Migrate_says_what_it_did()
    {
        Assert.Contains("up to date", (await cli.RunAsync("migrate")).Output);
        Assert.Contains("up to date", (await cli.RunAsync("migrate", "--dry-run")).Output);
        await using var empty = await Infrastructure.TestDatabase.CreateAsync(migrated: false);
        var (exit, output, _) = await cli.RunAsync("migrate", "--dry-run", "--Postgres:ConnectionString", empty.ConnectionString);
        Assert.Equal(1, exit);
        Assert.Contains("missing  0001_spine.sql", output);
        (exit, output, _) = await cli.RunAsync("migrate", "--Postgres:ConnectionString", empty.ConnectionString);
        Assert.Equal(0, exit);
        Assert.Contains("applied  0001_spine.sql", output);
    }

    [Fact]
    public async Task Help_and_version_are_told()
    {
        var (exit, output, _) = await cli.RunAsync("--help");
        Assert.Equal(0, exit);
        Assert.All(["serve", "migrate", "rollups", "properties", "import"], c => Assert.Contains(c, output));
        Assert.Equal(0, (await cli.RunAsync("--version")).Exit);
    }
}
