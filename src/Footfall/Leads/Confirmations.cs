using Npgsql;

namespace Footfall.Leads;

internal enum ConfirmOutcome
{
    /// <summary>Also when it was confirmed before.</summary>
    Confirmed,

    /// <summary>Consent was withdrawn after it was asked for, or the lead is gone.</summary>
    Void,
}

/// <summary>Requests for consent that a person confirms by a link: double opt-in.</summary>
internal sealed class Confirmations(NpgsqlDataSource database, SignedLinks links, TimeProvider time)
{
    private const string LeadOf = "select lead_id from consent_requests where id = @id";

    private const string Lock = """
        select property_id, purpose, source, confirmed_at, voided_at
        from consent_requests
        where id = @id
        for update
        """;

    private const string SetConfirmed = "update consent_requests set confirmed_at = @now, next_attempt_at = null where id = @id";

    private const string OfLead = """
        select id, property_id, purpose, requested_at, expires_at, sent_at, confirmed_at, voided_at
        from consent_requests
        where lead_id = @lead
        order by requested_at desc, id
        limit 50
        """;

    public async Task<ConfirmOutcome> ConfirmAsync(Guid requestId, byte[]? ipHash, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        Guid? leadId;
        await using (var find = new NpgsqlCommand(LeadOf, connection))
        {
            find.Parameters.AddWithValue("id", requestId);
            leadId = await find.ExecuteScalarAsync(cancellationToken) as Guid?;
        }
        // The lead's row first, as everywhere, and then the request as it is under that lock.
        if (leadId is not { } id || await LeadStore.LockAsync(connection, id, cancellationToken) is not { } lead) return ConfirmOutcome.Void;
        var now = time.GetUtcNow();
        ConsentGiven given;
        await using (var command = new NpgsqlCommand(Lock, connection))
        {
            command.Parameters.AddWithValue("id", requestId);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            if (!await rows.ReadAsync(cancellationToken) || !rows.IsDBNull(4)) return ConfirmOutcome.Void;
            if (!rows.IsDBNull(3)) return ConfirmOutcome.Confirmed;
            given = new ConsentGiven(
                ConsentStatus.Express, ConsentMethod.DoubleOptIn, ConsentBasis.Inquiry, rows.IsDBNull(1) ? null : rows.GetString(1),
                rows.IsDBNull(2) ? null : rows.GetString(2), ipHash, rows.GetString(0), lead.Consent.ChangedAt > now ? lead.Consent.ChangedAt.Value : now);
        }
        await using (var set = new NpgsqlCommand(SetConfirmed, connection))
        {
            set.Parameters.AddWithValue("id", requestId);
            set.Parameters.AddWithValue("now", now);
            await set.ExecuteNonQueryAsync(cancellationToken);
        }
        if (ConsentRules.Give(lead.Consent, given, now) is { } change) await LeadStore.ChangeAsync(connection, lead.Id, change, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return ConfirmOutcome.Confirmed;
    }

    /// <summary>Of a lead, newest first.</summary>
    /// <param name="server">Scheme and host of links; null where the server sends them itself, and nobody else is to see them.</param>
    public async Task<List<ConfirmationState>> OfLeadAsync(Guid leadId, string? server, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(OfLead);
        command.Parameters.AddWithValue("lead", leadId);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<ConfirmationState> states = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var expires = rows.GetFieldValue<DateTimeOffset>(4);
            var state = !rows.IsDBNull(6) ? "confirmed" : !rows.IsDBNull(7) ? "void" : expires <= time.GetUtcNow() ? "expired" : "open";
            states.Add(new ConfirmationState(
                state, rows.IsDBNull(2) ? null : rows.GetString(2), rows.GetString(1), rows.GetFieldValue<DateTimeOffset>(3), expires,
                rows.IsDBNull(5) ? null : rows.GetFieldValue<DateTimeOffset>(5), rows.IsDBNull(6) ? null : rows.GetFieldValue<DateTimeOffset>(6),
                state == "open" && server is not null ? $"{server}{SignedLinks.ConfirmPath}?token={links.Confirm(rows.GetGuid(0), expires)}" : null));
        }
        return states;
    }
}
