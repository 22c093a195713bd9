namespace Footfall.Segments;

/// <summary>
/// A day's segment as it is stored, in columns with texts of its own: what the builder makes, the codec packs, an erasure takes rows out of,
/// and a <see cref="DaySegment"/> is made of. The columns mean what those of <see cref="DaySegment"/> mean.
/// </summary>
internal sealed class SegmentData
{
    public required DateOnly Day { get; init; }
    public required int Homes { get; init; }
    public required int[] Visitor { get; init; }
    public required int[] Start { get; init; }
    public required uint[] Duration { get; init; }
    public required ushort[]? DurationMicros { get; init; }
    public required uint[] Engaged { get; init; }
    public required LongSession[] LongSessions { get; init; }
    public required SessionFlags[] Flags { get; init; }

    /// <summary>By <see cref="SegmentWords"/>: texts in the order of their code points, [0] unused, so that codes begin with 1.</summary>
    public required string[][] Texts { get; init; }

    /// <summary>By <see cref="SessionFact"/>: codes of <see cref="Texts"/>.</summary>
    public required Numbers[] Facts { get; init; }

    public required Numbers Events { get; init; }
    public required Numbers PageViews { get; init; }
    public required Numbers Conversions { get; init; }
    public required HitGroup[] Groups { get; init; }
    public required int[] HitRow { get; init; }
    public required int[] HitTime { get; init; }
    public required ushort[]? HitMicros { get; init; }
    public required ulong[] HitConverted { get; init; }
    public required PropTable Props { get; init; }

    public int Rows => Visitor.Length;

    public int Hits => HitRow.Length;

    /// <summary>Memory that it takes once decoded, roughly; the texts as if no other segment had them.</summary>
    public long DecodedBytes =>
        (4L * (Visitor.Length + Start.Length + Duration.Length + Engaged.Length)) + Flags.Length + (2L * (DurationMicros?.Length ?? 0)) + (24L * LongSessions.Length)
        + Facts.Sum(f => f.Size) + Events.Size + PageViews.Size + Conversions.Size
        + (16L * Groups.Length) + (8L * HitRow.Length) + (2L * (HitMicros?.Length ?? 0)) + (8L * HitConverted.Length)
        + Props.Size + Texts.Sum(t => t.Sum(text => text is null ? 0L : 4 + Words.BytesOf(text))) + 4_000;

    /// <summary>With the texts numbered as in the other segments of the property.</summary>
    public DaySegment With(Vocabulary vocabulary, long version, DateTimeOffset builtAt)
    {
        var words = new int[Texts.Length][];
        for (var kind = 0; kind < words.Length; kind++) words[kind] = Array.ConvertAll(Texts[kind], t => t is null ? 0 : vocabulary[(SegmentWords)kind].Add(t));
        return new DaySegment
        {
            Day = Day,
            Version = version,
            BuiltAt = builtAt,
            Vocabulary = vocabulary,
            Homes = Homes,
            Rows = Rows,
            Visitor = Visitor,
            Start = Start,
            Duration = Duration,
            DurationMicros = DurationMicros,
            Engaged = Engaged,
            LongSessions = LongSessions,
            Flags = Flags,
            Facts = [.. Facts.Select((f, i) => f.As(words[(int)Vocabulary.KindOf((SessionFact)i)]))],
            Events = Events,
            PageViews = PageViews,
            Conversions = Conversions,
            Groups = Groups,
            Paths = words[(int)SegmentWords.Path],
            Types = words[(int)SegmentWords.EventType],
            HitRow = HitRow,
            HitTime = HitTime,
            HitMicros = HitMicros,
            HitConverted = HitConverted,
            Props = new PropColumns(Props, vocabulary),
            Bytes = DecodedBytes - Texts.Sum(t => t.Sum(text => text is null ? 0L : Words.BytesOf(text))),
        };
    }
}

/// <summary>A day's props, each packed by itself: most questions need none of them.</summary>
/// <param name="Columns">By key, in the order of code points.</param>
/// <param name="Missing">Keys that the day has and the segment does not hold.</param>
/// <param name="MayMissOthers">The day may have further keys, which are not even in <paramref name="Missing"/>.</param>
internal sealed record PropTable(IReadOnlyDictionary<string, PackedProp> Columns, IReadOnlySet<string> Missing, bool MayMissOthers)
{
    public long Size => Columns.Sum(c => 200L + c.Value.Packed.Length) + Missing.Sum(m => 100L + (2 * m.Length));
}

/// <param name="Hits">How many hits have it.</param>
/// <param name="RawLength">Of <paramref name="Packed"/> when unpacked.</param>
internal sealed record PackedProp(int Hits, int RawLength, byte[] Packed);

/// <summary>One prop, unpacked.</summary>
/// <param name="Texts">[0] unused.</param>
internal sealed record PropData(int[] Hits, Numbers Values, string[] Texts);
