using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Access;

/// <summary>A browser that showed a key, as stored.</summary>
/// <param name="Token">The token that was shown, as it is now; null when it was a configured key.</param>
/// <param name="KeyMark">Of that configured key.</param>
internal sealed record StoredSignIn(AccessToken? Token, string? KeyMark, DateTimeOffset StartedAt, DateTimeOffset SeenAt);

/// <summary>The table of sign-ins.</summary>
internal sealed class SignInStore(NpgsqlDataSource database)
{
    private const string Insert = """
        insert into sign_ins (hash, token_id, key_mark, started_at, seen_at)
        values (@hash, @token, @mark, @now, @now)
        """;

    private const string Find = """
        select s.key_mark, s.started_at, s.seen_at, t.id, t.name, t.role, t.plan, t.property_id, t.created_at, t.last_used_at, t.revoked_at
        from sign_ins s
        left join access_tokens t on t.id = s.token_id
        where s.hash = @hash and t.revoked_at is null
        """;

    private const string Seen = "update sign_ins set seen_at = @now where hash = @hash and seen_at < @now";

    private const string End = "delete from sign_ins where hash = @hash";

    private const string Forget = "delete from sign_ins where seen_at < @idle_since or started_at < @begun_before";

    public async Task AddAsync(byte[] hash, KeyOwner owner, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Insert);
        command.Parameters.AddWithValue("hash", hash);
        command.Parameters.Add(new NpgsqlParameter("token", NpgsqlDbType.Uuid) { Value = (object?)owner.TokenId ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("mark", NpgsqlDbType.Text) { Value = (object?)owner.KeyMark ?? DBNull.Value });
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Null when there is none, or its token was revoked.</summary>
    public async Task<StoredSignIn?> FindAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Find);
        command.Parameters.AddWithValue("hash", hash);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        if (!await rows.ReadAsync(cancellationToken)) return null;
        var token = rows.IsDBNull(3) ? null : new AccessToken(
            rows.GetGuid(3), rows.GetString(4), AccessNames.Role(rows.GetString(5)), AccessNames.Plan(rows.GetString(6)), rows.IsDBNull(7) ? null : rows.GetString(7),
            rows.GetFieldValue<DateTimeOffset>(8), rows.IsDBNull(9) ? null : rows.GetFieldValue<DateTimeOffset>(9), null);
        return new StoredSignIn(token, rows.IsDBNull(0) ? null : rows.GetString(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetFieldValue<DateTimeOffset>(2));
    }

    public async Task SeenAsync(byte[] hash, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Seen);
        command.Parameters.AddWithValue("hash", hash);
        command.Parameters.AddWithValue("now", now);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task EndAsync(byte[] hash, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(End);
        command.Parameters.AddWithValue("hash", hash);
        if (await command.ExecuteNonQueryAsync(cancellationToken) > 0) await ChangeFeed.TellAsync(database, Shared.Tokens, cancellationToken);
    }

    /// <summary>Removes those that are over.</summary>
    public async Task ForgetAsync(DateTimeOffset idleSince, DateTimeOffset begunBefore, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Forget);
        command.Parameters.AddWithValue("idle_since", idleSince);
        command.Parameters.AddWithValue("begun_before", begunBefore);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
