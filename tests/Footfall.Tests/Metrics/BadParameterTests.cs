using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Metrics;

/// <summary>What cannot be asked is answered 400 with the parameter's name, before anything is read.</summary>
public sealed class BadParameterTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Breakdown = "breakdown?dimension=path&";

    public static TheoryData<string, string> Bad()
    {
        var data = new TheoryData<string, string>();
        void Add(string parameter, params string[] questions)
        {
            foreach (var question in questions) data.Add(question, parameter);
        }

        // Days and windows.
        Add("from", $"{Breakdown}from=yesterday", $"{Breakdown}from=2026-02-30", $"{Breakdown}from=2026-2-3", $"{Breakdown}from=01/02/2026", $"{Breakdown}from=", $"{Breakdown}from=2026-01-02T00:00:00Z",
            $"{Breakdown}from=1969-12-31&to=1970-01-05", $"{Breakdown}from=2026-02-02&to=2026-02-01", $"{Breakdown}from=2015-01-01&to=2026-01-01", $"{Breakdown}from=0000-00-00", $"{Breakdown}from=2026-01-01&from=2026-01-02",
            "daily?from=10000-01-01", "vitals?from=-1", "timeseries?from=2026-01-01%00");
        Add("to", $"{Breakdown}to=tomorrow", $"{Breakdown}to=9999-12-31", $"{Breakdown}to=2026-13-01", "daily?to=3000-01-01", "vitals?to=now()");
        Add("window_days", $"{Breakdown}window_days=0", $"{Breakdown}window_days=-7", $"{Breakdown}window_days=1831", $"{Breakdown}window_days=7.5", $"{Breakdown}window_days=99999999999999999999", $"{Breakdown}window_days=seven",
            $"{Breakdown}window_days=7&from=2026-01-01", "daily?window_days=1e3");
        Add("compareTo", $"{Breakdown}compareTo=last_period", $"{Breakdown}compareTo=2026-02-30", $"{Breakdown}compareTo=0001-01-01", $"{Breakdown}compareTo=9999-12-31", "timeseries?compareTo=previous_month",
            "timeseries?from=1970-01-01&to=1970-01-02&compareTo=previous_year");
        // What is asked.
        Add("dimension", "breakdown", "breakdown?dimension=", "breakdown?dimension=visitor_id", "breakdown?dimension=Path", "breakdown?dimension=path;drop table events", "breakdown?dimension=prop:", "breakdown?dimension=prop",
            $"breakdown?dimension=prop:{new string('k', 121)}", "breakdown?dimension=path&dimension=country");
        Add("metrics", $"{Breakdown}metrics=", $"{Breakdown}metrics=visitors,", $"{Breakdown}metrics=visitors,visitors", $"{Breakdown}metrics=count(*)", "timeseries?metrics=Visitors", "timeseries?metrics=revenue");
        Add("interval", "timeseries?interval=minute", "timeseries?interval=", "timeseries?interval=DAY", "timeseries?window_days=1000&interval=hour");
        Add("limit", $"{Breakdown}limit=0", $"{Breakdown}limit=1001", $"{Breakdown}limit=-1", $"{Breakdown}limit=all", $"{Breakdown}limit=10;", "vitals?limit=100000000000000");
        Add("cursor", $"{Breakdown}cursor=abc", $"{Breakdown}cursor=%27", $"{Breakdown}cursor=AAAA", $"{Breakdown}cursor={new string('A', 5000)}", "vitals?cursor=e30", $"{Breakdown}cursor=../../etc/passwd");
        Add("filters",
            F("{}"), F("["), F("[1]"), F("""[{"dimension":"path"}]"""), F("""[{"dimension":"path","operator":"is"}]"""), F("""[{"dimension":"path","operator":"like","value":"/"}]"""),
            F("""[{"dimension":"ip_hash","operator":"is","value":"/"}]"""), F("""[{"dimension":"path","operator":"is","value":1}]"""), F("""[{"dimension":"path","operator":"is","value":"/","values":["/"]}]"""),
            F("""[{"dimension":"path","operator":"is","values":[]}]"""), F("""[{"dimension":"path","operator":"contains","value":""}]"""), F("""[{"dimension":"path","operator":"contains","value":null}]"""),
            F("""[{"dimension":"path","operator":"contains","values":["a","b"]}]"""), F("""[{"dimension":"path","operator":"is","value":"\u0000"}]"""), F("""[{"dimension":"path","operator":"is","value":"\ud800"}]"""),
            F("""[{"dimension":"prop:\u0000","operator":"is","value":"x"}]"""), F("""[{"dimension":"path","operator":"is","value":["/"]}]"""), F("""[{"dimension":"path","operator":"is","value":"/","or":1}]"""),
            F($"""[{string.Join(',', Enumerable.Repeat("""{"dimension":"path","operator":"is","value":"/"}""", 21))}]"""),
            F($$"""[{"dimension":"path","operator":"is","values":[{{string.Join(',', Enumerable.Repeat("\"/\"", 101))}}]}]"""),
            F($$"""[{"dimension":"path","operator":"is","value":"{{new string('x', 2049)}}"}]"""),
            F(new string('[', 100)));
        // Everything else.
        Add("property", $"{Breakdown}property=", $"{Breakdown}property=a/b", $"{Breakdown}property=%27%3B--", $"{Breakdown}property={new string('p', 65)}", $"{Breakdown}property=a&propertyId=b", "realtime?property=%00");
        Add("propertyId", "daily?propertyId=-x");
        Add("format", $"{Breakdown}format=xml", "daily?format=CSV", "realtime?format=");
        Add("bom", $"{Breakdown}bom=yes");
        Add("device", "vitals?device=bot", "vitals?device=phone");
        Add("dimention", "timeseries?dimention=path");
        Add("from", "realtime?from=2026-01-01");
        return data;

        static string F(string filters) => $"{Breakdown}filters={Uri.EscapeDataString(filters)}";
    }

    [Theory]
    [MemberData(nameof(Bad))]
    public async Task What_cannot_be_asked_is_refused_by_name(string question, string parameter)
    {
        var (status, body) = await server.ErrorAsync($"/v1/metrics/{question}");
        Assert.Equal((400, "invalid_parameter", parameter), (status, body.GetProperty("error").GetString(), body.GetProperty("parameter").GetString()));
    }

    [Fact]
    public void There_are_many_of_them() => Assert.True(Bad().Count >= 60, $"{Bad().Count}");

    [Fact]
    public async Task A_cursor_of_another_question_is_refused()
    {
        await server.StoreAsync(Enumerable.Range(0, 3).Select(i => Told.Event($"cursor{i}", "2026-01-05T10:00:00", path: $"/{i}", property: "cursors")));
        const string question = "/v1/metrics/breakdown?property=cursors&from=2026-01-05&to=2026-01-05&dimension=path&limit=1";
        var cursor = (await server.JsonAsync(question)).GetProperty("nextCursor").GetString();
        Assert.NotNull(cursor);
        await server.JsonAsync($"{question}&cursor={cursor}");
        foreach (var other in new[] { "&metrics=events", "&window_days=3", "&filters=" + Uri.EscapeDataString("""[{"dimension":"path","operator":"is_not","value":"/x"}]""") })
        {
            var url = other.Contains("window", StringComparison.Ordinal) ? $"/v1/metrics/breakdown?property=cursors&dimension=path{other}&cursor={cursor}" : $"{question}{other}&cursor={cursor}";
            var (status, body) = await server.ErrorAsync(url);
            Assert.Equal((400, "cursor"), (status, body.GetProperty("parameter").GetString()));
        }
    }

    [Fact]
    public async Task A_property_that_is_not_there_is_404()
    {
        var (status, body) = await server.ErrorAsync("/v1/metrics/breakdown?property=nowhere&dimension=path");
        Assert.Equal((404, "property_not_found"), (status, body.GetProperty("error").GetString()));
    }
}
