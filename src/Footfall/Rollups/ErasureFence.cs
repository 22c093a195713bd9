using Footfall.Postgres;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>
/// Keeps what was computed from rows of a person from being stored after the person was erased. On a connection of its own, since the
/// transaction that computes sees one moment: before it begins the erasures are counted, before it commits they must be as many, and none under way.
/// </summary>
internal sealed class ErasureFence : IAsyncDisposable
{
    private const string Count = "select count(*) from erasures";

    private readonly NpgsqlConnection connection;
    private long known;

    private ErasureFence(NpgsqlConnection connection) => this.connection = connection;

    /// <param name="holdsOff">Lets no erasure begin until this is disposed of, and waits for the one that is under way: what is computed behind it cannot be in vain. To be taken before anything else is.</param>
    public static async Task<ErasureFence> OpenAsync(NpgsqlDataSource database, bool holdsOff, CancellationToken cancellationToken)
    {
        var fence = new ErasureFence(await database.OpenConnectionAsync(cancellationToken));
        try
        {
            if (holdsOff) await fence.AskAsync("select pg_advisory_lock_shared(@key) is not null", cancellationToken);
            fence.known = (long)(await fence.AskAsync(Count, cancellationToken))!;
            return fence;
        }
        catch
        {
            await fence.DisposeAsync();
            throw;
        }
    }

    /// <summary>Whether what was computed may be committed, which must happen before this is disposed of.</summary>
    public async Task<bool> HoldsAsync(CancellationToken cancellationToken) =>
        // Not waited for: who erases may wait for rows that the computing transaction has changed.
        await AskAsync("select pg_try_advisory_lock_shared(@key)", cancellationToken) is true
        && (long)(await AskAsync(Count, cancellationToken))! == known;

    /// <summary>Lets go of the lock, however often it was taken.</summary>
    public async ValueTask DisposeAsync()
    {
        try
        {
            await AskAsync("select pg_advisory_unlock_all()", CancellationToken.None);
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or InvalidOperationException)
        {
            // A broken connection has let go of it already.
        }
        await connection.DisposeAsync();
    }

    private async Task<object?> AskAsync(string sql, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        if (sql.Contains("@key", StringComparison.Ordinal)) command.Parameters.AddWithValue("key", Locks.Erasures);
        return await command.ExecuteScalarAsync(cancellationToken);
    }
}

/// <summary>Somebody was erased, or is being, whose rows the day may have been computed from; nothing of it was stored.</summary>
internal sealed class ErasedMeanwhileException() : Exception("Somebody was erased while the day was rolled up.");
