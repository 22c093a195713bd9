using System.Net;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>
/// Two days of a shop, worked out by hand:
/// <code>
/// S1  anna   2 March 10:00 /home, 10:01 /pricing, 10:02 form_submit on /pricing (plan=pro)    google, DE, mobile
/// S2  anna   2 March 15:00 /home, 2 s engaged: a bounce                                       direct, DE, mobile
/// S3  ben    2 March 23:50 /pricing, 3 March 00:05 /home (15 minutes, over midnight)          utm_source Newsletter, US, desktop
/// S4  chris  3 March 12:00 /home, 12:00:30 engagement of 30 s: no bounce                      google, DE, desktop
/// and a bot, and an event from the future. Leads: one of anna at 10:02, one of nobody known on 3 March.
/// </code>
/// </summary>
[Trait("Category", TestCluster.Category)]
public sealed class BreakdownTests(BreakdownTests.Shop shop) : IClassFixture<BreakdownTests.Shop>
{
    public sealed class Shop : IAsyncLifetime
    {
        public ApiServer Server { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Server.InitializeAsync();
            await Server.StoreAsync(
                Told.Event("anna", "2026-03-02T10:00:00", path: "/home", source: TrafficSource.OrganicSearch, referrerHost: "www.google.com", country: "DE", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T10:01:00", path: "/pricing", country: "DE", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T10:02:00", "form_submit", "/pricing", conversion: true, props: """{"plan":"pro","seats":3}""", country: "DE", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T15:00:00", path: "/home", engagedMs: 2000, country: "DE", device: DeviceType.Mobile),
                Told.Event("ben", "2026-03-02T23:50:00", path: "/pricing", source: TrafficSource.Email, utmSource: "Newsletter", country: "US"),
                Told.Event("ben", "2026-03-03T00:05:00", path: "/home", country: "US"),
                Told.Event("chris", "2026-03-03T12:00:00", path: "/home", source: TrafficSource.OrganicSearch, referrerHost: "google.com", country: "DE"),
                Told.Event("chris", "2026-03-03T12:00:30", "engagement", "/home", engagedMs: 30_000, country: "DE"),
                Told.Event("crawler", "2026-03-02T11:00:00", path: "/home", device: DeviceType.Bot),
                Told.Event("late", "2026-03-03T13:00:00", path: "/home", received: "2026-03-03T12:00:00"),
                Told.Event("other", "2026-03-02T11:00:00", path: "/home", property: "blog"));
            await Server.Database.ExecuteAsync("""
                insert into leads values ('00000000-0000-0000-0000-000000000001', 'a@example.org', 'example.org', 'express', '2026-03-02T10:02:00Z', '2026-03-02T10:02:00Z', null, 'shop'),
                                         ('00000000-0000-0000-0000-000000000002', 'b@example.org', 'example.org', 'express', '2026-03-03T09:00:00Z', '2026-03-03T09:00:00Z', null, 'shop');
                insert into lead_identities select gen_random_uuid(), '00000000-0000-0000-0000-000000000001', id, 'form_submit', 1.0, '2026-03-02T10:02:00Z' from visitors where anon_id = 'visitor-anna'
                """);
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    [Fact]
    public async Task Two_exact_pages_at_once_are_no_page_and_an_answer()
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, "/v1/metrics/query")
        {
            Content = new StringContent("""{"property":"shop","from":"2026-03-02","to":"2026-03-03","dimension":"utm_source","metrics":["sessions","leads"],"filters":[{"dimension":"entry_path","operator":"matches","value":"/home"},{"dimension":"entry_path","operator":"matches","value":"/pricing"}]}""", System.Text.Encoding.UTF8, "application/json"),
        };
        request.Headers.Add("x-dashboard-token", ApiServer.DashboardToken);
        using var response = await shop.Server.Client.SendAsync(request, TestContext.Current.CancellationToken);
        var text = await response.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        using var body = JsonDocument.Parse(text);
        Assert.Equal(0, body.RootElement.GetProperty("rows").GetArrayLength());
    }

    private const string Everything = "visitors,sessions,page_views,events,bounce_rate,visit_duration,engaged_time,conversions,conversion_rate,leads";

