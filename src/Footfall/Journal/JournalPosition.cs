namespace Footfall.Journal;

/// <summary>A place in the journal: just behind a record. Ordered by segment, then offset.</summary>
/// <param name="Segment">Number of the segment file; 1 at least, growing from file to file, with gaps.</param>
/// <param name="Offset">Bytes from its start.</param>
public readonly record struct JournalPosition(long Segment, long Offset) : IComparable<JournalPosition>
{
    /// <summary>Before every record.</summary>
    public static JournalPosition Start => default;

    public int CompareTo(JournalPosition other) =>
        Segment != other.Segment ? Segment.CompareTo(other.Segment) : Offset.CompareTo(other.Offset);

    public static bool operator <(JournalPosition a, JournalPosition b) => a.CompareTo(b) < 0;
    public static bool operator >(JournalPosition a, JournalPosition b) => a.CompareTo(b) > 0;
    public static bool operator <=(JournalPosition a, JournalPosition b) => a.CompareTo(b) <= 0;
    public static bool operator >=(JournalPosition a, JournalPosition b) => a.CompareTo(b) >= 0;
}

/// <summary>One record as read back.</summary>
/// <param name="Payload">A capture record.</param>
/// <param name="End">The position behind it: what ingestion stores once the record's rows are in.</param>
public readonly record struct JournalEntry(ReadOnlyMemory<byte> Payload, JournalPosition End);
