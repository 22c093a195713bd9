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
        // Threads that look at different segments may both come to a verdict, or lose one that is found again: it is always the same.
        var known = verdicts;
        if (code >= known.Length)
        {
            Array.Resize(ref known, Math.Max(code + 1, words.Count));
            verdicts = known;
        }
        ref var verdict = ref known[code];
        if (verdict == 0) verdict = Holds(words[code]) ? Yes : No;
        return verdict == Yes;
    }

    /// <param name="text">Null for "has none".</param>
    public bool Holds(string? text) => filter.Operator switch
    {
        FilterOperator.Is => values.Contains(text),
        FilterOperator.IsNot => !values.Contains(text),
        FilterOperator.Contains => text is not null && text.Contains(filter.Values[0]!, StringComparison.Ordinal),
        FilterOperator.Matches => text is not null && PagePattern.IsOn(filter.Values[0]!, text),
        _ => throw new ArgumentOutOfRangeException(nameof(text), filter.Operator, null),
    };
}

/// <summary>The page that a path is, whatever its query, against a pattern: one that ends in * is a beginning.</summary>
internal static class PagePattern
{
    public static bool IsOn(string pattern, string path)
    {
        var end = path.AsSpan().IndexOfAny('?', '#');
        var page = end < 0 ? path : path.AsSpan(0, end);
        return pattern.EndsWith('*') ? page.StartsWith(pattern.AsSpan(0, pattern.Length - 1), StringComparison.Ordinal) : page.SequenceEqual(pattern);
    }
}

/// <summary>A condition on the goals that an event meets: each is about type and path alone.</summary>
internal sealed class GoalFilter
{
    private readonly bool wanted;
    private readonly List<(int Type, WordFilter? Path)> goals;

    public GoalFilter(Filter filter, Vocabulary vocabulary)
    {
        wanted = filter.Operator == FilterOperator.Is;
        // A type that no segment has cannot be met; 0 would be "no type".
        goals = [.. filter.Goals.Select(g => (
            vocabulary[SegmentWords.EventType].Find(g.EventType) is > 0 and var type ? type : -1,
            g.Path is null ? null : new WordFilter(new Filter(new Dimension(DimensionKind.Path), FilterOperator.Matches, [g.Path]), vocabulary[SegmentWords.Path])))];
    }

    public bool Holds(int path, int type) => goals.Exists(g => g.Type == type && g.Path?.Holds(path) != false) == wanted;
}

/// <summary>What of a segment the filters keep.</summary>
/// <param name="Rows">Those that are kept; null for all of them.</param>
/// <param name="Groups">By group of hits, whether path and type are kept; null for all.</param>
/// <param name="HitBits">A bit for each hit whose props are kept; null for all.</param>
internal sealed record KeptPart(DaySegment Segment, RowSet? Rows, bool[]? Groups, ulong[]? HitBits)
{
    public bool Keeps(int hit) => (HitBits is null || (HitBits[hit >> 6] >> hit & 1) != 0) && (Rows is null || Rows[Segment.HitRow[hit]]);
}

/// <summary>A question's filters over segments.</summary>
internal sealed class SegmentFilters
{
    private const int WorthSharing = 200_000;

    private readonly List<(SessionFact Fact, WordFilter Filter)> ofSessions = [];
    private readonly List<WordFilter> ofPaths = [], ofTypes = [];
    private readonly List<(string Key, WordFilter Filter)> ofProps = [];
    private readonly List<GoalFilter> ofGoals = [];

    public SegmentFilters(IEnumerable<Filter> filters, Vocabulary vocabulary)
    {
        foreach (var filter in filters)
        {
            switch (filter.Dimension.Kind)
            {
                case DimensionKind.Path: ofPaths.Add(new WordFilter(filter, vocabulary[SegmentWords.Path])); break;
                case DimensionKind.EventType: ofTypes.Add(new WordFilter(filter, vocabulary[SegmentWords.EventType])); break;
                case DimensionKind.Prop: ofProps.Add((filter.Dimension.Key!, new WordFilter(filter, vocabulary.Prop(filter.Dimension.Key!)))); break;
                case DimensionKind.Goal: ofGoals.Add(new GoalFilter(filter, vocabulary)); break;
                default:
                    var fact = FactOf(filter.Dimension.Kind);
                    ofSessions.Add((fact, new WordFilter(filter, vocabulary[Vocabulary.KindOf(fact)])));
                    break;
            }
        }
    }

    /// <summary>What is kept of each, in the same order.</summary>
    public KeptPart?[] Of(IReadOnlyList<DaySegment> segments, CancellationToken cancellationToken)
    {
        var parts = new KeptPart?[segments.Count];
        if (ofSessions.Count == 0 || segments.Sum(s => (long)s.Rows) < WorthSharing)
        {
            for (var i = 0; i < parts.Length; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                parts[i] = Of(segments[i]);
            }
            return parts;
        }
        Parallel.For(0, parts.Length, new ParallelOptions { CancellationToken = cancellationToken }, i => parts[i] = Of(segments[i]));
        return parts;
    }

    /// <summary>Null where nothing of it is kept.</summary>
    public KeptPart? Of(DaySegment segment)
    {
        RowSet? rows = null;
        foreach (var (fact, filter) in ofSessions)
        {
            if (!Keep(segment[fact], filter, segment.Rows, ref rows)) return null;
        }
        bool[]? groups = null;
        if (ofPaths.Count + ofTypes.Count + ofGoals.Count > 0)
        {
            var paths = Array.ConvertAll(segment.Paths, code => ofPaths.TrueForAll(f => f.Holds(code)));
            var types = Array.ConvertAll(segment.Types, code => ofTypes.TrueForAll(f => f.Holds(code)));
            groups = Array.ConvertAll(segment.Groups, g => paths[g.Path] && types[g.Type] && ofGoals.TrueForAll(f => f.Holds(segment.Paths[g.Path], segment.Types[g.Type])));
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

    /// <summary>Takes rows of which the condition does not hold out of <paramref name="rows"/>. False when none is left for sure.</summary>
    private static bool Keep(Codes codes, WordFilter filter, int count, ref RowSet? rows)
    {
        var holds = new byte[codes.Words.Length];
        var kept = 0;
        for (var code = 0; code < holds.Length; code++) kept += holds[code] = filter.Holds(codes.Words[code]) ? (byte)1 : (byte)0;
        if (codes.IsConstant) return holds[codes.Constant] != 0;
        if (kept == 0) return false;
        if (kept == holds.Length) return true;
        (rows ??= RowSet.All(count)).And(codes, holds);
        return true;
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
