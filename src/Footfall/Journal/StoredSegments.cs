namespace Footfall.Journal;

/// <summary>
/// Segments that the database has, kept beside for a while: when it has to be restored from a backup, it does not have them any more, and
/// the journal takes them back. Used under the journal's own locks, one caller at a time.
/// </summary>
internal sealed class StoredSegments(string journalFolder, JournalOptions options, JournalDisk disk, TimeProvider time, ILogger log)
{
    public const string FolderName = "stored";
    private static readonly TimeSpan PruneEvery = TimeSpan.FromMinutes(1);

    private readonly Lock gate = new();
    private readonly string folder = Path.Combine(journalFolder, FolderName);
    private DateTimeOffset pruned = DateTimeOffset.MinValue;

    /// <summary>Moves a segment's file here, or deletes it where it is not to be kept.</summary>
    public void Add(SegmentFile segment, bool keep)
    {
        lock (gate)
        {
            if (!keep || options.KeepBytes == 0)
            {
                disk.Delete(segment.Path);
                return;
            }
            Directory.CreateDirectory(folder, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            disk.Move(segment.Path, Path.Combine(folder, Path.GetFileName(segment.Path)));
            pruned = DateTimeOffset.MinValue;
        }
    }

    /// <summary>Deletes what is too old or too much. Cheap when it was done a moment ago.</summary>
    public void Prune()
    {
        lock (gate)
        {
            var now = time.GetUtcNow();
            if (now - pruned < PruneEvery && now >= pruned) return;
            pruned = now;
            if (!Directory.Exists(folder)) return;
            long kept = 0;
            foreach (var file in new DirectoryInfo(folder).EnumerateFiles("*" + SegmentFile.Extension).OrderByDescending(f => f.Name, StringComparer.Ordinal))
            {
                kept += file.Length;
                if (kept <= options.KeepBytes && now - new DateTimeOffset(file.LastWriteTimeUtc) <= TimeSpan.FromHours(options.KeepHours)) continue;
                Delete(file.FullName);
            }
        }
    }

    /// <summary>Deletes all of them. False when there was none.</summary>
    public bool Clear()
    {
        lock (gate)
        {
            if (!Directory.Exists(folder)) return false;
            string[] files = Directory.GetFiles(folder);
            foreach (var file in files) Delete(file);
            return files.Length > 0;
        }
    }

    /// <summary>Moves those of this journal back that hold records behind the position, and returns them, oldest first.</summary>
    public List<SegmentFile> TakeBack(Guid journal, JournalPosition behind)
    {
        lock (gate)
        {
            List<SegmentFile> back = [];
            if (!Directory.Exists(folder)) return back;
            foreach (var file in Directory.EnumerateFiles(folder, "*" + SegmentFile.Extension).Order(StringComparer.Ordinal))
            {
                if (!SegmentFile.TryNumber(file, out var number) || number < behind.Segment) continue;
                var length = new FileInfo(file).Length;
                if (new JournalPosition(number, length) <= behind || !TryHeader(file, out var header) || header.JournalId != journal || header.Number != number) continue;
                var path = SegmentFile.PathOf(journalFolder, number);
                if (File.Exists(path)) continue;
                disk.Move(file, path);
                back.Add(new SegmentFile(path, number, journal, header.CreatedAt, length));
            }
            return back;
        }
    }

    private static bool TryHeader(string file, out SegmentHeader header)
    {
        using var handle = SegmentReader.OpenHandle(file);
        var bytes = new byte[JournalFormat.HeaderBytes];
        return JournalFormat.TryReadHeader(bytes.AsSpan(0, RandomAccess.Read(handle, bytes, 0)), out header);
    }

    private void Delete(string file)
    {
        try
        {
            disk.Delete(file);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            log.DeleteFailed(file, e.Message);
        }
    }
}
