using Microsoft.Win32.SafeHandles;

namespace Footfall.Journal;

/// <summary>Writes and flushes batches of records, into segments that this process made itself. One caller at a time.</summary>
internal sealed class SegmentWriter(string folder, Guid journalId, JournalOptions options, JournalDisk disk, TimeProvider time, ILogger log, long lastNumber) : IDisposable
{
    private SegmentFile? active;
    private SafeFileHandle? handle;
    private long lastNumber = lastNumber;
    private long previousNumber = lastNumber;
    private int refused;   // bytes of the batch that failed last

    /// <summary>Why the last batch failed; null when it did not.</summary>
    public string? Fault { get; private set; }

    /// <summary>Returns the segment that now holds the records durably, with its new end set; null when the disk refused, and then nothing of them is kept.</summary>
    public SegmentFile? Write(Span<byte> records)
    {
        if (active is { HasRecords: true } && active.DurableEnd + records.Length > options.SegmentBytes) Close();
        try
        {
            if (active is null) Begin();
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failed(e, SegmentFile.PathOf(folder, lastNumber), records.Length);
            return null;
        }

        var offset = active!.DurableEnd;
        JournalFormat.Seal(records, active.Seed, offset);
        try
        {
            disk.Write(handle!, records, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Failed(e, active.Path, records.Length);
            TakeBack(offset);
            return null;
        }
        try
        {
            disk.Flush(handle!);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // After a failed flush the system may call pages clean that never reached the disk: the next flush of this
            // file would prove nothing. What was flushed before stays; the file gets no further record.
            Failed(e, active.Path, records.Length);
            TakeBack(offset);
            Close();
            return null;
        }
        active.DurableEnd = offset + records.Length;
        // A full disk still takes what is smaller than the batch that it refused: that is no recovery.
        if (Fault is not null && (records.Length >= refused || FreeBytes() > refused))
        {
            Fault = null;
            log.WriteRecovered(active.Path);
        }
        return active;
    }

    /// <summary>The next record goes into a new segment, whose number is greater than <paramref name="number"/>. Returns the least it will be.</summary>
    public long StartAfter(long number)
    {
        Close();
        lastNumber = Math.Max(lastNumber, number);
        return NextNumber();
    }

    /// <summary>A new, empty segment for the next record; null when the present one is empty itself.</summary>
    /// <exception cref="IOException">The disk refused; the next record tries again.</exception>
    public SegmentFile? BeginNext()
    {
        if (active is { HasRecords: false }) return null;
        Close();
        Begin();
        return active;
    }

    public void Dispose() => Close();

    // Numbers follow the clock, so that a folder that was restored from an older copy does not use numbers again which the
    // database has already seen in the journal of that time.
    private long NextNumber() => Math.Max(lastNumber + 1, time.GetUtcNow().ToUnixTimeMilliseconds());

    private void Begin()
    {
        var now = time.GetUtcNow();
        lastNumber = NextNumber();
        var path = SegmentFile.PathOf(folder, lastNumber);
        SafeFileHandle? file = null;
        try
        {
            file = disk.Create(path);
            Span<byte> header = stackalloc byte[JournalFormat.HeaderBytes];
            JournalFormat.WriteHeader(header, new SegmentHeader(JournalFormat.Version, journalId, lastNumber, previousNumber, now));
            disk.Write(file, header, 0);
            disk.Flush(file);
            disk.FlushFolder(folder);
        }
        catch
        {
            if (file is not null)
            {
                file.Dispose();
                TryDelete(path);
            }
            throw;
        }
        handle = file;
        active = new SegmentFile(path, lastNumber, journalId, now, JournalFormat.HeaderBytes);
        previousNumber = lastNumber;
    }

    private void TakeBack(long offset)
    {
        try
        {
            disk.Truncate(handle!, offset);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            Close();   // what lies behind the durable end is never read by this process, and checked by the next
        }
    }

    private void Close()
    {
        handle?.Dispose();
        handle = null;
        active = null;
    }

    private void TryDelete(string path)
    {
        try
        {
            disk.Delete(path);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            // An empty segment at the end is removed at the next start; until then it only holds a name.
        }
    }

    private void Failed(Exception e, string file, int bytes)
    {
        refused = bytes;
        var fault = $"{file}: {e.Message}";
        var isNew = Fault is null;
        Fault = fault;
        if (!isNew) return;   // a full disk would otherwise fill what is left of it with log lines
        log.WriteFailed(e, file, e.Message, FreeBytes());
    }

    /// <summary>-1 where the system does not tell.</summary>
    private long FreeBytes()
    {
        try
        {
            return disk.FreeBytes(folder);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return -1;
        }
    }
}
