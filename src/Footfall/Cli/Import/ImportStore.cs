using System.Buffers.Binary;
using System.Security.Cryptography;
using System.Text;
using Footfall.Rollups;
using Npgsql;

namespace Footfall.Cli.Import;

/// <summary>Which import: the same file with the same options is the same one.</summary>
internal sealed record ImportKey(byte[] ContentSha256, string PropertyId, string Options)
{
    /// <summary>Of the advisory lock under which it is worked on.</summary>
    public long LockKey => BinaryPrimitives.ReadInt64BigEndian(SHA256.HashData([.. ContentSha256, .. Encoding.UTF8.GetBytes($"{PropertyId}\n{Options}")]));
}

/// <summary>How far an import is.</summary>
/// <param name="ShiftDays">By how many days its times are moved; null until that was decided.</param>
/// <param name="LinesDone">Lines of the file that need not be looked at again.</param>
internal sealed record ImportState(int? ShiftDays, long LinesDone, long Imported, long Duplicates, DateTimeOffset? FinishedAt);

/// <summary>The table of imports.</summary>
internal sealed class ImportStore(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Begin = """
        insert into imports (content_sha256, property_id, options, started_at, updated_at)
        values (@sha256, @property, @options, @now, @now)
        on conflict do nothing
        """;

    private const string Read = """
        select shift_days, lines_done, imported, duplicates, finished_at
        from imports
        where content_sha256 = @sha256 and property_id = @property and options = @options
        """;

    private const string Shift = """
        update imports
        set shift_days = @shift
        where content_sha256 = @sha256 and property_id = @property and options = @options
        """;

    private const string Advance = """
        update imports
        set lines_done = @lines,
            imported = imported + @stored,
            duplicates = duplicates + @arrived - @stored,
            updated_at = @now,
            finished_at = case when @finished then @now end
        where content_sha256 = @sha256 and property_id = @property and options = @options and lines_done = @from
        returning true
        """;

    /// <summary>Held while a file is imported, so that the same one is not counted twice by two imports at once. Waits for the other, and says so.</summary>
    public async Task<IAsyncDisposable> LockAsync(ImportKey key, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        if (await JobLock.TakeAsync(database, key.LockKey, wait: false, cancellationToken) is { } free) return free;
        report(new ImportProgress("waiting for another import of this file", 0, 1, 0));
        return (await JobLock.TakeAsync(database, key.LockKey, wait: true, cancellationToken))!;
    }

    /// <summary>The state of the import, which begins now if it has not before.</summary>
    public async Task<ImportState> OpenAsync(ImportKey key, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var begin = Command(Begin, connection, key))
        {
            begin.Parameters.AddWithValue("now", clock.GetUtcNow());
            await begin.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var command = Command(Read, connection, key);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return new ImportState(
            rows.IsDBNull(0) ? null : rows.GetInt32(0), rows.GetInt64(1), rows.GetInt64(2), rows.GetInt64(3),
            rows.IsDBNull(4) ? null : rows.GetFieldValue<DateTimeOffset>(4));
    }

    public async Task SetShiftAsync(ImportKey key, int days, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = Command(Shift, connection, key);
        command.Parameters.AddWithValue("shift", days);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>In the transaction that stores a batch of <paramref name="arrived"/> events, of which <paramref name="stored"/> were new: everything from behind line <paramref name="from"/> to line <paramref name="lines"/> is done.</summary>
    /// <exception cref="CommandException">Another import has done it: the lock that keeps it away was lost. Nothing is stored.</exception>
    public async Task AdvanceAsync(NpgsqlConnection connection, ImportKey key, long from, long lines, long arrived, long stored, bool finished, CancellationToken cancellationToken)
    {
        await using var command = Command(Advance, connection, key);
        command.Parameters.AddWithValue("from", from);
        command.Parameters.AddWithValue("lines", lines);
        command.Parameters.AddWithValue("arrived", arrived);
        command.Parameters.AddWithValue("stored", stored);
        command.Parameters.AddWithValue("finished", finished);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        if (await command.ExecuteScalarAsync(cancellationToken) is not true) throw new CommandException("Another import of the same file has gone on meanwhile. Nothing is lost or counted twice; give the same command again.");
    }

    private static NpgsqlCommand Command(string sql, NpgsqlConnection connection, ImportKey key)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("sha256", key.ContentSha256);
        command.Parameters.AddWithValue("property", key.PropertyId);
        command.Parameters.AddWithValue("options", key.Options);
        return command;
    }
}
