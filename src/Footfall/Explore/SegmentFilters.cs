using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>A condition on one kind of texts: each text is looked at once, whatever number of segments has it.</summary>
internal sealed class WordFilter(Filter filter, Words words)
{
    private const byte Yes = 1;
    private const byte No = 2;

    private readonly HashSet<string?> values = new(filter.Values, StringComparer.Ordinal);
    private byte[] verdicts = new byte[words.Count];

    public bool Holds(int code)
    {
        if (code >= verdicts.Length) Array.Resize(ref verdicts, Math.Max(code + 1, words.Count));
        ref var verdict = ref verdicts[code];
        if (verdict == 0) verdict = Holds(words[code]) ? Yes : No;
        return verdict == Yes;
    }

    /// <summary>Whether a path is the page, whatever its query or fragment; a page that ends in * is a beginning.</summary>
    public static bool IsOnPage(string path, string page)
    {
        var end = path.AsSpan().IndexOfAny('?', '#');
        var own = end < 0 ? path : path.AsSpan(0, end);
        return page.EndsWith('*') ? own.StartsWith(page.AsSpan(0, page.Length - 1), StringComparison.Ordinal) : own.SequenceEqual(page);
    }

    /// <param name="text">Null for "has none".</param>
    private bool Holds(string? text) => filter.Operator switch
    {
        FilterOperator.Is => values.Contains(text),
        FilterOperator.IsNot => !values.Contains(text),
        FilterOperator.Contains => text is not null && text.Contains(filter.Values[0]!, StringComparison.Ordinal),
        FilterOperator.Matches => text is not null && IsOnPage(text, filter.Values[0]!),
        _ => throw new ArgumentOutOfRangeException(nameof(text), filter.Operator, null),
    };
}

/// <summary>What of a segment the filters keep.</summary>
/// <param name="Rows">By row, 1 for those that are kept; null for all of them.</param>
/// <param name="Groups">By group of hits, whether path and type are kept; null for all.</param>
/// <param name="HitBits">A bit for each hit whose props are kept; null for all.</param>
internal sealed record KeptPart(DaySegment Segment, byte[]? Rows, bool[]? Groups, ulong[]? HitBits)
{
    public bool Keeps(int hit) => (HitBits is null || (HitBits[hit >> 6] >> hit & 1) != 0) && (Rows is null || Rows[Segment.HitRow[hit]] != 0);
}

/// <summary>A question's filters over segments.</summary>
internal sealed class SegmentFilters
{
    private readonly List<(SessionFact Fact, WordFilter Filter)> ofSessions = [];
    private readonly List<WordFilter> ofPaths = [], ofTypes = [];
    private readonly List<(string Key, WordFilter Filter)> ofProps = [];
    private readonly List<Filter> ofGoals = [];
    private readonly Vocabulary vocabulary;

    public SegmentFilters(IEnumerable<Filter> filters, Vocabulary vocabulary)
    {
        this.vocabulary = vocabulary;
        foreach (var filter in filters)
        {
            switch (filter.Dimension.Kind)
            {
                case DimensionKind.Path: ofPaths.Add(new WordFilter(filter, vocabulary[SegmentWords.Path])); break;
                case DimensionKind.EventType: ofTypes.Add(new WordFilter(filter, vocabulary[SegmentWords.EventType])); break;
                case DimensionKind.Prop: ofProps.Add((filter.Dimension.Key!, new WordFilter(filter, vocabulary.Prop(filter.Dimension.Key!)))); break;
                case DimensionKind.Goal: ofGoals.Add(filter); break;
                default:
                    var fact = FactOf(filter.Dimension.Kind);
                    ofSessions.Add((fact, new WordFilter(filter, vocabulary[Vocabulary.KindOf(fact)])));
                    break;
            }
        }
    }

