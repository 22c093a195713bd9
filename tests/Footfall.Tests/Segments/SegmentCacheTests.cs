using Footfall.Explore;
using Footfall.Leads;
using Footfall.Segments;
using Footfall.Tests.Rollups;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>What becomes of segments: changed, damaged, replaced while they are read, too many for the memory.</summary>
public sealed class SegmentCacheTests : DayFixture
{
    private static readonly DateOnly Monday = new(2026, 3, 2);

    private readonly Logged log = new();

    private SegmentCache NewCache(TimeProvider? clock = null, int megabytes = 512) =>
        new(new SegmentStore(Database.Source), Options.Create(new SegmentOptions { MemoryMb = megabytes }), clock ?? TimeProvider.System, log);

    private static async Task<(SegmentGap Gap, long Visitors)> AskAsync(SegmentCache cache, DateOnly? to = null)
    {
        using var moment = cache.Open("app");
        return await AskAsync(moment, to);
    }

    private static async Task<(SegmentGap Gap, long Visitors)> AskAsync(SegmentMoment moment, DateOnly? to = null)
    {
        var window = new DayRange(Monday, to ?? Monday);
        var (segments, gap) = await moment.WindowAsync(window.From, window.To, default);
        return (gap, segments is null ? -1 : (long)SegmentEngine.Answer(new Query("app", window, [Metric.Visitors], []), segments, null, default)[0].Values[0]!);
    }

    private Task StoreDayAsync(string day = "2026-03-02", params string[] visitors) =>
        RollAsync([.. visitors.Select(v => Event(v, $"{day}T10:00:00", "page_view", path: "/"))]);

    [Fact]
    public async Task What_comes_late_is_in_the_next_answer_and_not_in_one_under_way()
    {
        await StoreDayAsync(visitors: ["anna"]);
        var cache = NewCache();
        using var underWay = cache.Open("app");
        Assert.Equal((SegmentGap.None, 1), await AskAsync(underWay));
        await StoreDayAsync(visitors: ["ben"]);
        Assert.Equal((SegmentGap.None, 1), await AskAsync(underWay));
        Assert.Equal((SegmentGap.None, 2), await AskAsync(cache));
    }

    [Fact]
    public async Task A_day_that_comes_to_the_same_bytes_stays_decoded()
    {
        await StoreDayAsync(visitors: ["anna"]);
        var before = await VersionAsync();
        Assert.Null((await Runner.RunAsync(Monday, Monday, null, null, null, default)).Error);
        Assert.Equal(before, await VersionAsync());
        await StoreDayAsync(visitors: ["ben"]);
        Assert.NotEqual(before, await VersionAsync());
    }

