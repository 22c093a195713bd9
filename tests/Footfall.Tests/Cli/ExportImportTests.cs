using System.Text.Json;
using Footfall.Capture;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

/// <summary>What leaves one server comes into another as the same visitors, sessions and figures.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ExportImportTests(CommandLineFixture cli) : IClassFixture<CommandLineFixture>
{
    private const string Sessions = """
        select property_id || ' ' || visitor_id || ' ' || started_at || ' ' || ended_at || ' ' || coalesce(landing_path, '-') || ' ' || coalesce(referrer_host, '-') || ' ' || coalesce(utm_source, '-') || ' '
               || traffic_source || ' ' || device_type || ' ' || coalesce(country_code, '-') || ' ' || page_views || ' ' || events || ' ' || engaged_ms || ' ' || has_conversion || ' ' || is_bounce
        from sessions where property_id = 'shop' order by 1
        """;

    private const string Props = "select event_type || ' ' || occurred_at || ' ' || coalesce(props::text, '-') from events where property_id = 'shop' order by 1";

    [Fact]
    public async Task What_is_exported_is_imported_elsewhere_with_the_same_figures()
    {
        await using var origin = await ApiServer.StartNewAsync();
        var cookieless = Told.Event("x", "2026-03-02T09:00:00", path: "/", country: "FR") with { VisitorId = Guid.NewGuid(), VisitorKind = VisitorKind.Cookieless, AnonId = null };
        await origin.StoreAsync(
            Told.Event("anna", "2026-03-02T10:00:00", path: "/home", source: TrafficSource.Referral, referrerHost: "news.example", country: "DE", device: DeviceType.Mobile) with { Referrer = "https://news.example/a", DedupeKey = Guid.NewGuid() },
            Told.Event("anna", "2026-03-02T10:01:00", "signup", "/home", conversion: true, engagedMs: 12_000, country: "DE", device: DeviceType.Mobile, props: """{"title":"Home","lcpMs":1200,"engagedTimeMs":12000,"plan":"pro","nothing":null}"""),
            Told.Event("ben", "2026-03-03T10:00:00", path: "/=1+1", source: TrafficSource.Campaign, utmSource: "Newsletter", country: "US"),
            cookieless);
        var file = Path.Combine(cli.DataFolder, "events.ndjson");
        string[] there = ["--Postgres:ConnectionString", origin.Database.ConnectionString];
        var (exit, output, error) = await cli.RunAsync(["export", "events", "--from", "2026-03-01", "--to", "2026-03-04", "--out", file, .. there]);
        Assert.True(exit == 0, error);
        Assert.Empty(output);
        Assert.Contains("4 events", error);
        Assert.Equal(4, (await File.ReadAllLinesAsync(file)).Length);

        (exit, output, error) = await cli.RunAsync("import", "events", file);
        Assert.True(exit == 0, error);
        Assert.Matches(@"imported\s+4", output);
        Assert.Equal(await origin.Database.RowsAsync(Sessions), await cli.Database.RowsAsync(Sessions));
        Assert.Equal(await origin.Database.RowsAsync(Props), await cli.Database.RowsAsync(Props));
        const string figures = "select day::text || ' ' || unique_visitors || ' ' || page_views || ' ' || sessions || ' ' || conversions || ' ' || sources from daily_metric_rollups where property_id = 'shop' order by 1";
        Assert.Equal(await origin.Database.RowsAsync(figures), await cli.Database.RowsAsync(figures));

        // The same file again, and its events in another file.
        (_, output, _) = await cli.RunAsync("import", "events", file);
        Assert.Contains("imported before", output);
        var again = Path.Combine(cli.DataFolder, "again.ndjson");
        await File.WriteAllLinesAsync(again, (await File.ReadAllLinesAsync(file)).Reverse());
        (_, output, _) = await cli.RunAsync("import", "events", again);
        Assert.Matches(@"already there\s+4", output);
        Assert.Equal(4L, await cli.Database.ScalarAsync<long>("select count(*) from events where property_id = 'shop'"));

        foreach (var set in new[] { "events", "sessions", "rollups" })
        {
            (exit, output, error) = await cli.RunAsync(["export", set, "--from", "2026-03-02", "--to", "2026-03-03", "--format", "csv", .. there]);
            Assert.True(exit == 0, error);
            var lines = output.TrimEnd().Split("\r\n");
            Assert.Equal(set switch { "events" => 5, "sessions" => 4, _ => 3 }, lines.Length);
            Assert.StartsWith(set switch { "events" => "received_at,occurred_at,property_id", "sessions" => "property_id,session_id,visitor_id", _ => "property_id,day,unique_visitors" }, lines[0], StringComparison.Ordinal);
            Assert.Equal(lines[0].Split(',').Length, lines[1].Split(',').Length);
            (_, output, _) = await cli.RunAsync(["export", set, "--from", "2026-03-02", "--to", "2026-03-03", "--property", "shop", .. there]);
            Assert.All(output.TrimEnd().Split('\n'), l => Assert.Equal(JsonValueKind.Object, JsonDocument.Parse(l).RootElement.ValueKind));
        }
    }

    [Fact]
    public async Task Lines_that_are_no_events_are_named_and_the_others_taken()
    {
        string[] lines =
        [
            """{"eventType":"page_view","anonId":"visitor-bad","path":"/ok","receivedAt":"2026-02-01T10:00:00Z","traffic":{"propertyId":"import"}}""",
            "",
            "nonsense",
            """[{"eventType":"page_view","receivedAt":"2026-02-01T10:00:00Z"}]""",
            """{"eventType":"page_view","path":"/"}""",
            """{"eventType":"page_view","receivedAt":"yesterday"}""",
            """{"eventType":"page_view","receivedAt":"\ud800"}""",
            """{"eventType":"page_view","receivedAt":"2999-01-01T00:00:00Z"}""",
            """{"eventType":"page_view","receivedAt":"2026-02-01T10:00:00Z","visitorId":"me"}""",
            """{"path":"/","receivedAt":"2026-02-01T10:00:00Z"}""",
            $$"""{"eventType":"page_view","receivedAt":"2026-02-01T10:00:00Z","path":"{{new string('x', 70_000)}}"}""",
            """{"eventType":"page_view","anonId":"visitor-bad","path":"/ok","receivedAt":"2026-02-01T10:00:00Z","traffic":{"propertyId":"import"}}""",
        ];
        var (exit, output, error) = await cli.RunAsync("import", "events", cli.WriteLog("bad.ndjson.gz", lines));
        Assert.True(exit == 0, error);
        Assert.Matches(@"imported\s+1 ", output);
        Assert.Matches(@"malformed\s+9\b", output);
        Assert.Matches(@"line 5\s+receivedAt: is required", output);
        Assert.Matches(@"line 10\s+eventType", output);
        Assert.DoesNotContain("xxx", output);
        Assert.Equal(["/ok 2026-02-01"], await cli.Database.RowsAsync("select path || ' ' || (occurred_at at time zone 'UTC')::date from events where property_id = 'import'"));
    }

    [Theory]
    [InlineData(2, "export")]
    [InlineData(2, "export events --from 2026-01-01")]
    [InlineData(2, "export events --from 2026-01-02 --to 2026-01-01")]
    [InlineData(2, "export events --from 2026-01-01 --to 9999-12-31")]
    [InlineData(2, "export sessions --from 2026-01-01 --to 2026-01-01 --format xml")]
    [InlineData(2, "export rollups --from 2026-01-01 --to 2026-01-01 --property a/b")]
    [InlineData(1, "export rollups --from 2026-01-01 --to 2026-01-01 --property nowhere")]
    [InlineData(1, "export rollups --from 2026-01-01 --to 2026-01-01 --out /nowhere/x.csv")]
    [InlineData(2, "import events")]
    [InlineData(1, "import events /nowhere/events.ndjson")]
    public async Task What_cannot_be_done_is_said(int expected, string line)
    {
        var (exit, output, error) = await cli.RunAsync(line.Split(' '));
        Assert.Equal(expected, exit);
        Assert.Empty(output);
        Assert.DoesNotContain("   at ", error);
        Assert.NotEmpty(error);
    }

    [Fact]
    public async Task Two_imports_of_one_file_at_once_count_it_once()
    {
        const int lines = 12_000;   // three batches
        var file = Path.Combine(cli.DataFolder, "twice.ndjson");
        await File.WriteAllLinesAsync(file, Enumerable.Range(0, lines).Select(n => $$$"""{"eventType":"page_view","eventId":"e{{{n}}}","anonId":"visitor-{{{n % 500}}}","path":"/{{{n % 9}}}","receivedAt":"2026-03-0{{{1 + n % 5}}}T10:00:00Z","traffic":{"propertyId":"twice"}}"""));
        var (one, two) = (cli.RunAsync("import", "events", file), cli.RunAsync("import", "events", file));
        var ran = await Task.WhenAll(one, two);
        Assert.All(ran, r => Assert.True(r.Exit == 0, r.Error));
        Assert.Single(ran, r => r.Output.Contains("imported before", StringComparison.Ordinal));
        Assert.Equal(
            [$"{lines}|{lines}|0"],
            await cli.Database.RowsAsync("select lines_done, imported, duplicates from imports where finished_at is not null order by started_at desc limit 1"));
        Assert.Equal(lines, await cli.Database.ScalarAsync<long>("select count(*) from events where property_id = 'twice'"));
        Assert.Equal(lines, await cli.Database.ScalarAsync<long>("select sum(events)::bigint from ingest_counts where property_id = 'twice'"));
    }
}
