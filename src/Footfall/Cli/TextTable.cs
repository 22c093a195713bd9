using System.Text;

namespace Footfall.Cli;

/// <summary>A plain table for a terminal of 80 columns: numbers to the right, too long texts cut in the middle.</summary>
internal sealed class TextTable(params TextColumn[] columns)
{
    private const int Width = 80;
    private const int Shortest = 8;
    private const string Gap = "  ";

    private readonly List<string[]> rows = [];

    public void Add(params string[] cells) => rows.Add(cells);

    public void Write(TextWriter output)
    {
        var widths = Widths();
        WriteRow(output, [.. columns.Select(c => c.Title)], widths);
        WriteRow(output, [.. widths.Select(w => new string('-', w))], widths);
        foreach (var row in rows) WriteRow(output, row, widths);
    }

    private int[] Widths()
    {
        var widths = columns.Select((c, i) => rows.Select(r => r[i].Length).Append(c.Title.Length).Max()).ToArray();
        // Texts give way, the longest first; numbers and dates are useless when cut.
        while (widths.Sum() + (Gap.Length * (widths.Length - 1)) > Width)
        {
            var longest = -1;
            for (var i = 0; i < widths.Length; i++)
            {
                if (columns[i].MayBeCut && widths[i] > Shortest && (longest < 0 || widths[i] > widths[longest])) longest = i;
            }
            if (longest < 0) break;
            widths[longest]--;
        }
        return widths;
    }

    private void WriteRow(TextWriter output, string[] cells, int[] widths)
    {
        var line = new StringBuilder();
        for (var i = 0; i < cells.Length; i++)
        {
            if (i > 0) line.Append(Gap);
            var cell = Cut(cells[i], widths[i]);
            line.Append(columns[i].IsNumber ? cell.PadLeft(widths[i]) : cell.PadRight(widths[i]));
        }
        output.WriteLine(line.ToString().TrimEnd());
    }

    private static string Cut(string text, int width)
    {
        if (text.Length <= width) return text;
        var tail = (width - 2) / 2;
        return $"{text[..(width - 2 - tail)]}..{text[^tail..]}";
    }
}

/// <param name="IsNumber">Aligned to the right.</param>
/// <param name="MayBeCut">May lose its middle where the table would not fit.</param>
internal sealed record TextColumn(string Title, bool IsNumber = false, bool MayBeCut = false);
