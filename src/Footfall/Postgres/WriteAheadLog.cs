using Npgsql;

namespace Footfall.Postgres;

/// <summary>The server's write-ahead log, as far as erasure is concerned with it.</summary>
internal static class WriteAheadLog
{
    // A segment that is switched away from is filled up with zeros (PostgreSQL 11 and later), whatever was in it from its earlier use.
    private const string Switch = "select pg_logical_emit_message(false, 'footfall', ''), pg_switch_wal()";

    private const string Ahead = "select count(*) from pg_ls_waldir() where name ~ '^[0-9A-F]{24}$' and name > pg_walfile_name(pg_current_wal_lsn())";

    /// <summary>
    /// Afterwards no segment holds what was logged before. Two checkpoints with a switch between them put all of that behind the
    /// log's beginning, where segments are removed or kept under a coming number to be used again; walking over these zeroes them.
    /// </summary>
    public static async Task ScrubAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await RunAsync(connection, "checkpoint", ct);
        await RunAsync(connection, Switch, ct);
        await RunAsync(connection, "checkpoint", ct);
        for (var left = await RunAsync(connection, Ahead, ct) + 1; left > 0; left--) await RunAsync(connection, Switch, ct);
        await RunAsync(connection, "checkpoint", ct);
    }

    private static async Task<long> RunAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        return await command.ExecuteScalarAsync(ct) is long count ? count : 0;
    }
}
