using Footfall.Postgres;
using Npgsql;

namespace Footfall.Backups;

/// <summary>Restores a backup into a scratch database, reads every table back, and compares: a backup that was never restored is a hope.</summary>
internal sealed class BackupVerification(ScratchDatabases scratch)
{
    private const int PieceBytes = 64 << 10;

    /// <summary>Returns the tables that were compared; an <see cref="InvalidDataException"/> names what differs.</summary>
    public async Task<IReadOnlyList<LoadedTable>> RunAsync(Stream source, string name, string? key, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var reader = await BackupReader.OpenAsync(source, name, key, cancellationToken);
        var load = new BackupLoad(reader, progress);
        await load.BeginAsync(cancellationToken);
        await using var database = await scratch.CreateAsync(cancellationToken);
        await using var transaction = await database.Connection.BeginTransactionAsync(cancellationToken);
        var (tables, _) = await load.LoadAsync(database.Connection, files: null, cancellationToken);
        await CompareAsync(database.Connection, tables, name, cancellationToken);
        return tables;   // and nothing is committed
    }

    /// <summary>Reads the tables and compares their rows with what the backup says of them.</summary>
    public static async Task CompareAsync(NpgsqlConnection connection, IReadOnlyList<LoadedTable> tables, string name, CancellationToken cancellationToken)
    {
        var piece = new byte[PieceBytes];
        foreach (var table in tables)
        {
            var digest = new CopyDigest();
            await using (var rows = await BackupSnapshot.OutAsync(connection, table.Name, table.Columns, cancellationToken))
            {
                for (int n; (n = await rows.ReadAtLeastAsync(piece, piece.Length, throwOnEndOfStream: false, cancellationToken)) > 0;) digest.Add(piece.AsSpan(0, n));
            }
            if (digest.Rows != table.Rows || digest.Text != table.Digest)
                throw new InvalidDataException($"{name} does not restore to what it was taken from: {table.Name} has {digest.Rows} rows with the checksum {digest.Text}, and had {table.Rows} with {table.Digest}. Take another backup, and check the disk and memory of this machine.");
        }
    }
}
