using System.Security.Cryptography;
using Footfall.Hosting;
using Footfall.Journal;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Backups;

/// <summary>A table that was loaded: what the backup says it holds.</summary>
internal sealed record LoadedTable(string Name, IReadOnlyList<string> Columns, long Rows, string Digest);

/// <summary>Reads a backup, checking all that it can be checked by, and puts it where it is told to: into an empty database, into files, or nowhere.</summary>
internal sealed class BackupLoad(BackupReader reader, Action<BackupProgress>? progress)
{
    private const string EventsTable = "events";
    private Manifest? manifest;
    private long done;
    private long rows;

    /// <summary>The first record. To be called first, and once.</summary>
    /// <exception cref="InvalidDataException">It cannot be read, or holds a schema that this program does not know.</exception>
    public async Task<Manifest> BeginAsync(CancellationToken cancellationToken)
    {
        if (await reader.ReadAsync(cancellationToken) != RecordKind.Manifest) throw reader.Unreadable();
        manifest = reader.Body(BackupJson.Default.Manifest);
        var known = Migration.OfThisProgram;
        if (manifest.Migrations.Count > known.Count)
            throw new InvalidDataException($"{reader.Name} has a newer schema than this program: {manifest.Migrations.Count} migrations by version {manifest.Program}, and this one knows {known.Count}. Restore it with that version of Footfall, or a later one.");
        for (var i = 0; i < manifest.Migrations.Count; i++)
        {
            var m = manifest.Migrations[i];
            if (m.Number != i + 1 || m.Checksum != known[i].Checksum)
                throw new InvalidDataException($"{reader.Name} was taken from a database with another migration {m.Number:0000}_{m.Name} than this program has. Restore it with the version of Footfall that wrote it ({manifest.Program}).");
        }
        return manifest;
    }

    /// <summary>Makes the backup's schema within the connection's open transaction and loads the rest of the backup.</summary>
    public async Task<(List<LoadedTable> Tables, BackupTotals Totals)> LoadAsync(NpgsqlConnection connection, RestoredFiles? files, CancellationToken cancellationToken)
    {
        await Migrator.ApplyWithinAsync(connection, Migration.OfThisProgram.Take(manifest!.Migrations.Count), cancellationToken);
        var there = (await BackupSnapshot.TablesAsync(connection, cancellationToken)).ToDictionary(t => t.Name, StringComparer.Ordinal);
        foreach (var table in there.Keys) await EmptyAsync(connection, table, cancellationToken);
        return await ReadAsync(connection, there, files, cancellationToken);
    }

    /// <summary>Reads to the end without keeping anything: every byte is there and right.</summary>
    public Task<(List<LoadedTable> Tables, BackupTotals Totals)> CheckAsync(CancellationToken cancellationToken) => ReadAsync(null, [], null, cancellationToken);

    private async Task<(List<LoadedTable> Tables, BackupTotals Totals)> ReadAsync(NpgsqlConnection? connection, Dictionary<string, TableCopy> there, RestoredFiles? files, CancellationToken cancellationToken)
    {
        List<LoadedTable> tables = [];
        var (segments, others) = (0, 0);
        while (true)
        {
            switch (await reader.ReadAsync(cancellationToken))
            {
                case RecordKind.Begin:
                    var begin = reader.Body(BackupJson.Default.SectionBegin);
                    if (begin.Section == SectionBegin.Table)
                    {
                        tables.Add(await TableAsync(connection, there, begin, cancellationToken));
                        break;
                    }
                    if (begin.Section == SectionBegin.Journal) segments++;
                    else others++;
                    await BytesAsync(begin, files, cancellationToken);
                    break;
                case RecordKind.Sequences:
                    if (connection is not null) await SetSequencesAsync(connection, reader.Body(BackupJson.Default.SequenceStates), cancellationToken);
                    break;
                case RecordKind.Totals:
                    var totals = reader.Body(BackupJson.Default.BackupTotals);
                    if (totals != new BackupTotals(tables.Count, tables.Sum(t => t.Rows), segments, others)) throw reader.Unreadable();
                    await reader.EndAsync(cancellationToken);
                    return (tables, totals);
                default:
                    throw reader.Unreadable();
            }
        }
    }

