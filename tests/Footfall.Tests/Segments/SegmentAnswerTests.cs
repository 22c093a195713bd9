using Footfall.Explore;
using Footfall.Segments;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>What the API says, and which engine said it.</summary>
public sealed class SegmentAnswerTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Question = "/v1/metrics/breakdown?from=2026-03-02&to=2026-03-03&dimension=path&metrics=visitors,sessions,page_views,leads";

    private async Task<(string Engine, string Rows)> AskAsync(string property, string more = "")
    {
        var body = await server.JsonAsync($"{Question}&property={property}{more}");
        return (body.GetProperty("engine").GetString()!, body.GetProperty("rows").GetRawText());
    }

    [Fact]
    public async Task Segments_answer_and_where_there_are_none_raw_rows_say_the_same()
    {
        await server.StoreAsync(
            Told.Event("anna", "2026-03-02T23:50:00", path: "/a", property: "both", props: """{"plan":"pro"}"""),
            Told.Event("anna", "2026-03-03T00:10:00", path: "/b", property: "both"),
            Told.Event("ben", "2026-03-03T10:00:00", path: "/a", property: "both"));
        var (engine, rows) = await AskAsync("both");
        Assert.Equal("segments", engine);
        var (_, compared) = await AskAsync("both", "&compareTo=previous_period");
        await server.Database.ExecuteAsync("delete from day_segments where property_id = 'both'; insert into dirty_days values ('both', '2026-03-02', 1, now()), ('both', '2026-03-03', 1, now())");
        Assert.Equal(("sql", rows), await AskAsync("both"));
        Assert.Equal(("sql", compared), await AskAsync("both", "&compareTo=previous_period"));
        await server.RollUpAsync();
        Assert.Equal(("segments", rows), await AskAsync("both"));
    }

    [Fact]
    public async Task An_answer_with_a_comparison_comes_from_one_engine()
    {
        await server.StoreAsync(
            Told.Event("anna", "2026-03-02T10:00:00", path: "/a", property: "halves"),
            Told.Event("ben", "2026-02-28T10:00:00", path: "/a", property: "halves"));
        Assert.Equal("segments", (await AskAsync("halves", "&compareTo=previous_period")).Engine);
        // The days before have no segments: all of the answer is from raw rows.
        await server.Database.ExecuteAsync("delete from day_segments where property_id = 'halves' and day = '2026-02-28'; insert into dirty_days values ('halves', '2026-02-28', 1, now())");
        Assert.Equal("sql", (await AskAsync("halves", "&compareTo=previous_period")).Engine);
        Assert.Equal("segments", (await AskAsync("halves")).Engine);
    }

    [Fact]
    public async Task A_session_that_ends_elsewhere_on_the_next_day_is_so_on_its_first_day_too()
    {
        await server.StoreAsync(Told.Event("anna", "2026-03-02T23:50:00", path: "/a", property: "exits"));
        const string filter = "&filters=[{\"dimension\":\"exit_path\",\"operator\":\"is\",\"value\":\"/late\"}]";
        Assert.Equal("[]", (await AskAsync("exits", filter)).Rows);
        await server.StoreAsync(Told.Event("anna", "2026-03-03T00:10:00", path: "/late", property: "exits"));
        var (engine, rows) = await AskAsync("exits", filter);
        Assert.Equal("segments", engine);
        Assert.Contains("/a", rows, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_prop_that_a_day_does_not_hold_is_asked_of_raw_rows()
    {
        await server.StoreAsync([.. Enumerable.Range(0, 40).Select(i => Told.Event($"v{i}", "2026-03-02T10:00:00", property: "props",
            props: $$"""{{{string.Join(',', Enumerable.Range(0, 28).Select(k => $"\"key-{i}-{k}\":1"))}},"plan":"pro"}"""))]);
        Assert.Equal("segments", (await AskAsync("props")).Engine);
        var plan = await server.JsonAsync("/v1/metrics/breakdown?property=props&from=2026-03-02&to=2026-03-02&dimension=prop:plan&metrics=events");
        Assert.Equal(40, plan.GetProperty("rows")[0].GetProperty("metrics").GetProperty("events").GetProperty("value").GetDouble());
        var seldom = await server.JsonAsync("/v1/metrics/breakdown?property=props&from=2026-03-02&to=2026-03-02&dimension=prop:key-39-27&metrics=events");
        Assert.Equal("sql", seldom.GetProperty("engine").GetString());
        Assert.Contains(seldom.GetProperty("rows").EnumerateArray(), r => r.GetProperty("value").GetString() == "1");
    }

    // More than one processor counts: the same as one after the other.
    [Fact]
    public void Many_events_are_counted_by_several_at_once()
    {
        var random = new Random(10);
        var day = new DateOnly(2026, 3, 2);
        var vocabulary = new Vocabulary();
        Dictionary<string, (HashSet<int> Visitors, HashSet<Guid> Sessions, long Hits)> expected = new(StringComparer.Ordinal);
        List<DaySegment> segments = [];
        for (var d = 0; d < 3; d++)
        {
            var builder = new SegmentBuilder(day.AddDays(d), SegmentLimits.Usual);
            for (var s = 0; s < 40_000; s++)
            {
                var (visitor, id, start) = (random.Next(1, 30_000), Guid.NewGuid(), random.NextInt64(0, 80_000_000_000));
                var key = new Guid(visitor, 0, 0, new byte[8]);
                builder.Add(new BuiltSession(key, id, visitor, start, start + 5_000_000, 0, SessionFlags.None, new string?[Enum.GetValues<SessionFact>().Length]));
                for (var i = 0; i < 5; i++)
                {
                    var path = $"/{(int)Math.Sqrt(random.Next(10_000))}";
                    builder.Add(key, id, start + i, false, random.Next(4) == 0 ? "click" : "page_view", path, default);
                    if (!expected.TryGetValue(path, out var of)) of = ([], [], 0);
                    of.Visitors.Add(visitor);
                    of.Sessions.Add(id);
                    expected[path] = of with { Hits = of.Hits + 1 };
                }
            }
            segments.Add(builder.Build().With(vocabulary, d, DateTimeOffset.UnixEpoch));
        }
        var query = new Query("p", new DayRange(day, day.AddDays(2)), [Metric.Visitors, Metric.Sessions, Metric.Events], [], new Dimension(DimensionKind.Path)) { Limit = 1_000 };
        var cells = SegmentEngine.Answer(query, new SegmentWindow(day, day.AddDays(2), segments, vocabulary), null, default);
        Assert.Equal(
            expected.OrderBy(e => e.Key, StringComparer.Ordinal).Select(e => (e.Key, (double)e.Value.Visitors.Count, (double)e.Value.Sessions.Count, (double)e.Value.Hits)),
            cells.OrderBy(c => c.Key, StringComparer.Ordinal).Select(c => (c.Key!, c.Values[0]!.Value, c.Values[1]!.Value, c.Values[2]!.Value)));

        using var cancelled = new CancellationTokenSource();
        cancelled.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => SegmentEngine.Answer(query, new SegmentWindow(day, day.AddDays(2), segments, vocabulary), null, cancelled.Token));
    }
}
