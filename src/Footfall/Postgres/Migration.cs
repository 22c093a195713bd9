using System.Globalization;
using System.Reflection;
using System.Security.Cryptography;
using System.Text;
using System.Text.RegularExpressions;

namespace Footfall.Postgres;

/// <summary>One numbered .sql file of Migrations/. Once released it never changes: what a database has is told by number and checksum.</summary>
internal sealed partial record Migration(int Number, string Name, string Sql)
{
    private const string Prefix = "Footfall.Migrations.";

    public string File => string.Create(CultureInfo.InvariantCulture, $"{Number:0000}_{Name}.sql");

    /// <summary>SHA-256 of the text with LF line ends, hexadecimal: the same whatever a checkout does to line ends.</summary>
    public string Checksum => Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(Sql.ReplaceLineEndings("\n"))));

    /// <summary>
    /// Whether programs from before it go on working with it: it only adds. What takes something away, or forbids what was allowed, is a
    /// contraction, and comes releases after the last program that needs it. Rules: docs/migrations.md.
    /// </summary>
    public bool Expands => Statements().TrueForAll(s => !Contraction().IsMatch(s));

    /// <summary>Statements that concern what was there before, without comments, in lower case. What a table is made with, and made to right after, concerns nobody.</summary>
    internal List<string> Statements()
    {
        var all = Comment().Replace(Sql, "").ToLowerInvariant().Split(';', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries);
        var made = all.Select(s => Creates().Match(s)).Where(m => m.Success).Select(m => m.Groups["table"].Value).ToHashSet(StringComparer.Ordinal);
        return [.. all.Where(s => !Creates().IsMatch(s) && !made.Contains(Concerns().Match(s).Groups["table"].Value))];
    }

    /// <summary>Those that this program brings along, by number.</summary>
    public static IReadOnlyList<Migration> OfThisProgram { get; } = FromAssembly(typeof(Migration).Assembly);

    private static List<Migration> FromAssembly(Assembly assembly)
    {
        List<Migration> found = [];
        foreach (var resource in assembly.GetManifestResourceNames().Where(n => n.StartsWith(Prefix, StringComparison.Ordinal)))
        {
            var name = FileName().Match(resource[Prefix.Length..]);
            if (!name.Success)
                throw new InvalidDataException($"The migration {resource[Prefix.Length..]} is not named like 0001_what_it_does.sql.");
            using var reader = new StreamReader(assembly.GetManifestResourceStream(resource)!, Encoding.UTF8);
            found.Add(new Migration(int.Parse(name.Groups["number"].ValueSpan, CultureInfo.InvariantCulture), name.Groups["name"].Value, reader.ReadToEnd()));
        }
        return [.. found.OrderBy(m => m.Number)];
    }

    // Dropping an index or a default takes nothing from anybody.
    [GeneratedRegex(@"\bdrop\s+(table|column|type|sequence|function|view|constraint|schema)\b|\brename\b|\bset\s+not\s+null\b|\balter\s+column\s+\w+\s+(set\s+data\s+)?type\b|\badd\s+(constraint|check|foreign|unique|primary|exclude)\b|\badd\s+column\b[^,]*\bnot\s+null\b(?<!\bdefault\b[^,]*)(?![^,]*\bdefault\b)|^create\s+unique\s+index\b|^create\s+(or\s+replace\s+)?(rule|trigger)\b|^truncate\b", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Contraction();

    [GeneratedRegex(@"^create\s+(unlogged\s+)?table\s+(if\s+not\s+exists\s+)?(?<table>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Creates();

    [GeneratedRegex(@"^(alter\s+table\s+(only\s+)?|create\s+(unique\s+)?index\s+\w+\s+on\s+|create\s+rule\s+\w+\s+as\s+on\s+\w+\s+to\s+|insert\s+into\s+|update\s+|delete\s+from\s+|truncate\s+)(?<table>\w+)", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Concerns();

    [GeneratedRegex("--[^\n]*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Comment();

    [GeneratedRegex(@"^(?<number>\d{4})_(?<name>[a-z0-9_]+)\.sql$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FileName();
}

/// <summary>A migration that a database has.</summary>
/// <param name="Expands">Whether programs that do not know it go on working with it.</param>
internal sealed record AppliedMigration(int Number, string Name, string Checksum, DateTimeOffset AppliedAt, bool Expands);
