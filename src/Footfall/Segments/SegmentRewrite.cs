namespace Footfall.Segments;

/// <summary>Takes people and texts out of a segment whose raw rows are gone, so that it cannot be built again.</summary>
internal static class SegmentRewrite
{
    private const long MicrosOfSecond = 1_000_000;

    // What was within the limits when it was built stays, also where it no longer would be.
    private static readonly SegmentLimits Unlimited = new(int.MaxValue, int.MaxValue, long.MaxValue, 1_000_000, int.MaxValue, int.MaxValue);

    /// <summary>The segment without the sessions of these visitors; itself where it has none, null where nothing else is in it.</summary>
    public static SegmentData? Without(SegmentData data, IReadOnlySet<int> visitors)
    {
        if (!data.Visitor.Any(visitors.Contains)) return data;
        return Array.TrueForAll(data.Visitor, visitors.Contains) ? null : Rewrite(data, row => !visitors.Contains(data.Visitor[row]), text => text);
    }

    /// <summary>The segment with every text as <paramref name="blot"/> leaves it; itself where all stay.</summary>
    public static SegmentData Blotted(SegmentData data, Func<string, string> blot)
    {
        var changes = data.Texts.Any(texts => Changes(texts))
            || data.Props.Columns.Any(c => blot(c.Key) != c.Key || Changes(SegmentCodec.Unpack(c.Value).Texts))
            || data.Props.Missing.Any(key => blot(key) != key);
        return changes ? Rewrite(data, _ => true, blot) : data;

        bool Changes(string[] texts) => Array.Exists(texts, t => t is not null && blot(t) != t);
    }

    private static SegmentData Rewrite(SegmentData data, Func<int, bool> keeps, Func<string, string> write)
    {
        using var builder = new SegmentBuilder(data.Day, Unlimited);
        var codes = Array.ConvertAll(data.Texts, kind => new int[kind.Length]);   // in the builder; a text that nothing has any more gets none
        var more = data.LongSessions.ToDictionary(s => s.Row);
        for (var row = 0; row < data.Rows; row++)
        {
            if (!keeps(row)) continue;
            var start = data.Start[row] * MicrosOfSecond;
            var beyond = more.GetValueOrDefault(row);
            var lasted = ((data.Duration[row] + beyond.MoreDuration) * 1_000) + (data.DurationMicros?[row] ?? 0);
            var (visitor, id) = IdOf(row);
            var session = builder.Add(visitor, id, data.Visitor[row], start, start + lasted, data.Engaged[row] + beyond.MoreEngaged, data.Flags[row]);
            for (var fact = 0; fact < data.Facts.Length; fact++) builder.AddFact(session, (SessionFact)fact, CodeOf(Vocabulary.KindOf((SessionFact)fact), data.Facts[fact][row]));
        }
        var numbers = new int[data.Hits];
        Array.Fill(numbers, -1);
        foreach (var group in data.Groups)
        {
            for (var hit = group.First; hit < group.First + group.Count; hit++)
            {
                if (!keeps(data.HitRow[hit])) continue;
                var time = (data.HitTime[hit] * 1_000L) + (data.HitMicros?[hit] ?? 0);
                var (visitor, id) = IdOf(data.HitRow[hit]);
                var converted = (data.HitConverted[hit >> 6] >> hit & 1) != 0;
                numbers[hit] = builder.Add(visitor, id, CodeOf(SegmentWords.EventType, group.Type), CodeOf(SegmentWords.Path, group.Path), time, converted, alike: hit);
            }
        }
        foreach (var (key, packed) in data.Props.Columns) Add(builder.Props, write(key), SegmentCodec.Unpack(packed), numbers, write);
        builder.Props.Miss(data.Props.Missing.Select(write), data.Props.MayMissOthers);
        return builder.Build();

        int CodeOf(SegmentWords kind, int code)
        {
            if (code == 0) return 0;
            ref var known = ref codes[(int)kind][code];
            return known != 0 ? known : known = builder.Code(kind, write(data.Texts[(int)kind][code]));
        }
    }

    private static void Add(PropBuilder props, string key, PropData prop, int[] numbers, Func<string, string> write)
    {
        for (var i = 0; i < prop.Hits.Length; i++)
        {
            if (numbers[prop.Hits[i]] >= 0) props.Add(numbers[prop.Hits[i]], key, write(prop.Texts[prop.Values[i]]));
        }
    }

    // The row stands for the ids, which a segment does not hold.
    private static (Guid Visitor, Guid Id) IdOf(int row) => (Guid.Empty, new Guid(row, 0, 0, new byte[8]));
}
