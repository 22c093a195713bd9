using Npgsql;

namespace Footfall.Rollups;

/// <summary>An advisory lock on a connection of its own: it is free again when the connection ends, however that happens.</summary>
internal sealed class JobLock : IAsyncDisposable
{
    private readonly NpgsqlConnection connection;
    private readonly long key;

    private JobLock(NpgsqlConnection connection, long key) => (this.connection, this.key) = (connection, key);

    /// <summary>The key of a job's own lock: FNV-1a of its name.</summary>
    public static long KeyOf(string name)
    {
        var hash = 14695981039346656037UL;
        foreach (var c in $"footfall job {name}") hash = (hash ^ c) * 1099511628211UL;
        return unchecked((long)hash);
    }

    /// <summary>Null when another process holds it and the caller does not want to wait.</summary>
    public static async Task<JobLock?> TakeAsync(NpgsqlDataSource database, long key, bool wait, CancellationToken cancellationToken)
    {
        var opened = await database.OpenConnectionAsync(cancellationToken);
        try
        {
            await using var command = new NpgsqlCommand(wait ? "select pg_advisory_lock(@key) is not null" : "select pg_try_advisory_lock(@key)", opened) { CommandTimeout = 0 };
            command.Parameters.AddWithValue("key", key);
            if (await command.ExecuteScalarAsync(cancellationToken) is true) return new JobLock(opened, key);
        }
        catch
        {
            await opened.DisposeAsync();
            throw;
        }
        await opened.DisposeAsync();
        return null;
    }

    public async ValueTask DisposeAsync()
    {
        try
        {
            await using var command = new NpgsqlCommand("select pg_advisory_unlock(@key)", connection);
            command.Parameters.AddWithValue("key", key);
            await command.ExecuteNonQueryAsync();
        }
        catch (NpgsqlException)
        {
            // A broken connection has let go of the lock already.
        }
        await connection.DisposeAsync();
    }
}
