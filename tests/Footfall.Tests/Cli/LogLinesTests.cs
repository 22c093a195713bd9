using System.IO.Compression;
using System.Text;
using Footfall.Cli;
using Footfall.Cli.Import;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class LogLinesTests
{
    private readonly string folder = TestFolder.New();

    [Theory]
    [InlineData("", "")]
    [InlineData("a", "a")]
    [InlineData("a\n", "a")]
    [InlineData("a\nb", "a|b")]
    [InlineData("a\r\n\r\nb\r\n", "a\r|\r|b\r")]
    [InlineData("\n\n", "|")]
    [InlineData("\ufeffa\nb\n", "a|b")]
    public void Lines_are_cut_at_line_feeds(string text, string expected)
    {
        Assert.Equal(expected, string.Join('|', Read(Write(Encoding.UTF8.GetBytes(text)))));
        Assert.Equal(expected, string.Join('|', Read(Write(Gzip(Encoding.UTF8.GetBytes(text))))));
    }

    [Fact]
    public void A_file_of_several_gzip_members_is_read_to_its_end() =>
        Assert.Equal(["a", "b", "c"], Read(Write([.. Gzip("a\nb"u8.ToArray()), .. Gzip("\nc\n"u8.ToArray())])));

    [Fact]
    public void A_line_longer_than_the_buffer_is_cut_and_does_not_swallow_the_next()
    {
        var lines = Read(Write(Encoding.ASCII.GetBytes($"a\n{new string('x', 1_000_000)}\nb\n{new string('y', 70_000)}")));
        Assert.Equal(["a", new string('x', AccessLogParser.LongestLine + 1), "b", new string('y', AccessLogParser.LongestLine + 1)], lines.Select(l => l[..Math.Min(l.Length, AccessLogParser.LongestLine + 1)]));
    }

    [Fact]
    public void Lines_across_many_buffers_come_whole()
    {
        var expected = Enumerable.Range(0, 40_000).Select(i => $"line {i} {new string('z', i % 97)}").ToArray();
        Assert.Equal(expected, Read(Write(Encoding.ASCII.GetBytes(string.Join('\n', expected)))));
    }

    [Fact]
    public void A_damaged_gzip_file_says_so_after_its_last_good_line()
    {
        var random = new Random(7);
        var text = string.Join('\n', Enumerable.Range(0, 50_000).Select(_ => $"line {random.Next()}"));
        var cut = Gzip(Encoding.ASCII.GetBytes(text))[..100_000];
        var e = Assert.Throws<CommandException>(() => Read(Write(cut)));
        Assert.Contains("is damaged after line", e.Message);
    }

    [Theory]
    [InlineData(new byte[] { 0x28, 0xB5, 0x2F, 0xFD, 0 }, "zstd -dc")]
    [InlineData(new byte[] { 0xFD, 0x37, 0x7A, 0x58, 0x5A, 0 }, "xz -dc")]
    [InlineData(new byte[] { 0x42, 0x5A, 0x68, 0x39, 0 }, "bzip2 -dc")]
    public void Another_compression_is_named_with_the_way_to_unpack_it(byte[] head, string unpack) =>
        Assert.Contains(unpack, Assert.Throws<CommandException>(() => Read(Write(head))).Message);

    [Fact]
    public void A_missing_file_and_a_folder_say_what_they_are()
    {
        Assert.Contains("There is no file", Assert.Throws<CommandException>(() => Read(Path.Combine(folder, "none"))).Message);
        Assert.Contains("is a folder", Assert.Throws<CommandException>(() => Read(folder)).Message);
    }

    private static List<string> Read(string path)
    {
        using var lines = new LogLines(path);
        List<string> all = [];
        while (lines.TryRead(out var line)) all.Add(Encoding.UTF8.GetString(line));
        Assert.Equal(all.Count, lines.LineNumber);
        return all;
    }

    private string Write(byte[] bytes)
    {
        var path = Path.Combine(folder, Guid.NewGuid().ToString("N"));
        File.WriteAllBytes(path, bytes);
        return path;
    }

    private static byte[] Gzip(byte[] bytes)
    {
        using var packed = new MemoryStream();
        using (var gzip = new GZipStream(packed, CompressionLevel.Fastest)) gzip.Write(bytes);
        return packed.ToArray();
    }
}
