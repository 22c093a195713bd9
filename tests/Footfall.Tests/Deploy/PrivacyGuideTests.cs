using System.Text.RegularExpressions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Deploy;

/// <summary>docs/privacy.md describes every field that the database has, and no other.</summary>
public sealed partial class PrivacyGuideTests
{
    private const string Columns = """
        select c.table_name, c.column_name
        from information_schema.columns c
        join pg_class t on t.oid = format('%I.%I', c.table_schema, c.table_name)::regclass
        where c.table_schema = 'public' and t.relkind in ('r', 'p') and not t.relispartition
        order by c.table_name, c.ordinal_position
        """;

    [Fact]
    public async Task Every_stored_field_is_described()
    {
        await using var database = await TestDatabase.CreateAsync();
        var stored = (await database.RowsAsync(Columns)).Select(r => r.Split('|')).GroupBy(r => r[0], r => r[1]).ToDictionary(g => g.Key, g => g.ToList());
        Dictionary<string, List<string>> told = [];
        foreach (Match row in Row().Matches(Repository.Text("docs", "privacy.md")))
        {
            Assert.True(told.TryAdd(row.Groups["table"].Value, [.. Code().Matches(row.Groups["fields"].Value).Select(m => m.Groups[1].Value)]), $"docs/privacy.md has two rows of {row.Groups["table"].Value}.");
            Assert.False(string.IsNullOrWhiteSpace(row.Groups["why"].Value) || string.IsNullOrWhiteSpace(row.Groups["long"].Value), $"docs/privacy.md does not say what {row.Groups["table"].Value} is for, or how long it is kept.");
        }
        List<string> wrong = [];
        foreach (var (table, fields) in stored)
        {
            if (!told.TryGetValue(table, out var described))
                wrong.Add($"A new table. Put this line into the section \"What is stored\" that fits, and say what it is for and how long it is kept:\n| `{table}` | {string.Join(", ", fields.Select(f => $"`{f}`"))} | WHAT FOR | HOW LONG |");
            else if (!described.SequenceEqual(fields))
                wrong.Add($"The fields of {table} are others now. Its line must be, with what the new ones ({string.Join(", ", fields.Except(described))}) are for:\n| `{table}` | {string.Join(", ", fields.Select(f => $"`{f}`"))} | WHAT FOR | HOW LONG |");
        }
        wrong.AddRange(told.Keys.Except(stored.Keys).Select(t => $"There is no table {t} any more: take its line out."));
        Assert.True(wrong.Count == 0, $"docs/privacy.md must tell the truth.\n{string.Join('\n', wrong)}");
    }

    [GeneratedRegex(@"^\| `(?<table>[a-z_]+)` \| (?<fields>`[^|]+`) \| (?<why>[^|]+) \| (?<long>[^|]+) \|$", RegexOptions.Multiline)]
    private static partial Regex Row();

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();
}
