using Npgsql;

namespace Footfall.Leads;

/// <summary>An admin stops mail to a person who asked for it some other way: by telephone, or in an answer to a mail.</summary>
internal sealed class AdminWithdrawals(NpgsqlDataSource database, Withdrawals withdrawals, AuditLog audit)
{
    /// <summary>False when there is no such lead.</summary>
    public async Task<bool> WithdrawAsync(Guid leadId, string actor, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        if (await LeadStore.LockAsync(connection, leadId, cancellationToken) is not { } lead) return false;
        await audit.AddAsync(connection, actor, AuditAction.ConsentWithdrawn, leadId, "{}", cancellationToken);
        await withdrawals.WithdrawAsync(connection, lead, ConsentMethod.Api, null, cancellationToken);   // last: it holds the end of the ledger
        await transaction.CommitAsync(cancellationToken);
        return true;
    }
}
