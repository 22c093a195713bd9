using System.Runtime.InteropServices;
using System.Security.Cryptography;

namespace Footfall.Segments;

/// <summary>A session as the builder takes it. Times in microseconds since the day's start.</summary>
/// <param name="Facts">By <see cref="SessionFact"/>.</param>
internal readonly record struct BuiltSession(Guid VisitorId, Guid Id, int Number, long Start, long End, long EngagedMs, SessionFlags Flags, string?[] Facts);

/// <summary>Collects a day's sessions and events, in whatever order they come, and puts them into columns. The same rows give the same columns.</summary>
internal sealed class SegmentBuilder(DateOnly day, SegmentLimits limits)
{
    private readonly Dictionary<(Guid Visitor, Guid Session), int> sessions = [];
    private readonly List<BuiltSession?> rows = [];
    private readonly List<int>[] facts = [.. Enum.GetValues<SessionFact>().Select(_ => new List<int>())];
    private readonly TextTable[] texts = [.. Enum.GetValues<SegmentWords>().Select(_ => new TextTable())];
    private readonly Dictionary<(int Path, int Type), int> groups = [];
    private readonly List<BuiltHit> hits = [];
    private readonly PropBuilder props = new(limits);
    private long textBytes;

    private readonly record struct BuiltHit(int Session, int Group, long Time, long Alike, bool Converted);

    /// <summary>Beyond what a segment may hold: nothing more needs to come, and there is nothing to build.</summary>
    public bool IsTooLarge => hits.Count > limits.Hits || rows.Count > limits.Sessions || textBytes > limits.TextBytes;

    public int Hits => hits.Count;

    public int Sessions => rows.Count;

    /// <summary>Sessions that hits belong to and that were not added.</summary>
    public IEnumerable<(Guid Visitor, Guid Session)> Unknown => sessions.Where(s => rows[s.Value] is null).Select(s => s.Key);

    public void Add(in BuiltSession session)
    {
        var index = IndexOf((session.VisitorId, session.Id));
        rows[index] = session with { Facts = [] };
        for (var fact = 0; fact < facts.Length; fact++) facts[fact][index] = Code(Vocabulary.KindOf((SessionFact)fact), session.Facts[fact]);
    }

    /// <param name="time">Microseconds since the day's start.</param>
    /// <param name="json">The event's props, as jsonb writes them; empty for none.</param>
    public void Add(Guid visitor, Guid session, long time, bool converted, string type, string? path, ReadOnlySpan<byte> json)
    {
        var hash = json.IsEmpty ? 0 : BitConverter.ToInt64(SHA256.HashData(json));
        if (!json.IsEmpty) props.Add(hits.Count, json);
        Add((visitor, session), time, converted, type, path, hash);
    }

    /// <summary>An event without its props, which are added by themselves. Returns its number.</summary>
    /// <param name="alike">Orders events that are alike in all else.</param>
    public int Add((Guid Visitor, Guid Id) session, long time, bool converted, string type, string? path, long alike)
    {
        var key = (Code(SegmentWords.Path, path), Code(SegmentWords.EventType, type));
        if (!groups.TryGetValue(key, out var group)) groups.Add(key, group = groups.Count);
        hits.Add(new BuiltHit(IndexOf(session), group, time, alike, converted));
        return hits.Count - 1;
    }

    public PropBuilder Props => props;

    public SegmentData Build()
    {
        var words = Array.ConvertAll(texts, t => t.Sorted());
        var (order, rowOf) = Order();
        var homes = order.Count(i => rows[i]!.Value.Start >= 0);
        var (hitOrder, hitGroups) = OrderHits(rowOf, words);
        var (hitRow, hitTime, micros) = (new int[hitOrder.Length], new int[hitOrder.Length], new ushort[hitOrder.Length]);
        var converted = new ulong[(hitOrder.Length + 63) / 64];
        int[] events = new int[order.Length], views = new int[order.Length], conversions = new int[order.Length];
        var pageView = texts[(int)SegmentWords.EventType].Find("page_view") is > 0 and var code ? words[(int)SegmentWords.EventType].Map[code] : -1;
        foreach (var group in hitGroups)
        {
            for (var i = group.First; i < group.First + group.Count; i++)
            {
                var hit = hits[hitOrder[i]];
                var row = hitRow[i] = rowOf[hit.Session];
                hitTime[i] = (int)(hit.Time / 1_000);
                micros[i] = (ushort)(hit.Time % 1_000);
                events[row]++;
                if (group.Type == pageView) views[row]++;
                if (!hit.Converted) continue;
                conversions[row]++;
                converted[i >> 6] |= 1UL << i;
            }
        }
        var place = new int[hits.Count];   // hits of sessions that nobody knows stay at -1
        Array.Fill(place, -1);
        for (var i = 0; i < hitOrder.Length; i++) place[hitOrder[i]] = i;
        return Columns(order, homes, words, new HitColumns(
            Numbers.Of(events), Numbers.Of(views), Numbers.Of(conversions), hitGroups, hitRow, hitTime, OrNone(micros), converted, props.Build(place)));
    }

