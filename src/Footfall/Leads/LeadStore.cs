using Npgsql;

namespace Footfall.Leads;

/// <summary>A lead as stored. <see cref="Address"/> is where mail goes; compared is <see cref="Normalized"/>.</summary>
internal sealed record Lead(
    Guid Id, string Normalized, string Address, string Domain, ConsentStanding Consent,
    DateTimeOffset FirstCapturedAt, DateTimeOffset LastCapturedAt, string? SourceChannel, string PropertyId);

/// <summary>Reads leads and changes their consent. Whoever changes it holds the lead's row first, so that changes of one lead follow each other.</summary>
internal sealed class LeadStore(NpgsqlDataSource database)
{
    /// <summary>In the order in which <see cref="Read"/> wants them.</summary>
    public const string Columns = """
        id, email_normalized, coalesce(email, email_normalized), email_domain, consent_status::text, consent_method, consent_purposes,
        consent_changed_at, consent_expires_at, first_captured_at, last_captured_at, source_channel, property_id
        """;

    private const string ById = $"select {Columns} from leads where id = @id";
    private const string ByAddress = $"select {Columns} from leads where email_normalized = @address";

    private const string SetConsent = """
        update leads
        set consent_status = @status::consent_status, consent_method = @method, consent_purposes = @purposes,
            consent_changed_at = @at, consent_expires_at = @expires, consent_event_id = place.last_id
        from place
        where id = @lead
        """;

    // What was asked for before the person said no must not be confirmed after it.
    private const string VoidRequests = """
        update consent_requests
        set voided_at = @at, next_attempt_at = null
        where lead_id = @lead and confirmed_at is null and voided_at is null
        """;

    private const string MoveChangedAt = "update leads set consent_changed_at = @at where id = @lead and consent_status = 'withdrawn'";

    public async Task<Lead?> FindAsync(Guid id, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return await OneAsync(connection, ById, "id", id, cancellationToken);
    }

    /// <summary>The lead and, until the transaction ends, its row's lock; null when there is none.</summary>
    public static Task<Lead?> LockAsync(NpgsqlConnection connection, Guid id, CancellationToken cancellationToken) =>
        OneAsync(connection, ById + " for update", "id", id, cancellationToken);

    /// <inheritdoc cref="LockAsync(NpgsqlConnection, Guid, CancellationToken)"/>
    public static Task<Lead?> LockAsync(NpgsqlConnection connection, EmailAddress address, CancellationToken cancellationToken) =>
        OneAsync(connection, ByAddress + " for update", "address", address.Normalized, cancellationToken);

    /// <summary>What writes a change of consent into ledger and lead: commands of a batch, last in a transaction that holds the lead's row.</summary>
    public static IReadOnlyList<NpgsqlBatchCommand> Changing(Guid leadId, ConsentChange change)
    {
        List<NpgsqlBatchCommand> commands = [];
        if (change.Status == ConsentStatus.Withdrawn)
        {
            var request = new NpgsqlBatchCommand(VoidRequests);
            request.Parameters.AddWithValue("lead", leadId);
            request.Parameters.AddWithValue("at", change.OccurredAt);
            commands.Add(request);
        }
        var set = ConsentLedger.Adding(leadId, change, SetConsent);
        set.Parameters.AddWithValue("purposes", change.Purposes.ToArray());
        commands.Add(set);
        return commands;
    }

    /// <inheritdoc cref="Changing"/>
    public static async Task ChangeAsync(NpgsqlConnection connection, Guid leadId, ConsentChange change, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in Changing(leadId, change)) batch.BatchCommands.Add(command);
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>A person who is withdrawn says so again.</summary>
    public static async Task StayWithdrawnAsync(NpgsqlConnection connection, Guid leadId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        foreach (var sql in (string[])[MoveChangedAt, VoidRequests])
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("lead", leadId);
            command.Parameters.AddWithValue("at", now);
            batch.BatchCommands.Add(command);
        }
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    public static Lead Read(NpgsqlDataReader rows) => new(
        rows.GetGuid(0), rows.GetString(1), rows.GetString(2), rows.GetString(3),
        new ConsentStanding(
            ConsentNames.Status(rows.GetString(4))!.Value, ConsentNames.Method(rows.IsDBNull(5) ? null : rows.GetString(5)), rows.GetFieldValue<string[]>(6),
            rows.IsDBNull(7) ? null : rows.GetFieldValue<DateTimeOffset>(7), rows.IsDBNull(8) ? null : rows.GetFieldValue<DateTimeOffset>(8)),
        rows.GetFieldValue<DateTimeOffset>(9), rows.GetFieldValue<DateTimeOffset>(10), rows.IsDBNull(11) ? null : rows.GetString(11), rows.GetString(12));

    private static async Task<Lead?> OneAsync(NpgsqlConnection connection, string sql, string name, object value, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue(name, value);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? Read(rows) : null;
    }
}
