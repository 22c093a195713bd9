using Footfall.Hosting;
using Microsoft.Win32.SafeHandles;

namespace Footfall.Journal;

/// <summary>What the folder held when the server started: locked against other servers, damage dealt with and logged.</summary>
internal sealed class JournalFolder : IDisposable
{
    private const string IdName = "journal-id";
    private const string LockName = "lock";

    // What flock answers for a file that another process has locked.
    private const int EagainLinux = 11;
    private const int EagainMac = 35;

    private readonly string path;
    private readonly JournalDisk disk;
    private readonly ILogger log;
    private readonly SafeFileHandle held;

    private JournalFolder(string path, JournalDisk disk, ILogger log)
    {
        this.path = path;
        this.disk = disk;
        this.log = log;
        held = Lock(path);
    }

    public Guid Id { get; private set; }

    /// <summary>Ascending by number.</summary>
    public List<SegmentFile> Segments { get; } = [];

    /// <summary>Where damage was found and logged.</summary>
    public List<JournalPosition> Reported { get; } = [];

    /// <summary>The highest number any segment in the folder has ever had, damaged ones included.</summary>
    public long HighestNumber { get; private set; }

    /// <exception cref="InvalidDataException">The folder cannot be used; the message names the file and says what to do.</exception>
    /// <exception cref="IOException">The folder is in use, or the disk refuses.</exception>
    public static JournalFolder Open(string path, JournalDisk disk, ILogger log)
    {
        JournalFolder? folder = null;
        try
        {
            Directory.CreateDirectory(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
            folder = new JournalFolder(path, disk, log);
            folder.Recover();
            return folder;
        }
        catch (Exception e)
        {
            folder?.Dispose();
            if (e is UnauthorizedAccessException)
                throw new IOException($"The journal folder {path} cannot be used: {e.Message} Give it to the user that runs the server, or choose another one with DataDir.", e);
            throw;
        }
    }

    public void Dispose() => held.Dispose();

    private static SafeFileHandle Lock(string path)
    {
        var file = Path.Combine(path, LockName);
        try
        {
            return File.OpenHandle(file, FileMode.OpenOrCreate, FileAccess.ReadWrite, FileShare.None);
        }
        catch (IOException e) when (e.HResult is EagainLinux or EagainMac)
        {
            throw new IOException($"The journal folder {path} is locked: another server is using it. Stop that one, or give this one a folder of its own with DataDir.", e);
        }
        catch (IOException e)
        {
            throw new IOException($"The journal folder {path} cannot be used: {e.Message}", e);
        }
    }

    private void Recover()
    {
        List<(string File, long Number)> files = [];
        foreach (var file in Directory.EnumerateFiles(path))
        {
            if (!SegmentFile.TryNumber(file, out var number)) continue;
            HighestNumber = Math.Max(HighestNumber, number);
            if (file.EndsWith(SegmentFile.Extension, StringComparison.Ordinal)) files.Add((file, number));
        }
        files.Sort((a, b) => a.Number.CompareTo(b.Number));
        Id = ReadId(files);

        for (var i = 0; i < files.Count; i++)
        {
            try
            {
                if (Load(files[i].File, files[i].Number, isLast: i == files.Count - 1) is { } segment) Segments.Add(segment);
            }
            catch (IOException e)
            {
                throw new IOException($"{files[i].File} cannot be recovered: {e.Message} Check the disk; to start without the records of this file, move it away.", e);
            }
        }
        disk.FlushFolder(path);
    }

    private Guid ReadId(List<(string File, long Number)> files)
    {
        var file = Path.Combine(path, IdName);
        if (File.Exists(file))
        {
            if (Guid.TryParse(File.ReadAllText(file), out var id)) return id;
            if (IdOfSegments() is not { } known)
                throw new InvalidDataException($"{file} does not hold a journal id. Restore it from a backup; if the folder holds no {SegmentFile.Extension} files worth keeping, delete it to begin a new journal.");
            log.IdRestored(file, known);
            File.Delete(file);
            DataFolder.WriteOnce(file, known.ToString());
            return known;
        }
        if (IdOfSegments() is { } recovered)
        {
            log.IdRestored(file, recovered);
            DataFolder.WriteOnce(file, recovered.ToString());
            return recovered;
        }
        if (files.Exists(f => new FileInfo(f.File).Length > JournalFormat.HeaderBytes))
            throw new InvalidDataException($"{file} is missing, and no {SegmentFile.Extension} file in {path} has a readable header to take the id from. Restore {file} from a backup, or move the {SegmentFile.Extension} files away to begin a new journal without what they hold.");
        DataFolder.WriteOnce(file, Guid.CreateVersion7().ToString());
        return Guid.Parse(File.ReadAllText(file));

        Guid? IdOfSegments()
        {
            for (var i = files.Count - 1; i >= 0; i--)
                if (TryHeader(files[i].File, out var header)) return header.JournalId;
            return null;
        }
    }

    private static bool TryHeader(string file, out SegmentHeader header)
    {
        using var handle = SegmentReader.OpenHandle(file);
        var bytes = new byte[JournalFormat.HeaderBytes];
        return JournalFormat.TryReadHeader(bytes.AsSpan(0, RandomAccess.Read(handle, bytes, 0)), out header);
    }

    /// <summary>Null when the file is no part of the journal: never filled, or put aside.</summary>
    private SegmentFile? Load(string file, long number, bool isLast)
    {
        var length = new FileInfo(file).Length;
        var segment = new SegmentFile(file, number, Id, new DateTimeOffset(File.GetLastWriteTimeUtc(file)), length);
        if (TryHeader(file, out var header))
        {
            if (header.Version > JournalFormat.Version)
                throw new InvalidDataException($"{file} was written by a newer version of Footfall (journal format {header.Version}, this one knows {JournalFormat.Version}). Run that version until the journal is empty, then this one.");
            if (header.JournalId != Id || header.Number != number)
            {
                PutAside(file, $"it belongs to journal {header.JournalId}, segment {header.Number}");
                return null;
            }
            if (header.Previous != 0 && Segments.Count > 0 && Segments[^1].Number != header.Previous)
                log.SegmentMissing(SegmentFile.PathOf(path, header.Previous), path);
            segment = new SegmentFile(file, number, Id, header.CreatedAt, length);
        }
        else
        {
            using var reader = SegmentReader.Open(segment);
            if (reader.Find(JournalFormat.HeaderBytes, length, out var onlyZeros) < 0)
            {
                // A server that dies while it makes a segment leaves an empty one; nothing was acknowledged from it.
                if (onlyZeros && isLast) disk.Delete(file);
                else PutAside(file, "its header is damaged and it holds no undamaged record");
                return null;
            }
            // The records' checksums tell that they belong to this journal and number: only the header is lost.
            RepairHeader(segment);
            log.HeaderRepaired(file);
        }
        if (isLast) CutTail(segment);
        return segment;
    }

    private void RepairHeader(SegmentFile segment)
    {
        Span<byte> bytes = stackalloc byte[JournalFormat.HeaderBytes];
        JournalFormat.WriteHeader(bytes, new SegmentHeader(JournalFormat.Version, Id, segment.Number, Previous: 0, segment.CreatedAt));
        using var handle = SegmentReader.OpenHandle(segment.Path, FileAccess.ReadWrite);
        disk.Write(handle, bytes, 0);
        disk.Flush(handle);
    }

    /// <summary>Cuts what a dying server left half written behind the last good record, and makes the rest durable: a server that was killed may have written records and not yet flushed them.</summary>
    private void CutTail(SegmentFile segment)
    {
        using var handle = SegmentReader.OpenHandle(segment.Path, FileAccess.ReadWrite);
        var reader = new SegmentReader(handle, segment.Seed);
        var length = segment.DurableEnd;
        long offset = JournalFormat.HeaderBytes;
        while (offset < length)
        {
            if (reader.TryRead(offset, length, out var payload))
            {
                offset += JournalFormat.RecordHeaderBytes + payload.Length;
                continue;
            }
            var next = reader.Find(offset + 1, length, out _);
            if (next < 0) break;
            log.RecordsDamaged(segment.Path, offset, next - offset);
            Reported.Add(new JournalPosition(segment.Number, offset));
            offset = next;
        }
        if (offset < length)
        {
            log.TailCut(segment.Path, offset, length - offset);
            disk.Truncate(handle, offset);
        }
        disk.Flush(handle);
        segment.DurableEnd = offset;
    }

    private void PutAside(string file, string why)
    {
        var aside = file + JournalLog.DamagedExtension;
        for (var n = 2; File.Exists(aside); n++) aside = $"{file}.{n}{JournalLog.DamagedExtension}";
        File.Move(file, aside);
        log.SegmentPutAside(file, why, aside);
    }
}
