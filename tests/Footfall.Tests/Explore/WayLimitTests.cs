using System.Diagnostics;
using Footfall.Explore;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>What one visitor, or everybody, could do to make a question about ways take for ever.</summary>
public sealed class WayLimitTests
{
    private const long Hour = 3_600_000_000;

    [Fact]
    public void A_visitor_with_a_million_events_is_followed_in_no_time_and_exactly()
    {
        // Each event of step 1 begins an attempt; all but the last are too early for the only event of step 3.
        const int many = 1_000_000;
        var worker = new FunnelWorker(3, Hour, null, null);
        worker.Begin(7, 8);
        worker.Entered.Add(7);
        for (var i = 0; i < many; i++) worker.Add(7, i * Hour / 1_000, 0, 0);
        for (var i = 0; i < many; i++) worker.Add(7, (i * Hour / 1_000) + 1, 1, 0);
        worker.Add(7, (many - 1 + 500) * Hour / 1_000, 2, 0);
        var watch = Stopwatch.StartNew();
        worker.Count();
        Assert.True(watch.Elapsed < TimeSpan.FromSeconds(20), $"It took {watch.Elapsed}.");
        var query = new FunnelQuery("p", default, [new("1", []), new("2", []), new("3", [])], 1, [], null, null);
        var result = FunnelTally.Result(query, [worker.Tally], null);
        Assert.Equal([1, 1, 1], result.Overall.Visitors);
        // Of the attempts that end within the hour the first counts: it begins 500 events before the last, and takes its own second step.
        Assert.Equal([0.000001, 3600 - 0.000001], result.Overall.MedianSeconds);
    }

    [Fact]
    public void More_ways_than_fit_in_memory_are_left_to_raw_rows()
    {
        var tally = new JourneyTally(1);
        for (var i = 0; i < 1_000_000; i++) tally.AddWay(PageSequence.Of([1, i]));
        tally.AddWay(PageSequence.Of([1, 0]));   // known
        Assert.Throws<TooMuchForSegmentsException>(() => tally.AddWay(PageSequence.Of([2, 0])));
    }

    [Theory]
    [InlineData("0", 0L)]
    [InlineData("19.99", 19_990_000L)]
    [InlineData("-0.0000005", -1L)]
    [InlineData("0.00000049999", 0L)]
    [InlineData("999999999999.999999", 999_999_999_999_999_999L)]
    [InlineData("007", 7_000_000L)]
    [InlineData("1000000000000", null)]
    [InlineData("", null)]
    [InlineData("-", null)]
    [InlineData(".5", null)]
    [InlineData("5.", null)]
    [InlineData("1e3", null)]
    [InlineData("+1", null)]
    [InlineData(" 1", null)]
    [InlineData("1\n", null)]
    [InlineData("1,5", null)]
    [InlineData("true", null)]
    [InlineData("\u0661", null)]
    public void What_is_a_number_is_told_to_the_millionth(string text, long? millionths) => Assert.Equal(millionths, PropNumber.Millionths(text));
}