    [Theory]
    // Both days: pages of every event there. /home: anna, ben, chris; S1, S2, S3, S4 of which S2 bounced; durations 120 + 0 + 900 + 30 s; engaged 2 + 30 s; S1 converted.
    [InlineData("2026-03-02", "2026-03-03", "path", "/home", 3, 4, 4, 5, 0.25, 262.5, 8, 0, 0.25, 1)]
    // anna, ben; S1, S3; page views 2 and the form_submit; (120 + 900) / 2.
    [InlineData("2026-03-02", "2026-03-03", "path", "/pricing", 2, 2, 2, 3, 0.0, 510, 0, 1, 0.5, 1)]
    // 2 March only: the page view of ben after midnight is not in it, his session is.
    [InlineData("2026-03-02", "2026-03-02", "path", "/home", 1, 2, 2, 2, 0.5, 60, 1, 0, 0.5, 1)]
    // 3 March: ben's session began the day before.
    [InlineData("2026-03-03", "2026-03-03", "path", "/home", 2, 1, 2, 3, 0.0, 30, 30, 0, 0.0, 0)]
    // Sessions' facts: an event counts by its session's. S1 and S2 come from DE on the 2nd, S4 on the 3rd.
    [InlineData("2026-03-02", "2026-03-03", "country", "DE", 2, 3, 4, 6, 1 / 3.0, 50, 32 / 3.0, 1, 1 / 3.0, 1)]
    [InlineData("2026-03-02", "2026-03-03", "source", "google.com", 2, 2, 3, 5, 0.0, 75, 15, 1, 0.5, 1)]
    [InlineData("2026-03-02", "2026-03-03", "source", "newsletter", 1, 1, 2, 2, 0.0, 900, 0, 0, 0.0, 0)]
    // Without a source: S2, and the lead that nobody is known of.
    [InlineData("2026-03-02", "2026-03-03", "source", null, 1, 1, 1, 1, 1.0, 0, 2, 0, 0.0, 1)]
    [InlineData("2026-03-02", "2026-03-03", "entry_path", "/pricing", 1, 1, 2, 2, 0.0, 900, 0, 0, 0.0, 0)]
    [InlineData("2026-03-02", "2026-03-03", "exit_path", "/pricing", 1, 1, 2, 3, 0.0, 120, 0, 1, 1.0, 1)]
    [InlineData("2026-03-02", "2026-03-03", "event_type", "form_submit", 1, 1, 0, 1, 0.0, 120, 0, 1, 1.0, 1)]
    [InlineData("2026-03-02", "2026-03-03", "prop:plan", "pro", 1, 1, 0, 1, 0.0, 120, 0, 1, 1.0, 1)]
    [InlineData("2026-03-02", "2026-03-03", "prop:seats", "3", 1, 1, 0, 1, 0.0, 120, 0, 1, 1.0, 1)]
    public async Task Each_figure_of_a_row_is_what_one_counts_by_hand(
        string from, string to, string dimension, string? value,
        double visitors, double sessions, double views, double events, double bounces, double duration, double engaged, double conversions, double rate, double leads)
    {
        var body = await shop.Server.JsonAsync($"/v1/metrics/breakdown?property=shop&from={from}&to={to}&dimension={dimension}&metrics={Everything}");
        var row = Assert.Single(body.GetProperty("rows").EnumerateArray(), r => r.GetProperty("value").GetString() == value);
        double[] expected = [visitors, sessions, views, events, bounces, duration, engaged, conversions, rate, leads];
        Assert.Equal(expected, Everything.Split(',').Select(m => Math.Round(Value(row, m)!.Value, 9)).Zip(expected, (got, want) => Math.Abs(got - want) < 1e-8 ? want : got));
    }

    [Theory]
    // All that an event-level filter keeps: events on /pricing; sessions with such an event in the window; the lead of S1.
    [InlineData("""[{"dimension":"path","operator":"is","value":"/pricing"}]""", 2, 2, 2, 1)]
    // Both conditions are about one and the same event: no page view is on /pricing with plan pro.
    [InlineData("""[{"dimension":"event_type","operator":"is","value":"page_view"},{"dimension":"prop:plan","operator":"is","value":"pro"}]""", 0, 0, 0, 0)]
    [InlineData("""[{"dimension":"country","operator":"is","value":"DE"}]""", 2, 3, 4, 1)]
    [InlineData("""[{"dimension":"country","operator":"is_not","value":"DE"}]""", 1, 1, 2, 1)]
    [InlineData("""[{"dimension":"source","operator":"is","value":null}]""", 1, 1, 1, 1)]
    [InlineData("""[{"dimension":"source","operator":"is_not","value":null}]""", 3, 3, 5, 1)]
    [InlineData("""[{"dimension":"source","operator":"contains","value":"oogl"}]""", 2, 2, 3, 1)]
    [InlineData("""[{"dimension":"source","operator":"contains","value":"%"}]""", 0, 0, 0, 0)]
    [InlineData("""[{"dimension":"country","operator":"any_of","values":["US","DE",null]}]""", 3, 4, 6, 2)]
    [InlineData("""[{"dimension":"device","operator":"is","value":"mobile"},{"dimension":"entry_path","operator":"contains","value":"home"}]""", 1, 2, 3, 1)]
    [InlineData("""[{"dimension":"country","operator":"is","value":"' or 1=1 --"}]""", 0, 0, 0, 0)]
    [InlineData("""[{"dimension":"prop:x' or '1'='1","operator":"is","value":"1"}]""", 0, 0, 0, 0)]
    [InlineData("[]", 3, 4, 6, 2)]
    public async Task Filters_keep_what_they_say(string filters, double visitors, double sessions, double views, double leads)
    {
        var body = await shop.Server.JsonAsync($"/v1/metrics/timeseries?property=shop&from=2026-03-02&to=2026-03-03&metrics=visitors,sessions,page_views,leads&filters={Uri.EscapeDataString(filters)}");
        var totals = body.GetProperty("totals");
        Assert.Equal([visitors, sessions, views, leads], new[] { "visitors", "sessions", "page_views", "leads" }.Select(m => totals.GetProperty(m).GetProperty("value").GetDouble()));
    }

