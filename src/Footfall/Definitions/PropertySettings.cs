using System.Text.Json;
using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Definitions;

/// <summary>A conversion that is defined by event type, and path where there is one.</summary>
internal sealed record GoalSetting(string Name, string EventType, string? Path)
{
    public override string ToString() => Path is null ? $"{Name}={EventType}" : $"{Name}={EventType}:{Path}";
}

/// <summary>What an operator may say about a property.</summary>
/// <param name="TimeZone">IANA name, for times of day; days stay UTC days.</param>
internal sealed record PropertySetting(
    string Id, string Name, string[] Hosts, GoalSetting[] Goals, bool PublicSummary, DateTimeOffset CreatedAt, FormSetting Forms, string TimeZone, ProductState Product);

/// <summary>How lead forms behave.</summary>
/// <param name="ThanksUrl">Null: this server's own page; so with <paramref name="ErrorUrl"/>.</param>
internal sealed record FormSetting(bool DoubleOptIn, string? ThanksUrl, string? ErrorUrl);

/// <summary>What is counted as what, and how long it is kept.</summary>
/// <param name="RawDays">Null: as configured for all; so with <paramref name="RollupMonths"/>, of which 0 is for ever.</param>
/// <param name="ProvesAccounts">Whether accounts count only with a signature; the secret itself is not read again.</param>
internal sealed record ProductState(string[] SubmitEvents, string[] OpenEvents, int? RawDays, int? RollupMonths, bool ProvesAccounts);

/// <param name="RawDays">0: as configured for all.</param>
/// <param name="RollupMonths">0 keeps for ever; -1: as configured for all.</param>
/// <param name="ThanksUrl">Empty: this server's own page; so with <paramref name="ErrorUrl"/>.</param>
/// <param name="AccountSecret">Empty: accounts are believed without proof.</param>
internal sealed record ProductSetting(string[]? SubmitEvents, string[]? OpenEvents, int? RawDays, int? RollupMonths, string? AccountSecret, bool? DoubleOptIn = null, string? ThanksUrl = null, string? ErrorUrl = null);

/// <summary>Reads and changes the table of properties for the command line and the pages. Every server takes changes over within a minute.</summary>
internal sealed class PropertySettings(NpgsqlDataSource database, TimeProvider clock)
{
    public const int MaxName = 100, MaxHosts = 50, MaxGoals = 50, MaxEventType = 64, MaxEventTypes = 20, MinSecret = 16, MaxSecret = 256, MaxRawDays = 36_600, MaxRollupMonths = 1_200;

    private static readonly JsonSerializerOptions Json = new(JsonSerializerDefaults.Web) { DefaultIgnoreCondition = System.Text.Json.Serialization.JsonIgnoreCondition.WhenWritingNull };

    private const string Columns = """
        select id, name, hosts, goals::text, public_summary, created_at, double_opt_in, thanks_url, error_url, time_zone,
               submit_events, open_events, raw_days, rollup_months, account_secret is not null
        from properties
        """;

