using System.Security.Cryptography;
using System.Text;
using Footfall.Segments;
using Xunit;

namespace Footfall.Tests.Segments;

/// <summary>Days that are large enough for everything that a builder does in steps.</summary>
public sealed class SegmentBytesTests
{
    private static readonly DateOnly Day = new(2026, 3, 2);

    // What format 1 has always come to for these rows: segments that are stored stay what a build gives.
    [Theory]
    [InlineData(11, 3, 20, "4838cb5cbe91b29e")]
    [InlineData(12, 400, 50, "44b664d63338b3fc")]
    [InlineData(13, 20_000, 30, "f2bacac5aeb8c4d8")]
    [InlineData(14, 5_000, 40_000, "d07416c2b12d9076")]
    public void The_same_rows_give_the_bytes_that_they_always_gave(int seed, int sessions, int paths, string expected)
    {
        using var builder = BuildOf(seed, sessions, paths);
        Assert.Equal(expected, Convert.ToHexStringLower(Unpacked(builder.Encode().Payload))[..16]);
    }

    [Theory]
    [InlineData(21, 2, 20)]
    [InlineData(22, 700, 5_000)]
    public void A_builder_writes_what_is_written_of_its_columns(int seed, int sessions, int paths)
    {
        using var builder = BuildOf(seed, sessions, paths);
        using var same = BuildOf(seed, sessions, paths);
        var data = same.Build();
        var (written, ofData) = (builder.Encode(), SegmentCodec.Encode(data));
        Assert.Equal(written.Payload, ofData.Payload);
        Assert.Equal(data.DecodedBytes, written.DecodedBytes);
        Assert.Equal((data.Homes, data.Rows, data.Hits, data.DecodedBytes), (ofData.Homes, ofData.Rows, ofData.Hits, ofData.DecodedBytes));
        Assert.Equal(data.DecodedBytes, SegmentCodec.Decode(written.Payload).DecodedBytes);
    }

    /// <summary>A digest of what the packed parts hold: how well Brotli packs them is its own affair.</summary>
    private static byte[] Unpacked(ReadOnlySpan<byte> payload)
    {
        using var digest = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var reader = new PackedReader(payload);
        digest.AppendData(reader.Raw(5));
        for (var i = 0; i < 4; i++) digest.AppendData(BitConverter.GetBytes(reader.Number()));
        for (var section = 0; section < 3; section++) digest.AppendData(reader.Section());
        for (var keys = reader.Count(); keys > 0; keys--)
        {
            digest.AppendData(Encoding.UTF8.GetBytes($"{reader.Text()} {reader.Number()}"));
            digest.AppendData(reader.Section());
        }
        digest.AppendData(reader.Raw(Rest(reader) - 4));
        return digest.GetHashAndReset();
    }

    private static int Rest(PackedReader reader)
    {
        var rest = 0;
        for (; !reader.AtEnd; rest++) reader.Byte();
        return rest;
    }

    private static SegmentBuilder BuildOf(int seed, int sessions, int paths)
    {
        var random = new Random(seed);
        var builder = new SegmentBuilder(Day, SegmentLimits.Usual);
        for (var i = 0; i < sessions; i++)
        {
            var (visitor, id) = (IdOf(random), IdOf(random));
            var start = random.Next(12) == 0 ? -random.NextInt64(1, 40_000_000_000) : random.NextInt64(0, 86_400_000_000);
            string? Text(string what, int kinds) => random.Next(4) == 0 ? null : $"{what} {random.Next(kinds)}";
            var facts = Array.ConvertAll(Enum.GetValues<SessionFact>(), f => f is SessionFact.EntryPath or SessionFact.ExitPath ? PathOf(random, paths) : Text(f.ToString(), f == SessionFact.ReferrerHost ? 900 : 7));
            var hits = random.Next(1, 9);
            if (random.Next(50) > 0) builder.Add(new BuiltSession(visitor, id, random.Next(1, sessions * 2), start, start + random.NextInt64(0, 7_200_000_000), random.Next(90_000), (SessionFlags)random.Next(8), facts));
            for (var hit = 0; hit < hits; hit++)
            {
                var time = Math.Clamp(start + random.NextInt64(0, 3_000_000_000), 0, 86_399_999_999);
                if (random.Next(2) == 0) time -= time % 1_000;
                var props = random.Next(4) switch
                {
                    0 => "",
                    1 => $$"""{"plan": "p{{random.Next(5)}}", "n": {{random.Next(3_000)}}, "ü": "\ud83d\ude00"}""",
                    2 => """{"deep": {"a": [1, 2]}, "none": null, "yes": true}""",
                    _ => $$"""{"key{{random.Next(300)}}": 1}""",
                };
                for (var again = random.Next(20) == 0 ? 2 : 1; again > 0; again--)
                    builder.Add(visitor, id, time, random.Next(9) == 0, random.Next(3) == 0 ? "click" : "page_view", random.Next(15) == 0 ? null : PathOf(random, paths), Encoding.UTF8.GetBytes(props));
            }
        }
        return builder;
    }

    private static string PathOf(Random random, int paths) => random.Next(paths) switch { 0 => "/", 1 => "/\ud83d\ude00", 2 => "/\ue000", 3 => $"/{new string('l', 700)}", var n when n % 3 == 0 => $"/a/long/common/beginning/of/many/{n}", var n => $"/{n}" };

    private static Guid IdOf(Random random)
    {
        var bytes = new byte[16];
        random.NextBytes(bytes);
        return new Guid(bytes);
    }
}
