using Footfall.Explore;
using Footfall.Segments;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>What filters and counts of visitors stand on, against the plainest way to say the same. Lengths around 64 matter: a word has as many rows.</summary>
public sealed class RowSetTests
{
    private static readonly int[] Lengths = [0, 1, 31, 63, 64, 65, 127, 128, 129, 1_000, 4_096, 5_001];

    [Theory]
    [InlineData(3)]         // bytes
    [InlineData(200)]
    [InlineData(2_000)]     // shorts
    [InlineData(70_000)]    // ints
    public void Conditions_keep_the_rows_whose_code_holds(int greatest)
    {
        var random = new Random(greatest);
        foreach (var length in Lengths)
        {
            foreach (var share in (double[])[0.0001, 0.01, 0.5, 0.99, 0.9999])
            {
                // The greatest code is there, so that the column has the width that is meant.
                var first = Column(random, length, greatest);
                var second = Column(random, length, greatest);
                if (first.IsConstant || second.IsConstant) continue;
                var holds = Enumerable.Range(0, greatest + 1).Select(_ => random.NextDouble() < share ? (byte)1 : (byte)0).ToArray();
                var rows = RowSet.All(length);
                rows.And(first, holds);
                rows.And(second, holds);
                var expected = Enumerable.Range(0, length).Where(row => holds[first[row]] != 0 && holds[second[row]] != 0).ToArray();
                Assert.Equal(expected, List(rows));
                Assert.Equal(expected.Length, rows.Count());
                foreach (var before in (int[])[0, length / 2, length]) Assert.Equal(expected.Count(row => row < before), rows.CountBefore(before));
                Assert.All(Enumerable.Range(0, length), row => Assert.Equal(expected.Contains(row), rows[row]));
            }
        }
    }

    [Fact]
    public void Rows_are_added_one_by_one()
    {
        var rows = RowSet.None(130);
        Assert.Empty(List(rows));
        foreach (var row in (int[])[129, 0, 64, 63, 64]) rows.Add(row);
        Assert.Equal([0, 63, 64, 129], List(rows));
        Assert.Equal(130, RowSet.All(130).Count());
    }

    [Theory]
    [InlineData(100)]
    [InlineData(100_000)]
    public void Different_visitors_are_counted_group_after_group_by_one_or_by_two(int greatest)
    {
        var random = new Random(greatest);
        using var one = new DistinctVisitors(greatest);
        using var other = new DistinctVisitors(greatest);
        foreach (var size in (int[])[0, 1, 10, 1_000, 50_000, 3, 20_000])
        {
            var visitorOf = Numbers(random, 5_000, greatest + 1);
            var keeps = RowSet.None(visitorOf.Length);
            foreach (var row in Numbers(random, 2_500, visitorOf.Length)) keeps.Add(row);
            var rows = Numbers(random, size, visitorOf.Length);
            one.Begin(size);
            one.Add(rows, visitorOf);
            Assert.Equal(rows.Select(r => visitorOf[r]).Distinct().Count(), one.End());

            one.Begin(size);
            Assert.Equal(rows.Count(r => keeps[r]), one.Add(rows, visitorOf, keeps));
            Assert.Equal(rows.Where(r => keeps[r]).Select(r => visitorOf[r]).Distinct().Count(), one.End());

            one.Begin(keeps.Count());
            one.Add(keeps, visitorOf);
            Assert.Equal(List(keeps).Select(r => visitorOf[r]).Distinct().Count(), one.End());

            var visitors = rows.Select(r => visitorOf[r]).ToArray();
            one.Begin(size);
            other.Begin(size);
            one.Add(visitors.AsSpan(0, size / 2));
            other.Add(visitors.AsSpan(size / 2));
            one.Add(other);
            Assert.Equal(visitors.Distinct().Count(), one.End());
            other.End();
        }
    }

    [Fact]
    public void A_lent_list_grows_keeps_what_was_written_and_forgets_it()
    {
        using var list = new PooledList<long>();
        for (var i = 0L; i < 5_000; i++) list.Add(i);
        var room = list.Room(10_000);
        for (var i = 0; i < 7_000; i++) room[i] = 5_000 + i;
        list.Take(7_000);
        list.AddRange([12_000, 12_001]);
        Assert.Equal(Enumerable.Range(0, 12_002).Select(i => (long)i), list.Items.ToArray());
        list.Clear();
        Assert.Empty(list.Items.ToArray());
    }

    private static Codes Column(Random random, int length, int greatest)
    {
        var codes = Numbers(random, length, greatest + 1);
        if (length > 0) codes[random.Next(length)] = greatest;
        return Footfall.Segments.Numbers.Of(codes).As([]);
    }

    private static int[] Numbers(Random random, int count, int below) => [.. Enumerable.Range(0, count).Select(_ => random.Next(below))];

    private static List<int> List(RowSet rows)
    {
        List<int> list = [];
        foreach (var row in rows) list.Add(row);
        return list;
    }
}
