using System.Numerics;
using System.Runtime.InteropServices;

namespace Footfall.Segments;

/// <summary>A segment as bytes.</summary>
internal sealed record EncodedSegment(byte[] Payload, int Homes, int Rows, int Hits, long DecodedBytes)
{
    /// <summary>Of a day that is too large for a segment: under these limits, which its <see cref="DecodedBytes"/> stand for.</summary>
    public static EncodedSegment TooLarge(SegmentLimits limits) => new([], 0, 0, 0, limits.BuildBytes);
}

/// <summary>Between a segment's columns and its payload: docs/segments.md. The same columns give the same bytes.</summary>
internal static class SegmentCodec
{
    /// <summary>Of the payload; what another version wrote is not read but built anew.</summary>
    public const int Format = 1;

    public const uint Magic = 0x47455346;   // "FSEG"
    private const int ChecksumBytes = 4;
    private const int MostNumbers = PackedReader.MaxNumbers;

    public static EncodedSegment Encode(SegmentData data) => SegmentEncoder.Encode(new DataColumns(data));

    /// <exception cref="InvalidDataException">The payload is damaged, or not of this format.</exception>
    public static SegmentData Decode(ReadOnlySpan<byte> payload)
    {
        if (payload.Length < 9) throw PackedReader.Damaged("it ends early");
        var reader = new PackedReader(payload[..^ChecksumBytes]);
        if (reader.Fixed() != Magic) throw PackedReader.Damaged("it does not begin as one");
        if (reader.Byte() is var format and not Format) throw new InvalidDataException($"The segment has format {format}; this version of Footfall reads format {Format}.");
        if (Crc(payload[..^ChecksumBytes]) != BitConverter.ToUInt32(payload[^ChecksumBytes..])) throw PackedReader.Damaged("its checksum is another");
        var day = reader.Count(DateOnly.MaxValue.DayNumber);
        var (homes, rows, hits) = (reader.Count(MostNumbers), reader.Count(MostNumbers), reader.Count(MostNumbers));
        if (homes > rows) throw PackedReader.Damaged("it has fewer rows than sessions");
        var texts = ReadTexts(reader.Section());
        return Read(ref reader, DateOnly.FromDayNumber(day), homes, rows, hits, texts);
    }

    public static PropData Unpack(PackedProp prop)
    {
        var reader = new PackedReader(PackedReader.Unpack(prop.Packed, prop.RawLength));
        var hits = Sums(reader.Planes(prop.Hits));
        var values = reader.Numbers(prop.Hits);
        var texts = reader.Texts();
        Require(values, prop.Hits, texts.Length);
        return new PropData(hits, values, texts);
    }

    private static string[][] ReadTexts(byte[] section)
    {
        var reader = new PackedReader(section);
        var texts = new string[Enum.GetValues<SegmentWords>().Length][];
        for (var kind = 0; kind < texts.Length; kind++) texts[kind] = reader.Texts();
        return texts;
    }

