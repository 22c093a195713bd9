using System.Globalization;
using CsvHelper;

namespace Footfall.Hosting;

/// <summary>
/// An answer as rows and columns, written as RFC 4180 has it: commas, CRLF, quotes where needed, UTF-8. Spreadsheets run a text that
/// begins like a formula, and texts come from visitors: an apostrophe in front makes it a text there. Numbers stay numbers.
/// </summary>
internal sealed class CsvTable(params IEnumerable<string> columns)
{
    // Beyond the writer's own list the line feed, which some spreadsheets skip to look behind it.
    private static readonly CsvWriterOptions Form = CsvWriterOptions.Default with { Injection = CsvInjection.Escape, InjectionCharacters = "=@+-\t\r\n" };

    private readonly List<object?[]> rows = [];
    private readonly string[] columns = [.. columns];

    /// <summary>Texts, numbers, days, instants, and nulls, which become empty cells.</summary>
    public void Add(params IEnumerable<object?> cells) => rows.Add([.. cells]);

    /// <param name="withByteOrderMark">Excel takes a file without one for the local code page's.</param>
    public byte[] ToBytes(bool withByteOrderMark)
    {
        using var stream = new MemoryStream();
        using (var csv = CsvWriter.Create(stream, Form with { WriteByteOrderMark = withByteOrderMark }, leaveOpen: true))
        {
            csv.WriteHeader(columns);
            foreach (var row in rows)
            {
                foreach (var cell in row) Write(csv, cell);
                csv.EndRecord();
            }
        }
        return stream.ToArray();
    }

    private static void Write(CsvWriter csv, object? cell)
    {
        switch (cell)
        {
            case null: csv.WriteField((string?)null); break;
            case string text: csv.WriteField(text); break;
            case int number: csv.WriteField(number); break;
            case long number: csv.WriteField(number); break;
            case double number: csv.WriteField(number); break;
            case DateOnly day: csv.WriteField(day); break;
            case DateTimeOffset instant: csv.WriteField(instant.UtcDateTime.ToString("yyyy-MM-ddTHH:mm:ss.FFFFFFZ", CultureInfo.InvariantCulture)); break;
            default: throw new ArgumentException($"A {cell.GetType().Name} has no form in CSV.", nameof(cell));
        }
    }
}
