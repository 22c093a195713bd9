using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;
using Footfall.Segments;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>Segments as bytes, and what is taken out of them; without a database.</summary>
public sealed class SegmentCodecTests
{
    private static readonly DateOnly Day = new(2026, 3, 2);

    private sealed record Hit(long Time, bool Converted, string Type, string? Path, string Props);

    private sealed record Visit(int Visitor, long Start, long End, long EngagedMs, SessionFlags Flags, string?[] Facts, List<Hit> Hits)
    {
        public Guid Id { get; } = Guid.NewGuid();
    }

    private static List<Visit> Visits(Random random, int count)
    {
        const long day = 86_400_000_000;
        List<Visit> visits = [];
        for (var i = 0; i < count; i++)
        {
            // Guests began up to half a year before; some visits last for months, and engage for as long.
            var start = random.Next(10) == 0 ? -random.NextInt64(1, 180 * day) : random.NextInt64(0, day);
            var last = random.Next(20) == 0 ? start + random.NextInt64(60 * day, 180 * day) : start + random.NextInt64(0, 3_600_000_000);
            string? Text(int kinds) => random.Next(3) == 0 ? null : $"text {random.Next(kinds)} \ud83d\ude00";
            var hits = Enumerable.Range(0, random.Next(1, 8)).Select(_ => new Hit(
                Math.Clamp(random.NextInt64(Math.Max(0, start), day), 0, day - 1), random.Next(9) == 0, random.Next(3) == 0 ? "click" : "page_view", Text(300),
                random.Next(3) switch { 0 => "", 1 => $$"""{"plan": "p{{random.Next(5)}}", "n": {{random.Next(400)}}}""", _ => """{"deep": {"a": [1, 2]}, "none": null}""" })).ToList();
            visits.Add(new Visit(random.Next(1, 200), start, Math.Max(start, last), random.Next(30) == 0 ? 6_000_000_000 : random.Next(100_000), (SessionFlags)random.Next(8),
                [.. Enum.GetValues<SessionFact>().Select(f => Text(f == SessionFact.Country ? 5 : 40))], hits));
        }
        // A visitor has one session at a time.
        return [.. visits.DistinctBy(v => (v.Visitor, v.Start))];
    }

    private static SegmentData Build(IEnumerable<Visit> visits)
    {
        var builder = new SegmentBuilder(Day, SegmentLimits.Usual);
        foreach (var v in visits)
        {
            builder.Add(new BuiltSession(new Guid(v.Visitor, 0, 0, new byte[8]), v.Id, v.Visitor, v.Start, v.End, v.EngagedMs, v.Flags, v.Facts));
            foreach (var h in v.Hits) builder.Add(new Guid(v.Visitor, 0, 0, new byte[8]), v.Id, h.Time, h.Converted, h.Type, h.Path, Encoding.UTF8.GetBytes(h.Props));
        }
        return builder.Build();
    }

    private static byte[] Bytes(SegmentData data) => SegmentCodec.Encode(data).Payload;

    [Theory]
    [InlineData(1, 1)]
    [InlineData(2, 30)]
    [InlineData(3, 2_000)]
    public void What_is_read_is_what_was_written(int seed, int count)
    {
        var data = Build(Visits(new Random(seed), count));
        var read = SegmentCodec.Decode(Bytes(data));
        Assert.Equal(data.Visitor, read.Visitor);
        Assert.Equal(data.Start, read.Start);
        Assert.Equal(data.Duration, read.Duration);
        Assert.Equal(data.DurationMicros, read.DurationMicros);
        Assert.Equal(data.Engaged, read.Engaged);
        Assert.Equal(data.LongSessions, read.LongSessions);
        Assert.Equal(data.Flags, read.Flags);
        Assert.Equal(data.Texts, read.Texts);
        Assert.Equal(data.Groups, read.Groups);
        Assert.Equal(data.HitRow, read.HitRow);
        Assert.Equal(data.HitTime, read.HitTime);
        Assert.Equal(data.HitMicros, read.HitMicros);
        Assert.Equal(data.HitConverted, read.HitConverted);
        for (var row = 0; row < data.Rows; row++)
        {
            Assert.Equal((data.Events[row], data.PageViews[row], data.Conversions[row]), (read.Events[row], read.PageViews[row], read.Conversions[row]));
            Assert.Equal(data.Facts.Select(f => f[row]), read.Facts.Select(f => f[row]));
        }
        Assert.Equal(Bytes(data), Bytes(read));
    }

