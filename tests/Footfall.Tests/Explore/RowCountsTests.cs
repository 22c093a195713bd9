using Footfall.Explore;
using Footfall.Segments;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>Windows that are large enough for several threads to share.</summary>
public sealed class RowCountsTests
{
    private const int Rows = 250_000;
    private static readonly DayRange Days = new(new DateOnly(2026, 3, 2), new DateOnly(2026, 3, 4));

    [Theory]
    [InlineData(null)]
    [InlineData(Interval.Day)]
    public void What_is_called_off_ends_as_called_off(object? interval)
    {
        using var stop = new CancellationTokenSource();
        stop.Cancel();
        Assert.ThrowsAny<OperationCanceledException>(() => Count((Interval?)interval, stop.Token));
    }

    [Theory]
    [InlineData(null, new long[] { Rows })]
    [InlineData(Interval.Day, new long[] { Rows, Rows, Rows })]
    public void Each_visitor_counts_once_in_each_group_and_each_event_once(object? interval, long[] visitors)
    {
        var tally = Count((Interval?)interval, TestContext.Current.CancellationToken);
        Assert.Equal(visitors, tally.Visitors);
        Assert.Equal(Days.Days * 2L * Rows, tally.Events!.Sum());
    }

    private static Tally Count(Interval? interval, CancellationToken stop)
    {
        var vocabulary = new Vocabulary();
        DaySegment[] segments = [.. Enumerable.Range(0, Days.Days).Select(n => Segment(Days.From.AddDays(n)).With(vocabulary, n, DateTimeOffset.UnixEpoch))];
        var query = new Query("shop", Days, [Metric.Visitors, Metric.Events], [], Per: interval);
        var grouping = new Grouping(query, vocabulary);
        var tally = new Tally(grouping.Count, query.Metrics);
        var all = RowSet.All(Rows);   // a filter that everybody passes
        new RowCounts(new SegmentWindow(Days.From, Days.To, segments, vocabulary), [.. segments.Select(s => new KeptPart(s, all, null, null))], grouping, tally).Count(stop);
        return tally;
    }

    /// <summary>A day of the same visitors as all others, each with one session of two events.</summary>
    private static SegmentData Segment(DateOnly day) => new()
    {
        Day = day,
        Homes = Rows,
        Visitor = [.. Enumerable.Range(1, Rows)],
        Start = new int[Rows],
        Duration = new uint[Rows],
        DurationMicros = null,
        Engaged = new uint[Rows],
        LongSessions = [],
        Flags = new SessionFlags[Rows],
        Texts = [.. Enum.GetValues<SegmentWords>().Select(_ => new string[] { null! })],
        Facts = [.. Enum.GetValues<SessionFact>().Select(_ => new Numbers())],
        Events = new Numbers { Constant = 2 },
        PageViews = new Numbers { Constant = 2 },
        Conversions = new Numbers(),
        Groups = [],
        HitRow = [],
        HitTime = [],
        HitMicros = null,
        HitConverted = [],
        Props = new PropTable(new Dictionary<string, PackedProp>(), new HashSet<string>(), false),
    };
}
