using Npgsql;

namespace Footfall.Leads;

/// <summary>What people do with the links in their mail: they confirm consent, and withdraw it. Done when it returns; done again, it changes nothing.</summary>
internal sealed class Withdrawals(NpgsqlDataSource database, TimeProvider time)
{
    // What expired by itself does so again.
    private const string Since = """
        select id, lead_id, occurred_at, method
        from consent_events
        where id > @after and status = 'withdrawn' and method <> 'expiry' and lead_id is not null
        order by id
        """;

    /// <summary>False when there is no such lead.</summary>
    public async Task<bool> WithdrawAsync(Guid leadId, ConsentMethod method, byte[]? ipHash, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LeadStore.LockAsync(connection, leadId, cancellationToken) is not { } lead) return false;
        await WithdrawAsync(connection, lead, method, ipHash, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <inheritdoc cref="WithdrawAsync(Guid, ConsentMethod, byte[], CancellationToken)"/>
    public async Task<bool> WithdrawAsync(EmailAddress address, ConsentMethod method, byte[]? ipHash, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LeadStore.LockAsync(connection, address, cancellationToken) is not { } lead) return false;
        await WithdrawAsync(connection, lead, method, ipHash, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return true;
    }

    /// <summary>Withdraws in the connection's open transaction what was withdrawn at that time, and is back from a backup that was taken before. False when nothing had to be.</summary>
    public static async Task<bool> WithdrawAgainAsync(NpgsqlConnection connection, KnownWithdrawal known, CancellationToken cancellationToken)
    {
        if (await LeadStore.LockAsync(connection, known.LeadId, cancellationToken) is not { } lead || lead.Consent.ChangedAt >= known.At) return false;
        if (ConsentRules.Withdraw(lead.Consent, known.Method, null, null, lead.PropertyId, known.At) is not { } change) return false;
        await LeadStore.ChangeAsync(connection, lead.Id, change, cancellationToken);
        return true;
    }

    /// <summary>What people withdrew themselves, by the ledger's rows behind <paramref name="after"/>.</summary>
    public static async Task<List<KnownWithdrawal>> SinceAsync(NpgsqlConnection connection, long after, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Since, connection);
        command.Parameters.AddWithValue("after", after);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<KnownWithdrawal> withdrawals = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            if (ConsentNames.Method(rows.GetString(3)) is { } method) withdrawals.Add(new KnownWithdrawal(rows.GetInt64(0), rows.GetGuid(1), rows.GetFieldValue<DateTimeOffset>(2), method));
        }
        return withdrawals;
    }

    /// <summary>In the caller's transaction, which holds the lead's row.</summary>
    public async Task WithdrawAsync(NpgsqlConnection connection, Lead lead, ConsentMethod method, byte[]? ipHash, CancellationToken cancellationToken)
    {
        // The clock of another server may be ahead: what is written now comes after what was written before.
        var now = Later(time.GetUtcNow(), lead.Consent.ChangedAt);
        if (ConsentRules.Withdraw(lead.Consent, method, null, ipHash, lead.PropertyId, now) is { } change)
        {
            await LeadStore.ChangeAsync(connection, lead.Id, change, cancellationToken);
            return;
        }
        // Said again, it holds from now: what was consented to in between, and comes in with some list, does not count.
        await LeadStore.StayWithdrawnAsync(connection, lead.Id, now, cancellationToken);
    }

    private static DateTimeOffset Later(DateTimeOffset now, DateTimeOffset? other) => other > now ? other.Value : now;
}

/// <summary>A withdrawal as it is known outside of the database: the lead's id is random.</summary>
/// <param name="Id">Of the ledger's row.</param>
internal sealed record KnownWithdrawal(long Id, Guid LeadId, DateTimeOffset At, ConsentMethod Method);
