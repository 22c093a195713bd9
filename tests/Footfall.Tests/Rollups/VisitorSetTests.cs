using Footfall.Rollups;
using FsCheck;
using FsCheck.Fluent;
using Xunit;

namespace Footfall.Tests.Rollups;

public sealed class VisitorSetTests
{
    private static readonly Gen<int[]> Numbers =
        from start in Gen.Elements(0, 1, 65_530, 131_072, 2_000_000_000)
        from style in Gen.Choose(0, 3)
        from size in Gen.Choose(0, 9_000)
        from seed in Gen.Choose(0, int.MaxValue - 1)
        select Make(start, style, size, seed);

    [Fact]
    public void A_union_of_sets_counts_each_visitor_once()
    {
        Prop.ForAll(Arb.From(Numbers), Arb.From(Numbers), (a, b) =>
        {
            var union = new VisitorUnion();
            union.Add(VisitorSet.Encode(a));
            union.Add(VisitorSet.Encode(b));
            var expected = a.Union(b).Count();
            Assert.Equal(expected, union.Count);
            foreach (var number in a.Take(50)) union.Add(number);   // none of them is new
            Assert.Equal(expected, union.Count);
            Assert.Equal(a.Length, VisitorSet.Count(VisitorSet.Encode(a)));
        }).Check(Config.QuickThrowOnFailure.WithMaxTest(200).WithQuietOnSuccess(true));
    }

    [Fact]
    public void Each_shape_of_a_chunk_takes_its_smallest_form()
    {
        Assert.Equal([1], VisitorSet.Encode([]));
        // 60,000 in a row: version, chunk 0, runs, one run of 4 bytes
        Assert.Equal(1 + 1 + 1 + 1 + 4, VisitorSet.Encode([.. Enumerable.Range(1, 60_000)]).Length);
        // every second of 20,000: a bitmap
        Assert.Equal(1 + 1 + 1 + 8192, VisitorSet.Encode([.. Enumerable.Range(0, 20_000).Select(n => n * 2)]).Length);
        // a thousand far apart: an array, two bytes each
        Assert.Equal(1 + 1 + 1 + 2 + 2000, VisitorSet.Encode([.. Enumerable.Range(0, 1000).Select(n => n * 60)]).Length);
    }

    [Fact]
    public void Numbers_out_of_order_are_refused()
    {
        Assert.Throws<ArgumentException>(() => VisitorSet.Encode([3, 2]));
        Assert.Throws<ArgumentException>(() => VisitorSet.Encode([3, 3]));
    }

    [Fact]
    public void Damaged_bytes_are_told_apart_from_a_set()
    {
        var random = new Random(7);
        var good = VisitorSet.Encode([.. Enumerable.Range(0, 3000).Select(n => n * 7)]);
        for (var i = 0; i < 2000; i++)
        {
            var bad = good[..random.Next(good.Length)];
            if (bad.Length > 0) bad[random.Next(bad.Length)] ^= (byte)(1 << random.Next(8));
            try
            {
                new VisitorUnion().Add(bad);   // a flipped value may still be a set; anything else says what it is
            }
            catch (InvalidDataException e)
            {
                Assert.Contains("roll the day up again", e.Message, StringComparison.Ordinal);
            }
        }
    }

    [Fact]
    public void Who_was_first_seen_elsewhere_within_the_window_is_added()
    {
        var day = new DateOnly(2026, 3, 10);
        var encoded = SeenElsewhere.Encode([(5, day.AddDays(-3)), (70_000, day.AddDays(-1)), (70_001, day.AddDays(-40))]);
        var union = new VisitorUnion();
        SeenElsewhere.AddFrom(day.AddDays(-2), encoded, union);
        Assert.Equal(1, union.Count);
        SeenElsewhere.AddFrom(day.AddDays(-3), encoded, union);
        Assert.Equal(2, union.Count);
    }

    /// <summary>percentile_cont by hand: 4 values 10, 20, 30, 40; rank 0.95 * 3 = 2.85; 30 + 0.85 * 10 = 38.5, rounded away from zero 39.</summary>
    [Fact]
    public void A_percentile_lies_between_its_neighbours()
    {
        var counts = new TtfbCounts();
        Assert.Null(counts.Percentile(0.95));
        counts.Add(30, 1);
        counts.Add(10, 1);
        var more = new TtfbCounts();
        more.Add(20, 1);
        more.Add(40, 1);
        counts.Add(more.Encode());
        Assert.Equal(39, counts.Percentile(0.95));
        Assert.Equal(25, counts.Percentile(0.5));
        Assert.Equal(10, counts.Percentile(0));
        Assert.Equal(40, counts.Percentile(1));
        counts.Add(20, 1_000_000);
        Assert.Equal(20, counts.Percentile(0.95));
    }

    private static int[] Make(int start, int style, int size, int seed)
    {
        var random = new Random(seed);
        var numbers = new SortedSet<int>();
        var at = start;
        for (var i = 0; i < size; i++)
        {
            at += style switch { 0 => 1, 1 => 1 + random.Next(3), 2 => 1 + random.Next(200), _ => random.Next(10) == 0 ? 5_000 : 1 };
            if (at < 0) break;
            numbers.Add(at);
        }
        return [.. numbers];
    }
}
