using Footfall.Postgres;
using Npgsql;

namespace Footfall.Capture;

/// <summary>How a property is shown to people.</summary>
/// <param name="TimeZone">IANA name, for times of day; days stay UTC days.</param>
internal sealed record PropertyTitle(string Id, string Name, string TimeZone);

/// <summary>Reads the table of properties. Rows are made by ingestion, and by people who want one before its first event.</summary>
internal sealed class PropertyStore(NpgsqlDataSource database)
{
    private const string Titles = """
        select id, name, time_zone
        from properties
        order by lower(name), id
        """;

    private const string Make = """
        insert into properties (id, name, hosts, created_at)
        values (@id, @name, @hosts, @now)
        on conflict (id) do nothing
        """;

    private const string All = """
        select id, hosts, goals::text, account_secret, thanks_url, error_url
        from properties
        order by id
        """;

    public async Task<List<Property>> LoadAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(All);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Property> properties = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            properties.Add(new Property(rows.GetString(0), rows.GetFieldValue<string[]>(1), Goal.Read(rows.GetString(2)), rows.IsDBNull(3) ? null : rows.GetString(3))
            {
                ThanksUrl = rows.IsDBNull(4) ? null : rows.GetString(4),
                ErrorUrl = rows.IsDBNull(5) ? null : rows.GetString(5),
            });
        }
        return properties;
    }

    public async Task<List<PropertyTitle>> TitlesAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Titles);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PropertyTitle> titles = [];
        while (await rows.ReadAsync(cancellationToken)) titles.Add(new PropertyTitle(rows.GetString(0), rows.GetString(1), rows.GetString(2)));
        return titles;
    }

    /// <summary>Makes the property unless there is one of this id, which stays as it is.</summary>
    public async Task MakeAsync(string id, string name, string[] hosts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Make);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("hosts", hosts);
        command.Parameters.AddWithValue("now", now);
        if (await command.ExecuteNonQueryAsync(cancellationToken) > 0) await ChangeFeed.TellAsync(database, Shared.Properties, cancellationToken);
    }
}
