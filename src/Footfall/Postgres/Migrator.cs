using Footfall.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>Brings a database to this program's schema: every migration once, in order, each in a transaction, one process at a time.</summary>
internal static class Migrator
{
    // Any constant will do; this one is "footfall" in ASCII.
    internal const long AdvisoryLock = 0x666f6f7466616c6c;

    private const string CreateTable = """
        create table if not exists schema_migrations (
            number     integer primary key,
            name       text not null,
            checksum   text not null,
            applied_at timestamptz not null
        )
        """;

    private const string TableExists = "select to_regclass('schema_migrations') is not null";

    private const string ReadApplied = "select number, name, checksum, applied_at from schema_migrations order by number";

    private const string Record = "insert into schema_migrations (number, name, checksum, applied_at) values (@number, @name, @checksum, clock_timestamp())";

    /// <summary>Applies what is missing and returns it. A <see cref="SetupException"/> names the file that stands in the way, and nothing is applied then.</summary>
    public static Task<IReadOnlyList<Migration>> RunAsync(NpgsqlDataSource database, CancellationToken ct) =>
        RunAsync(database, Migration.OfThisProgram, NullLogger.Instance, TimeProvider.System, ct);

    /// <summary>What <see cref="RunAsync(NpgsqlDataSource, CancellationToken)"/> would apply now. Changes nothing.</summary>
    public static Task<IReadOnlyList<Migration>> PendingAsync(NpgsqlDataSource database, CancellationToken ct) =>
        PendingAsync(database, Migration.OfThisProgram, ct);

    internal static async Task<IReadOnlyList<Migration>> PendingAsync(NpgsqlDataSource database, IReadOnlyList<Migration> migrations, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        return Missing(migrations, await AppliedAsync(connection, ct));
    }

    internal static async Task<IReadOnlyList<Migration>> RunAsync(
        NpgsqlDataSource database, IReadOnlyList<Migration> migrations, ILogger log, TimeProvider time, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        RefuseOldServer(connection);
        if (Missing(migrations, await AppliedAsync(connection, ct)) is [])
            return [];

        // The wait is as long as another process's migrations are; the token ends it.
        await ExecuteAsync(connection, null, "select pg_advisory_lock(@key)", ct, ("key", AdvisoryLock));
        try
        {
            await ExecuteAsync(connection, null, CreateTable, ct);
            var missing = Missing(migrations, await AppliedAsync(connection, ct));
            foreach (var migration in missing)
                await ApplyAsync(connection, migration, log, time, ct);
            return missing;
        }
        finally
        {
            if (connection.State == System.Data.ConnectionState.Open)
                await ExecuteAsync(connection, null, "select pg_advisory_unlock(@key)", CancellationToken.None, ("key", AdvisoryLock));
        }
    }

    private static async Task ApplyAsync(NpgsqlConnection connection, Migration migration, ILogger log, TimeProvider time, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        try
        {
            await using var transaction = await connection.BeginTransactionAsync(ct);
            // On a cluster a migration that has changed rows could not change their table otherwise. Elsewhere the setting means nothing.
            await ExecuteAsync(connection, transaction, "set local citus.multi_shard_modify_mode = 'sequential'", ct);
            await ExecuteAsync(connection, transaction, migration.Sql, ct);
            await ExecuteAsync(connection, transaction, Record, ct, ("number", migration.Number), ("name", migration.Name), ("checksum", migration.Checksum));
            await transaction.CommitAsync(ct);
        }
        catch (PostgresException e)
        {
            throw new SetupException($"The migration {migration.File} failed and was rolled back: {e.SqlState} {e.MessageText}. Remove what is in its way and start again; what was applied before it stays.", e);
        }
        PostgresLog.Migrated(log, migration.File, (long)time.GetElapsedTime(began).TotalMilliseconds);
    }

    /// <summary>What the database lacks, or why it and this program do not belong together.</summary>
    private static List<Migration> Missing(IReadOnlyList<Migration> migrations, List<AppliedMigration> applied)
    {
        for (var i = 0; i < migrations.Count; i++)
        {
            if (migrations[i].Number != i + 1)
                throw new SetupException($"This program's migrations have no number {i + 1:0000}: after it comes {migrations[i].File}. Migrations are numbered 0001, 0002, ... without a gap or a double; rename the file.");
        }
        for (var i = 0; i < applied.Count; i++)
        {
            var a = applied[i];
            if (i >= migrations.Count)
                throw new SetupException($"The database is newer than this program: it has the migration {a.Number:0000}_{a.Name}.sql, and this program knows {migrations.Count}. Run the version of Footfall that migrated it, or a later one.");
            if (a.Number != i + 1)
                throw new SetupException($"The database lacks the migration {migrations[i].File}, though it has {a.Number:0000}_{a.Name}.sql, which comes later. Restore the database from a backup: its table schema_migrations was changed by hand.");
            if (a.Checksum != migrations[i].Checksum)
                throw new SetupException($"The migration {migrations[i].File} is not the one that this database was migrated with (applied {a.AppliedAt:yyyy-MM-dd}, sha256 {a.Checksum[..Math.Min(12, a.Checksum.Length)]}..., now {migrations[i].Checksum[..12]}...). A migration never changes after it was applied: put the old text back and write the change as a new migration.");
        }
        return [.. migrations.Skip(applied.Count)];
    }

    private static async Task<List<AppliedMigration>> AppliedAsync(NpgsqlConnection connection, CancellationToken ct)
    {
        await using (var exists = new NpgsqlCommand(TableExists, connection))
        {
            if (await exists.ExecuteScalarAsync(ct) is not true)
                return [];
        }
        await using var command = new NpgsqlCommand(ReadApplied, connection);
        await using var reader = await command.ExecuteReaderAsync(ct);
        List<AppliedMigration> applied = [];
        while (await reader.ReadAsync(ct))
            applied.Add(new AppliedMigration(reader.GetInt32(0), reader.GetString(1), reader.GetString(2), reader.GetFieldValue<DateTimeOffset>(3)));
        return applied;
    }

    private static void RefuseOldServer(NpgsqlConnection connection)
    {
        if (connection.PostgreSqlVersion.Major < PostgresBinaries.OldestMajor)
            throw new SetupException($"The database server is PostgreSQL {connection.PostgreSqlVersion}; Footfall needs {PostgresBinaries.OldestMajor} or newer. Upgrade it, or name another with DATABASE_URL.");
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, NpgsqlTransaction? transaction, string sql, CancellationToken ct, params (string Name, object Value)[] parameters)
    {
        await using var command = new NpgsqlCommand(sql, connection, transaction) { CommandTimeout = 0 };
        foreach (var (name, value) in parameters)
            command.Parameters.AddWithValue(name, value);
        await command.ExecuteNonQueryAsync(ct);
    }
}