    [Theory]
    [InlineData("day", "2026-03-01", "2026-03-04", "2026-03-01 0 0,2026-03-02 2 4,2026-03-03 2 2,2026-03-04 0 0")]
    [InlineData("week", "2026-03-01", "2026-03-04", "2026-02-23 0 0,2026-03-02 3 6")]
    [InlineData("month", "2026-02-27", "2026-03-04", "2026-02-01 0 0,2026-03-01 3 6")]
    public async Task A_series_has_every_piece_of_time(string interval, string from, string to, string expected)
    {
        var body = await shop.Server.JsonAsync($"/v1/metrics/timeseries?property=shop&from={from}&to={to}&interval={interval}&metrics=visitors,page_views");
        Assert.Equal(expected, string.Join(',', body.GetProperty("points").EnumerateArray().Select(p => $"{p.GetProperty("start").GetString()} {Value(p, "visitors")} {Value(p, "page_views")}")));
    }

    [Fact]
    public async Task Hours_are_instants()
    {
        var body = await shop.Server.JsonAsync("/v1/metrics/timeseries?property=shop&from=2026-03-02&to=2026-03-02&metrics=page_views");
        var points = body.GetProperty("points").EnumerateArray().ToList();
        Assert.Equal(24, points.Count);
        Assert.Equal("2026-03-02T10:00:00Z", points[10].GetProperty("start").GetString());
        Assert.Equal(2, Value(points[10], "page_views"));
    }

    [Fact]
    public async Task A_comparison_is_of_the_same_rows_in_the_other_window()
    {
        var body = await shop.Server.JsonAsync("/v1/metrics/breakdown?property=shop&from=2026-03-03&to=2026-03-03&dimension=path&metrics=visitors,conversions&compareTo=previous_period");
        var home = body.GetProperty("rows").EnumerateArray().Single();
        Assert.Equal("2026-03-02", body.GetProperty("compareTo").GetProperty("from").GetString());
        Assert.Equal(1.0, home.GetProperty("metrics").GetProperty("visitors").GetProperty("delta").GetDouble());   // (2 - 1) / 1
        Assert.Equal(JsonValueKind.Null, home.GetProperty("metrics").GetProperty("conversions").GetProperty("delta").ValueKind);   // by 0
        var series = await shop.Server.JsonAsync("/v1/metrics/timeseries?property=shop&from=2026-03-03&to=2026-03-03&interval=day&metrics=page_views&compareTo=2026-03-02");
        Assert.Equal(-0.5, series.GetProperty("points")[0].GetProperty("metrics").GetProperty("page_views").GetProperty("delta").GetDouble());   // (2 - 4) / 4
        Assert.Equal(4, Value(series.GetProperty("comparisonPoints")[0], "page_views"));
    }

    [Fact]
    public async Task Pages_follow_one_another_without_gap_or_repeat()
    {
        var server = shop.Server;
        var value = new string('é', 150);
        await server.StoreAsync(Enumerable.Range(0, 23).Select(i => Told.Event($"paging-{i % 7}", "2026-01-05T10:00:00", path: i % 4 == 3 ? null : i % 2 == 0 ? $"/{value}{i}" : $"/{i}", property: "paging")));
        const string query = "/v1/metrics/breakdown?property=paging&from=2026-01-05&to=2026-01-05&dimension=path&metrics=page_views,visitors";
        var all = (await server.JsonAsync($"{query}&limit=1000")).GetProperty("rows").EnumerateArray().Select(r => r.GetRawText()).ToList();
        Assert.Equal(19, all.Count);
        Assert.Null(JsonDocument.Parse(all[0]).RootElement.GetProperty("value").GetString());   // the five views without a path are the most
        List<string> paged = [];
        string? cursor = null;
        do
        {
            var body = await server.JsonAsync($"{query}&limit=4{(cursor is null ? "" : $"&cursor={cursor}")}");
            paged.AddRange(body.GetProperty("rows").EnumerateArray().Select(r => r.GetRawText()));
            cursor = body.GetProperty("nextCursor").GetString();
        }
        while (cursor is not null);
        Assert.Equal(all, paged);
    }

