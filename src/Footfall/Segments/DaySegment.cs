namespace Footfall.Segments;

/// <summary>
/// One property's UTC day, decoded: what happened, in columns. Never changes once it is made; another build of the day is another object.
/// <para>
/// A <b>row</b> is a session with at least one event in the day. Rows <c>[0, Homes)</c> began in the day; <c>[Homes, Rows)</c> are guests, which
/// began on an earlier day and went on: their facts are there for filters and groups, they are counted as begun on their own day. Both parts are
/// ordered by visitor number, then start. (visitor, start) is one session and no other: see <see cref="SegmentWindow.HomeOf"/>.
/// </para>
/// <para>
/// A <b>hit</b> is an event in the day (in range, not of a bot). Hits lie in <see cref="Groups"/> by path and event type; within a group they are
/// ordered by row, then time. Over all groups a hit has one index, which <see cref="PropColumn"/> refers to.
/// </para>
/// </summary>
internal sealed class DaySegment
{
    public required DateOnly Day { get; init; }

    /// <summary>Differs between any two builds of any days.</summary>
    public required long Version { get; init; }

    public required DateTimeOffset BuiltAt { get; init; }

    /// <summary>What the codes in <see cref="Codes.Words"/> mean.</summary>
    public required Vocabulary Vocabulary { get; init; }

    public required int Homes { get; init; }

    public required int Rows { get; init; }

    /// <summary>By row: the visitor's dense number, as in visitor sets.</summary>
    public required int[] Visitor { get; init; }

    /// <summary>By row: whole seconds (rounded down) since the day's start; negative for guests.</summary>
    public required int[] Start { get; init; }

    /// <summary>By row: whole milliseconds (rounded down) from the first to the last event, at most <see cref="uint.MaxValue"/>: see <see cref="LongSessions"/>.</summary>
    public required uint[] Duration { get; init; }

    /// <summary>By row: microseconds beyond <see cref="Duration"/>, 0 to 999; null where all are 0.</summary>
    public required ushort[]? DurationMicros { get; init; }

    /// <summary>By row: engaged milliseconds, at most <see cref="uint.MaxValue"/>: see <see cref="LongSessions"/>.</summary>
    public required uint[] Engaged { get; init; }

    /// <summary>The few rows whose duration or engaged time does not fit: how much more they are. By row, ascending.</summary>
    public required LongSession[] LongSessions { get; init; }

    /// <summary>By row.</summary>
    public required SessionFlags[] Flags { get; init; }

    /// <summary>By row: facts of the session, by <see cref="SessionFact"/>.</summary>
    public required Codes[] Facts { get; init; }

    /// <summary>By row: hits in this day (not those on other days).</summary>
    public required Numbers Events { get; init; }

    /// <inheritdoc cref="Events"/>
    public required Numbers PageViews { get; init; }

    /// <inheritdoc cref="Events"/>
    public required Numbers Conversions { get; init; }

    /// <summary>Ordered by the groups' <see cref="HitGroup.Path"/>, then <see cref="HitGroup.Type"/>; none is empty.</summary>
    public required HitGroup[] Groups { get; init; }

    /// <summary>From a group's path to the vocabulary's <see cref="SegmentWords.Path"/>; [0] is "has no path".</summary>
    public required int[] Paths { get; init; }

    /// <summary>From a group's type to the vocabulary's <see cref="SegmentWords.EventType"/>.</summary>
    public required int[] Types { get; init; }

    public int Hits => HitRow.Length;

    /// <summary>By hit: its session's row.</summary>
    public required int[] HitRow { get; init; }

    /// <summary>By hit: whole milliseconds (rounded down) since the day's start.</summary>
    public required int[] HitTime { get; init; }

    /// <summary>By hit: microseconds beyond <see cref="HitTime"/>, 0 to 999; null where all are 0.</summary>
    public required ushort[]? HitMicros { get; init; }

    /// <summary>A bit for each hit, 64 to a word: the event is a conversion.</summary>
    public required ulong[] HitConverted { get; init; }

    public required PropColumns Props { get; init; }

    /// <summary>Bytes that the arrays take, roughly.</summary>
    public required long Bytes { get; init; }

    public Codes this[SessionFact fact] => Facts[(int)fact];

    public bool Converted(int hit) => (HitConverted[hit >> 6] >> hit & 1) != 0;

    /// <summary>The row of a session that began in this day; -1 where there is none.</summary>
    /// <param name="start">As in <see cref="Start"/>.</param>
    public int FindHome(int visitor, int start) => Find(visitor, start, 0, Homes);

    /// <summary>The row of a session that began in this day or before; -1 where there is none.</summary>
    /// <inheritdoc cref="FindHome"/>
    public int Find(int visitor, long start) => start is < int.MinValue or > int.MaxValue ? -1 : start >= 0 ? Find(visitor, (int)start, 0, Homes) : Find(visitor, (int)start, Homes, Rows);

    private int Find(int visitor, int start, int from, int to)
    {
        int low = from, high = to - 1;
        while (low <= high)
        {
            var middle = (low + high) >>> 1;
            var order = Visitor[middle] != visitor ? Visitor[middle].CompareTo(visitor) : Start[middle].CompareTo(start);
            if (order == 0) return middle;
            if (order < 0) low = middle + 1;
            else high = middle - 1;
        }
        return -1;
    }
}

/// <summary>Hits of one path and event type: <c>[First, First + Count)</c>.</summary>
/// <param name="Path">Index into <see cref="DaySegment.Paths"/>; 0 for none.</param>
/// <param name="Type">Index into <see cref="DaySegment.Types"/>.</param>
internal readonly record struct HitGroup(int Path, int Type, int First, int Count);

/// <summary>What a session's duration (milliseconds) and engaged time (milliseconds) are more than the columns can say.</summary>
internal readonly record struct LongSession(int Row, long MoreDuration, long MoreEngaged);

[Flags]
internal enum SessionFlags : byte
{
    None = 0,
    Bounce = 1,

    /// <summary>Has a conversion, on whatever day.</summary>
    Converted = 2,

    /// <summary>Its last event is on a later day than this: another segment has it as a guest.</summary>
    GoesOn = 4,
}

/// <summary>Facts of a session that questions filter and group by.</summary>
internal enum SessionFact
{
    EntryPath,
    ExitPath,
    Source,
    Channel,
    ReferrerHost,
    UtmSource,
    UtmMedium,
    UtmCampaign,
    UtmTerm,
    UtmContent,
    Country,
    Device,
    Browser,
    Os,
}
