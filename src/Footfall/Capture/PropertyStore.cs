using Npgsql;

namespace Footfall.Capture;

/// <summary>Reads the table of properties. Rows are made by ingestion.</summary>
internal sealed class PropertyStore(NpgsqlDataSource database)
{
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
}