    private static SegmentData Read(ref PackedReader payload, DateOnly day, int homes, int rows, int hits, string[][] texts)
    {
        var s = new PackedReader(payload.Section());
        int[] visitors = [.. Sums(s.Planes(homes)), .. Sums(s.Planes(rows - homes))];
        int[] starts = [.. Array.ConvertAll(s.Planes(homes), v => (int)v), .. Array.ConvertAll(s.Planes(rows - homes), v => -(int)v)];
        var duration = s.Planes(rows);
        var durationMicros = ReadMicros(ref s, rows);
        var engaged = s.Planes(rows);
        var flags = MemoryMarshal.Cast<byte, SessionFlags>(s.Raw(rows)).ToArray();
        var facts = new Numbers[Enum.GetValues<SessionFact>().Length];
        for (var fact = 0; fact < facts.Length; fact++) Require(facts[fact] = s.Numbers(rows), rows, texts[(int)Vocabulary.KindOf((SessionFact)fact)].Length);
        var (events, pageViews, conversions) = (s.Numbers(rows), s.Numbers(rows), s.Numbers(rows));
        if (pageViews.IsSameAs(events)) pageViews = events;   // one array where nothing but pages is viewed
        var longSessions = new LongSession[s.Count()];
        for (var i = 0; i < longSessions.Length; i++) longSessions[i] = new LongSession(s.Count(rows - 1), (long)s.Number(), (long)s.Number());

        var h = new PackedReader(payload.Section());
        var groups = ReadGroups(ref h, hits, texts[(int)SegmentWords.Path].Length, texts[(int)SegmentWords.EventType].Length);
        var hitRow = h.Planes(hits);
        foreach (var group in groups) Sum(hitRow.AsSpan(group.First, group.Count), rows - 1);
        var ofHits = MemoryMarshal.Cast<uint, int>(hitRow).ToArray();
        var times = h.Planes(hits);
        var hitTime = new int[hits];
        for (var i = 0; i < hitTime.Length; i++) hitTime[i] = (int)times[i] + Base(ofHits[i], homes, starts);
        var hitMicros = ReadMicros(ref h, hits);
        var converted = new ulong[(hits + 63) / 64];
        foreach (var hit in Sums(h.Planes(h.Count())))
        {
            if (hit >= hits) throw PackedReader.Damaged("it has a conversion that is no hit");
            converted[hit >> 6] |= 1UL << hit;
        }
        var props = ReadProps(ref payload);
        if (!payload.AtEnd) throw PackedReader.Damaged("something follows its end");
        return new SegmentData
        {
            Day = day,
            Homes = homes,
            Visitor = visitors,
            Start = starts,
            Duration = duration,
            DurationMicros = durationMicros,
            Engaged = engaged,
            LongSessions = longSessions,
            Flags = flags,
            Texts = texts,
            Facts = facts,
            Events = events,
            PageViews = pageViews,
            Conversions = conversions,
            Groups = groups,
            HitRow = ofHits,
            HitTime = hitTime,
            HitMicros = hitMicros,
            HitConverted = converted,
            Props = props,
        };
    }

    private static HitGroup[] ReadGroups(ref PackedReader reader, int hits, int paths, int types)
    {
        var groups = new HitGroup[reader.Count()];
        var (path, first) = (0, 0);
        for (var i = 0; i < groups.Length; i++)
        {
            path += reader.Count();
            var type = reader.Count(types - 1);
            var count = reader.Count(hits - first);
            if ((uint)path >= (uint)paths) throw PackedReader.Damaged("a group has a path that is none");
            groups[i] = new HitGroup(path, type, first, count);
            first += count;
        }
        return first == hits ? groups : throw PackedReader.Damaged("its groups are not all of its hits");
    }

    private static PropTable ReadProps(ref PackedReader payload)
    {
        Dictionary<string, PackedProp> columns = new(StringComparer.Ordinal);
        for (var n = payload.Count(); n > 0; n--)
        {
            var key = payload.Text();
            columns[key] = new PackedProp(payload.Count(MostNumbers), payload.Count(Array.MaxLength), payload.Raw(payload.Count(Array.MaxLength)).ToArray());
        }
        HashSet<string> missing = new(StringComparer.Ordinal);
        for (var n = payload.Count(); n > 0; n--) missing.Add(payload.Text());
        return new PropTable(columns, missing, payload.Byte() != 0);
    }

    private static ushort[]? ReadMicros(ref PackedReader reader, int count) => reader.Byte() == 0 ? null : reader.Shorts(count);

    // Hits are told by how long after their session's start they were, those of guests by the time of day.
    public static int Base(int row, int homes, ReadOnlySpan<int> starts) => row < homes ? starts[row] * 1_000 : 0;

    private static int[] Sums(uint[] deltas)
    {
        Sum(deltas, int.MaxValue);
        return MemoryMarshal.Cast<uint, int>(deltas).ToArray();
    }

    private static void Sum(Span<uint> deltas, int most)
    {
        ulong sum = 0;
        for (var i = 0; i < deltas.Length; i++)
        {
            sum += deltas[i];
            deltas[i] = (uint)sum;
        }
        if (sum > (ulong)Math.Max(most, 0)) throw PackedReader.Damaged("a column goes too far");
    }

    private static void Require(Numbers codes, int count, int texts)
    {
        if (codes.Most(count) >= texts) throw PackedReader.Damaged("a code has no text");
    }

    public static uint Crc(ReadOnlySpan<byte> bytes)
    {
        var crc = ~0U;
        var words = MemoryMarshal.Cast<byte, ulong>(bytes);
        foreach (var word in words) crc = BitOperations.Crc32C(crc, word);
        foreach (var b in bytes[(words.Length * 8)..]) crc = BitOperations.Crc32C(crc, b);
        return ~crc;
    }
}
