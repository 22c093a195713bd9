using Npgsql;

namespace Footfall.Leads;

/// <summary>What people do with the links in their mail: they confirm consent, and withdraw it. Done when it returns; done again, it changes nothing.</summary>
internal sealed class Withdrawals(NpgsqlDataSource database, TimeProvider time)
{
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
