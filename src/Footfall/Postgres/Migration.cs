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

    [GeneratedRegex(@"^(?<number>\d{4})_(?<name>[a-z0-9_]+)\.sql$", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex FileName();
}

/// <summary>A migration that a database has.</summary>
internal sealed record AppliedMigration(int Number, string Name, string Checksum, DateTimeOffset AppliedAt);
