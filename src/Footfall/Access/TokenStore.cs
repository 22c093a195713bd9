using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Access;

/// <summary>The table of access tokens.</summary>
internal sealed class TokenStore(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Insert = """
        insert into access_tokens (id, name, hash, role, plan, property_id, created_at)
        values (@id, @name, @hash, @role, @plan, @property, @now)
        """;

    private const string Find = """
        select id, name, role, plan, property_id, created_at, last_used_at, revoked_at
        from access_tokens
        where hash = @hash and (revoked_at is null or revoked_at > @now)
        """;

    private const string List = """
        select id, name, role, plan, property_id, created_at, last_used_at, revoked_at
        from access_tokens
        order by created_at, id
        """;

    /// <summary>By its whole id, or the beginning that the list shows.</summary>
    private const string Revoke = """
        update access_tokens
        set revoked_at = least(coalesce(revoked_at, @at), @at)
        where starts_with(id::text, @id)
          and (select count(*) from access_tokens where starts_with(id::text, @id)) = 1
        returning id, name, role, plan, property_id, created_at, last_used_at, revoked_at
        """;

    private const string Used = """
        update access_tokens t
        set last_used_at = greatest(t.last_used_at, u.at)
        from unnest(@ids, @times) as u (id, at)
        where t.id = u.id
        """;

    private const string AnyWithRole = "select exists (select from access_tokens where (revoked_at is null or revoked_at > @now) and role = any(@roles))";

    /// <inheritdoc cref="CreateAsync(string, AccessRole, AccessPlan, string?, Func{NpgsqlConnection, AccessToken, Task}, CancellationToken)"/>
    public Task<(AccessToken Token, string Text)> CreateAsync(string name, AccessRole role, AccessPlan plan, string? propertyId, CancellationToken cancellationToken) =>
        CreateAsync(name, role, plan, propertyId, (_, _) => Task.CompletedTask, cancellationToken);

    /// <summary>Makes a token; its text is handed out here and never again.</summary>
    /// <param name="record">Writes down what was done, in the same transaction.</param>
    public async Task<(AccessToken Token, string Text)> CreateAsync(
        string name, AccessRole role, AccessPlan plan, string? propertyId, Func<NpgsqlConnection, AccessToken, Task> record, CancellationToken cancellationToken)
    {
        var text = TokenText.New();
        var token = new AccessToken(Guid.CreateVersion7(clock.GetUtcNow()), name, role, plan, propertyId, clock.GetUtcNow(), null, null);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.AddWithValue("id", token.Id);
        command.Parameters.AddWithValue("name", name);
        command.Parameters.AddWithValue("hash", TokenText.Hash(text));
        command.Parameters.AddWithValue("role", role.Text());
        command.Parameters.AddWithValue("plan", plan.Text());
        command.Parameters.Add(new NpgsqlParameter("property", NpgsqlDbType.Text) { Value = (object?)propertyId ?? DBNull.Value });
        command.Parameters.AddWithValue("now", token.CreatedAt);
        await command.ExecuteNonQueryAsync(cancellationToken);
        await record(connection, token);
        await transaction.CommitAsync(cancellationToken);
        return (token, text);
    }

    /// <summary>Null when there is none of this hash, or it was revoked.</summary>
    public async Task<AccessToken?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Find);
        command.Parameters.AddWithValue("hash", hash);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        return (await ReadAsync(command, cancellationToken)).SingleOrDefault();
    }

    public async Task<List<AccessToken>> ListAsync(CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(List);
        return await ReadAsync(command, cancellationToken);
    }

    /// <summary>The token, revoked; null when none or several begin so.</summary>
    public Task<AccessToken?> RevokeAsync(string idOrBeginning, CancellationToken cancellationToken) => RevokeAsync(idOrBeginning, TimeSpan.Zero, (_, _) => Task.CompletedTask, cancellationToken);

    /// <summary>The token, which works for a while yet; null when none or several begin so.</summary>
    /// <param name="record">Writes down what was done, in the same transaction.</param>
    public async Task<AccessToken?> RevokeAsync(string idOrBeginning, TimeSpan grace, Func<NpgsqlConnection, AccessToken, Task> record, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await using var command = new NpgsqlCommand(Revoke, connection);
        command.Parameters.AddWithValue("id", idOrBeginning.ToLowerInvariant());
        command.Parameters.AddWithValue("at", clock.GetUtcNow() + grace);
        var revoked = (await ReadAsync(command, cancellationToken)).SingleOrDefault();
        if (revoked is null) return null;
        await record(connection, revoked);
        await ChangeFeed.TellAsync(connection, Shared.Tokens, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return revoked;
    }

    public async Task UsedAsync(IReadOnlyCollection<KeyValuePair<Guid, DateTimeOffset>> uses, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Used);
        command.Parameters.AddWithValue("ids", uses.Select(u => u.Key).ToArray());
        command.Parameters.AddWithValue("times", uses.Select(u => u.Value).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Whether a token could be the right one for the role: else nobody has set access up.</summary>
    public async Task<bool> AnyAsync(AccessRole role, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(AnyWithRole);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        command.Parameters.AddWithValue("roles", new[] { AccessRole.Admin.Text(), role.Text() });
        return await command.ExecuteScalarAsync(cancellationToken) is true;
    }

    /// <summary>Ids of the tokens that were revoked, and when.</summary>
    public static async Task<List<(Guid Id, DateTimeOffset At)>> RevokedAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select id, revoked_at from access_tokens where revoked_at is not null", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(Guid, DateTimeOffset)> revoked = [];
        while (await rows.ReadAsync(cancellationToken)) revoked.Add((rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1)));
        return revoked;
    }

    /// <summary>Revokes a token that was, and is back from a backup that was taken before. False when there is none, or it is revoked.</summary>
    public static async Task<bool> RevokeAgainAsync(NpgsqlConnection connection, Guid id, DateTimeOffset at, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("update access_tokens set revoked_at = @at where id = @id and (revoked_at is null or revoked_at > @at)", connection);
        command.Parameters.AddWithValue("id", id);
        command.Parameters.AddWithValue("at", at);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }

    private static async Task<List<AccessToken>> ReadAsync(NpgsqlCommand command, CancellationToken cancellationToken)
    {
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<AccessToken> tokens = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            tokens.Add(new AccessToken(
                rows.GetGuid(0), rows.GetString(1), AccessNames.Role(rows.GetString(2)), AccessNames.Plan(rows.GetString(3)),
                rows.IsDBNull(4) ? null : rows.GetString(4), rows.GetFieldValue<DateTimeOffset>(5),
                rows.IsDBNull(6) ? null : rows.GetFieldValue<DateTimeOffset>(6),
                rows.IsDBNull(7) ? null : rows.GetFieldValue<DateTimeOffset>(7)));
        }
        return tokens;
    }
}