    private readonly record struct HitColumns(
        Numbers Events, Numbers PageViews, Numbers Conversions, HitGroup[] Groups, int[] Row, int[] Time, ushort[]? Micros, ulong[] Converted, PropTable Props);

    private SegmentData Columns(int[] order, int homes, (string[] Texts, int[] Map)[] words, in HitColumns ofHits)
    {
        var n = order.Length;
        int[] visitor = new int[n], start = new int[n];
        uint[] duration = new uint[n], engaged = new uint[n];
        var micros = new ushort[n];
        var flags = new SessionFlags[n];
        List<LongSession> longSessions = [];
        for (var row = 0; row < n; row++)
        {
            var s = rows[order[row]]!.Value;
            var (lasted, rest) = Math.DivRem(Math.Max(0, s.End - s.Start), 1_000);
            visitor[row] = s.Number;
            start[row] = (int)Math.Floor(s.Start / 1e6);
            duration[row] = (uint)Math.Min(lasted, uint.MaxValue);
            micros[row] = (ushort)rest;
            engaged[row] = (uint)Math.Min(s.EngagedMs, uint.MaxValue);
            flags[row] = s.Flags;
            if (lasted > uint.MaxValue || s.EngagedMs > uint.MaxValue) longSessions.Add(new LongSession(row, lasted - duration[row], s.EngagedMs - engaged[row]));
        }
        return new SegmentData
        {
            Day = day,
            Homes = homes,
            Visitor = visitor,
            Start = start,
            Duration = duration,
            DurationMicros = OrNone(micros),
            Engaged = engaged,
            LongSessions = [.. longSessions],
            Flags = flags,
            Texts = Array.ConvertAll(words, w => w.Texts),
            Facts = [.. facts.Select((codes, fact) =>
            {
                var map = words[(int)Vocabulary.KindOf((SessionFact)fact)].Map;
                return Numbers.Of(Array.ConvertAll(order, i => map[codes[i]]));
            })],
            Events = ofHits.Events,
            PageViews = ofHits.PageViews,
            Conversions = ofHits.Conversions,
            Groups = ofHits.Groups,
            HitRow = ofHits.Row,
            HitTime = ofHits.Time,
            HitMicros = ofHits.Micros,
            HitConverted = ofHits.Converted,
            Props = ofHits.Props,
        };
    }

    /// <summary>Sessions in the order of rows, and the row of each.</summary>
    private (int[] Order, int[] RowOf) Order()
    {
        var order = Enumerable.Range(0, rows.Count).Where(i => rows[i] is not null).ToArray();
        var known = CollectionsMarshal.AsSpan(rows).ToArray();
        Array.Sort(order, (a, b) =>
        {
            var (x, y) = (known[a]!.Value, known[b]!.Value);
            var guests = (x.Start < 0).CompareTo(y.Start < 0);
            if (guests != 0) return guests;
            if (x.Number != y.Number) return x.Number.CompareTo(y.Number);
            return x.Start != y.Start ? x.Start.CompareTo(y.Start) : x.Id.CompareTo(y.Id);
        });
        var rowOf = new int[rows.Count];
        Array.Fill(rowOf, -1);
        for (var row = 0; row < order.Length; row++) rowOf[order[row]] = row;
        return (order, rowOf);
    }

    /// <summary>Hits by path and type, then row, then time; of those that are alike in all that, by what else they are, so that rows alone decide.</summary>
    private (int[] Order, HitGroup[] Groups) OrderHits(int[] rowOf, (string[] Texts, int[] Map)[] words)
    {
        var (paths, types) = (words[(int)SegmentWords.Path].Map, words[(int)SegmentWords.EventType].Map);
        var all = CollectionsMarshal.AsSpan(hits);
        var counts = new int[groups.Count];
        foreach (var hit in all) if (rowOf[hit.Session] >= 0) counts[hit.Group]++;
        List<HitGroup> ordered = [];
        var starts = new int[groups.Count];
        var first = 0;
        foreach (var (path, type, group) in groups.Select(g => (Path: paths[g.Key.Path], Type: types[g.Key.Type], Group: g.Value)).OrderBy(g => g.Path).ThenBy(g => g.Type))
        {
            starts[group] = first;
            if (counts[group] > 0) ordered.Add(new HitGroup(path, type, first, counts[group]));
            first += counts[group];
        }
        var order = new int[first];
        var keys = new UInt128[first];
        for (var i = 0; i < all.Length; i++)
        {
            var row = rowOf[all[i].Session];
            if (row < 0) continue;
            var place = starts[all[i].Group]++;
            order[place] = i;
            keys[place] = (UInt128)(uint)row << 64 | (ulong)all[i].Time;
        }
        foreach (var group in ordered)
        {
            var of = order.AsSpan(group.First, group.Count);
            var by = keys.AsSpan(group.First, group.Count);
            by.Sort(of);
            for (var i = 1; i < of.Length; i++)
            {
                if (by[i] != by[i - 1]) continue;
                var from = i - 1;
                while (i < of.Length && by[i] == by[from]) i++;
                of[from..i].Sort((a, b) => (hits[a].Converted, hits[a].Alike).CompareTo((hits[b].Converted, hits[b].Alike)));
            }
        }
        return (order, [.. ordered]);
    }

