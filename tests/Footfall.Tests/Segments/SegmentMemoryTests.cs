using System.Text;
using Footfall.Segments;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>What a day is collected in, and how much of it there is.</summary>
public sealed class SegmentMemoryTests
{
    private static readonly DateOnly Day = new(2026, 3, 2);

    [Fact]
    public void Texts_have_the_codes_and_the_order_that_a_dictionary_and_a_sorted_list_give_them()
    {
        var cases = from seed in Gen.Choose(0, int.MaxValue) from count in Gen.Choose(0, 3_000) select (seed, count);
        Prop.ForAll(Arb.From(cases), c =>
        {
            var random = new Random(c.seed);
            using var table = new TextTable();
            var codes = new Dictionary<string, int>(StringComparer.Ordinal);
            for (var i = 0; i < c.count; i++)
            {
                var text = TextOf(random);
                var isNew = codes.TryAdd(text, codes.Count + 1);
                Assert.Equal(isNew ? 0 : codes[text], table.Find(Encoding.UTF8.GetBytes(text)));
                Assert.Equal(codes[text], table.Add(Encoding.UTF8.GetBytes(text)));
            }
            Assert.Equal(codes.Count + 1, table.Count);
            foreach (var (text, code) in codes) Assert.Equal(text, Encoding.UTF8.GetString(table[code]));
            using var order = table.Sort();
            using var places = TextTable.PlacesOf(order);
            var sorted = codes.Keys.Select(Encoding.UTF8.GetBytes).Order(Comparer<byte[]>.Create((a, b) => a.AsSpan().SequenceCompareTo(b))).Select(Encoding.UTF8.GetString).ToList();
            Assert.Equal(sorted.Select(t => codes[t]), order.Span[1..].ToArray());
            for (var i = 1; i < order.Length; i++) Assert.Equal(i, places[order[i]]);
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(60).WithQuietOnSuccess(true));
    }

    /// <summary>Long and short, with beginnings in common, with zeros, with letters of which UTF-16 and UTF-8 disagree about the order; now and then longer than a block.</summary>
    private static string TextOf(Random random) => random.Next(400) switch
    {
        0 => new string('x', random.Next(60_000, 70_000)),
        1 => new string('y', 200_000),
        < 10 => "",
        < 60 => new string('\0', random.Next(1, 20)),
        < 120 => "/ab" + new string('c', random.Next(30)),
        < 200 => $"/a/long/common/beginning/{random.Next(500)}",
        < 230 => random.Next(2) == 0 ? "/\ud83d\ude00" : "/\ue000",
        < 260 => $"{new string('l', 250 + random.Next(12))}",
        _ => $"/{random.Next(2_000)}",
    };

    [Theory]
    [InlineData(0)]
    [InlineData(5)]
    [InlineData(16_384)]
    [InlineData(100_000)]
    public void A_column_is_a_list(int count)
    {
        using var longs = new Column<long>();
        using var ids = new Column<Guid>();
        using var bytes = new Column<byte>();
        for (var i = 0; i < count; i++)
        {
            longs.Add(i * 3L);
            ids.Add(new Guid(i, 0, 0, new byte[8]));
            bytes.Add((byte)i);
        }
        longs.AddZeros(count + 1);
        Assert.Equal(((count * 2) + 1, count, count), (longs.Count, ids.Count, bytes.Count));
        for (var i = 0; i < count; i++) Assert.Equal((i * 3L, 0L, new Guid(i, 0, 0, new byte[8]), (byte)i), (longs[i], longs[count + i], ids[i], bytes[i]));
        Assert.Throws<ArgumentOutOfRangeException>(() => longs[(count * 2) + 1]);
        Assert.Throws<ArgumentOutOfRangeException>(() => bytes[-1]);
        longs.Dispose();
        Assert.Equal((0, 0), (longs.Count, longs.Bytes));
    }

    [Fact]
    public void A_narrow_column_widens_to_what_it_is_given()
    {
        using var column = new NarrowColumn();
        int[] values = [0, 255, 7, 256, 9, 65_535, 1, 65_536, 3, int.MaxValue];
        List<int> expected = [];
        foreach (var value in values)
        {
            column.Add(0);
            expected.Add(0);
            column[expected.Count - 1] = value;
            expected[^1] = value;
            column.Add(value);
            expected.Add(value);
            Assert.Equal(expected, Enumerable.Range(0, column.Count).Select(i => column[i]));
        }
    }

    [Theory]
    [InlineData(1, 60_000, 60_000)]      // each event at a path of its own
    [InlineData(1, 60_000, 100)]
    [InlineData(8, 60_000, 2_000)]
    public void Building_a_day_takes_no_more_than_it_says_and_hardly_any_of_it_from_the_collector(int hitsOfSession, int hits, int paths)
    {
        const int OfCollector = 2_000_000;   // a list alone of as many texts would be four
        var facts = new string?[Enum.GetValues<SessionFact>().Length];
        var builder = new SegmentBuilder(Day, SegmentLimits.Usual);
        Add(builder, 0, 2_000);   // what is made once
        var before = GC.GetAllocatedBytesForCurrentThread();
        Add(builder, 2_000, hits);
        Assert.True(builder.Bytes <= builder.BuildBytes + 1_000_000, $"It takes {builder.Bytes:N0} bytes and says {builder.BuildBytes:N0}.");
        var encoded = builder.Encode();
        var taken = GC.GetAllocatedBytesForCurrentThread() - before - encoded.Payload.Length;
        Assert.True(taken < OfCollector, $"{taken:N0} bytes were allocated.");
        Assert.Equal((0, hits), (builder.Bytes, encoded.Hits));

        void Add(SegmentBuilder to, int from, int end)
        {
            Span<byte> letters = stackalloc byte[64];
            for (var i = from; i < end; i++)
            {
                var (visitor, session) = (new Guid(i / hitsOfSession, 1, 0, 0, 0, 0, 0, 0, 0, 0, 0), new Guid(i / hitsOfSession, 2, 0, 0, 0, 0, 0, 0, 0, 0, 0));
                Encoding.UTF8.TryGetBytes("/path-", letters, out var begun);
                (i % paths).TryFormat(letters[begun..], out var written);
                var path = to.Code(SegmentWords.Path, letters[..(begun + written)]);
                if (i % hitsOfSession == 0) to.Add(visitor, session, i, i * 1_000_000L, (i + 5) * 1_000_000L, 0, SessionFlags.None);
                to.Add(visitor, session, to.Code(SegmentWords.EventType, "page_view"u8), path, i * 1_000_000L, false, """{"plan": "pro"}"""u8);
            }
        }
    }

    [Fact]
    public void A_day_that_would_take_too_much_to_build_is_too_large_and_so_is_one_of_too_many_texts()
    {
        using var hungry = new SegmentBuilder(Day, SegmentLimits.Usual with { BuildBytes = 100_000 });
        using var wordy = new SegmentBuilder(Day, SegmentLimits.Usual with { Texts = 1_000 });
        for (var i = 0; i < 990; i++)
        {
            hungry.Add(Guid.NewGuid(), Guid.NewGuid(), 0, false, "page_view", "/", default);
            wordy.Add(Guid.Empty, Guid.Empty, 0, false, "page_view", $"/{i}", default);
        }
        Assert.True(hungry.IsTooLarge);
        Assert.False(wordy.IsTooLarge);
        for (var i = 990; i < 1_000; i++) wordy.Add(Guid.Empty, Guid.Empty, 0, false, "page_view", $"/{i}", default);
        Assert.True(wordy.IsTooLarge);
        Assert.Equal(1_001, wordy.Texts);   // with the type
    }

    [Fact]
    public void Two_million_events_of_half_a_million_sessions_are_within_the_limits()
    {
        using var builder = new SegmentBuilder(Day, SegmentLimits.Usual);
        var type = builder.Code(SegmentWords.EventType, "page_view");
        var paths = Enumerable.Range(0, 100_000).Select(i => builder.Code(SegmentWords.Path, $"/products/{i}")).ToArray();
        for (var i = 0; i < 2_000_000; i++) builder.Add(Guid.Empty, new Guid(i % 500_000, 0, 0, new byte[8]), type, paths[i % paths.Length], 0, false, 0L);
        Assert.False(builder.IsTooLarge);
        Assert.True(builder.BuildBytes < SegmentLimits.Usual.BuildBytes * 3 / 4);
    }
}
