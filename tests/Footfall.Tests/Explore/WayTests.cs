using System.Net;
using System.Net.Http.Headers;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>
/// Two weeks of a shop, worked out by hand (2 March 2026 is a Monday):
/// <code>
/// anna   2 March 10:00 /home, 10:01 /cart, 10:01 /cart?step=2, 10:05 order (revenue 19.99), and 9 March 10:00 /home       mobile
/// ben    2 March 11:00 /home, 12:00 /home, 12:10 /cart; 3 March 12:05 order (revenue "5.01"): 24 h after neither           desktop
/// chris  8 March 23:50 /cart, 9 March 00:10 /home, 00:20 /cart, 00:40 order (revenue true: no number)                        desktop
/// dora   4 March 09:00 /home                                                                                               mobile
/// </code>
/// </summary>
public sealed class WayTests(WayTests.Shop shop) : IClassFixture<WayTests.Shop>
{
    public sealed class Shop : IAsyncLifetime
    {
        public ApiServer Server { get; } = new();

        public async ValueTask InitializeAsync()
        {
            await Server.InitializeAsync();
            await Server.StoreAsync(
                Told.Event("anna", "2026-03-02T10:00:00", path: "/home", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T10:01:00", path: "/cart", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T10:01:30", path: "/cart?step=2", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-02T10:05:00", "order", "/cart", props: """{"revenue":19.99,"plan":"pro"}""", device: DeviceType.Mobile),
                Told.Event("anna", "2026-03-09T10:00:00", path: "/home", device: DeviceType.Mobile),
                Told.Event("ben", "2026-03-02T11:00:00", path: "/home"),
                Told.Event("ben", "2026-03-02T11:20:00", path: "/home"),
                Told.Event("ben", "2026-03-02T12:10:00", path: "/cart"),
                Told.Event("ben", "2026-03-03T12:05:00", "order", "/cart", props: """{"revenue":"5.01"}"""),
                Told.Event("chris", "2026-03-08T23:50:00", path: "/cart"),
                Told.Event("chris", "2026-03-09T00:10:00", path: "/home"),
                Told.Event("chris", "2026-03-09T00:20:00", path: "/cart"),
                Told.Event("chris", "2026-03-09T00:40:00", "order", "/cart", props: """{"revenue":true}"""),
                Told.Event("dora", "2026-03-04T09:00:00", path: "/home", device: DeviceType.Mobile),
                Told.Event("crawler", "2026-03-02T11:00:00", path: "/home", device: DeviceType.Bot),
                Told.Event("anna", "2026-03-02T09:00:00", "experiment_assigned", "/button", props: """{"experimentId":"button","variantId":"red"}""", device: DeviceType.Mobile),
                Told.Event("chris", "2026-03-09T00:05:00", "experiment_assigned", "/button", props: """{"experimentId":"button","variantId":"blue"}"""),
                Told.Event("dora", "2026-03-05T09:00:00", "experiment_assigned", "/button", props: """{"experimentId":"button","variantId":"blue"}""", device: DeviceType.Mobile));
            await Server.Database.ExecuteAsync("""update properties set goals = '[{"name":"bought","eventType":"order"},{"name":"basket","eventType":"page_view","path":"/cart*"}]' where id = 'shop'""");
        }

        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }

    private const string Window = "\"property\":\"shop\",\"from\":\"2026-03-02\",\"to\":\"2026-03-15\"";
    private const string Steps = """ "steps":[{"path":"/home"},{"name":"cart","path":"/cart*","eventType":"page_view"},{"goal":"bought"}]""";

    [Fact]
    public async Task A_funnel_counts_each_visitor_once_by_the_attempt_that_comes_furthest()
    {
        // anna 60 s and 240 s; ben 70 minutes after the first of two looks that come equally far, and too late for the order; chris 600 s and 1200 s, dora none.
        var body = await PostAsync("funnel", $$"""{{{Window}},{{Steps}}}""");
        Assert.Equal(["step 1 1 4", "cart 2 3", "step 3 3 2"], body.GetProperty("steps").EnumerateArray().Select(s => $"{s.GetProperty("name")} {s.GetProperty("index")} {s.GetProperty("visitors")}"));
        var steps = body.GetProperty("steps").EnumerateArray().ToList();
        Assert.Equal((0.75, 0.75, 1, 600.0), (D(steps[1], "fromPrevious"), D(steps[1], "fromFirst"), steps[1].GetProperty("dropOff").GetInt32(), D(steps[1], "medianSeconds")));
        Assert.Equal((2 / 3.0, 0.5, 1, 720.0), (D(steps[2], "fromPrevious"), D(steps[2], "fromFirst"), steps[2].GetProperty("dropOff").GetInt32(), D(steps[2], "medianSeconds")));
        Assert.Equal(JsonValueKind.Null, steps[0].GetProperty("dropOff").ValueKind);
    }

    [Theory]
    [InlineData(1, "4 3 2")]     // ben's cart is 50 minutes after his second look
    [InlineData(24, "4 3 2")]    // ben's order is 24 h 45 min after that
    [InlineData(25, "4 3 3")]
    public async Task Steps_must_come_within_the_window(int hours, string expected)
    {
        var body = await PostAsync("funnel", $$"""{{{Window}},"windowHours":{{hours}},{{Steps}}}""");
        Assert.Equal(expected, Visitors(body.GetProperty("steps")));
    }

    [Fact]
    public async Task The_first_step_is_in_the_window_and_later_ones_may_be_behind_it()
    {
        var body = await PostAsync("funnel", """{"property":"shop","from":"2026-03-08","to":"2026-03-08","steps":[{"path":"/cart"},{"goal":"bought"}]}""");
        Assert.Equal("1 1", Visitors(body.GetProperty("steps")));
    }

    [Theory]
    [InlineData("\"by\":\"device\"", "desktop: 2 2 1; mobile: 2 1 1")]
    [InlineData("\"by\":\"prop:plan\"", "-: 4 3 2")]
    [InlineData("\"by\":\"path\"", "/home: 4 3 2")]
    [InlineData("\"by\":\"device\",\"limit\":1", "desktop: 2 2 1; more")]
    // dora was assigned after the day of her attempt, ben never.
    [InlineData("\"experiment\":\"button\"", "-: 2 1 0; blue: 1 1 1; red: 1 1 1")]
    [InlineData("\"by\":\"device\",\"filters\":[{\"dimension\":\"device\",\"operator\":\"is\",\"value\":\"mobile\"}]", "mobile: 2 1 1")]
    [InlineData("\"by\":\"country\",\"filters\":[{\"dimension\":\"country\",\"operator\":\"is\",\"value\":\"XX\"}]", "")]
    public async Task Groups_are_those_of_the_event_with_which_the_attempt_began(string asked, string expected)
    {
        var body = await PostAsync("funnel", $$"""{{{Window}},{{Steps}},{{asked}}}""");
        var groups = body.GetProperty("groups").EnumerateArray().Select(g => $"{g.GetProperty("value").GetString() ?? "-"}: {Visitors(g.GetProperty("steps"))}").ToList();
        if (asked.Contains("experiment", StringComparison.Ordinal)) groups.Sort(StringComparer.Ordinal);
        if (body.GetProperty("hasMoreGroups").GetBoolean()) groups.Add("more");
        Assert.Equal(expected, string.Join("; ", groups));
    }

    [Fact]
    public async Task Retention_says_who_comes_back_and_what_is_not_over()
    {
        var body = await shop.Server.JsonAsync("/v1/metrics/retention?property=shop&from=2026-03-02&to=2026-03-12&interval=week");
        var cohorts = body.GetProperty("cohorts").EnumerateArray().ToList();
        // anna and chris (from the Sunday on) come back in the second week, which the window cuts.
        Assert.Equal(["2026-03-02 4 False: 0=4/1 1=2/0.5!", "2026-03-09 0 True: 0=0/-!"], cohorts.Select(Cohort));

        var daily = await shop.Server.JsonAsync($"/v1/metrics/retention?property=shop&from=2026-03-02&to=2026-03-04&interval=day&return={Uri.EscapeDataString("""[{"dimension":"goal","operator":"is","value":"bought"}]""")}");
        Assert.Equal(["2026-03-02 2 False: 0=1/0.5 1=1/0.5 2=0/0", "2026-03-03 0 False: 0=0/- 1=0/-", "2026-03-04 1 False: 0=0/0"], daily.GetProperty("cohorts").EnumerateArray().Select(Cohort));

        var orders = await shop.Server.JsonAsync($"/v1/metrics/retention?property=shop&from=2026-03-01&to=2026-03-31&interval=month&entry={Uri.EscapeDataString("""[{"dimension":"event_type","operator":"is","value":"order"}]""")}");
        Assert.Equal(["2026-03-01 3 False: 0=3/1"], orders.GetProperty("cohorts").EnumerateArray().Select(Cohort));

        static string Cohort(JsonElement c) => $"{c.GetProperty("start")} {c.GetProperty("visitors")} {c.GetProperty("incomplete")}: {string.Join(' ', c.GetProperty("cells").EnumerateArray().Select(x =>
            $"{x.GetProperty("offset")}={x.GetProperty("visitors")}/{(x.GetProperty("share").ValueKind == JsonValueKind.Null ? "-" : x.GetProperty("share").ToString())}{(x.GetProperty("incomplete").GetBoolean() ? "!" : "")}"))}";
    }

    [Fact]
    public async Task Journeys_tell_where_people_come_from_and_go()
    {
        var body = await shop.Server.JsonAsync("/v1/metrics/journeys?property=shop&from=2026-03-02&to=2026-03-15&path=/home&steps=2");
        // Views of /home: anna twice, ben's two in a row as one, chris, dora.
        Assert.Equal((5, 5), (body.GetProperty("views").GetInt32(), body.GetProperty("sessions").GetInt32()));
        Assert.Equal("- 3, /cart 2", Neighbours(body.GetProperty("next")));
        Assert.Equal("- 4, /cart 1", Neighbours(body.GetProperty("previous")));
        Assert.Equal(["/home True 3", "/home>/cart True 1", "/home>/cart>/cart?step=2 False 1"], body.GetProperty("paths").EnumerateArray().Select(p =>
            $"{string.Join('>', p.GetProperty("pages").EnumerateArray())} {p.GetProperty("ended")} {p.GetProperty("sessions")}"));

        static string Neighbours(JsonElement list) => string.Join(", ", list.EnumerateArray().OrderBy(n => n.GetProperty("path").GetString(), StringComparer.Ordinal).Select(n => $"{n.GetProperty("path").GetString() ?? "-"} {n.GetProperty("views")}"));
    }

    [Theory]
    [InlineData("""{"property":"shop","from":"2026-03-02","to":"2026-03-15","metrics":["sum:prop:revenue","events"],"filters":[{"dimension":"goal","operator":"is","value":"bought"}]}""", "totals", "25 3")]
    [InlineData("""{"property":"shop","from":"2026-03-02","to":"2026-03-15","metrics":["sum:prop:revenue","events"],"filters":[{"dimension":"goal","operator":"is","value":"bought"}],"dimension":"device"}""", "rows", "mobile 19.99 1; desktop 5.01 2")]
    [InlineData("""{"property":"shop","from":"2026-03-02","to":"2026-03-03","metrics":"sum:prop:revenue","interval":"day"}""", "points", "2026-03-02 19.99; 2026-03-03 5.01")]
    [InlineData("""{"property":"shop","windowDays":1,"metrics":["sum:prop:nothing","visitors"]}""", "totals", "0 0")]
    [InlineData("""{"property":"shop","from":"2026-03-02","to":"2026-03-15","metrics":["page_views"],"filters":[{"dimension":"path","operator":"matches","value":"/cart"}]}""", "totals", "5")]
    [InlineData("""{"property":"shop","from":"2026-03-02","to":"2026-03-15","metrics":["events"],"filters":[{"dimension":"goal","operator":"is_not","values":["bought","basket"]}]}""", "totals", "9")]
    public async Task A_question_as_JSON_is_answered_like_one_in_an_address(string question, string part, string expected)
    {
        var body = await PostAsync("query", question);
        string Figures(JsonElement metrics) => string.Join(' ', metrics.EnumerateObject().Select(m => m.Value.GetProperty("value").ToString()));
        Assert.Equal(expected, part switch
        {
            "totals" => Figures(body.GetProperty("totals")),
            "rows" => string.Join("; ", body.GetProperty("rows").EnumerateArray().Select(r => $"{r.GetProperty("value").GetString()} {Figures(r.GetProperty("metrics"))}")),
            _ => string.Join("; ", body.GetProperty("points").EnumerateArray().Select(p => $"{p.GetProperty("start").GetString()} {Figures(p.GetProperty("metrics"))}")),
        });
    }

    [Fact]
    public async Task Segments_answer_what_they_hold()
    {
        string Engine(JsonElement body) => body.GetProperty("engine").GetString()!;
        Assert.Equal("segments", Engine(await PostAsync("funnel", $$"""{{{Window}},{{Steps}},"by":"device"}""")));
        Assert.Equal("segments", Engine(await PostAsync("funnel", $$"""{{{Window}},{{Steps}},"experiment":"button"}""")));
        Assert.Equal("segments", Engine(await PostAsync("query", $$"""{{{Window}},"metrics":["sum:prop:revenue"],"filters":[{"dimension":"goal","operator":"is","value":"bought"}]}""")));
        Assert.Equal("segments", Engine(await shop.Server.JsonAsync("/v1/metrics/retention?property=shop&from=2026-03-02&to=2026-03-15")));
        Assert.Equal("segments", Engine(await shop.Server.JsonAsync("/v1/metrics/journeys?property=shop&from=2026-03-02&to=2026-03-15&path=/home")));
    }

    [Fact]
    public async Task A_late_event_and_an_erased_day_are_in_the_next_answer()
    {
        const string funnel = """{"property":"late","from":"2026-03-02","to":"2026-03-02","steps":[{"path":"/a"},{"path":"/b"}]}""";
        await shop.Server.StoreAsync(Told.Event("l1", "2026-03-02T10:00:00", path: "/a", property: "late"), Told.Event("l1", "2026-03-02T10:05:00", path: "/b", property: "late"), Told.Event("l2", "2026-03-02T10:00:00", path: "/a", property: "late"));
        Assert.Equal("2 1", Visitors((await PostAsync("funnel", funnel)).GetProperty("steps")));
        await shop.Server.StoreAsync(Told.Event("l2", "2026-03-02T10:07:00", path: "/b", property: "late", received: "2026-03-05T00:00:00"));
        Assert.Equal("2 2", Visitors((await PostAsync("funnel", funnel)).GetProperty("steps")));
        await shop.Server.Database.ExecuteAsync("""
            delete from events where property_id = 'late' and path = '/b'; delete from sessions where property_id = 'late' and visitor_id not in (select visitor_id from events where property_id = 'late');
            insert into dirty_days values ('late', '2026-03-02', 1, now()) on conflict (property_id, day) do update set marks = dirty_days.marks + 1
            """);
        await shop.Server.RollUpAsync();
        var after = await PostAsync("funnel", funnel);
        Assert.Equal(("2 0", "segments"), (Visitors(after.GetProperty("steps")), after.GetProperty("engine").GetString()));
    }

    [Fact]
    public async Task A_changed_goal_counts_for_what_is_past()
    {
        const string question = """{"property":"goals","from":"2026-03-02","to":"2026-03-02","metrics":["events"],"filters":[{"dimension":"goal","operator":"is","value":"g"}]}""";
        await shop.Server.StoreAsync(Told.Event("g", "2026-03-02T10:00:00", "a", property: "goals"), Told.Event("g", "2026-03-02T10:00:10", "b", property: "goals"), Told.Event("g", "2026-03-02T10:00:20", "b", property: "goals"));
        foreach (var (type, count) in new[] { ("a", 1), ("b", 2) })
        {
            await shop.Server.Database.ExecuteAsync($$"""update properties set goals = '[{"name":"g","eventType":"{{type}}"}]' where id = 'goals'""");
            Assert.Equal(count, (await PostAsync("query", question)).GetProperty("totals").GetProperty("events").GetProperty("value").GetInt32());
        }
    }

    public static TheoryData<string, string, int, string> Bad()
    {
        var data = new TheoryData<string, string, int, string>();
        void Add(string endpoint, int status, string parameter, params string[] bodies)
        {
            foreach (var body in bodies) data.Add(endpoint, body, status, parameter);
        }
        Add("funnel", 400, "invalid_json", "", "[", "[]", "null", "\"steps\"", "{\"steps\":[", new string('[', 100), """{"steps":[{"path":"/"},{"path":"\ud800"}],"by":"\ud800"}""");
        Add("funnel", 400, "steps", "{}", """{"steps":[]}""", """{"steps":[{"path":"/"}]}""", """{"steps":"x"}""", """{"steps":{"path":"/"}}""", """{"steps":[{"path":"/"},{}]}""", """{"steps":[{"path":"/"},{"name":"only"}]}""",
            """{"steps":[{"path":"/"},{"path":"x"}]}""", """{"steps":[{"path":"/"},{"path":1}]}""", """{"steps":[{"path":"/"},{"eventType":[]}]}""", """{"steps":[{"path":"/"},{"eventType":""}]}""", """{"steps":[{"path":"/"},{"events":"x"}]}""",
            """{"steps":[{"path":"/"},{"goal":"nowhere"}]}""", """{"steps":[{"path":"/"},{"goal":7}]}""", """{"steps":[{"path":"/"},{"props":{}}]}""", """{"steps":[{"path":"/"},{"props":{"a":1}}]}""", """{"steps":[{"path":"/"},{"props":{"a\u0000":"1"}}]}""",
            """{"steps":[{"path":"/"},{"filters":[{"dimension":"ip","operator":"is","value":"x"}]}]}""", """{"steps":[{"path":"/"},{"name":"","path":"/"}]}""", """{"steps":[{"path":"/"},{"path":"\ud800"}]}""",
            $$"""{"steps":[{{string.Join(',', Enumerable.Repeat("""{"path":"/"}""", 21))}}]}""",
            $$"""{"steps":[{{string.Join(',', Enumerable.Repeat("""{"path":"/","eventType":"x","goal":"bought","props":{"a":"1"}}""", 16))}}]}""");
        foreach (var (member, parameter) in new[] { ("\"windowHours\":0", "windowHours"), ("\"windowHours\":721", "windowHours"), ("\"windowHours\":1.5", "windowHours"), ("\"by\":\"goal\"", "by"), ("\"by\":\"nothing\"", "by"), ("\"experiment\":\"\"", "experiment"),
            ("\"by\":\"device\",\"experiment\":\"x\"", "experiment"), ("\"limit\":1001", "limit"), ("\"windowDays\":0", "windowDays"), ("\"from\":\"2026-02-30\"", "from"), ("\"window_days\":7", "window_days"), ("\"stepz\":1", "stepz"), ("\"property\":\"/\"", "property"),
            ("\"filters\":{}", "filters"), ("\"format\":\"xml\"", "format"), ("\"from\":\"2026-01-01\",\"from\":\"2026-01-02\"", "from") })
        {
            Add("funnel", 400, parameter, $$"""{"steps":[{"path":"/"},{"path":"/"}],{{member}}}""");
        }
        Add("query", 400, "metrics", """{"metrics":["sum:prop:"]}""", """{"metrics":["sum:revenue"]}""", """{"metrics":[]}""", """{"metrics":[1]}""", $$"""{"metrics":["sum:prop:{{new string('k', 121)}}"]}""");
        Add("query", 400, "interval", """{"interval":"day","dimension":"path"}""", """{"interval":"second"}""");
        Add("query", 400, "limit", """{"limit":5}""");
        Add("query", 400, "cursor", """{"cursor":"x"}""", """{"cursor":"x","dimension":"path"}""");
        Add("query", 400, "dimension", """{"dimension":"goal"}""");
        Add("query", 400, "filters", """{"property":"shop","filters":[{"dimension":"goal","operator":"is","value":"nowhere"}]}""", """{"filters":[{"dimension":"goal","operator":"contains","value":"x"}]}""", """{"filters":[{"dimension":"goal","operator":"is","value":null}]}""",
            """{"filters":[{"dimension":"country","operator":"matches","value":"/x"}]}""", """{"filters":[{"dimension":"path","operator":"matches","value":"x"}]}""", """{"filters":[{"dimension":"path","operator":"matches","values":["/x","/y"]}]}""");
        Add("funnel", 413, "body_too_large", $$"""{"steps":"{{new string('x', 70_000)}}"}""");
        return data;
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task What_cannot_be_asked_is_refused_by_name(string endpoint, string json, int status, string what)
    {
        if (json.Contains("\"steps\"", StringComparison.Ordinal) && !json.Contains("\"property\"", StringComparison.Ordinal) && json.StartsWith('{') && json.EndsWith('}')) json = "{\"property\":\"shop\"," + json[1..];
        using var response = await SendAsync(endpoint, json);
        var body = JsonDocument.Parse(await response.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(status, (int)response.StatusCode);
        var error = body.GetProperty("error").GetString();
        Assert.Equal(what, error == "invalid_parameter" ? body.GetProperty("parameter").GetString() : error);
        Assert.False(string.IsNullOrWhiteSpace(body.GetProperty("message").GetString()));
    }

    [Theory]
    [InlineData("/v1/metrics/retention?interval=hour", "interval")]
    [InlineData("/v1/metrics/retention?interval=day&window_days=101", "interval")]
    [InlineData("/v1/metrics/retention?entry=x", "entry")]
    [InlineData("/v1/metrics/retention?return=[1]", "return")]
    [InlineData("/v1/metrics/retention?returns=[]", "returns")]
    [InlineData("/v1/metrics/retention?property=shop&entry=[{\"dimension\":\"goal\",\"operator\":\"is\",\"value\":\"nowhere\"}]", "entry")]
    [InlineData("/v1/metrics/journeys", "path")]
    [InlineData("/v1/metrics/journeys?path=", "path")]
    [InlineData("/v1/metrics/journeys?path=/&steps=6", "steps")]
    [InlineData("/v1/metrics/journeys?path=/&steps=0", "steps")]
    [InlineData("/v1/metrics/journeys?path=/&limit=101", "limit")]
    [InlineData("/v1/metrics/journeys?path=/&filters=[{\"dimension\":\"path\",\"operator\":\"is\",\"value\":\"/\"}]", "filters")]
    public async Task Addresses_that_ask_nonsense_are_refused_by_name(string url, string parameter)
    {
        var (status, body) = await shop.Server.ErrorAsync(url);
        Assert.Equal((400, parameter), (status, body.GetProperty("parameter").GetString()));
    }

    [Fact]
    public async Task Bodies_of_another_kind_and_questions_in_the_address_are_refused()
    {
        using var text = await SendAsync("query", "{}", "text/plain");
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, text.StatusCode);
        using var both = await SendAsync("query?property=shop", "{}");
        Assert.Equal(HttpStatusCode.BadRequest, both.StatusCode);
        using var nobody = await shop.Server.Client.PostAsync(new Uri("/v1/metrics/funnel", UriKind.Relative), new StringContent("{}", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Unauthorized, nobody.StatusCode);
    }

    [Theory]
    [InlineData("funnel", """{"property":"shop","from":"2026-03-02","to":"2026-03-15","format":"csv","by":"device","steps":[{"path":"/home"},{"goal":"bought"}]}""", "device,step,name,visitors,from_previous,from_first,drop_off,median_seconds", 7)]
    [InlineData("query", """{"property":"shop","from":"2026-03-02","to":"2026-03-15","format":"csv","dimension":"device"}""", "device,visitors,sessions,page_views", 3)]
    [InlineData("query", """{"property":"shop","from":"2026-03-02","to":"2026-03-15","format":"csv","metrics":["events"]}""", "window,events", 2)]
    public async Task Every_answer_is_a_table_too(string endpoint, string question, string header, int lines)
    {
        using var response = await SendAsync(endpoint, question);
        var csv = (await response.Content.ReadAsStringAsync()).TrimEnd().Split('\n');
        Assert.Equal((header, lines), (csv[0].TrimEnd('\r'), csv.Length));
    }

    [Fact]
    public async Task Grids_and_ways_are_tables_too()
    {
        using var grid = await shop.Server.GetAsync("/v1/metrics/retention?property=shop&from=2026-03-02&to=2026-03-15&interval=week", ("Accept", "text/csv"));
        Assert.Equal("cohort,visitors,week_0,week_1|2026-03-02,4,4,2|2026-03-09,0,0,", (await grid.Content.ReadAsStringAsync()).Trim().ReplaceLineEndings("|"));
        using var ways = await shop.Server.GetAsync("/v1/metrics/journeys?property=shop&from=2026-03-02&to=2026-03-15&path=/cart&format=csv&limit=1");
        Assert.StartsWith("list,path,views,sessions,share|next,", (await ways.Content.ReadAsStringAsync()).ReplaceLineEndings("|"), StringComparison.Ordinal);
    }

    private async Task<JsonElement> PostAsync(string endpoint, string json)
    {
        using var response = await SendAsync(endpoint, json);
        var text = await response.Content.ReadAsStringAsync();
        Assert.True(response.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<HttpResponseMessage> SendAsync(string endpoint, string json, string type = "application/json")
    {
        using var request = new HttpRequestMessage(HttpMethod.Post, $"/v1/metrics/{endpoint}") { Content = new StringContent(json, Encoding.UTF8) };
        request.Content.Headers.ContentType = new MediaTypeHeaderValue(type);
        request.Headers.Add("x-dashboard-token", ApiServer.DashboardToken);
        return await shop.Server.Client.SendAsync(request);
    }

    private static double D(JsonElement step, string name) => step.GetProperty(name).GetDouble();

    private static string Visitors(JsonElement steps) => string.Join(' ', steps.EnumerateArray().Select(s => s.GetProperty("visitors")));
}
