using Footfall.Capture;

namespace Footfall.Journal;

/// <summary>
/// The log between capture and the database: many writers, one write and flush at a time that takes all who wait, one
/// reader that follows, whole segments deleted once the database has them. An acknowledged record survives a killed
/// process and a lost machine; a record that was not acknowledged may.
/// </summary>
internal sealed partial class EventJournal : ICaptureLog, IAsyncDisposable
{
    // So much may wait in memory while the disk stalls.
    private const int MaxPendingBytes = 64 << 20;

    private readonly string folder;
    private readonly JournalOptions options;
    private readonly TimeProvider time;
    private readonly ILogger<EventJournal> log;
    private readonly JournalDisk disk;
    private readonly JournalFolder onDisk;
    private readonly StoredSegments stored;
    private readonly Thread committer;

    // Taken for each append: only ever for copying and counting.
    private readonly object pendingGate = new();
    private PendingBatch pending = new();
    private PendingBatch spare = new();
    private long reserved;           // bytes held, being written and pending
    private bool full;
    private bool committerWaits;
    private bool closing;

    // Taken for each write to disk.
    private readonly Lock writerGate = new();
    private readonly SegmentWriter writer;
    private JournalPosition renumberFrom;
    private JournalPosition renumberTo;
    private JournalPosition ensured;

    private EventJournal(string folder, JournalOptions options, TimeProvider time, ILogger<EventJournal> log, JournalDisk disk)
    {
        this.folder = folder;
        this.options = options;
        this.time = time;
        this.log = log;
        this.disk = disk;
        onDisk = JournalFolder.Open(folder, disk, log);
        stored = new StoredSegments(folder, options, disk, time, log);
        kept = new KeptSegments(onDisk.Segments);
        reported.UnionWith(onDisk.Reported);
        writer = new SegmentWriter(folder, Id, options, disk, time, log, onDisk.HighestNumber);
        reserved = kept.BytesHeld;
        renumberFrom = renumberTo = kept.End;
        committer = new Thread(Commit) { IsBackground = true, Name = "journal" };
        log.Opened(Id, folder, onDisk.Segments.Count, reserved);
        committer.Start();
    }

    /// <summary>Made once for each journal folder, and again when the folder was emptied: positions only mean something together with it.</summary>
    public Guid Id => onDisk.Id;

    /// <summary>Behind the last durable record.</summary>
    public JournalPosition End => kept.End;

    /// <summary>Where the oldest kept record begins.</summary>
    public JournalPosition First => kept.First;

    /// <summary>Told how long each write to disk took.</summary>
    public Action<TimeSpan>? Flushed { get; set; }

    public JournalStatus Status
    {
        get
        {
            var (bytes, since) = kept.Waiting;
            lock (pendingGate) return new JournalStatus(bytes, options.MaxBytes, since, full, writer.Fault);
        }
    }

    /// <summary>Opens the folder, making it if need be, and puts right what a crash left.</summary>
    /// <exception cref="InvalidDataException">What the folder holds cannot be used; the message names the file.</exception>
    /// <exception cref="IOException">Another server uses the folder, or the disk refuses; the message names the file.</exception>
    public static EventJournal Open(string folder, JournalOptions options, TimeProvider time, ILogger<EventJournal> log) =>
        Open(folder, options, time, log, new JournalDisk());

    internal static EventJournal Open(string folder, JournalOptions options, TimeProvider time, ILogger<EventJournal> log, JournalDisk disk) =>
        new(Path.GetFullPath(folder), options, time, log, disk);

    /// <summary>
    /// Copies the payload and returns when it is durable, or when it will not be kept. The token is looked at only
    /// before the copy: from then on the record is on its way, whoever has stopped waiting.
    /// </summary>
    /// <exception cref="ArgumentException">The payload is empty or longer than <c>Journal:MaxRecordBytes</c>.</exception>
    public ValueTask<AppendResult> AppendAsync(ReadOnlyMemory<byte> payload, CancellationToken cancellationToken)
    {
        if (cancellationToken.IsCancellationRequested) return ValueTask.FromCanceled<AppendResult>(cancellationToken);
        if (payload.IsEmpty || payload.Length > options.MaxRecordBytes)
            throw new ArgumentException($"A record of {payload.Length} bytes does not fit the journal: 1 to {options.MaxRecordBytes} (Journal:MaxRecordBytes).", nameof(payload));
        var size = JournalFormat.RecordHeaderBytes + payload.Length;
        lock (pendingGate)
        {
            if (closing) return new(AppendResult.Failed);
            if (reserved + size > options.MaxBytes || pending.Length + size > MaxPendingBytes)
            {
                if (!full) log.Full(reserved, options.MaxBytes);
                full = true;
                return new(AppendResult.Full);
            }
            reserved += size;
            pending.Add(payload.Span);
            if (committerWaits) Monitor.Pulse(pendingGate);
            return new(pending.Done);
        }
    }

