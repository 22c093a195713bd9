using System.Numerics;
using System.Runtime.InteropServices;
using System.Text;

namespace Footfall.Segments;

/// <summary>From a segment's columns to its payload: docs/segments.md. The same columns give the same bytes.</summary>
internal static class SegmentEncoder
{
    private static readonly SegmentWords[] Kinds = Enum.GetValues<SegmentWords>();
    private static readonly SessionFact[] Facts = Enum.GetValues<SessionFact>();

    /// <summary>Asks for each column once, and holds two of them at most.</summary>
    public static EncodedSegment Encode(ISegmentColumns from)
    {
        using var payload = new PackedWriter();
        using var section = new PackedWriter();
        var size = new DecodedSize();
        payload.Fixed(SegmentCodec.Magic);
        payload.Byte(SegmentCodec.Format);
        payload.Number((ulong)from.Day.DayNumber);
        payload.Number((ulong)from.Homes);
        payload.Number((ulong)from.Rows);
        payload.Number((ulong)from.Hits);
        WriteTexts(section, from, size);
        payload.Section(section);
        section.Clear();
        using var starts = new Scratch<uint>(from.Rows);
        WriteSessions(section, from, starts, size);
        payload.Section(section);
        section.Clear();
        WriteHits(section, from, starts, size);
        payload.Section(section);
        section.Dispose();
        var props = from.Props();
        size.Bytes += props.Size;
        WriteProps(payload, props);
        payload.Fixed(SegmentCodec.Crc(payload.Written));
        return new EncodedSegment(payload.Written.ToArray(), from.Homes, from.Rows, from.Hits, size.Bytes);
    }

    /// <summary>One prop of some hits.</summary>
    /// <param name="values">Of each hit that has it, in order: its index in the upper half, the value's place in the lower.</param>
    /// <param name="textCount">Of values, and one more.</param>
    public static PackedProp Pack(ReadOnlySpan<ulong> values, int textCount, Action<TextAction> texts)
    {
        using var raw = new PackedWriter();
        using var column = new Scratch<uint>(values.Length);
        var numbers = column.Span;
        for (var i = 0; i < values.Length; i++) numbers[i] = (uint)(values[i] >> 32);
        Deltas(numbers);
        raw.Planes(numbers);
        for (var i = 0; i < values.Length; i++) numbers[i] = (uint)values[i];
        raw.Planes(numbers);
        raw.Texts(textCount, texts);
        return new PackedProp(values.Length, raw.Written.Length, PackedWriter.Pack(raw.Written));
    }

    private static void WriteTexts(PackedWriter section, ISegmentColumns from, DecodedSize size)
    {
        foreach (var kind in Kinds)
        {
            section.Texts(from.TextCount(kind), each => from.Texts(kind, text =>
            {
                size.Bytes += sizeof(int) + Words.BytesOf(Encoding.UTF8.GetCharCount(text));
                each(text);
            }));
        }
    }

    private static void WriteSessions(PackedWriter section, ISegmentColumns from, Scratch<uint> starts, DecodedSize size)
    {
        using var column = new Scratch<uint>(from.Rows);
        var values = column.Span;
        var homes = from.Homes;
        from.Read(SegmentColumn.Visitor, values);
        Deltas(values[..homes]);
        Deltas(values[homes..]);
        section.Planes(values[..homes]);
        section.Planes(values[homes..]);
        from.Read(SegmentColumn.Start, starts.Span);
        section.Planes(starts.Span[..homes]);
        for (var row = homes; row < values.Length; row++) values[row] = (uint)-(int)starts[row];
        section.Planes(values[homes..]);
        from.Read(SegmentColumn.Duration, values);
        section.Planes(values);
        WriteMicros(section, from, SegmentColumn.DurationMicros, values, size);
        from.Read(SegmentColumn.Engaged, values);
        section.Planes(values);
        from.Read(SegmentColumn.Flags, values);
        foreach (var flags in values) section.Byte((byte)flags);
        foreach (var fact in Facts)
        {
            from.Read(fact, values);
            WriteNumbers(section, values, size);
        }
        foreach (var counted in (SegmentColumn[])[SegmentColumn.Events, SegmentColumn.PageViews, SegmentColumn.Conversions])
        {
            from.Read(counted, values);
            WriteNumbers(section, values, size);
        }
        var longer = from.LongSessions();
        section.Number((ulong)longer.Count);
        foreach (var session in longer)
        {
            section.Number((ulong)session.Row);
            section.Number((ulong)session.MoreDuration);
            section.Number((ulong)session.MoreEngaged);
        }
        size.Bytes += ((4L * sizeof(int)) + 1) * values.Length;   // visitor, start, duration, engaged; flags
        size.Bytes += 24L * longer.Count;
    }