    private const string Save = """
        insert into properties (id, name, hosts, goals, public_summary, time_zone, created_at)
        values (@id, coalesce(@name, @id), coalesce(@hosts, '{}'), coalesce(@goals, '[]'), coalesce(@public, false), coalesce(@time_zone, 'UTC'), @now)
        on conflict (id) do update set
            name = coalesce(@name, properties.name),
            hosts = coalesce(@hosts, properties.hosts),
            goals = coalesce(@goals, properties.goals),
            public_summary = coalesce(@public, properties.public_summary),
            time_zone = coalesce(@time_zone, properties.time_zone)
        """;

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
    public async Task SaveAsync(string id, string? name, string[]? hosts, GoalSetting[]? goals, bool? publicSummary, CancellationToken cancellationToken, string? timeZone = null)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await SaveAsync(connection, id, name, hosts, goals, publicSummary, timeZone, cancellationToken);
    }

    /// <summary>Changes what is given of an existing property. When other events count as opens or submits, its days are marked to be counted anew.</summary>
    public async Task SaveProductAsync(string id, ProductSetting product, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await SaveProductAsync(connection, id, product, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
    }

    /// <summary>All at once, or nothing; false when there is no such property any more.</summary>
    public async Task<bool> ChangeAsync(string id, string name, string[] hosts, GoalSetting[] goals, bool publicSummary, string timeZone, ProductSetting product, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using (var hold = new NpgsqlCommand("select true from properties where id = @id for update", connection))
        {
            hold.Parameters.AddWithValue("id", id);
            if (await hold.ExecuteScalarAsync(cancellationToken) is not true) return false;
        }
        await SaveAsync(connection, id, name, hosts, goals, publicSummary, timeZone, cancellationToken);
        await SaveProductAsync(connection, id, product, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private async Task SaveAsync(NpgsqlConnection connection, string id, string? name, string[]? hosts, GoalSetting[]? goals, bool? publicSummary, string? timeZone, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Save, connection);
        command.Parameters.AddWithValue("id", id);
        Add(command, "name", NpgsqlDbType.Text, name);
        Add(command, "hosts", NpgsqlDbType.Array | NpgsqlDbType.Text, hosts);
        Add(command, "goals", NpgsqlDbType.Jsonb, goals is null ? null : JsonSerializer.Serialize(goals, Json));
        Add(command, "public", NpgsqlDbType.Boolean, publicSummary);
        Add(command, "time_zone", NpgsqlDbType.Text, timeZone);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
        await ChangeFeed.TellAsync(connection, Shared.Properties, cancellationToken);
    }

    private async Task SaveProductAsync(NpgsqlConnection connection, string id, ProductSetting product, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(SaveProduct, connection);
        command.Parameters.AddWithValue("id", id);
        Add(command, "submit", NpgsqlDbType.Array | NpgsqlDbType.Text, product.SubmitEvents);
        Add(command, "open", NpgsqlDbType.Array | NpgsqlDbType.Text, product.OpenEvents);
        Add(command, "raw_days", NpgsqlDbType.Integer, product.RawDays);
        Add(command, "rollup_months", NpgsqlDbType.Integer, product.RollupMonths);
        Add(command, "secret", NpgsqlDbType.Text, product.AccountSecret);
        Add(command, "double_opt_in", NpgsqlDbType.Boolean, product.DoubleOptIn);
        Add(command, "thanks_url", NpgsqlDbType.Text, product.ThanksUrl);
        Add(command, "error_url", NpgsqlDbType.Text, product.ErrorUrl);
        await command.ExecuteNonQueryAsync(cancellationToken);
        if (product.SubmitEvents is not null || product.OpenEvents is not null) await ChangedDays.MarkAsync(connection, id, null, clock.GetUtcNow(), cancellationToken);
        await ChangeFeed.TellAsync(connection, Shared.Properties, cancellationToken);
    }

    private static void Add(NpgsqlCommand command, string parameter, NpgsqlDbType type, object? value) =>
        command.Parameters.Add(new NpgsqlParameter(parameter, type) { Value = value ?? DBNull.Value });

    private static async Task<List<PropertySetting>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PropertySetting> properties = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            properties.Add(new PropertySetting(
                rows.GetString(0), rows.GetString(1), rows.GetFieldValue<string[]>(2),
                JsonSerializer.Deserialize<GoalSetting[]>(rows.GetString(3), Json) ?? [], rows.GetBoolean(4), rows.GetFieldValue<DateTimeOffset>(5),
                new FormSetting(rows.GetBoolean(6), rows.IsDBNull(7) ? null : rows.GetString(7), rows.IsDBNull(8) ? null : rows.GetString(8)), rows.GetString(9),
                new ProductState(
                    rows.GetFieldValue<string[]>(10), rows.GetFieldValue<string[]>(11), rows.IsDBNull(12) ? null : rows.GetInt32(12), rows.IsDBNull(13) ? null : rows.GetInt32(13), rows.GetBoolean(14))));
        }
        return properties;
    }
}
