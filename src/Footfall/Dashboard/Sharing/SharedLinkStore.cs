using Footfall.Leads;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Dashboard.Sharing;

/// <summary>The table of shared links. Who makes or takes back one is written down, in the same transaction.</summary>
internal sealed class SharedLinkStore(NpgsqlDataSource database, AuditLog audit, TimeProvider clock)
{
    private const string Columns = "select id, property_id, name, password_hash is not null, frame_ancestors, created_at, expires_at, last_used_at, revoked_at, password_salt, password_hash from shared_links";

    private const string Insert = """
        insert into shared_links (id, property_id, name, hash, password_salt, password_hash, frame_ancestors, created_at, expires_at)
        values (@id, @property, @name, @hash, @salt, @password, @ancestors, @now, @expires)
        """;

    private const string Revoke = "update shared_links set revoked_at = @now where property_id = @property and id = @id and revoked_at is null";

    private const string Used = "update shared_links set last_used_at = @now where id = @id and (last_used_at is null or last_used_at < @now - interval '1 minute')";

    /// <summary>Makes a link; its secret is handed out here and never again.</summary>
    public async Task<(SharedLink Link, string Text)> CreateAsync(string actor, string property, string name, string? password, DateTimeOffset? expires, string[] frameAncestors, CancellationToken cancellationToken)
    {
        var text = SharedLinkText.New();
        var hashed = password is null ? null : PasswordHash.Of(password);
        var now = clock.GetUtcNow();
        var link = new SharedLink(Guid.CreateVersion7(now), property, name, hashed is not null, frameAncestors, now, expires, null, null);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.AddWithValue("id", link.Id);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("hash", SharedLinkText.Hash(text));
        command.Parameters.Add(new NpgsqlParameter("salt", NpgsqlDbType.Bytea) { Value = (object?)hashed?.Salt ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("password", NpgsqlDbType.Bytea) { Value = (object?)hashed?.Hash ?? DBNull.Value });
        command.Parameters.AddWithValue("ancestors", frameAncestors);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.Add(new NpgsqlParameter("expires", NpgsqlDbType.TimestampTz) { Value = (object?)expires ?? DBNull.Value });
        await command.ExecuteNonQueryAsync(cancellationToken);
        await audit.AddAsync(
            connection, actor, AuditAction.SharedLinkMade, null,
            $$"""{"link":"{{link.Id}}","property":"{{property}}","password":{{(link.HasPassword ? "true" : "false")}},"until":{{(expires is { } end ? $"\"{end.UtcDateTime:O}\"" : "null")}},"frames":{{frameAncestors.Length}}}""", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return (link, text);
    }

    /// <summary>Of a property: those that work first, the newest of each first.</summary>
    public async Task<List<SharedLink>> ListAsync(string property, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand($"{Columns} where property_id = @property order by revoked_at is not null, created_at desc, id");
        command.Parameters.AddWithValue("property", property);
        return (await ReadAsync(command, cancellationToken)).ConvertAll(r => r.Link);
    }

    /// <summary>Also one that has expired or was revoked; null where there never was one.</summary>
    public async Task<(SharedLink Link, PasswordHash? Password)?> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (!SharedLinkText.IsOne(text)) return null;
        await using var command = database.CreateCommand($"{Columns} where hash = @hash");
        command.Parameters.AddWithValue("hash", SharedLinkText.Hash(text));
        return await ReadAsync(command, cancellationToken) is [var found] ? found : null;
    }

    /// <summary>False when the property has no such link, or it was revoked before.</summary>
    public async Task<bool> RevokeAsync(string actor, string property, Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Revoke, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        if (await command.ExecuteNonQueryAsync(cancellationToken) == 0) return false;
        await audit.AddAsync(connection, actor, AuditAction.SharedLinkRevoked, null, $$"""{"link":"{{id}}","property":"{{property}}"}""", cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    public async Task UsedAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Used);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<List<(SharedLink Link, PasswordHash? Password)>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(SharedLink, PasswordHash?)> links = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var link = new SharedLink(
                rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetBoolean(3), rows.GetFieldValue<string[]>(4),
                rows.GetFieldValue<DateTimeOffset>(5), Instant(rows, 6), Instant(rows, 7), Instant(rows, 8));
            links.Add((link, link.HasPassword ? new PasswordHash(rows.GetFieldValue<byte[]>(9), rows.GetFieldValue<byte[]>(10)) : null));
        }
        return links;
    }

    private static DateTimeOffset? Instant(NpgsqlDataReader rows, int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateTimeOffset>(column);
}