    private int IndexOf((Guid, Guid) session)
    {
        ref var index = ref CollectionsMarshal.GetValueRefOrAddDefault(sessions, session, out var known);
        if (known) return index;
        index = rows.Count;
        rows.Add(null);
        foreach (var fact in facts) fact.Add(0);
        return index;
    }

    private int Code(SegmentWords kind, string? text)
    {
        if (text is null) return 0;
        var table = texts[(int)kind];
        var before = table.Count;
        var code = table.Add(text);
        if (table.Count > before) textBytes += Words.BytesOf(text);
        return code;
    }

    private static ushort[]? OrNone(ushort[] micros) => micros.AsSpan().ContainsAnyExcept((ushort)0) ? micros : null;
}

/// <summary>How much of a day a segment holds. Anybody may send events: a day beyond is answered from raw rows.</summary>
/// <param name="TextBytes">Of all different paths, referrers and so on.</param>
/// <param name="PropKeys">Keys of props, the most frequent of the day.</param>
/// <param name="PropValues">Different values of one key, beyond which the key is left out.</param>
/// <param name="PropEntries">Values of all hits and keys together.</param>
internal sealed record SegmentLimits(int Hits, int Sessions, long TextBytes, int PropKeys, int PropValues, int PropEntries)
{
    public static readonly SegmentLimits Usual = new(5_000_000, 5_000_000, 200_000_000, 200, 20_000, 8_000_000);

    /// <summary>The usual ones, or less where less memory is for segments: building a day takes a multiple of what it takes decoded.</summary>
    public static SegmentLimits Within(long memoryBytes)
    {
        var share = Math.Min(1, memoryBytes / (double)((long)SegmentOptions.MostUsual << 20));
        return Usual with { Hits = (int)(Usual.Hits * share), Sessions = (int)(Usual.Sessions * share), TextBytes = (long)(Usual.TextBytes * share), PropEntries = (int)(Usual.PropEntries * share) };
    }
}

/// <summary>Texts with codes in the order in which they first came; later, in the order of their code points.</summary>
internal sealed class TextTable
{
    private readonly Dictionary<string, int> codes = new(StringComparer.Ordinal);
    private readonly List<string> texts = [null!];

    public int Count => texts.Count;

    /// <summary>0 where it is not there.</summary>
    public int Find(string text) => codes.GetValueOrDefault(text);

    public int Add(string text)
    {
        ref var code = ref CollectionsMarshal.GetValueRefOrAddDefault(codes, text, out var known);
        if (known) return code;
        code = texts.Count;
        texts.Add(text);
        return code;
    }

    public int Add(ReadOnlySpan<char> text)
    {
        var lookup = codes.GetAlternateLookup<ReadOnlySpan<char>>();
        return lookup.TryGetValue(text, out var code) ? code : Add(text.ToString());
    }

    public string this[int code] => texts[code];

    /// <summary>The texts in order, [0] unused, and from each code to its place there.</summary>
    public (string[] Texts, int[] Map) Sorted()
    {
        var order = Enumerable.Range(0, texts.Count).ToArray();
        Array.Sort(order, 1, order.Length - 1, Comparer<int>.Create((a, b) => CodePoints.Compare(texts[a], texts[b])));
        var map = new int[order.Length];
        for (var i = 0; i < order.Length; i++) map[order[i]] = i;
        return (Array.ConvertAll(order, i => texts[i]), map);
    }
}

/// <summary>Texts in the order of their code points, which is that of their UTF-8 bytes and of PostgreSQL's collation "C".</summary>
internal static class CodePoints
{
    public static int Compare(ReadOnlySpan<char> a, ReadOnlySpan<char> b)
    {
        var common = a.CommonPrefixLength(b);
        if (common == a.Length || common == b.Length) return a.Length.CompareTo(b.Length);
        var (x, y) = (a[common], b[common]);
        // UTF-16 puts what it writes in two units between U+D800 and U+DFFF; by code point it comes after all the rest.
        if (char.IsSurrogate(x) != char.IsSurrogate(y)) return char.IsSurrogate(x) ? 1 : -1;
        return x.CompareTo(y);
    }

    public static int Compare(string a, string b) => Compare(a.AsSpan(), b.AsSpan());
}
