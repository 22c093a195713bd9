namespace Footfall.Journal;

internal sealed partial class EventJournal
{
    private readonly KeptSegments kept;
    private readonly Lock readGate = new();
    private readonly HashSet<JournalPosition> reported = [];
    private JournalPosition barrenFrom;
    private JournalPosition barrenTo;

    /// <summary>
    /// Adds the durable records behind <paramref name="after"/> in order, until they hold <paramref name="maxBytes"/>
    /// bytes (one record more at most), and returns how many. Damaged bytes are logged and passed over. Never waits for writers.
    /// The payloads stay valid.
    /// </summary>
    /// <exception cref="IOException">The disk cannot read the file that the message names. Nothing is passed over for that: the disk may come back.</exception>
    public int Read(JournalPosition after, int maxBytes, List<JournalEntry> into)
    {
        var end = kept.End;
        var count = Read(after, maxBytes, into, end);
        if (count == 0 && after < end) lock (readGate) (barrenFrom, barrenTo) = (after, end);
        return count;
    }

    /// <summary>Completes when <see cref="Read(JournalPosition, int, List{JournalEntry})"/> may find a record behind the position.</summary>
    public async Task WaitForMoreAsync(JournalPosition after, CancellationToken cancellationToken)
    {
        // Where only damaged bytes lie behind the position, waiting for End to pass it would end at once, again and again.
        lock (readGate) if (after == barrenFrom && barrenTo > after) after = barrenTo;
        while (kept.Behind(after) is { IsCompleted: false } more) await more.WaitAsync(cancellationToken);
    }

    private int Read(JournalPosition after, int maxBytes, List<JournalEntry> into, JournalPosition end)
    {
        var count = 0;
        long bytes = 0;
        foreach (var segment in kept.All)
        {
            if (segment.Number < after.Segment) continue;
            var limit = segment.Number < end.Segment ? segment.DurableEnd : segment.Number == end.Segment ? Math.Min(end.Offset, segment.DurableEnd) : 0;
            var offset = segment.Number == after.Segment ? Math.Max(after.Offset, JournalFormat.HeaderBytes) : JournalFormat.HeaderBytes;
            if (offset >= limit || TryOpen(segment) is not { } reader) continue;
            using (reader)
            {
                try
                {
                    if (!ReadSegment(reader, segment, offset, limit)) return count;
                }
                catch (IOException e)
                {
                    throw Unreadable(segment, e);
                }
            }
        }
        return count;

        // False when enough is read.
        bool ReadSegment(SegmentReader reader, SegmentFile segment, long offset, long limit)
        {
            while (offset < limit)
            {
                if (!reader.TryRead(offset, limit, out var payload))
                {
                    var next = reader.Find(offset + 1, limit, out var onlyZeros);
                    // A segment given up while it was written may end in zeros.
                    if (next >= 0 || !onlyZeros) Report(segment, offset, (next < 0 ? limit : next) - offset);
                    if (next < 0) return true;
                    offset = next;
                    continue;
                }
                if (count > 0 && bytes + payload.Length > maxBytes) return false;
                offset += JournalFormat.RecordHeaderBytes + payload.Length;
                bytes += payload.Length;
                into.Add(new JournalEntry(payload, new JournalPosition(segment.Number, offset)));
                count++;
            }
            return true;
        }
    }

    private SegmentReader? TryOpen(SegmentFile segment)
    {
        try
        {
            return SegmentReader.Open(segment);
        }
        catch (FileNotFoundException)
        {
            // Released between our look and our opening, or deleted by hand: then the next segment goes on.
            lock (readGate)
                if (kept.All.Contains(segment) && reported.Add(segment.Begin)) log.SegmentMissing(segment.Path, folder);
            return null;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw Unreadable(segment, e);
        }
    }

    private static IOException Unreadable(SegmentFile segment, Exception e) =>
        new($"{segment.Path} cannot be read: {e.Message} If that lasts, move the file away to go on without its records.", e);

    private void Report(SegmentFile segment, long offset, long bytes)
    {
        lock (readGate)
            if (!reported.Add(new JournalPosition(segment.Number, offset))) return;   // a batch that is read again after a failed transaction
        log.RecordsDamaged(segment.Path, offset, bytes);
    }
}
