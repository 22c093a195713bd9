using System.Globalization;
using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class AccessLogImportTests(CommandLineFixture cli) : IClassFixture<CommandLineFixture>
{
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    private const string Googlebot = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";

    private static readonly DateTimeOffset Start = new(2026, 3, 9, 10, 0, 0, TimeSpan.Zero);

    private static string Line(int second, string address = "203.0.113.9", string target = "/", string referrer = "-", string userAgent = Firefox, int status = 200, string method = "GET") =>
        $"{address} - - [{Start.AddSeconds(second).ToString("dd/MMM/yyyy:HH:mm:ss", CultureInfo.InvariantCulture)} +0000] \"{method} {target} HTTP/1.1\" {status} 512 \"{referrer}\" \"{userAgent}\"";

    [Fact]
    public async Task Page_views_become_events_sessions_and_day_rows_and_the_rest_is_told_by_reason()
    {
        var log = cli.WriteLog("a.log",
            Line(0, referrer: "https://www.google.com/"),
            Line(20, target: "/pricing?utm_source=x", referrer: "https://shop.example/"),
            Line(21, target: "/logo.png"),
            Line(22, target: "/gone", status: 404),
            Line(23, method: "POST"),
            "",
            "no log line",
            Line(3600, address: "2001:db8::7"),
            Line(90_000, userAgent: Googlebot));
        var (exit, output, error) = await cli.RunAsync("import", "access-log", log, "--property", "p1", "--hosts", "shop.example");

        Assert.True(exit == 0, error);
        Assert.Equal(
            ["2026-03-09 10:00:00|/|desktop|organic_search|True", "2026-03-09 10:00:20|/pricing?utm_source=x|desktop|campaign|False", "2026-03-09 11:00:00|/|desktop|direct|True", "2026-03-10 11:00:00|/|bot|direct|True"],
            await cli.Database.RowsAsync("""
                select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS'), path, device_type::text, traffic_source::text, is_entrance
                from events where property_id = 'p1' and occurred_at = received_at order by occurred_at
                """));
        Assert.Equal(["2026-03-09|2|3|2"], await cli.Database.RowsAsync("select day::text, unique_visitors, page_views, sessions from daily_metric_rollups where property_id = 'p1' and events > 0"));
        Assert.Equal(0, await cli.Database.ScalarAsync<long>("select count(*) from dirty_days where property_id = 'p1'"));
        Assert.Matches(@"imported +4 ", output);
        Assert.Matches(@"1  image", output);
        Assert.Matches(@"1  not a GET", output);
        Assert.Matches(@"1  not answered 200 or 304", output);
        Assert.Matches(@"1  empty line", output);
        Assert.Matches(@"line 7 +no client address|line 7 +no time", output);
        Assert.Contains("from=2026-03-09&to=2026-03-10", output);
    }

    [Fact]
    public async Task The_same_file_twice_changes_nothing_and_neither_does_it_compressed()
    {
        string[] lines = [.. Enumerable.Range(0, 300).Select(i => Line(i / 3, address: $"198.51.100.{i % 7}"))];
        var plain = cli.WriteLog("b.log", lines);
        await cli.RunAsync("import", "access-log", plain, "--property", "p2");
        var before = await Snapshot("p2");
        Assert.Equal(300, await Events("p2"));

        var (exit, output, _) = await cli.RunAsync("import", "access-log", plain, "--property", "p2");
        Assert.Equal(0, exit);
        Assert.Contains("imported before", output);
        Assert.Equal(before, await Snapshot("p2"));

        (_, output, _) = await cli.RunAsync("import", "access-log", cli.WriteLog("b.log.gz", lines), "--property", "p2");
        Assert.Matches(@"imported +0 ", output);
        Assert.Matches(@"already there +300 ", output);
        Assert.Equal(before, await Snapshot("p2"));
    }

    [Fact]
    public async Task Overlapping_files_are_counted_once_and_alike_lines_of_one_second_each()
    {
        string[] lines = [Line(0), Line(0), Line(0), Line(5), Line(9)];
        await cli.RunAsync("import", "access-log", cli.WriteLog("c1.log", lines[..4]), "--property", "p3");
        Assert.Equal(4, await Events("p3"));
        await cli.RunAsync("import", "access-log", cli.WriteLog("c2.log", lines), cli.WriteLog("c3.log", lines[2..]), "--property", "p3");
        Assert.Equal(5, await Events("p3"));
    }

    [Fact]
    public async Task An_import_that_was_interrupted_goes_on_where_it_was()
    {
        // The damage comes after two batches of 5,000: what was stored before it stays, and is not stored again.
        string[] lines = [.. Enumerable.Range(0, 14_000).Select(i => Line(i, address: $"192.0.2.{i % 200}"))];
        var log = cli.WriteLog("d.log", lines);
        using (var stop = new CancellationTokenSource())
        {
            var watch = Task.Run(async () =>
            {
                while (!stop.IsCancellationRequested && await cli.Database.ScalarAsync<long>("select coalesce(max(lines_done), 0) from imports where property_id = 'p4'") == 0) await Task.Delay(2);
                await stop.CancelAsync();
            });
            var (exit, _, error) = await cli.RunAsync(stop.Token, "import", "access-log", log, "--property", "p4");
            await stop.CancelAsync();
            await watch;
            Assert.Equal(130, exit);
            Assert.Contains("Stopped.", error);
        }
        var stored = await Events("p4");
        Assert.InRange(stored, 5_000, 10_000);

        var (again, output, _) = await cli.RunAsync("import", "access-log", log, "--property", "p4");
        Assert.Equal(0, again);
        Assert.Contains($"gone on after line {stored:N0}", output);
        Assert.Matches(@"imported +14,000 ", output);
        Assert.DoesNotContain("already there", output);
        Assert.Equal(14_000, await Events("p4"));
        Assert.Equal(0, (await cli.RunAsync("rollups", "discrepancy", "--from", "2026-03-01", "--to", "2026-03-31", "--property-id", "p4")).Exit);
    }

    [Fact]
    public async Task Shifted_times_end_yesterday_and_stay_where_they_are_when_the_file_comes_again()
    {
        var log = cli.WriteLog("e.log", Line(0), Line(86_400), Line(86_500, target: "/robots.txt"));
        await cli.RunAsync("import", "access-log", log, "--property", "p5", "--shift-to-yesterday");
        var yesterday = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-1);
        string[] expected = [$"{yesterday.AddDays(-1):yyyy-MM-dd} 10:00:00", $"{yesterday:yyyy-MM-dd} 10:00:00"];
        const string Times = "select to_char(occurred_at at time zone 'UTC', 'YYYY-MM-DD HH24:MI:SS') from events where property_id = 'p5' order by 1";
        Assert.Equal(expected, await cli.Database.RowsAsync(Times));

        // As if it had been begun three days ago: what was decided then stands, whatever yesterday is now.
        await cli.Database.ExecuteAsync("update imports set finished_at = null, lines_done = 0, shift_days = shift_days - 3 where property_id = 'p5'");
        await cli.RunAsync("import", "access-log", log, "--property", "p5", "--shift-to-yesterday");
        Assert.Equal([$"{yesterday.AddDays(-4):yyyy-MM-dd} 10:00:00", $"{yesterday.AddDays(-3):yyyy-MM-dd} 10:00:00", .. expected], await cli.Database.RowsAsync(Times));
    }

    [Fact]
    public async Task Formats_are_told_apart_and_a_file_of_none_is_refused()
    {
        var json = cli.WriteLog("f.json", """{"time_iso8601":"2026-03-09T10:00:00+00:00","remote_addr":"203.0.113.1","request":"GET /json HTTP/1.1","status":"200","http_referer":"","http_user_agent":"Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0"}""");
        var common = cli.WriteLog("f.common", "203.0.113.2 - - [09/Mar/2026:10:00:01 +0000] \"GET /common HTTP/1.1\" 200 5");
        Assert.Equal(0, (await cli.RunAsync("import", "access-log", json, common, "--property", "p6")).Exit);
        Assert.Equal(["/json", "/common"], await cli.Database.RowsAsync("select path from events where property_id = 'p6' order by occurred_at"));

        var (exit, _, error) = await cli.RunAsync("import", "access-log", cli.WriteLog("f.txt", "#Fields: date time", "2026-03-09 10:00:00"), "--property", "p6");
        Assert.Equal(1, exit);
        Assert.Contains("combined, common or nginx-json", error);
        Assert.Contains("is empty", (await cli.RunAsync("import", "access-log", cli.WriteLog("f.empty"), "--property", "p6")).Error);
    }

    [Fact]
    public async Task No_address_and_no_user_agent_reaches_the_database()
    {
        await cli.RunAsync("import", "access-log", cli.WriteLog("g.log", Line(0, address: "203.0.113.77", userAgent: Firefox + " Unmistakable/1")), "--property", "p7");
        var everything = string.Join('\n', await cli.Database.RowsAsync("select row_to_json(e)::text || row_to_json(v)::text || row_to_json(s)::text from events e join visitors v on v.id = e.visitor_id join sessions s on s.visitor_id = v.id where e.property_id = 'p7'"));
        Assert.NotEmpty(everything);
        Assert.DoesNotContain("203.0.113.77", everything);
        Assert.DoesNotContain("Unmistakable", everything);
    }

    /// <summary>A real site's log lies beside the repository on some machines; where it does not, the other tests' lines must do.</summary>
    [Fact]
    public async Task A_real_log_gives_the_numbers_that_plain_sql_confirms()
    {
        if (RealLog() is not { } log) return;
        var (exit, output, error) = await cli.RunAsync("import", "access-log", log, "--property", "real", "--hosts", "semicomplete.com");
        Assert.True(exit == 0, error);
        Assert.Contains("10,000 lines", output);
        var imported = long.Parse(Regex.Match(output, @"imported +([\d,]+) ").Groups[1].Value, NumberStyles.AllowThousands, CultureInfo.InvariantCulture);
        Assert.Equal(imported, await Events("real"));
        Assert.Equal(
            await cli.Database.RowsAsync("""
                select (occurred_at at time zone 'UTC')::date::text, count(*), count(distinct visitor_id)
                from events where property_id = 'real' and device_type <> 'bot' group by 1 order by 1
                """),
            await cli.Database.RowsAsync("select day::text, page_views, unique_visitors from daily_metric_rollups where property_id = 'real' order by 1"));
        Assert.Equal(0, (await cli.RunAsync("rollups", "discrepancy", "--from", "2015-05-01", "--to", "2015-05-31", "--property-id", "real")).Exit);
        var before = await Snapshot("real");
        Assert.Equal(0, (await cli.RunAsync("rollups", "backfill", "--from", "2015-05-16", "--to", "2015-05-21", "--property-id", "real")).Exit);
        Assert.Equal(before, await Snapshot("real"));
    }

    private Task<long> Events(string property) => cli.Database.ScalarAsync<long>("select count(*) from events where property_id = @p", ("p", property));

    private Task<List<string>> Snapshot(string property) => cli.Database.RowsAsync("""
        select row_to_json(e)::text from events e where property_id = @p
        union all select row_to_json(s)::text from sessions s where property_id = @p
        union all select (to_jsonb(d) - 'generated_at')::text from daily_metric_rollups d where property_id = @p
        order by 1
        """, ("p", property));

    private static string? RealLog()
    {
        for (var folder = new DirectoryInfo(AppContext.BaseDirectory); folder is not null; folder = folder.Parent)
        {
            var file = Path.Combine(folder.FullName, "shared", "data", "semicomplete-access.log.gz");
            if (File.Exists(file)) return file;
        }
        return null;
    }
}
