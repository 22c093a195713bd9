using System.Text;

namespace Footfall.Segments;

/// <summary>Columns of a segment that hold a number each row or hit. What they mean: <see cref="DaySegment"/>.</summary>
internal enum SegmentColumn
{
    Visitor,

    /// <summary>As the bits of an int.</summary>
    Start,
    Duration,
    DurationMicros,
    Engaged,
    Flags,
    Events,
    PageViews,
    Conversions,
    HitRow,
    HitTime,
    HitMicros,
}

/// <param name="utf8">Good until it returns.</param>
internal delegate void TextAction(ReadOnlySpan<byte> utf8);

/// <summary>A segment's columns as they are written: one after the other, in the order of the payload, and each once, so that nobody has to hold them all.</summary>
internal interface ISegmentColumns
{
    DateOnly Day { get; }
    int Homes { get; }
    int Rows { get; }
    int Hits { get; }

    /// <summary>Texts of the kind and one more.</summary>
    int TextCount(SegmentWords kind);

    /// <summary>In the order of their code points.</summary>
    void Texts(SegmentWords kind, TextAction each);

    void Read(SegmentColumn column, Span<uint> values);

    void Read(SessionFact fact, Span<uint> codes);

    IReadOnlyList<LongSession> LongSessions();

    int GroupCount { get; }

    HitGroup Group(int index);

    ulong[] HitConverted();

    PropTable Props();
}

/// <summary>The columns of a segment that is there as a whole.</summary>
internal sealed class DataColumns(SegmentData data) : ISegmentColumns
{
    private readonly Utf8Buffer utf8 = new();

    public DateOnly Day => data.Day;

    public int Homes => data.Homes;

    public int Rows => data.Rows;

    public int Hits => data.Hits;

    public int TextCount(SegmentWords kind) => data.Texts[(int)kind].Length;

    public void Texts(SegmentWords kind, TextAction each)
    {
        foreach (var text in data.Texts[(int)kind].AsSpan(1)) each(utf8.Of(text));
    }

    public void Read(SegmentColumn column, Span<uint> values)
    {
        for (var i = 0; i < values.Length; i++)
        {
            values[i] = column switch
            {
                SegmentColumn.Visitor => (uint)data.Visitor[i],
                SegmentColumn.Start => (uint)data.Start[i],
                SegmentColumn.Duration => data.Duration[i],
                SegmentColumn.DurationMicros => data.DurationMicros?[i] ?? 0,
                SegmentColumn.Engaged => data.Engaged[i],
                SegmentColumn.Flags => (uint)data.Flags[i],
                SegmentColumn.Events => (uint)data.Events[i],
                SegmentColumn.PageViews => (uint)data.PageViews[i],
                SegmentColumn.Conversions => (uint)data.Conversions[i],
                SegmentColumn.HitRow => (uint)data.HitRow[i],
                SegmentColumn.HitTime => (uint)data.HitTime[i],
                SegmentColumn.HitMicros => data.HitMicros?[i] ?? 0,
                _ => throw new ArgumentOutOfRangeException(nameof(column), column, null),
            };
        }
    }

    public void Read(SessionFact fact, Span<uint> codes)
    {
        var column = data.Facts[(int)fact];
        for (var row = 0; row < codes.Length; row++) codes[row] = (uint)column[row];
    }

    public IReadOnlyList<LongSession> LongSessions() => data.LongSessions;

    public int GroupCount => data.Groups.Length;

    public HitGroup Group(int index) => data.Groups[index];

    public ulong[] HitConverted() => data.HitConverted;

    public PropTable Props() => data.Props;

    /// <summary>All columns at once.</summary>
    public static SegmentData Of(ISegmentColumns from)
    {
        var texts = Array.ConvertAll(Enum.GetValues<SegmentWords>(), kind =>
        {
            List<string> list = [null!];
            from.Texts(kind, text => list.Add(Encoding.UTF8.GetString(text)));
            return list.ToArray();
        });
        var (homes, rows, hits) = (from.Homes, from.Rows, from.Hits);
        return new SegmentData
        {
            Day = from.Day,
            Homes = homes,
            Texts = texts,
            Visitor = Array.ConvertAll(All(SegmentColumn.Visitor, rows), v => (int)v),
            Start = Array.ConvertAll(All(SegmentColumn.Start, rows), v => (int)v),
            Duration = All(SegmentColumn.Duration, rows),
            DurationMicros = Micros(SegmentColumn.DurationMicros, rows),
            Engaged = All(SegmentColumn.Engaged, rows),
            Flags = Array.ConvertAll(All(SegmentColumn.Flags, rows), v => (SessionFlags)v),
            Facts = Array.ConvertAll(Enum.GetValues<SessionFact>(), fact =>
            {
                var codes = new uint[rows];
                from.Read(fact, codes);
                return Narrow(codes);
            }),
            Events = Narrow(All(SegmentColumn.Events, rows)),
            PageViews = Narrow(All(SegmentColumn.PageViews, rows)),
            Conversions = Narrow(All(SegmentColumn.Conversions, rows)),
            LongSessions = [.. from.LongSessions()],
            Groups = [.. Enumerable.Range(0, from.GroupCount).Select(from.Group)],
            HitRow = Array.ConvertAll(All(SegmentColumn.HitRow, hits), v => (int)v),
            HitTime = Array.ConvertAll(All(SegmentColumn.HitTime, hits), v => (int)v),
            HitMicros = Micros(SegmentColumn.HitMicros, hits),
            HitConverted = from.HitConverted(),
            Props = from.Props(),
        };

        uint[] All(SegmentColumn column, int count)
        {
            var values = new uint[count];
            from.Read(column, values);
            return values;
        }

        ushort[]? Micros(SegmentColumn column, int count) => All(column, count) is var values && values.AsSpan().ContainsAnyExcept(0U) ? Array.ConvertAll(values, v => (ushort)v) : null;
    }

    private static Numbers Narrow(uint[] values) => Numbers.Of(Array.ConvertAll(values, v => (int)v));
}
