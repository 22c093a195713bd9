using Footfall.Cli;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class TextTableTests
{
    [Fact]
    public void A_table_fits_80_columns_and_cuts_texts_only()
    {
        var table = new TextTable(new("name", MayBeCut: true), new("day"), new("count", IsNumber: true));
        table.Add(new string('a', 60) + new string('z', 60), "2026-01-01", "1,234,567");
        table.Add("short", "2026-01-02", "9");
        using var output = new StringWriter();
        table.Write(output);
        var lines = output.ToString().TrimEnd('\n').Split('\n');
        Assert.All(lines, l => Assert.InRange(l.Length, 1, 80));
        Assert.Matches(@"^a+\.\.z+  2026-01-01  1,234,567$", lines[2]);
        Assert.EndsWith("2026-01-02          9", lines[3]);
    }

    [Theory]
    [InlineData(1.2, "1.2 s")]
    [InlineData(59, "59 s")]
    [InlineData(192, "3 m 12 s")]
    [InlineData(7500, "2 h 5 m")]
    public void Durations_read_as_people_say_them(double seconds, string text) =>
        Assert.Equal(text, ProgressLine.Duration(TimeSpan.FromSeconds(seconds)));
}
