using System.Collections.Immutable;

namespace Footfall.Journal;

/// <summary>Which segments there are, how far they are durable, what the database has of them, and who waits for more.</summary>
internal sealed class KeptSegments
{
    private const int MostMarks = 1024;
    private static readonly TimeSpan MarkEvery = TimeSpan.FromSeconds(1);

    private readonly Lock gate = new();
    private readonly List<(JournalPosition From, DateTimeOffset At)> marks = [];   // the first record behind From was written at At
    private ImmutableArray<SegmentFile> segments;
    private JournalPosition end;
    private JournalPosition released;
    private long bytesHeld;
    private TaskCompletionSource? grew;

    public KeptSegments(List<SegmentFile> found)
    {
        segments = [.. found];
        foreach (var segment in found)
        {
            if (segment.HasRecords || end == default) end = segment.End;
            if (segment.HasRecords) marks.Add((segment.Begin, segment.CreatedAt));
            bytesHeld += segment.DurableEnd - JournalFormat.HeaderBytes;
        }
    }

    public ImmutableArray<SegmentFile> All
    {
        get { lock (gate) return segments; }
    }

    public JournalPosition End
    {
        get { lock (gate) return end; }
    }

    public JournalPosition First
    {
        get
        {
            lock (gate)
            {
                foreach (var segment in segments)
                    if (segment.HasRecords) return segment.Begin;
                return end;
            }
        }
    }

    public long BytesHeld
    {
        get { lock (gate) return bytesHeld; }
    }

    public (long Bytes, DateTimeOffset? OldestSince) Waiting
    {
        get { lock (gate) return (bytesHeld, marks.Count == 0 ? null : marks[0].At); }
    }

    /// <summary>The segment, perhaps a new one, is durable up to its end; it was so up to <paramref name="before"/>.</summary>
    public void Grew(SegmentFile segment, long before, DateTimeOffset now)
    {
        TaskCompletionSource? tell;
        lock (gate)
        {
            if (segments.IsEmpty || segments[^1] != segment) segments = segments.Add(segment);
            if (marks.Count == 0 || now - marks[^1].At >= MarkEvery) Mark(end, now);
            end = segment.End;
            bytesHeld += segment.DurableEnd - before;
            tell = grew;
            grew = null;
        }
        tell?.SetResult();
    }

    /// <summary>Whether the newest segment holds records: an empty one, of this process or an earlier one, needs no other behind it.</summary>
    public bool BeginsNew
    {
        get { lock (gate) return !segments.IsEmpty && segments[^1].HasRecords; }
    }

    /// <summary>An empty segment that the next record goes into. The end stays where the last record ends.</summary>
    public void Began(SegmentFile segment)
    {
        lock (gate) segments = segments.Add(segment);
    }

    /// <summary>Older segments come back. Returns how many bytes of records are held besides.</summary>
    public long Returned(List<SegmentFile> back)
    {
        TaskCompletionSource? tell;
        long bytes;
        lock (gate)
        {
            segments = [.. segments.Concat(back).DistinctBy(s => s.Number).OrderBy(s => s.Number)];
            released = default;
            bytes = segments.Sum(s => s.DurableEnd - JournalFormat.HeaderBytes) - bytesHeld;
            bytesHeld += bytes;
            marks.InsertRange(0, back.Select(s => (s.Begin, s.CreatedAt)));
            tell = grew;
            grew = null;
        }
        tell?.SetResult();
        return bytes;
    }

    /// <summary>Completes when there is something behind the position.</summary>
    public Task Behind(JournalPosition position)
    {
        lock (gate)
        {
            if (end > position) return Task.CompletedTask;
            grew ??= new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
            return grew.Task;
        }
    }

    /// <summary>Takes out the segments that lie before the position, and says how many bytes of records no longer count as held.</summary>
    public (List<SegmentFile> Gone, long FreedBytes) Release(JournalPosition upTo)
    {
        lock (gate)
        {
            if (upTo < released) return ([], 0);   // not where it is the same: the last segment may have ceased to be the last
            released = upTo;
            List<SegmentFile> gone = [];
            long held = 0;
            for (var i = 0; i < segments.Length; i++)
            {
                var segment = segments[i];
                if (segment.End <= upTo && i < segments.Length - 1) gone.Add(segment);
                if (segment.End > upTo) held += segment.DurableEnd - (segment.Number == upTo.Segment ? Math.Max(upTo.Offset, JournalFormat.HeaderBytes) : JournalFormat.HeaderBytes);
            }
            segments = segments.RemoveRange(gone);

            var passed = marks.FindLastIndex(m => m.From <= upTo);
            if (end <= upTo) marks.Clear();
            else if (passed > 0) marks.RemoveRange(0, passed);

            var freed = bytesHeld - held;
            bytesHeld = held;
            return (gone, freed);
        }
    }

    private void Mark(JournalPosition from, DateTimeOffset at)
    {
        // Every second one goes: the rest still says what is oldest, only more coarsely.
        if (marks.Count == MostMarks)
        {
            for (var i = MostMarks - 1; i > 0; i -= 2) marks.RemoveAt(i);
        }
        marks.Add((from, at));
    }
}