    [Theory]
    [InlineData(8_192, 512, 5_000_000, 200_000_000)]
    [InlineData(1_024, 256, 2_500_000, 100_000_000)]
    [InlineData(512, 128, 1_250_000, 50_000_000)]
    [InlineData(128, 64, 625_000, 25_000_000)]
    public void A_small_machine_builds_small_segments(int machineMegabytes, int memory, int hits, long texts)
    {
        Assert.Equal(memory, SegmentOptions.UsualOf((long)machineMegabytes << 20));
        var limits = SegmentLimits.Within((long)memory << 20);
        Assert.Equal((hits, hits, texts), (limits.Hits, limits.Sessions, limits.TextBytes));
        Assert.Equal(SegmentLimits.Usual, SegmentLimits.Within(long.MaxValue));
    }

    [Fact]
    public void The_same_rows_in_another_order_are_the_same_bytes()
    {
        var random = new Random(4);
        var visits = Visits(random, 500);
        var bytes = Bytes(Build(visits));
        var shuffled = visits.ToArray();
        random.Shuffle(shuffled);
        foreach (var v in shuffled) random.Shuffle(CollectionsMarshal.AsSpan(v.Hits));
        Assert.Equal(bytes, Bytes(Build(shuffled)));
    }

    [Fact]
    public void A_segment_without_somebody_is_what_would_have_been_built_without_them()
    {
        var visits = Visits(new Random(5), 800);
        var gone = new HashSet<int> { 3, 17, 42, 199, 1_000 };
        var without = SegmentRewrite.Without(Build(visits), gone);
        Assert.Equal(Bytes(Build(visits.Where(v => !gone.Contains(v.Visitor)))), Bytes(without!));
        Assert.Null(SegmentRewrite.Without(Build(visits), visits.Select(v => v.Visitor).ToHashSet()));
        var data = Build(visits);
        Assert.Same(data, SegmentRewrite.Without(data, new HashSet<int> { 1_000 }));
    }

    [Fact]
    public void A_segment_without_a_text_is_what_would_have_been_built_without_it()
    {
        static string Blot(string text) => text.Replace("text 1", "[erased]", StringComparison.Ordinal).Replace("p1", "[erased]", StringComparison.Ordinal);
        var visits = Visits(new Random(6), 300);
        var expected = Build(visits.Select(v => v with
        {
            Facts = Array.ConvertAll(v.Facts, f => f is null ? null : Blot(f)),
            Hits = v.Hits.ConvertAll(h => h with { Path = h.Path is null ? null : Blot(h.Path), Props = Blot(h.Props) }),
        }));
        var blotted = SegmentRewrite.Blotted(Build(visits), Blot);
        Assert.Equal(expected.Texts, blotted.Texts);
        Assert.Equal(expected.Groups, blotted.Groups);
        Assert.Equal(expected.HitRow, blotted.HitRow);
        Assert.Equal(SegmentCodec.Unpack(expected.Props.Columns["plan"]).Texts, SegmentCodec.Unpack(blotted.Props.Columns["plan"]).Texts);
        var data = Build(visits);
        Assert.Same(data, SegmentRewrite.Blotted(data, text => text));
    }

