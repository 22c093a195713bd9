using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Leads;

/// <summary>What an admin did with personal data, and whom they let see any. In PostgreSQL and on the wire by the snake-case name.</summary>
internal enum AuditAction
{
    LeadsListed,
    ConsentShown,
    ConsentWithdrawn,
    PersonShown,
    PersonExported,
    PersonErased,
    ErasureAskedAgain,
    ErasureTried,
    LeadsMerged,
    MergeUndone,
    LeadsImported,
    LedgerVerified,
    PropertyRemoved,
    TokenMade,
    TokenRevoked,
    SharedLinkMade,
    SharedLinkRevoked,
    KeyRotated,
}

/// <param name="Actor">The kind of key, a token's id, or the command line.</param>
/// <param name="ActorName">What the token is called, where it was one's; the log itself holds ids alone.</param>
/// <param name="LeadId">Whose data, where it was one lead's; without meaning once that is erased.</param>
/// <param name="Detail">Counts and ids; nothing that says anything about a person.</param>
internal sealed record AuditEntry(long Id, DateTimeOffset At, string Actor, string? ActorName, string Action, Guid? LeadId, JsonElement Detail);

/// <summary>The append-only record of what was done with personal data, who was let in, and by whom.</summary>
internal sealed class AuditLog(NpgsqlDataSource database, TimeProvider clock)
{
    /// <summary>How the log names who ran a command.</summary>
    public const string CommandLine = "command line";

    private const string Insert = """
        insert into audit_log (at, actor, action, lead_id, detail)
        values (@at, @actor, @action, @lead, @detail)
        """;

    private const string Newest = """
        select a.id, a.at, a.actor, t.name, a.action, a.lead_id, a.detail::text
        from audit_log a
        left join access_tokens t on a.actor = 'token ' || t.id::text
        where (@before::bigint is null or a.id < @before)
          and (@lead::uuid is null or a.lead_id = @lead)
          and (@action::text is null or a.action = @action)
        order by a.id desc
        limit @most
        """;

    public static string Text(AuditAction action) => action switch
    {
        AuditAction.LeadsListed => "leads_listed",
        AuditAction.ConsentShown => "consent_shown",
        AuditAction.ConsentWithdrawn => "consent_withdrawn",
        AuditAction.PersonShown => "person_shown",
        AuditAction.PersonExported => "person_exported",
        AuditAction.PersonErased => "person_erased",
        AuditAction.ErasureAskedAgain => "erasure_asked_again",
        AuditAction.ErasureTried => "erasure_tried",
        AuditAction.LeadsMerged => "leads_merged",
        AuditAction.MergeUndone => "merge_undone",
        AuditAction.LeadsImported => "leads_imported",
        AuditAction.LedgerVerified => "ledger_verified",
        AuditAction.PropertyRemoved => "property_removed",
        AuditAction.TokenMade => "token_made",
        AuditAction.TokenRevoked => "token_revoked",
        AuditAction.SharedLinkMade => "shared_link_made",
        AuditAction.SharedLinkRevoked => "shared_link_revoked",
        AuditAction.KeyRotated => "key_rotated",
        _ => throw new ArgumentOutOfRangeException(nameof(action), action, null),
    };

    /// <summary>Null when the text names none.</summary>
    public static AuditAction? Action(string text)
    {
        foreach (var action in Enum.GetValues<AuditAction>())
        {
            if (Text(action) == text) return action;
        }
        return null;
    }

    /// <summary>In the transaction that does what is recorded.</summary>
    public async Task AddAsync(NpgsqlConnection connection, string actor, AuditAction action, Guid? leadId, string detail, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Insert, connection);
        command.Parameters.AddWithValue("at", clock.GetUtcNow());
        command.Parameters.AddWithValue("actor", actor);
        command.Parameters.AddWithValue("action", Text(action));
        command.Parameters.Add(new NpgsqlParameter("lead", NpgsqlDbType.Uuid) { Value = (object?)leadId ?? DBNull.Value });
        command.Parameters.AddWithValue("detail", NpgsqlDbType.Jsonb, detail);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    public async Task AddAsync(string actor, AuditAction action, Guid? leadId, string detail, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await AddAsync(connection, actor, action, leadId, detail, cancellationToken);
    }

    /// <summary>Newest first.</summary>
    /// <param name="before">Only older ones than this id; null for the newest.</param>
    public async Task<List<AuditEntry>> ListAsync(long? before, Guid? leadId, AuditAction? action, int most, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Newest);
        command.Parameters.Add(new NpgsqlParameter("before", NpgsqlDbType.Bigint) { Value = (object?)before ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("lead", NpgsqlDbType.Uuid) { Value = (object?)leadId ?? DBNull.Value });
        command.Parameters.Add(new NpgsqlParameter("action", NpgsqlDbType.Text) { Value = action is { } a ? Text(a) : DBNull.Value });
        command.Parameters.AddWithValue("most", most);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<AuditEntry> entries = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            using var detail = JsonDocument.Parse(rows.GetString(6));
            entries.Add(new AuditEntry(
                rows.GetInt64(0), rows.GetFieldValue<DateTimeOffset>(1), rows.GetString(2), rows.IsDBNull(3) ? null : rows.GetString(3), rows.GetString(4),
                rows.IsDBNull(5) ? null : rows.GetGuid(5), detail.RootElement.Clone()));
        }
        return entries;
    }
}