    /// <summary>Null where nothing of it is kept.</summary>
    public KeptPart? Of(DaySegment segment)
    {
        byte[]? rows = null;
        foreach (var (fact, filter) in ofSessions)
        {
            if (!Keep(segment[fact], filter, segment.Rows, ref rows)) return null;
        }
        bool[]? groups = null;
        if (ofPaths.Count + ofTypes.Count + ofGoals.Count > 0)
        {
            var paths = Array.ConvertAll(segment.Paths, code => ofPaths.TrueForAll(f => f.Holds(code)));
            var types = Array.ConvertAll(segment.Types, code => ofTypes.TrueForAll(f => f.Holds(code)));
            groups = Array.ConvertAll(segment.Groups, g => paths[g.Path] && types[g.Type] && ofGoals.TrueForAll(f => MeetsGoals(segment, g, f)));
            if (!groups.Contains(true)) return null;
        }
        ulong[]? bits = null;
        foreach (var (key, filter) in ofProps)
        {
            var kept = Bits(segment, key, filter);
            if (bits is null) bits = kept;
            else for (var i = 0; i < bits.Length; i++) bits[i] &= kept[i];
        }
        return new KeptPart(segment, rows, groups, bits);
    }

    public static SessionFact FactOf(DimensionKind kind) => kind switch
    {
        DimensionKind.EntryPath => SessionFact.EntryPath,
        DimensionKind.ExitPath => SessionFact.ExitPath,
        DimensionKind.Source => SessionFact.Source,
        DimensionKind.Channel => SessionFact.Channel,
        DimensionKind.ReferrerHost => SessionFact.ReferrerHost,
        DimensionKind.UtmSource => SessionFact.UtmSource,
        DimensionKind.UtmMedium => SessionFact.UtmMedium,
        DimensionKind.UtmCampaign => SessionFact.UtmCampaign,
        DimensionKind.UtmTerm => SessionFact.UtmTerm,
        DimensionKind.UtmContent => SessionFact.UtmContent,
        DimensionKind.Country => SessionFact.Country,
        DimensionKind.Device => SessionFact.Device,
        DimensionKind.Browser => SessionFact.Browser,
        DimensionKind.Os => SessionFact.Os,
        DimensionKind.Path or DimensionKind.EventType or DimensionKind.Prop or DimensionKind.Goal => throw new ArgumentException("It is no fact of a session.", nameof(kind)),
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    /// <summary>Which goals an event meets, its path and type say alone.</summary>
    private bool MeetsGoals(DaySegment segment, HitGroup hits, Filter filter)
    {
        var (path, type) = (vocabulary[SegmentWords.Path][segment.Paths[hits.Path]], vocabulary[SegmentWords.EventType][segment.Types[hits.Type]]);
        var meets = filter.Goals.Any(g => g.EventType == type && (g.Path is null || (path is not null && WordFilter.IsOnPage(path, g.Path))));
        return meets != (filter.Operator == FilterOperator.IsNot);
    }

    /// <summary>Takes rows of which the condition does not hold out of <paramref name="rows"/>. False when none is left for sure.</summary>
    private static bool Keep(Codes codes, WordFilter filter, int count, ref byte[]? rows)
    {
        var holds = new byte[codes.Words.Length];
        var kept = 0;
        for (var code = 0; code < holds.Length; code++) kept += holds[code] = filter.Holds(codes.Words[code]) ? (byte)1 : (byte)0;
        if (codes.AllZero) return holds[0] != 0;
        if (kept == 0) return false;
        if (kept == holds.Length) return true;
        var to = rows ??= Ones(count);
        if (codes.Bytes is { } bytes) for (var i = 0; i < to.Length; i++) to[i] &= holds[bytes[i]];
        else if (codes.Shorts is { } shorts) for (var i = 0; i < to.Length; i++) to[i] &= holds[shorts[i]];
        else for (var i = 0; i < to.Length; i++) to[i] &= holds[codes.Ints![i]];
        return true;
    }

    private static byte[] Ones(int count)
    {
        var ones = new byte[count];
        Array.Fill(ones, (byte)1);
        return ones;
    }

    private static ulong[] Bits(DaySegment segment, string key, WordFilter filter)
    {
        var bits = new ulong[(segment.Hits + 63) / 64];
        var column = segment.Props.Read(key);
        if (filter.Holds(0)) Array.Fill(bits, ulong.MaxValue);
        if (column is null) return bits;
        var holds = Array.ConvertAll(column.Values.Words, filter.Holds);
        for (var i = 0; i < column.Hits.Length; i++)
        {
            var hit = column.Hits[i];
            if (holds[column.Values[i]]) bits[hit >> 6] |= 1UL << hit;
            else bits[hit >> 6] &= ~(1UL << hit);
        }
        return bits;
    }
}
