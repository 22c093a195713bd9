using Footfall.Rollups;
using Footfall.Segments;
using Footfall.Tests.Rollups;
using Microsoft.Extensions.Logging;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>Days that are too large for a segment are found out once, not every few seconds.</summary>
public sealed class LargeDayTests : DayFixture
{
    private static readonly DateOnly Monday = new(2026, 3, 2);
    private static readonly SegmentLimits Small = SegmentLimits.Usual with { Texts = 30, BuildBytes = 200_000 };

    private readonly Refusals refusals = new();

    private async Task PassAsync(SegmentLimits limits, TimeSpan later = default)
    {
        var runner = new RollupRunner(Database.Source, new RollupStore(Database.Source), [new SegmentModel(limits, refusals)], new Later(later), NullLogger<RollupRunner>.Instance);
        await Database.ExecuteAsync("insert into dirty_days values ('app', '2026-03-02', 1, now()) on conflict (property_id, day) do update set marks = dirty_days.marks + 1");
        Assert.Null((await runner.RunDirtyAsync(null, wait: true, default)).Error);
    }

    private Task StoreAsync(int paths) => RollAsync([.. Enumerable.Range(0, paths).Select(i => Event($"v{i % 5}", $"2026-03-02T10:{i % 60:00}:00", "page_view", path: $"/{i}"))]);

    private async Task<bool> HasSegmentAsync() => await Database.ScalarAsync<bool>("select exists (select from day_segments where length(payload) > 0)");

    [Fact]
    public async Task A_day_that_is_too_large_is_not_read_again_as_long_as_it_only_grows()
    {
        await StoreAsync(50);
        Assert.True(await HasSegmentAsync());
        await PassAsync(Small);
        Assert.False(await HasSegmentAsync());
        Assert.Equal(1, refusals.Count);
        for (var pass = 0; pass < 3; pass++) await PassAsync(Small);
        Assert.Equal(1, refusals.Count);
        Assert.Equal(0, await Database.ScalarAsync<long>("select count(*) from dirty_days"));   // it waits for nothing
    }

    [Fact]
    public async Task A_day_that_was_too_large_is_read_again_after_some_hours()
    {
        await StoreAsync(50);
        await PassAsync(Small);
        await PassAsync(Small, SegmentStore.TooLargeFor - TimeSpan.FromMinutes(5));
        Assert.Equal(1, refusals.Count);
        await PassAsync(Small, SegmentStore.TooLargeFor + TimeSpan.FromMinutes(5));
        Assert.Equal(2, refusals.Count);
        await PassAsync(Small, SegmentStore.TooLargeFor + TimeSpan.FromMinutes(10));
        Assert.Equal(2, refusals.Count);
    }

    [Fact]
    public async Task More_memory_gives_a_day_that_was_too_large_its_segment()
    {
        await StoreAsync(50);
        await PassAsync(Small);
        await PassAsync(Small with { BuildBytes = Small.BuildBytes - 1 });
        Assert.Equal(2, refusals.Count);
        await PassAsync(Small with { BuildBytes = Small.BuildBytes - 1 });
        Assert.Equal(2, refusals.Count);
        await PassAsync(SegmentLimits.Usual);
        Assert.True(await HasSegmentAsync());
    }

    [Fact]
    public async Task A_day_that_an_erasure_has_made_smaller_is_read_again()
    {
        await StoreAsync(50);
        await PassAsync(Small);
        await using (var connection = await Database.Source.OpenConnectionAsync())
        {
            await new SegmentTraces(NullLogger<SegmentTraces>.Instance).EraseAsync(connection, new Footfall.Leads.ErasedPerson([], [1], [], ["app"], [], [("app", Monday)]), default);
        }
        await Database.ExecuteAsync("delete from events where path <> '/1'");
        await PassAsync(Small with { Texts = 45 });
        Assert.True(await HasSegmentAsync());
    }

    private sealed class Later(TimeSpan by) : TimeProvider
    {
        public override DateTimeOffset GetUtcNow() => System.GetUtcNow() + by;
    }

    private sealed class Refusals : ILogger<SegmentModel>
    {
        public int Count { get; private set; }

        public IDisposable? BeginScope<TState>(TState state)
            where TState : notnull => null;

        public bool IsEnabled(LogLevel logLevel) => true;

        public void Log<TState>(LogLevel logLevel, EventId eventId, TState state, Exception? exception, Func<TState, Exception?, string> formatter)
        {
            if (eventId.Id == 5503) Count++;
        }
    }
}