    [Fact]
    public async Task The_same_question_is_answered_304_until_something_changes()
    {
        const string url = "/v1/metrics/breakdown?property=etag&from=2026-01-05&to=2026-01-05&dimension=path";
        await shop.Server.StoreAsync(Told.Event("tag", "2026-01-05T10:00:00", property: "etag"));
        using var first = await shop.Server.GetAsync(url);
        Assert.Equal("private, no-cache", first.Headers.CacheControl!.ToString() is var c && c.Contains("no-cache", StringComparison.Ordinal) && c.Contains("private", StringComparison.Ordinal) ? "private, no-cache" : c);
        using var second = await shop.Server.GetAsync(url, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.NotModified, second.StatusCode);
        Assert.Empty(await second.Content.ReadAsByteArrayAsync());
        await shop.Server.StoreAsync(Told.Event("tag2", "2026-01-05T11:00:00", property: "etag"));
        using var third = await shop.Server.GetAsync(url, ("If-None-Match", first.Headers.ETag!.ToString()));
        Assert.Equal(HttpStatusCode.OK, third.StatusCode);
    }

    [Fact]
    public async Task Csv_comes_by_accept_or_format_and_no_spreadsheet_runs_it()
    {
        string[] evil = ["=1+1", "+1", "-1", "@x", "\tx", "a,b", "q\"q", "two\nlines", "ünï"];
        await shop.Server.StoreAsync(evil.Select((p, i) => Told.Event($"csv{i}", "2026-01-06T10:00:00", "evil", path: "/", property: "csv", props: JsonSerializer.Serialize(new Dictionary<string, string> { ["k"] = p }))));
        const string url = "/v1/metrics/breakdown?property=csv&from=2026-01-06&to=2026-01-06&dimension=prop:k&metrics=visitors,bounce_rate&compareTo=previous_period";
        using var byAccept = await shop.Server.GetAsync(url, ("Accept", "text/csv"));
        Assert.Equal("text/csv; charset=utf-8", byAccept.Content.Headers.ContentType!.ToString());
        var text = await byAccept.Content.ReadAsStringAsync();
        Assert.Equal(
            "prop:k,visitors,visitors_delta,bounce_rate,bounce_rate_delta\r\n" +
            "\"'\tx\",1,,0,\r\n\"'+1\",1,,0,\r\n\"'-1\",1,,0,\r\n\"'=1+1\",1,,0,\r\n\"'@x\",1,,0,\r\n\"a,b\",1,,0,\r\n\"q\"\"q\",1,,0,\r\n\"two\nlines\",1,,0,\r\nünï,1,,0,\r\n",
            text);
        using var byFormat = await shop.Server.GetAsync($"{url}&format=csv&bom=true", ("Accept", "application/json"));
        Assert.Equal([0xEF, 0xBB, 0xBF], (await byFormat.Content.ReadAsByteArrayAsync())[..3]);
        using var json = await shop.Server.GetAsync(url, ("Accept", "text/csv;q=0.5, application/json"));
        Assert.Equal("application/json", json.Content.Headers.ContentType!.MediaType);
    }

    [Theory]
    [InlineData("timeseries?property=shop&from=2026-03-02&to=2026-03-03&interval=day", 3)]
    [InlineData("daily?property=shop&from=2026-03-01&to=2026-03-04", 5)]
    [InlineData("vitals?property=shop&from=2026-03-02&to=2026-03-03", 1)]
    [InlineData("realtime?property=shop", 32)]
    public async Task Every_list_can_be_had_as_csv(string question, int lines)
    {
        using var response = await shop.Server.GetAsync($"/v1/metrics/{question}", ("Accept", "text/csv"));
        Assert.Equal("text/csv", response.Content.Headers.ContentType!.MediaType);
        Assert.Equal(lines, (await response.Content.ReadAsStringAsync()).Split("\r\n").Length - 1);
    }

    private static double? Value(JsonElement row, string metric) =>
        row.GetProperty("metrics").GetProperty(metric).GetProperty("value") is { ValueKind: JsonValueKind.Number } v ? v.GetDouble() : null;
}
