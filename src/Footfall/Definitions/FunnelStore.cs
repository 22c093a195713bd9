using System.Text.Json;
using Microsoft.Extensions.Options;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Definitions;

/// <summary>Funnels: those of a property, and those that configuration gives to all.</summary>
internal sealed class FunnelStore(NpgsqlDataSource database, IOptions<FunnelsOptions> options, TimeProvider clock)
{
    private const string Select = "select name, steps::text, window_hours from funnels where property_id = @property order by name";

    private const string Add = """
        insert into funnels (property_id, name, steps, window_hours, created_at)
        values (@property, @name, @steps, @window_hours, @now)
        on conflict (property_id, name) do nothing
        returning true
        """;

    private const string Replace = "update funnels set steps = @steps, window_hours = @window_hours where property_id = @property and name = @name returning true";

    private const string Remove = "delete from funnels where property_id = @property and name = @name returning true";

    private const string RemoveRows = """
        delete from funnel_rollups where property_id = @property and funnel_name = @name;
        delete from user_facts where property_id = @property and fact like @facts
        """;

    /// <summary>Funnels that every property has.</summary>
    public IReadOnlyList<FunnelDefinition> Configured { get; } = options.Value.All();

    public async Task<IReadOnlyList<FunnelDefinition>> ListAsync(string property, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await ListAsync(connection, property, cancellationToken);
    }

    /// <summary>In the caller's transaction. A property's own funnel stands before a configured one of the same name.</summary>
    public async Task<IReadOnlyList<FunnelDefinition>> ListAsync(NpgsqlConnection connection, string property, CancellationToken cancellationToken)
    {
        List<FunnelDefinition> funnels = [];
        await using (var command = new NpgsqlCommand(Select, connection))
        {
            command.Parameters.AddWithValue("property", property);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                funnels.Add(new FunnelDefinition(rows.GetString(0), JsonSerializer.Deserialize(rows.GetString(1), DefinitionsJson.Default.IReadOnlyListFunnelStep)!, rows.GetInt32(2)));
            }
        }
        return [.. funnels, .. Configured.Where(c => funnels.All(f => f.Name != c.Name))];
    }

    /// <summary>False when the property has one of this name already. Days with events are marked, so that it is counted from the start.</summary>
    public async Task<bool> AddAsync(string property, FunnelDefinition funnel, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Add, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("name", funnel.Name);
        command.Parameters.AddWithValue("steps", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(funnel.Steps, DefinitionsJson.Default.IReadOnlyListFunnelStep));
        command.Parameters.AddWithValue("window_hours", funnel.WindowHours);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        await ChangedDays.MarkAsync(connection, property, null, clock.GetUtcNow(), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Other steps under the same name: what was counted for the old ones goes, and the days are counted anew. False when the property has none of this name.</summary>
    public async Task<bool> ReplaceAsync(string property, FunnelDefinition funnel, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Replace, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("name", funnel.Name);
        command.Parameters.AddWithValue("steps", NpgsqlDbType.Jsonb, JsonSerializer.Serialize(funnel.Steps, DefinitionsJson.Default.IReadOnlyListFunnelStep));
        command.Parameters.AddWithValue("window_hours", funnel.WindowHours);
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        await ForgetAsync(connection, property, funnel.Name, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Removes the funnel and what was counted for it; false when the property has none of this name.</summary>
    public async Task<bool> RemoveAsync(string property, string name, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var command = new NpgsqlCommand(Remove, connection))
        {
            command.Parameters.AddWithValue("property", property);
            command.Parameters.AddWithValue("name", name);
            if (await command.ExecuteScalarAsync(cancellationToken) is not true) return false;
        }
        await ForgetAsync(connection, property, name, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task ForgetAsync(NpgsqlConnection connection, string property, string name, CancellationToken cancellationToken)
    {
        await using (var rows = new NpgsqlCommand(RemoveRows, connection))
        {
            rows.Parameters.AddWithValue("property", property);
            rows.Parameters.AddWithValue("name", name);
            rows.Parameters.AddWithValue("facts", $"step:{name.Replace("_", "\\_", StringComparison.Ordinal)}:%");
            await rows.ExecuteNonQueryAsync(cancellationToken);
        }
        // A run that read the definition before it went may write rows after: the marks have these days done once more.
        await ChangedDays.MarkAsync(connection, property, null, clock.GetUtcNow(), cancellationToken);
    }
}
