using System.Text.Json;
using Footfall.Definitions;
using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Cli;

/// <summary>A conversion that is defined by event type, and path where there is one.</summary>
internal sealed record GoalSetting(string Name, string EventType, string? Path)
{
    public override string ToString() => Path is null ? $"{Name}={EventType}" : $"{Name}={EventType}:{Path}";
}

/// <summary>What an operator may say about a property.</summary>
internal sealed record PropertySetting(string Id, string Name, string[] Hosts, GoalSetting[] Goals, bool PublicSummary, DateTimeOffset CreatedAt, FormSetting Forms);

/// <summary>How lead forms behave.</summary>
/// <param name="ThanksUrl">Null: this server's own page; so with <paramref name="ErrorUrl"/>.</param>
internal sealed record FormSetting(bool DoubleOptIn, string? ThanksUrl, string? ErrorUrl);

/// <param name="RawDays">0: as configured for all.</param>
/// <param name="RollupMonths">0 keeps for ever; -1: as configured for all.</param>
/// <param name="ThanksUrl">Empty: this server's own page; so with <paramref name="ErrorUrl"/>.</param>
/// <param name="AccountSecret">Empty: accounts are believed without proof.</param>
internal sealed record ProductSetting(string[]? SubmitEvents, string[]? OpenEvents, int? RawDays, int? RollupMonths, string? AccountSecret, bool? DoubleOptIn = null, string? ThanksUrl = null, string? ErrorUrl = null);

/// <summary>Reads and changes the table of properties for the command line. The server takes changes over within a minute.</summary>
internal sealed class PropertySettings(NpgsqlDataSource database, TimeProvider clock)
{
    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    private const string Columns = "select id, name, hosts, goals::text, public_summary, created_at, double_opt_in, thanks_url, error_url from properties";

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
        await ChangeFeed.TellAsync(database, Shared.Properties, cancellationToken);

        void Add(string parameter, NpgsqlDbType type, object? value) =>
            command.Parameters.Add(new NpgsqlParameter(parameter, type) { Value = value ?? DBNull.Value });
    }

    private const string SaveProduct = """
        update properties
        set submit_events = coalesce(@submit, submit_events), open_events = coalesce(@open, open_events),
            raw_days = case when @raw_days = 0 then null else coalesce(@raw_days, raw_days) end,
            rollup_months = case when @rollup_months < 0 then null else coalesce(@rollup_months, rollup_months) end,
            account_secret = nullif(coalesce(@secret, account_secret), ''),
            double_opt_in = coalesce(@double_opt_in, double_opt_in),
            thanks_url = nullif(coalesce(@thanks_url, thanks_url), ''), error_url = nullif(coalesce(@error_url, error_url), '')
        where id = @id
        """;

    /// <summary>Changes what is given of an existing property. When other events count as opens or submits, its days are marked to be counted anew.</summary>
    public async Task SaveProductAsync(string id, ProductSetting product, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(SaveProduct, connection);
        command.Parameters.AddWithValue("id", id);
        Add("submit", NpgsqlDbType.Array | NpgsqlDbType.Text, product.SubmitEvents);
        Add("open", NpgsqlDbType.Array | NpgsqlDbType.Text, product.OpenEvents);
        Add("raw_days", NpgsqlDbType.Integer, product.RawDays);
        Add("rollup_months", NpgsqlDbType.Integer, product.RollupMonths);
        Add("secret", NpgsqlDbType.Text, product.AccountSecret);
        Add("double_opt_in", NpgsqlDbType.Boolean, product.DoubleOptIn);
        Add("thanks_url", NpgsqlDbType.Text, product.ThanksUrl);
        Add("error_url", NpgsqlDbType.Text, product.ErrorUrl);
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (product.SubmitEvents is not null || product.OpenEvents is not null) await ChangedDays.MarkAsync(connection, id, null, clock.GetUtcNow(), cancellationToken);
        await ChangeFeed.TellAsync(connection, Shared.Properties, cancellationToken);
        await transaction.CommitAsync(cancellationToken);

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
                JsonSerializer.Deserialize<GoalSetting[]>(rows.GetString(3), Json) ?? [], rows.GetBoolean(4), rows.GetFieldValue<DateTimeOffset>(5),
                new FormSetting(rows.GetBoolean(6), rows.IsDBNull(7) ? null : rows.GetString(7), rows.IsDBNull(8) ? null : rows.GetString(8))));
        }
        return properties;
    }
}