    /// <summary>
    /// The database has everything up to here: segments that end there or before leave the journal, and are kept beside it for as
    /// long as the options say. The newest segment stays, so that numbers go on from it.
    /// </summary>
    public void Release(JournalPosition upTo)
    {
        if (upTo > kept.End) EnsureAfter(upTo);
        var (gone, freed) = kept.Release(upTo);
        lock (pendingGate)
        {
            reserved -= freed;
            // Well below the mark, or the two log lines would alternate while a slow database drains a full journal.
            if (full && reserved <= options.MaxBytes / 10 * 9)
            {
                full = false;
                log.NoLongerFull();
            }
        }
        foreach (var segment in gone)
        {
            try
            {
                stored.Add(segment, keep: writer.Fault is null);
            }
            catch (Exception e) when (e is IOException or UnauthorizedAccessException)
            {
                log.DeleteFailed(segment.Path, e.Message);
            }
        }
        stored.Prune();
    }

    /// <summary>
    /// Takes back what the database had and has no more, having been restored from a backup: segments behind the position that it now
    /// knows. To be called with that position before the first read.
    /// </summary>
    /// <exception cref="IOException">The disk refused; call again later.</exception>
    public void TakeBack(JournalPosition known)
    {
        List<SegmentFile> back;
        try
        {
            back = stored.TakeBack(Id, known);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new IOException($"The segments that the journal in {folder} keeps cannot be taken back: {e.Message}", e);
        }
        if (back.Count == 0) return;
        var bytes = kept.Returned(back);
        lock (pendingGate) reserved += bytes;
        log.TakenBack(Id, back.Count, bytes, known.Segment, known.Offset);
    }

    /// <summary>
    /// Makes every record that the database cannot have yet lie behind <paramref name="known"/>, the position it has
    /// stored for this journal. To be called with that position before the first read: it lies behind
    /// <see cref="End"/> when an older copy of the folder was restored.
    /// </summary>
    /// <exception cref="IOException">The disk refused; call again later.</exception>
    public void EnsureAfter(JournalPosition known)
    {
        lock (writerGate)
        {
            if (known > kept.End && known > ensured)
            {
                renumberTo = kept.End;
                log.BehindDatabase(Id, known.Segment, known.Offset, folder, writer.StartAfter(known.Segment));
            }
            if (renumberFrom < renumberTo) Renumber();
            ensured = known > ensured ? known : ensured;
        }
    }

    /// <summary>
    /// Begins a new segment, so that <see cref="Release"/> can delete all that hold a record by now: else the newest stays, with
    /// what was in the database long ago. Returns where the records that are here now end.
    /// </summary>
    /// <exception cref="IOException">The disk refused; call again later.</exception>
    public JournalPosition Turn()
    {
        lock (writerGate)
        {
            try
            {
                if (kept.BeginsNew && writer.BeginNext() is { } segment) kept.Began(segment);
            }
            catch (UnauthorizedAccessException e)
            {
                throw new IOException($"The journal in {folder} cannot be written: {e.Message}", e);
            }
            return kept.End;
        }
    }

    public async ValueTask DisposeAsync()
    {
        lock (pendingGate)
        {
            if (closing) return;
            closing = true;
            Monitor.Pulse(pendingGate);
        }
        await Task.Run(committer.Join);
        writer.Dispose();
        onDisk.Dispose();
    }

    private void Commit()
    {
        while (true)
        {
            PendingBatch batch;
            lock (pendingGate)
            {
                while (pending.Length == 0)
                {
                    if (closing) return;
                    committerWaits = true;
                    Monitor.Wait(pendingGate);
                    committerWaits = false;
                }
                batch = pending;
                (pending, spare) = (spare, pending);
            }
            var started = time.GetTimestamp();
            var result = Write(batch);
            batch.Complete(result);
            if (result == AppendResult.Durable) Flushed?.Invoke(time.GetElapsedTime(started));
        }
    }

    private AppendResult Write(PendingBatch batch)
    {
        var length = batch.Length;
        try
        {
            lock (writerGate)
            {
                // Where the disk is full, what is only kept for a restore gives its room to what comes in.
                if ((writer.Write(batch.Records) ?? (stored.Clear() ? writer.Write(batch.Records) : null)) is { } segment)
                {
                    kept.Grew(segment, segment.DurableEnd - length, time.GetUtcNow());
                    return AppendResult.Durable;
                }
            }
        }
        catch (Exception e)
        {
            // Whatever it is, the writers must be answered and the next batch tried.
            log.Unexpected(e);
        }
        lock (pendingGate) reserved -= length;
        return AppendResult.Failed;
    }

    /// <summary>Writes again, with numbers behind those the database knows, what this process has appended under lower ones: it is new, and would pass for stored.</summary>
    private void Renumber()
    {
        List<JournalEntry> entries = [];
        while (renumberFrom < renumberTo)
        {
            entries.Clear();
            if (Read(renumberFrom, MaxPendingBytes / 16, entries, renumberTo) == 0) break;
            var again = new PendingBatch();
            foreach (var entry in entries) again.Add(entry.Payload.Span);
            if (writer.Write(again.Records) is not { } segment) throw new IOException($"The journal in {folder} cannot be written: {writer.Fault}");
            kept.Grew(segment, segment.DurableEnd - again.Length, time.GetUtcNow());
            lock (pendingGate) reserved += again.Length;
            renumberFrom = entries[^1].End;
        }
        renumberFrom = renumberTo;
    }
}
