using System.Text.RegularExpressions;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>What migrations have made, by name: Footfall's own part of a database that may hold more.</summary>
internal sealed partial class SchemaObjects
{
    private readonly List<string> types;
    private readonly List<string> functions;

    private SchemaObjects(IReadOnlyList<Migration> migrations)
    {
        Tables = Named(migrations, "table");
        Sequences = Named(migrations, "sequence");
        types = Named(migrations, "type");
        functions = Named(migrations, "function");
    }

    public static SchemaObjects OfThisProgram { get; } = new(Migration.OfThisProgram);

    /// <summary>Tables that some migration made; it may have gone with a later one. Partitions by time are not among them.</summary>
    public IReadOnlyList<string> Tables { get; }

    /// <summary>Those that belong to no column.</summary>
    public IReadOnlyList<string> Sequences { get; }

    /// <summary>Drops all of it, and nothing else. What somebody else has built upon it (a view) is an error of PostgreSQL, 2BP01.</summary>
    public async Task DropAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        var sql = $"""
            drop table if exists {string.Join(", ", Tables)}, schema_migrations;
            drop sequence if exists {string.Join(", ", Sequences)};
            drop type if exists {string.Join(", ", types)};
            drop function if exists {string.Join(", ", functions)};
            """;
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }

    private static List<string> Named(IReadOnlyList<Migration> migrations, string kind) =>
        [.. migrations.SelectMany(m => Made().Matches(m.Sql)).Where(m => m.Groups["kind"].Value == kind && m.Groups["partition"].Length == 0).Select(m => m.Groups["name"].Value).Distinct(StringComparer.Ordinal)];

    [GeneratedRegex(@"^create (unlogged )?(?<kind>table|sequence|type|function) (if not exists )?(?<name>\w+)(?<partition> partition of)?", RegexOptions.ExplicitCapture | RegexOptions.Multiline | RegexOptions.IgnoreCase, matchTimeoutMilliseconds: 1000)]
    private static partial Regex Made();
}
