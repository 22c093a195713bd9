using Npgsql;

namespace Footfall.Postgres;

/// <summary>Several tables for oneself alone, while others read them in whatever order their questions name them.</summary>
internal static class TableLocks
{
    // All waiting together ends before anybody who waits for us looks for a circle (deadlock_timeout, 1 s unless changed): so it is always we
    // who step back, and never a question, a rollup or an export that is broken off.
    private const string Patience = """
        select set_config('statement_timeout', greatest(1, least(800, setting::integer * 4 / 5))::text, true)
        from pg_settings
        where name = 'deadlock_timeout'
        """;

    // Nor does what the role sets for others end what is done under the locks.
    private const string NoLimit = "set local statement_timeout = 0";

    /// <summary>
    /// Takes the tables in the connection's open transaction, all or none. False when they were not free in a moment: the transaction is of no
    /// use then and must be taken back, so that those who queue behind it go on; try again after a pause.
    /// </summary>
    /// <param name="tables">Names that stand in the program; with a parent its partitions are taken.</param>
    public static async Task<bool> TakeAllAsync(NpgsqlConnection connection, IReadOnlyCollection<string> tables, CancellationToken ct)
    {
        if (tables.Count == 0) return true;
        await ExecuteAsync(connection, Patience, ct);
        try
        {
            await ExecuteAsync(connection, $"lock table {string.Join(", ", tables)} in access exclusive mode", ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.QueryCanceled or PostgresErrorCodes.LockNotAvailable or PostgresErrorCodes.DeadlockDetected)
        {
            return false;
        }
        await ExecuteAsync(connection, NoLimit, ct);
        return true;
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        await command.ExecuteNonQueryAsync(ct);
    }
}
