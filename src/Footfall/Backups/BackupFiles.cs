using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Backups;

/// <summary>Backups as files: whole or not there, one beside the other, pruned.</summary>
internal sealed class BackupFiles(BackupRun run, BackupVerification verification, IOptions<BackupOptions> options, TimeProvider clock, ILogger<BackupFiles> log)
{
    private const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;

    /// <summary>Whether there is a folder for scheduled backups.</summary>
    public bool IsScheduled => !string.IsNullOrWhiteSpace(options.Value.Directory);

    public string Schedule => options.Value.Schedule;

    /// <summary>The scheduled backup: writes, verifies, prunes. Returns rows.</summary>
    public async Task<long> RunScheduledAsync(CancellationToken cancellationToken)
    {
        var o = options.Value;
        if (!IsScheduled) throw new SetupException("Backup:Directory is not set: there is no folder to write backups to.");
        var began = clock.GetTimestamp();
        var key = o.FindKey();
        if (key is null) log.NotEncrypted();
        var (path, report) = await WriteAsync(o.Directory!, key, null, cancellationToken);
        if (o.Verify) await VerifyAsync(path, key, null, cancellationToken);
        else await CheckAsync(path, key, cancellationToken);
        log.Written(Path.GetFileName(path), (long)clock.GetElapsedTime(began).TotalMilliseconds, report.Bytes, report.Totals.Rows, report.Totals.JournalSegments, o.Verify ? "It was restored into a scratch database, and every table is the same." : "Its checksums are right.");
        foreach (var old in BackupShelf.Surplus(BackupShelf.In(o.Directory!), o.KeepDays, o.KeepWeeks, o.KeepMonths))
        {
            File.Delete(old.Path);
            log.Removed(old.Name);
        }
        return report.Totals.Rows;
    }

    /// <summary>Writes a backup into a folder, under another name until it is whole and on the disk.</summary>
    public async Task<(string Path, BackupReport Report)> WriteAsync(string folder, string? key, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        try
        {
            Directory.CreateDirectory(folder, Closed);
            foreach (var left in Directory.EnumerateFiles(folder, "*" + BackupShelf.Extension + BackupShelf.Unfinished))
            {
                if (clock.GetUtcNow() - new DateTimeOffset(File.GetLastWriteTimeUtc(left)) > TimeSpan.FromDays(1)) File.Delete(left);   // of a process that was killed
            }
            var path = BackupShelf.PathOf(folder, clock.GetUtcNow());
            var partial = path + BackupShelf.Unfinished;
            try
            {
                BackupReport report;
                await using (var file = new FileStream(partial, new FileStreamOptions { Mode = FileMode.CreateNew, Access = FileAccess.Write, BufferSize = 0, UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite }))
                {
                    report = await run.WriteAsync(file, key, progress, cancellationToken);
                    file.Flush(flushToDisk: true);
                }
                File.Move(partial, path);
                return (path, report);
            }
            catch
            {
                File.Delete(partial);
                throw;
            }
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SetupException($"The folder {folder} cannot be written: {e.Message} Give it to the user that runs Footfall, or name another.", e);
        }
    }

    /// <summary>Restores the file into a scratch database and compares every table. Returns them.</summary>
    public async Task<IReadOnlyList<LoadedTable>> VerifyAsync(string path, string? key, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        return await verification.RunAsync(file, path, key, progress, cancellationToken);
    }

    /// <summary>Reads the file to its end: every checksum is right.</summary>
    public static async Task<(Manifest Manifest, IReadOnlyList<LoadedTable> Tables, BackupTotals Totals)> CheckAsync(Stream source, string name, string? key, Action<BackupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var reader = await BackupReader.OpenAsync(source, name, key, cancellationToken);
        var load = new BackupLoad(reader, progress);
        var manifest = await load.BeginAsync(cancellationToken);
        var (tables, totals) = await load.CheckAsync(cancellationToken);
        return (manifest, tables, totals);
    }

    private static async Task CheckAsync(string path, string? key, CancellationToken cancellationToken)
    {
        await using var file = File.OpenRead(path);
        await CheckAsync(file, path, key, null, cancellationToken);
    }
}