    [Fact]
    public void Every_changed_byte_and_every_cut_is_noticed()
    {
        var bytes = Bytes(Build(Visits(new Random(7), 40)));
        for (var i = 0; i < bytes.Length; i++)
        {
            bytes[i] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => SegmentCodec.Decode(bytes));
            bytes[i] ^= 0x10;
            Assert.Throws<InvalidDataException>(() => SegmentCodec.Decode(bytes.AsSpan(0, i)));
        }
        Assert.Throws<InvalidDataException>(() => SegmentCodec.Decode([.. bytes, 0]));
        SegmentCodec.Decode(bytes);
    }

    [Fact]
    public void What_has_a_right_checksum_over_wrong_bytes_is_refused_or_consistent()
    {
        var random = new Random(8);
        var original = Bytes(Build(Visits(random, 60)));
        var refused = 0;
        for (var i = 0; i < 3_000; i++)
        {
            var bytes = original.ToArray();
            bytes[random.Next(12, bytes.Length - 4)] ^= (byte)random.Next(1, 256);
            Seal(bytes);
            try
            {
                var data = SegmentCodec.Decode(bytes);
                // What an engine would look up is there.
                Assert.All(data.HitRow, row => Assert.InRange(row, 0, data.Rows - 1));
                Assert.All(data.Groups, g => Assert.True(g.Path < data.Texts[(int)SegmentWords.Path].Length && g.Type < data.Texts[(int)SegmentWords.EventType].Length));
                data.With(new Vocabulary(), 1, DateTimeOffset.UnixEpoch);
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1_000, 2_999);
    }

    [Fact]
    public void Another_format_says_so()
    {
        var bytes = Bytes(Build(Visits(new Random(9), 3)));
        bytes[4] = 2;
        Seal(bytes);
        Assert.Contains("format 2", Assert.Throws<InvalidDataException>(() => SegmentCodec.Decode(bytes)).Message, StringComparison.Ordinal);
    }

    [Fact]
    public void A_prop_with_too_many_values_and_keys_beyond_the_most_frequent_are_told_to_be_missing()
    {
        var builder = new SegmentBuilder(Day, SegmentLimits.Usual with { PropKeys = 2, PropValues = 10 });
        var session = (Guid.NewGuid(), Guid.NewGuid());
        builder.Add(new BuiltSession(session.Item1, session.Item2, 1, 0, 50_000_000, 0, SessionFlags.None, new string?[Enum.GetValues<SessionFact>().Length]));
        for (var i = 0; i < 50; i++)
        {
            var props = $$"""{"often":1,"many":{{i}},"half":{{(i % 2 == 0 ? "true" : "null")}},"seldom":{{(i == 7 ? "1" : "null")}},"key{{i}}":1}""";
            builder.Add(session.Item1, session.Item2, i * 1_000_000, false, "page_view", "/", Encoding.UTF8.GetBytes(props));
        }
        var props2 = SegmentCodec.Decode(Bytes(builder.Build())).With(new Vocabulary(), 1, DateTimeOffset.UnixEpoch).Props;
        Assert.True(props2.Covers("often"));
        Assert.True(props2.Covers("half"));
        Assert.Equal(25, props2.Read("half")!.Hits.Length);
        Assert.Equal(50, props2.Read("often")!.Hits.Length);
        Assert.False(props2.Covers("many"));
        Assert.False(props2.Covers("seldom"));
        Assert.False(props2.Covers("key49"));   // beyond the keys that are looked at
        Assert.False(props2.Covers("never there"));
    }

    [Fact]
    public void A_day_beyond_the_limits_says_so_early()
    {
        var builder = new SegmentBuilder(Day, SegmentLimits.Usual with { TextBytes = 2_000 });
        for (var i = 0; i < 30; i++) builder.Add(Guid.NewGuid(), Guid.NewGuid(), 0, false, "page_view", $"/{i}", default);
        Assert.True(builder.IsTooLarge);
    }

    private static void Seal(byte[] bytes)
    {
        var crc = ~0U;
        foreach (var b in bytes.AsSpan(0, bytes.Length - 4)) crc = BitOperations.Crc32C(crc, b);
        BitConverter.TryWriteBytes(bytes.AsSpan(bytes.Length - 4), ~crc);
    }
}
