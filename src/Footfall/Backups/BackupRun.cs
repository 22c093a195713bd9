using System.Reflection;
using Footfall.Hosting;
using Npgsql;

namespace Footfall.Backups;

/// <summary>Writes backups: all tables at one instant, what the journal holds beyond them, and the data folder's keys.</summary>
internal sealed class BackupRun(NpgsqlDataSource database, DataFolder folder, TimeProvider clock)
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Writes one as a stream. Memory does not grow with the database.</summary>
    /// <param name="key">Null: not encrypted, and then without the keys. Whoever found such a backup would have the pepper with the hashes.</param>
    public async Task<BackupReport> WriteAsync(Stream target, string? key, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        using var journal = JournalCopy.Open(folder);
        var now = clock.GetUtcNow();
        await using var snapshot = await BackupSnapshot.TakeAsync(database, cancellationToken);
        journal.Look();

        var manifest = new Manifest(
            Guid.CreateVersion7(now), now, ProgramVersion, snapshot.ServerVersion, snapshot.All.Sum(t => t.Bytes),
            [.. snapshot.Migrations.Select(m => new MigrationMark(m.Number, m.Name, m.Checksum))], snapshot.Journals, key is not null);
        await using var writer = await BackupWriter.BeginAsync(target, manifest.Id, key, cancellationToken);
        await writer.WriteAsync(RecordKind.Manifest, manifest, BackupJson.Default.Manifest, cancellationToken);
        var (rows, done) = (0L, 0L);
        var piece = new byte[PieceBytes];
        foreach (var table in snapshot.All)
        {
            rows += await CopyAsync(snapshot, table, writer, piece, (bytes, so) => progress?.Invoke(new BackupProgress(table.Name, done + Math.Min(bytes, table.Bytes), manifest.DatabaseBytes, rows + so)), cancellationToken);
            done += table.Bytes;
        }
        await writer.WriteAsync(RecordKind.Sequences, await snapshot.SequencesAsync(cancellationToken), BackupJson.Default.SequenceStates, cancellationToken);
        var segments = await journal.WriteAsync(writer, snapshot.Journals, cancellationToken);
        var files = await WriteFilesAsync(writer, withKeys: key is not null, cancellationToken);
        var totals = new BackupTotals(snapshot.All.Count, rows, segments, files);
        await writer.WriteAsync(RecordKind.Totals, totals, BackupJson.Default.BackupTotals, cancellationToken);
        await writer.CompleteAsync(cancellationToken);
        return new BackupReport(manifest, totals, writer.Written);
    }

    private static string ProgramVersion => typeof(BackupRun).Assembly.GetCustomAttribute<AssemblyInformationalVersionAttribute>()?.InformationalVersion.Split('+')[0] ?? "0";

    private static async Task<long> CopyAsync(BackupSnapshot snapshot, TableCopy table, BackupWriter writer, byte[] piece, Action<long, long> progress, CancellationToken cancellationToken)
    {
        await writer.WriteAsync(RecordKind.Begin, new SectionBegin(SectionBegin.Table, table.Name, table.Columns, table.PartitionOf), BackupJson.Default.SectionBegin, cancellationToken);
        var digest = new CopyDigest();
        long bytes = 0;
        await using (var rows = await snapshot.CopyAsync(table, cancellationToken))
        {
            // A row comes at a time: records of many are cheaper.
            for (int n; (n = await rows.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken)) > 0; bytes += n)
            {
                digest.Add(piece.AsSpan(0, n));
                await writer.WriteAsync(RecordKind.Data, piece.AsMemory(0, n), cancellationToken);
                progress(bytes, digest.Rows);
            }
        }
        await writer.WriteAsync(RecordKind.End, new SectionEnd(digest.Rows, digest.Text, bytes), BackupJson.Default.SectionEnd, cancellationToken);
        return digest.Rows;
    }

    private async Task<int> WriteFilesAsync(BackupWriter writer, bool withKeys, CancellationToken cancellationToken)
    {
        List<string> files = [.. Directory.EnumerateFiles(folder.SetAside)];
        if (withKeys) files.AddRange(RestoredFiles.KeysOf(folder));
        foreach (var file in files)
        {
            await using var bytes = File.OpenRead(file);
            await writer.WriteBytesAsync(new SectionBegin(SectionBegin.File, Path.GetRelativePath(folder.Path, file)), bytes, cancellationToken);
        }
        return files.Count;
    }
}