    [Fact]
    public async Task Whoever_asks_at_the_same_time_gets_one_and_the_same_segment()
    {
        await StoreDayAsync(visitors: ["anna"]);
        var cache = NewCache();
        var segments = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => Task.Run(async () =>
        {
            using var moment = cache.Open("app");
            return (await moment.WindowAsync(Monday, Monday, default)).Window!.Segments[0];
        })));
        Assert.Single(segments.Distinct());
    }

    [Theory]
    [InlineData("payload = set_byte(payload, 20, get_byte(payload, 20) # 1)")]
    [InlineData("payload = substring(payload from 1 for length(payload) / 2)")]
    [InlineData("payload = '\\x01'")]
    [InlineData("format = 99")]
    public async Task What_cannot_be_read_is_reported_and_built_again(string damage)
    {
        await StoreDayAsync(visitors: ["anna"]);
        await Database.ExecuteAsync($"update day_segments set {damage}, version = nextval('segment_versions')");
        var cache = NewCache();
        Assert.Equal((SegmentGap.Unreadable, -1), await AskAsync(cache));
        Assert.Equal((SegmentGap.Unreadable, -1), await AskAsync(cache));
        Assert.Equal([5501], log.Ids);   // once
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal((SegmentGap.None, 1), await AskAsync(cache));
    }

    [Fact]
    public async Task What_cannot_be_read_nor_built_again_is_never_left_out_in_silence()
    {
        await StoreDayAsync(visitors: ["anna"]);
        await Database.ExecuteAsync("insert into purged_days values ('app', '2026-03-02'); update day_segments set payload = '\\x01', version = nextval('segment_versions')");
        Assert.Equal((SegmentGap.Unreadable, -1), await AskAsync(NewCache()));
        Assert.Equal([5502], log.Ids);
    }

    [Fact]
    public async Task A_changed_day_is_answered_by_raw_rows_when_its_segment_does_not_follow()
    {
        await StoreDayAsync(visitors: ["anna"]);
        await Database.ExecuteAsync("insert into dirty_days values ('app', '2026-03-02', 1, now())");
        Assert.Equal((SegmentGap.None, 1), await AskAsync(NewCache()));
        Assert.Equal((SegmentGap.NotBuilt, -1), await AskAsync(NewCache(new Later(SegmentMoment.MayBeStale + TimeSpan.FromSeconds(30)))));
    }

    [Fact]
    public async Task A_day_without_a_segment_is_empty_only_if_nothing_happened()
    {
        await StoreDayAsync(visitors: ["anna"]);
        var cache = NewCache();
        Assert.Equal((SegmentGap.None, 1), await AskAsync(cache, Monday.AddDays(3)));
        await StoreDayAsync("2026-03-04", "ben");
        Assert.Equal((SegmentGap.None, 2), await AskAsync(cache, Monday.AddDays(3)));
        await Database.ExecuteAsync("delete from day_segments where day = '2026-03-04'");
        var other = NewCache();
        Assert.Equal((SegmentGap.NotBuilt, -1), await AskAsync(other, Monday.AddDays(3)));
        Assert.Equal([5504], log.Ids);
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal((SegmentGap.None, 2), await AskAsync(other, Monday.AddDays(3)));
    }

    [Fact]
    public async Task The_memory_is_kept_and_what_was_used_last_stays()
    {
        for (var day = 0; day < 6; day++) await StoreDayAsync($"2026-03-0{2 + day}", "anna");
        const int bytesOfEach = 5_000_000;   // as if they were large
        await Database.ExecuteAsync($"update day_segments set decoded_bytes = {bytesOfEach}, version = nextval('segment_versions')");
        var cache = NewCache(megabytes: 16);
        using (var all = cache.Open("app")) Assert.Equal(SegmentGap.TooLarge, (await all.WindowAsync(Monday, Monday.AddDays(5), default)).Gap);
        Assert.True(cache.Reserve(cache.Limit - 6_000_000));   // others have taken the rest
        for (var day = 0; day < 6; day++)
        {
            using var one = cache.Open("app");
            Assert.Equal(SegmentGap.None, (await one.WindowAsync(Monday.AddDays(day), Monday.AddDays(day), default)).Gap);
            Assert.True(cache.UsedBytes <= cache.Limit);
        }
        using var held = cache.Open("app");
        Assert.Equal(SegmentGap.None, (await held.WindowAsync(Monday, Monday, default)).Gap);
        for (var bytes = 6_000_000; bytes > 0; bytes /= 2) cache.Reserve(bytes);   // all that can be had
        using var another = cache.Open("app");
        Assert.Equal(SegmentGap.TooLarge, (await another.WindowAsync(Monday.AddDays(1), Monday.AddDays(1), default)).Gap);   // what is in use stays
        Assert.Equal((SegmentGap.None, 1), await AskAsync(held));
    }

    [Fact]
    public async Task Whoever_is_erased_is_in_no_answer_any_more()
    {
        await StoreDayAsync(visitors: ["anna", "ben"]);
        await StoreDayAsync("2026-03-03", "anna", "ben");
        // The first day's raw rows are gone, the second's are there.
        await Database.ExecuteAsync("insert into purged_days values ('app', '2026-03-02')");
        var number = await Database.ScalarAsync<int>("select number from visitors where anon_id = 'anon-anna'");
        var cache = NewCache();
        Assert.Equal((SegmentGap.None, 2), await AskAsync(cache, Monday.AddDays(1)));

        var traces = new SegmentTraces(NullLogger<SegmentTraces>.Instance);
        await using var connection = await Database.Source.OpenConnectionAsync();
        await traces.EraseAsync(connection, new ErasedPerson([], [number], [], ["app"], [], [("app", Monday), ("app", Monday.AddDays(1))]), default);
        await Database.ExecuteAsync("""
            delete from events where visitor_id = (select id from visitors where anon_id = 'anon-anna');
            delete from sessions where visitor_id = (select id from visitors where anon_id = 'anon-anna');
            insert into dirty_days values ('app', '2026-03-03', 1, now())
            """);
        Assert.Equal((SegmentGap.NotBuilt, -1), await AskAsync(cache, Monday.AddDays(1)));   // raw rows answer
        await traces.SweepAsync(connection, [number], [], default);
        Assert.Null((await Runner.RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal((SegmentGap.None, 1), await AskAsync(cache));
        Assert.Equal((SegmentGap.None, 1), await AskAsync(cache, Monday.AddDays(1)));
        foreach (var payload in await PayloadsAsync()) Assert.DoesNotContain(number, SegmentCodec.Decode(payload).Visitor);
    }

    [Fact]
    public async Task An_address_in_a_page_of_a_day_without_raw_rows_gives_way_to_a_blot()
    {
        await RollAsync(Event("anna", "2026-03-02T10:00:00", "page_view", path: "/thanks?mail=ann@example.org", props: """{"to":"ann@example.org","n":1}"""));
        await Database.ExecuteAsync("insert into purged_days values ('app', '2026-03-02')");
        await using var connection = await Database.Source.OpenConnectionAsync();
        Assert.Equal(["day_segments"], await new SegmentTraces(NullLogger<SegmentTraces>.Instance).BlotAsync(connection, Mentions.Of(["ann@example.org"]), default));
        var data = SegmentCodec.Decode(Assert.Single(await PayloadsAsync()));
        Assert.Equal(["/thanks?mail=[erased]"], data.Texts[(int)SegmentWords.Path].Skip(1));
        Assert.Equal(["[erased]"], SegmentCodec.Unpack(data.Props.Columns["to"]).Texts.Skip(1));
        Assert.Empty(await new SegmentTraces(NullLogger<SegmentTraces>.Instance).BlotAsync(connection, Mentions.Of(["ann@example.org"]), default));
    }

    private async Task<long> VersionAsync() => await Database.ScalarAsync<long>("select version from day_segments");

    private async Task<List<byte[]>> PayloadsAsync()
    {
        List<byte[]> payloads = [];
        await using var command = Database.Source.CreateCommand("select payload from day_segments");
        await using var rows = await command.ExecuteReaderAsync();
        while (await rows.ReadAsync()) payloads.Add(rows.GetFieldValue<byte[]>(0));
        return payloads;
    }

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }

    private sealed class Logged : ILogger<SegmentCache>
    {
        public List<int> Ids { get; } = [];

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            lock (Ids) Ids.Add(eventId.Id);
        }
    }
}
