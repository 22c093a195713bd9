using System.Globalization;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Leads by the groups of an answer: by facts of their sessions, or of the kept events that their sessions have in the window.</summary>
internal sealed class LeadCounts(Query query, SegmentWindow window, IReadOnlyList<KeptPart?> parts, IReadOnlyList<PropColumn?> columns)
{
    private readonly List<(SessionFact Fact, WordFilter Filter)> ofSessions =
    [
        .. query.Filters.Where(f => !f.Dimension.IsOfEvent).Select(f => SegmentFilters.FactOf(f.Dimension.Kind) is var fact
            ? (fact, new WordFilter(f, window.Vocabulary[Vocabulary.KindOf(fact)])) : default),
    ];

    private readonly DateTimeOffset[] pieces = query.Per is { } interval ? [.. TimePieces.Of(query.Window, interval)] : [];
    private readonly Dictionary<string, long> counts = new(StringComparer.Ordinal);
    private long withoutKey;

    /// <summary>The keys of groups that have leads; null for the group without one.</summary>
    public IEnumerable<string?> Keys => withoutKey > 0 ? counts.Keys.Append(null) : counts.Keys;

    public long Of(string? key) => key is null ? withoutKey : counts.GetValueOrDefault(key);

    public void Count(IEnumerable<LeadRow> leads, CancellationToken cancellationToken)
    {
        HashSet<string> keys = new(StringComparer.Ordinal);
        foreach (var lead in leads)
        {
            cancellationToken.ThrowIfCancellationRequested();
            if (!ofSessions.TrueForAll(f => f.Filter.Holds(lead.Facts?[(int)f.Fact]))) continue;
            if (!query.HasEventFilters && query.By is not { IsOfEvent: true })
            {
                Add(KeyOf(lead));
                continue;
            }
            keys.Clear();
            if (!Kept(lead, keys, out var hasNone)) continue;
            if (query.By is not { IsOfEvent: true })
            {
                Add(KeyOf(lead));
                continue;
            }
            foreach (var key in keys) Add(key);
            if (hasNone) Add(null);
        }
    }

    private void Add(string? key)
    {
        if (key is null) withoutKey++;
        else counts[key] = counts.GetValueOrDefault(key) + 1;
    }

    /// <summary>By a fact of its session, or the time at which it was captured.</summary>
    private string? KeyOf(LeadRow lead) => query switch
    {
        { By: { } by } => lead.Facts?[(int)SegmentFilters.FactOf(by.Kind)],
        { Per: not null } => PieceOf(lead.At).ToUnixTimeSeconds().ToString(CultureInfo.InvariantCulture),
        _ => null,
    };

    /// <summary>The last piece of time that has begun by then.</summary>
    private DateTimeOffset PieceOf(DateTimeOffset at)
    {
        var place = Array.BinarySearch(pieces, at);
        return pieces[place >= 0 ? place : ~place - 1];
    }

    /// <summary>Whether the lead's session has a kept event in the window, and under which keys.</summary>
    private bool Kept(LeadRow lead, HashSet<string> keys, out bool hasNone)
    {
        hasNone = false;
        if (lead.Facts is null) return false;
        var any = false;
        for (var i = 0; i < parts.Count; i++)
        {
            if (parts[i] is not { } part) continue;
            var segment = part.Segment;
            var dayStart = new DateTimeOffset(segment.Day, default, TimeSpan.Zero).ToUnixTimeSeconds();
            const int secondsOfDay = 86_400;
            if (lead.Start >= dayStart + secondsOfDay) continue;
            var row = segment.Find(lead.Visitor, lead.Start - dayStart);
            if (row < 0) continue;
            for (var g = 0; g < segment.Groups.Length; g++)
            {
                if (part.Groups?[g] == false) continue;
                var hits = segment.Groups[g];
                for (var hit = FirstOf(segment, hits, row); hit < hits.First + hits.Count && segment.HitRow[hit] == row; hit++)
                {
                    if (!part.Keeps(hit)) continue;
                    any = true;
                    if (query.By is not { IsOfEvent: true } by) return true;
                    if (ValueOf(by, i, segment, hits, hit) is { } key) keys.Add(key);
                    else hasNone = true;
                }
            }
        }
        return any;
    }

    private string? ValueOf(Dimension by, int index, DaySegment segment, HitGroup hits, int hit)
    {
        var words = Grouping.WordsOf(by, window.Vocabulary);
        switch (by.Kind)
        {
            case DimensionKind.Path: return words[segment.Paths[hits.Path]];
            case DimensionKind.EventType: return words[segment.Types[hits.Type]];
            default:
                if (columns[index] is not { } column) return null;
                var at = Array.BinarySearch(column.Hits, hit);
                return at < 0 ? null : words[column.Values.Words[column.Values[at]]];
        }
    }

    /// <summary>The first of the row's hits in the group, or where it would be.</summary>
    private static int FirstOf(DaySegment segment, HitGroup hits, int row)
    {
        int low = hits.First, high = hits.First + hits.Count;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (segment.HitRow[middle] < row) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}