    private async Task<LoadedTable> TableAsync(NpgsqlConnection? connection, Dictionary<string, TableCopy> there, SectionBegin begin, CancellationToken cancellationToken)
    {
        IReadOnlyList<string> columns = begin.Columns ?? throw reader.Unreadable();
        NpgsqlRawCopyStream? into = null;
        if (connection is not null)
        {
            await RequireAsync(connection, there, begin, cancellationToken);
            into = await connection.BeginRawBinaryCopyAsync($"copy {BackupSnapshot.Quoted(begin.Name)} ({string.Join(", ", columns.Select(BackupSnapshot.Quoted))}) from stdin (format binary)", cancellationToken);
        }
        var digest = new CopyDigest();
        try
        {
            long bytes = 0;
            while (await reader.ReadAsync(cancellationToken) == RecordKind.Data)
            {
                digest.Add(reader.Payload.Span);
                if (into is not null) await into.WriteAsync(reader.Payload, cancellationToken);
                bytes += reader.Payload.Length;
                progress?.Invoke(new BackupProgress(begin.Name, done + bytes, manifest!.DatabaseBytes, rows + digest.Rows));
            }
            if (reader.Kind != RecordKind.End || !digest.IsWhole) throw reader.Unreadable();
            var end = reader.Body(BackupJson.Default.SectionEnd);
            if (end.Rows != digest.Rows || end.Digest != digest.Text || end.Bytes != bytes) throw reader.Unreadable();
            done += bytes;
            rows += end.Rows;
        }
        catch
        {
            if (into is not null) await AbandonAsync(into);
            throw;
        }
        try
        {
            if (into is not null) await into.DisposeAsync();   // sends the last rows, and hears whether they were taken
        }
        catch (PostgresException e)
        {
            throw new SetupException($"PostgreSQL refuses the rows of {begin.Name} with {e.SqlState}: {e.MessageText}. Nothing was changed.", e);
        }
        return new LoadedTable(begin.Name, columns, digest.Rows, digest.Text);
    }

    /// <summary>Makes a week's partition; anything else must be in the schema. Nothing that a file says goes into a statement before.</summary>
    private async Task RequireAsync(NpgsqlConnection connection, Dictionary<string, TableCopy> there, SectionBegin begin, CancellationToken cancellationToken)
    {
        if (!there.ContainsKey(begin.Name) && begin.PartitionOf == EventsTable && EventPartitions.MondayOf(begin.Name) is { } monday)
        {
            await EventPartitions.MakeEmptyAsync(connection, monday, cancellationToken);
            foreach (var table in await BackupSnapshot.TablesAsync(connection, cancellationToken)) there[table.Name] = table;
        }
        if (!there.TryGetValue(begin.Name, out var known) || begin.Columns!.Except(known.Columns, StringComparer.Ordinal).Any()) throw reader.Unreadable();
    }

    private static async Task AbandonAsync(NpgsqlRawCopyStream into)
    {
        try
        {
            await into.CancelAsync();
            await into.DisposeAsync();
        }
        catch (Exception e) when (e is NpgsqlException or IOException or OperationCanceledException)
        {
            // What ended the reading is what is told; the transaction is rolled back in any case.
        }
    }

    private async Task BytesAsync(SectionBegin begin, RestoredFiles? files, CancellationToken cancellationToken)
    {
        await using var file = files?.Open(begin);
        if (files is not null && file is null) throw reader.Unreadable();
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        long bytes = 0;
        while (await reader.ReadAsync(cancellationToken) == RecordKind.Data)
        {
            var payload = reader.Payload;
            hash.AppendData(payload.Span);
            if (file is not null) await WriteAsync(file, begin, payload, bytes, cancellationToken);
            bytes += payload.Length;
        }
        if (reader.Kind != RecordKind.End) throw reader.Unreadable();
        var end = reader.Body(BackupJson.Default.SectionEnd);
        if (end.Bytes != bytes || end.Digest != Convert.ToHexStringLower(hash.GetHashAndReset())) throw reader.Unreadable();
        file?.Flush(flushToDisk: true);
    }

    /// <summary>A segment's bytes go to where they were: a record's checksum covers its place.</summary>
    private static async Task WriteAsync(FileStream file, SectionBegin begin, ReadOnlyMemory<byte> payload, long at, CancellationToken cancellationToken)
    {
        if (begin.Section == SectionBegin.Journal && at < JournalFormat.HeaderBytes && at + payload.Length > JournalFormat.HeaderBytes)
        {
            var head = (int)(JournalFormat.HeaderBytes - at);
            await file.WriteAsync(payload[..head], cancellationToken);
            payload = payload[head..];
            at += head;
        }
        if (begin.Section == SectionBegin.Journal && at == JournalFormat.HeaderBytes) file.Position = begin.From!.Value;
        await file.WriteAsync(payload, cancellationToken);
    }

    private static async Task SetSequencesAsync(NpgsqlConnection connection, SequenceStates states, CancellationToken cancellationToken)
    {
        const string Set = """
            select setval(format('%I.%I', s.schemaname, s.sequencename)::regclass, t.last)
            from unnest(@names, @last) as t (name, last)
            join pg_sequences s on s.sequencename = t.name and s.schemaname = current_schema()
            """;
        await using var command = new NpgsqlCommand(Set, connection);
        command.Parameters.AddWithValue("names", states.Last.Keys.ToArray());
        command.Parameters.AddWithValue("last", states.Last.Values.ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Takes away the rows that migrations make. Not where there are none: some tables' rules refuse to be asked.</summary>
    private static async Task EmptyAsync(NpgsqlConnection connection, string table, CancellationToken cancellationToken)
    {
        await using var any = new NpgsqlCommand($"select exists (select from {BackupSnapshot.Quoted(table)})", connection);
        if (await any.ExecuteScalarAsync(cancellationToken) is not true) return;
        await using var delete = new NpgsqlCommand($"delete from {BackupSnapshot.Quoted(table)}", connection);
        await delete.ExecuteNonQueryAsync(cancellationToken);
    }
}
