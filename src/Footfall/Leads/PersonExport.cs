using System.Text.Json;
using Npgsql;

namespace Footfall.Leads;

/// <summary>
/// All that is held on one person, as JSON: the leads that are theirs, consent, submissions, links, and of the visitors that are
/// certainly them (confidence 1) everything. The rows are written as they are stored, by column; times in UTC, hashes in hexadecimal.
/// </summary>
internal sealed class PersonExport(NpgsqlDataSource database, AuditLog audit)
{
    private const string Person = """
        with recursive person (id) as (
            select id from leads where id = @lead
            union
            select case when m.from_lead_id = p.id then m.into_lead_id else m.from_lead_id end
            from person p
            join lead_merges m on m.undone_at is null and p.id in (m.from_lead_id, m.into_lead_id)
        )
        select id from person
        """;

    private const string Visitors = """
        select visitor_id from lead_identities where lead_id = any (@leads) and confidence = 1
        union
        select s.visitor_id
        from form_submissions s
        where s.lead_id = any (@leads) and s.visitor_id is not null
          and not exists (select from form_submissions o where o.visitor_id = s.visitor_id and o.lead_id <> all (@leads))
        """;

    // Each as an array of objects; what only the ledger's chain needs is left out.
    private static readonly (string Name, string Sql)[] Parts =
    [
        ("leads", "select * from leads where id = any (@leads) order by first_captured_at, id"),
        ("merges", "select * from lead_merges where from_lead_id = any (@leads) or into_lead_id = any (@leads) order by merged_at, id"),
        ("consent", "select id, lead_id, status, method, basis, purpose, source, ip_hash, property_id, occurred_at, expires_at, encode(hash, 'hex') as hash from consent_events where lead_id = any (@leads) order by id"),
        ("consentRequests", "select * from consent_requests where lead_id = any (@leads) order by requested_at, id"),
        ("submissions", "select * from form_submissions where lead_id = any (@leads) order by submitted_at, id"),
        ("links", "select * from lead_identities where lead_id = any (@leads) order by linked_at, id"),
        ("visitors", "select * from visitors where id = any (@visitors) order by first_seen_at, id"),
        ("accounts", """
            select a.*
            from accounts a
            where a.id in (select account_id from visitors where id = any (@visitors)
                           union
                           select account_id from events where visitor_id = any (@visitors))
            order by a.id
            """),
        ("sessions", "select * from sessions where visitor_id = any (@visitors) order by started_at, id"),
        ("events", "select * from events where visitor_id = any (@visitors) order by occurred_at, id"),
    ];

    /// <summary>Writes the export, of one state of the database; false, and nothing, when there is no such lead.</summary>
    /// <param name="begin">Called once it is known that there is one, before the first byte.</param>
    public async Task<bool> WriteAsync(Guid leadId, Stream output, Action begin, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead, cancellationToken);
        var leads = await IdsAsync(connection, Person, "lead", leadId, cancellationToken);
        if (leads.Length == 0) return false;
        var visitors = await IdsAsync(connection, Visitors, "leads", leads, cancellationToken);
        await audit.AddAsync(connection, actor, AuditAction.PersonExported, leadId, $$"""{"leads":{{leads.Length}},"visitors":{{visitors.Length}}}""", cancellationToken);
        begin();

        await using var json = new Utf8JsonWriter(output, new JsonWriterOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping });
        json.WriteStartObject();
        json.WriteBoolean("ok", true);
        foreach (var (name, sql) in Parts)
        {
            json.WriteStartArray(name);
            await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
            if (sql.Contains("@leads", StringComparison.Ordinal)) command.Parameters.AddWithValue("leads", leads);
            if (sql.Contains("@visitors", StringComparison.Ordinal)) command.Parameters.AddWithValue("visitors", visitors);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            var names = Enumerable.Range(0, rows.FieldCount).Select(i => JsonNamingPolicy.CamelCase.ConvertName(Joined(rows.GetName(i)))).ToArray();
            while (await rows.ReadAsync(cancellationToken))
            {
                WriteRow(json, rows, names);
                if (json.BytesPending > 32_768) await json.FlushAsync(cancellationToken);
            }
            json.WriteEndArray();
        }
        json.WriteEndObject();
        await json.FlushAsync(cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    private static void WriteRow(Utf8JsonWriter json, NpgsqlDataReader rows, string[] names)
    {
        json.WriteStartObject();
        for (var i = 0; i < names.Length; i++)
        {
            json.WritePropertyName(names[i]);
            if (rows.IsDBNull(i))
            {
                json.WriteNullValue();
                continue;
            }
            var type = rows.GetDataTypeName(i);
            switch (type)
            {
                case "jsonb": json.WriteRawValue(rows.GetString(i)); break;
                case "uuid": json.WriteStringValue(rows.GetGuid(i)); break;
                case "boolean": json.WriteBooleanValue(rows.GetBoolean(i)); break;
                case "integer": json.WriteNumberValue(rows.GetInt32(i)); break;
                case "bigint": json.WriteNumberValue(rows.GetInt64(i)); break;
                case "real": json.WriteNumberValue(rows.GetFloat(i)); break;
                case "timestamp with time zone": json.WriteStringValue(rows.GetFieldValue<DateTimeOffset>(i)); break;
                case "date": json.WriteStringValue(rows.GetFieldValue<DateOnly>(i).ToString("yyyy-MM-dd")); break;
                case "bytea": json.WriteStringValue(Convert.ToHexStringLower(rows.GetFieldValue<byte[]>(i))); break;
                case "text[]":
                    json.WriteStartArray();
                    foreach (var text in rows.GetFieldValue<string[]>(i)) json.WriteStringValue(text);
                    json.WriteEndArray();
                    break;
                default: json.WriteStringValue(rows.GetFieldValue<string>(i)); break;   // texts, and enums by their names
            }
        }
        json.WriteEndObject();
    }

    private static string Joined(string column) => string.Concat(column.Split('_').Select(part => part.Length == 0 ? part : $"{char.ToUpperInvariant(part[0])}{part[1..]}"));

    private static async Task<Guid[]> IdsAsync(NpgsqlConnection connection, string sql, string name, object value, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue(name, value);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<Guid> ids = [];
        while (await rows.ReadAsync(cancellationToken)) ids.Add(rows.GetGuid(0));
        return [.. ids];
    }
}
