using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Sums of props over kept hits. Only hits that have the prop are looked at, and each value is read once.</summary>
internal sealed class PropSums(IReadOnlyList<KeptPart?> parts, Grouping grouping, Tally tally, IReadOnlyList<PropColumn?> groupColumns)
{
    private const int MillisecondsOfHour = 3_600_000;

    public void Add(CancellationToken cancellationToken)
    {
        foreach (var (key, sums) in tally.Sums)
        {
            for (var i = 0; i < parts.Count; i++)
            {
                cancellationToken.ThrowIfCancellationRequested();
                if (parts[i] is { } part && part.Segment.Props.Read(key) is { } column) Add(part, column, GroupsOf(i, part.Segment), part.Segment.Vocabulary.Prop(key), sums);
            }
        }
    }

    private static void Add(KeptPart part, PropColumn column, Func<int, int, int> groupOf, Words words, Int128[] sums)
    {
        var groups = part.Segment.Groups;
        var numbers = Array.ConvertAll(column.Values.Words, w => words[w] is { } text ? PropNumber.Millionths(text) : null);
        var g = 0;
        for (var i = 0; i < column.Hits.Length; i++)
        {
            var hit = column.Hits[i];
            while (hit >= groups[g].First + groups[g].Count) g++;
            if (numbers[column.Values[i]] is not { } number || part.Groups?[g] == false || !part.Keeps(hit)) continue;
            sums[groupOf(hit, g)] += number;
        }
    }

    /// <summary>The answer's group of a hit, by its index and that of its group of hits.</summary>
    private Func<int, int, int> GroupsOf(int index, DaySegment segment)
    {
        var ofDay = grouping.OfDay(segment.Day);
        if (grouping.IsHourly) return (hit, _) => ofDay + (segment.HitTime[hit] / MillisecondsOfHour);
        switch (grouping.By)
        {
            case null: return (_, _) => ofDay;
            case { Kind: DimensionKind.Path }: return (_, g) => segment.Paths[segment.Groups[g].Path];
            case { Kind: DimensionKind.EventType }: return (_, g) => segment.Types[segment.Groups[g].Type];
            case { Kind: DimensionKind.Prop }:
                var values = new int[segment.Hits];
                if (groupColumns[index] is { } column)
                {
                    for (var i = 0; i < column.Hits.Length; i++) values[column.Hits[i]] = column.Values.Words[column.Values[i]];
                }
                return (hit, _) => values[hit];
            case { } by:
                var codes = segment[SegmentFilters.FactOf(by.Kind)];
                return (hit, _) => codes.Words[codes[segment.HitRow[hit]]];
        }
    }
}
