using System.Text;
using System.Text.Json;
using Npgsql;

namespace Footfall.Leads;

/// <summary>
/// An erased address in rows that are not the person's own: what somebody wrote into a form, a prop that a site sent from a browser it
/// did not identify. There the address gives way to a blot; the rest of the row is somebody else's. Reads every text of every table.
/// </summary>
internal static class Mentions
{
    private const string Blot = "[erased]";

    // Nothing is changed in these: rules forbid it, and they hold no address.
    private static readonly string[] Unchangeable = ["consent_events", "audit_log"];

    private const string Columns = """
        select c.relname, a.attname, a.atttypid::regtype::text, p.inhparent is not null and p.inhparent = 'events'::regclass
        from pg_class c
        join pg_attribute a on a.attrelid = c.oid and a.attnum > 0 and not a.attisdropped
        left join pg_inherits p on p.inhrelid = c.oid
        where c.relkind = 'r' and c.relnamespace = 'public'::regnamespace and c.relpersistence = 'p'
          and a.atttypid in ('text'::regtype, 'text[]'::regtype, 'jsonb'::regtype)
          and c.relname <> all (@unchangeable)
        order by c.relname, a.attnum
        """;

    private sealed record Column(string Name, string Type);

    /// <summary>Returns the tables in which something was blotted out.</summary>
    public static async Task<List<string>> BlotAsync(NpgsqlConnection connection, string[] addresses, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (addresses.Length == 0) return [];
        List<(string Table, bool IsEvents, List<Column> Columns)> tables = [];
        await using (var command = new NpgsqlCommand(Columns, connection))
        {
            command.Parameters.AddWithValue("unchangeable", Unchangeable);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                var table = rows.GetString(0);
                if (tables.Count == 0 || tables[^1].Table != table) tables.Add((table, rows.GetBoolean(3), []));
                tables[^1].Columns.Add(new Column(rows.GetString(1), rows.GetString(2)));
            }
        }
        List<string> blotted = [];
        foreach (var (table, isEvents, columns) in tables)
        {
            if (await BlotAsync(connection, table, isEvents, columns, addresses, now, cancellationToken) > 0) blotted.Add(table);
        }
        return blotted;
    }

    private static async Task<long> BlotAsync(NpgsqlConnection connection, string table, bool isEvents, List<Column> columns, string[] addresses, DateTimeOffset now, CancellationToken cancellationToken)
    {
        var quoted = ScrubStore.Quoted(table);
        // Nearly no row has an @ at all: looking for that is many times as fast as a pattern, or as each address by itself.
        var texts = $"({string.Join(" || ' ' || ", columns.Select(c => $"coalesce(t.{ScrubStore.Quoted(c.Name)}::text, '')"))})";   // a cluster takes only what is immutable
        var where = $"(strpos({texts}, '@') > 0 or strpos({texts}, '%40') > 0) and {texts} ~* @pattern";
        var update = $"update {quoted} t set {string.Join(", ", columns.Select(Assignment))} where {where}";
        var sql = isEvents ? $"with blotted as ({update} returning t.property_id, (t.occurred_at at time zone 'UTC')::date as day) {MarkDirty}" : update;
        try
        {
            return await RunAsync(sql);
        }
        catch (PostgresException e) when (e.SqlState == PostgresErrorCodes.UniqueViolation)
        {
            return await RunAsync($"delete from {quoted} t where {where}");   // two keys that named the person have become one
        }

        async Task<long> RunAsync(string statement)
        {
            await using var command = new NpgsqlCommand(statement, connection) { CommandTimeout = 0 };
            command.Parameters.AddWithValue("pattern", Pattern(addresses));
            if (statement.Contains("@now", StringComparison.Ordinal)) command.Parameters.AddWithValue("now", now);
            return await command.ExecuteNonQueryAsync(cancellationToken);
        }
    }

    private const string MarkDirty = """
        insert into dirty_days as d (property_id, day, marks, marked_at)
        select distinct property_id, day, 1::bigint, @now
        from blotted
        order by property_id, day
        on conflict (property_id, day) do update set marks = d.marks + 1, marked_at = excluded.marked_at
        """;

    private static string Assignment(Column column)
    {
        var name = ScrubStore.Quoted(column.Name);
        var cast = column.Type == "text" ? "" : $"::{column.Type}";
        return $"{name} = regexp_replace(t.{name}::text, @pattern, '{Blot}', 'gi'){cast}";
    }

    /// <summary>In lower case: plain, as it stands in a URL, and in JSON (a quoted local part has signs that are escaped there).</summary>
    private static IEnumerable<string> Written(string address)
    {
        var lower = address.ToLowerInvariant();
        yield return lower;
        var inUrl = Uri.EscapeDataString(lower).ToLowerInvariant();
        yield return inUrl;
        yield return inUrl.Replace("%40", "@", StringComparison.Ordinal);
        yield return lower.Replace("@", "%40", StringComparison.Ordinal);
        yield return JsonEncodedText.Encode(lower, System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping).ToString();
    }

    /// <summary>The whole address only: joann@example.org is not ann@example.org.</summary>
    private static string Pattern(string[] addresses)
    {
        // Other signs may stand in a local part too, and much more often stand before an address: (ann@..., 'ann@..., mail=ann@...
        const string ofLocal = @"[a-z0-9.+_-]";
        var pattern = new StringBuilder();
        foreach (var address in addresses.SelectMany(Written).Distinct(StringComparer.Ordinal))
            pattern.Append(pattern.Length == 0 ? "" : "|").Append(Escape(address));
        return $@"(?<!{ofLocal})(?:{pattern})(?![a-z0-9-]|\.[a-z0-9])";
    }

    // Every sign but letters and digits: PostgreSQL takes an escaped one for itself.
    private static string Escape(string text) => string.Concat(text.Select(c => char.IsAsciiLetterOrDigit(c) || c > '~' ? $"{c}" : $"\\{c}"));
}