    private static void WriteHits(PackedWriter section, ISegmentColumns from, Scratch<uint> starts, DecodedSize size)
    {
        using var rowColumn = new Scratch<uint>(from.Hits);
        using var column = new Scratch<uint>(from.Hits);
        var rows = rowColumn.Span;
        var values = column.Span;
        from.Read(SegmentColumn.HitRow, rows);
        from.Read(SegmentColumn.HitTime, values);
        var begun = MemoryMarshal.Cast<uint, int>(starts.Span);
        for (var i = 0; i < values.Length; i++) values[i] -= (uint)SegmentCodec.Base((int)rows[i], from.Homes, begun);
        section.Number((ulong)from.GroupCount);
        var path = 0;
        for (var i = 0; i < from.GroupCount; i++)
        {
            var group = from.Group(i);
            section.Number((ulong)(group.Path - path));
            section.Number((ulong)group.Type);
            section.Number((ulong)group.Count);
            path = group.Path;
            Deltas(rows.Slice(group.First, group.Count));
        }
        section.Planes(rows);
        section.Planes(values);
        WriteMicros(section, from, SegmentColumn.HitMicros, values, size);
        var converted = from.HitConverted();
        section.Number((ulong)converted.Sum(word => BitOperations.PopCount(word)));
        var count = 0;
        for (var word = 0; word < converted.Length; word++)
        {
            for (var rest = converted[word]; rest != 0; rest &= rest - 1) values[count++] = (uint)((word << 6) + BitOperations.TrailingZeroCount(rest));
        }
        Deltas(values[..count]);
        section.Planes(values[..count]);
        size.Bytes += (16L * from.GroupCount) + (8L * rows.Length) + (8L * converted.Length);
    }

    private static void WriteProps(PackedWriter payload, PropTable props)
    {
        payload.Number((ulong)props.Columns.Count);
        foreach (var (key, prop) in props.Columns)
        {
            payload.Text(key);
            payload.Number((ulong)prop.Hits);
            payload.Number((ulong)prop.RawLength);
            payload.Number((ulong)prop.Packed.Length);
            payload.Raw(prop.Packed);
        }
        payload.Number((ulong)props.Missing.Count);
        foreach (var key in props.Missing) payload.Text(key);
        payload.Byte(props.MayMissOthers ? (byte)1 : (byte)0);
    }

    private static void WriteMicros(PackedWriter section, ISegmentColumns from, SegmentColumn column, Span<uint> values, DecodedSize size)
    {
        from.Read(column, values);
        var any = values.ContainsAnyExcept(0U);
        section.Byte(any ? (byte)1 : (byte)0);
        if (!any) return;
        section.Planes(values);
        size.Bytes += (long)sizeof(ushort) * values.Length;
    }

    private static void WriteNumbers(PackedWriter section, ReadOnlySpan<uint> values, DecodedSize size)
    {
        section.Planes(values);
        if (values.Length == 0 || !values.ContainsAnyExcept(values[0])) return;
        uint most = 0;
        foreach (var value in values) most |= value;
        size.Bytes += (most <= byte.MaxValue ? 1L : most <= ushort.MaxValue ? 2L : 4L) * values.Length;
    }

    /// <summary>Each less the one before, in place.</summary>
    private static void Deltas(Span<uint> ascending)
    {
        for (var i = ascending.Length - 1; i > 0; i--) ascending[i] -= ascending[i - 1];
    }

    /// <summary>What <see cref="SegmentData.DecodedBytes"/> will be.</summary>
    private sealed class DecodedSize
    {
        public long Bytes { get; set; } = 4_000;
    }
}
