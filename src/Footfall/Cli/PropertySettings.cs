using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Cli;

/// <summary>A conversion that is defined by event type, and path where there is one.</summary>
internal sealed record GoalSetting(string Name, string EventType, string? Path)
{
    public override string ToString() => Path is null ? $"{Name}={EventType}" : $"{Name}={EventType}:{Path}";
}

/// <summary>What an operator may say about a property.</summary>
internal sealed record PropertySetting(string Id, string Name, string[] Hosts, GoalSetting[] Goals, bool PublicSummary, DateTimeOffset CreatedAt);

/// <summary>Reads and changes the table of properties for the command line. The server takes changes over within a minute.</summary>
internal sealed class PropertySettings(NpgsqlDataSource database, TimeProvider clock)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    private const string Columns = "select id, name, hosts, goals::text, public_summary, created_at from properties";

    private const string Save = """
        insert into properties (id, name, hosts, goals, public_summary, created_at)
        values (@id, coalesce(@name, @id), coalesce(@hosts, '{}'), coalesce(@goals, '[]'), coalesce(@public, false), @now)
        on conflict (id) do update set
            name = coalesce(@name, properties.name),
            hosts = coalesce(@hosts, properties.hosts),
            goals = coalesce(@goals, properties.goals),
            public_summary = coalesce(@public, properties.public_summary)
        """;

    public async Task<List<PropertySetting>> ListAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} order by id");
        return await ReadAsync(command, cancellationToken);
    }

    public async Task<PropertySetting?> FindAsync(string id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} where id = @id");
        command.Parameters.AddWithValue("id", id);
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    /// <summary>Changes what is given and leaves the rest; makes the property where there is none.</summary>
    public async Task SaveAsync(string id, string? name, string[]? hosts, GoalSetting[]? goals, bool? publicSummary, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Save);
        command.Parameters.AddWithValue("id", id);
        Add("name", NpgsqlDbType.Text, name);
        Add("hosts", NpgsqlDbType.Array | NpgsqlDbType.Text, hosts);
        Add("goals", NpgsqlDbType.Jsonb, goals is null ? null : JsonSerializer.Serialize(goals, Json));
        Add("public", NpgsqlDbType.Boolean, publicSummary);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);

        void Add(string parameter, NpgsqlDbType type, object? value) =>
            command.Parameters.Add(new NpgsqlParameter(parameter, type) { Value = value ?? DBNull.Value });
    }

    private static async Task<List<PropertySetting>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PropertySetting> properties = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            properties.Add(new PropertySetting(
                rows.GetString(0), rows.GetString(1), rows.GetFieldValue<string[]>(2),
                JsonSerializer.Deserialize<GoalSetting[]>(rows.GetString(3), Json) ?? [], rows.GetBoolean(4), rows.GetFieldValue<DateTimeOffset>(5)));
        }
        return properties;
    }
}
