using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>Segments hold more of a question's way than may be looked at in memory; raw rows can be, on PostgreSQL's disk.</summary>
internal sealed class TooMuchForSegmentsException() : Exception("The question needs more memory than it may have.");

/// <summary>
/// Cuts visitors into ranges of numbers, so that what one visitor does over all days is looked at together, the ranges beside each other, and
/// only one range's events lie in memory for each. Rows come by visitor, so that a range is a slice of each segment.
/// </summary>
internal static class VisitorRanges
{
    /// <param name="size">Of all that is looked at, in hits or rows.</param>
    /// <param name="portion">How much of it a range should have, about; for less a second thread does not pay.</param>
    /// <param name="newWorker">For each thread: what looks at the visitors from the first number up to, and without, the second.</param>
    public static List<T> Run<T>(SegmentWindow window, long size, int portion, Func<T> newWorker, Action<T, int, int> look, CancellationToken cancellationToken)
    {
        var visitors = DistinctVisitors.Greatest(window) + 1;
        var threads = size < portion ? 1 : Environment.ProcessorCount;
        var ranges = (int)Math.Clamp(Math.Max(size / portion, threads == 1 ? 1 : threads * 4L), 1, visitors);
        var width = (visitors + ranges - 1) / ranges;
        var next = -1;
        List<T> workers = [];
        if (threads == 1) Work();
        else
        {
            try
            {
                Parallel.For(0, threads, new ParallelOptions { MaxDegreeOfParallelism = threads, CancellationToken = cancellationToken }, _ => Work());
            }
            catch (AggregateException e) when (e.InnerExceptions.All(i => i is TooMuchForSegmentsException))
            {
                throw new TooMuchForSegmentsException();
            }
            catch (AggregateException e) when (e.InnerExceptions.All(i => i is OperationCanceledException))
            {
                throw new OperationCanceledException(cancellationToken);
            }
        }
        return workers;

        void Work()
        {
            var worker = newWorker();
            lock (workers) workers.Add(worker);
            for (int range; (range = Interlocked.Increment(ref next)) < ranges;)
            {
                cancellationToken.ThrowIfCancellationRequested();
                var from = (long)range * width;
                if (from < visitors) look(worker, (int)from, (int)Math.Min(visitors, from + width));
            }
        }
    }
}

/// <summary>The rows of some visitors in a segment: of sessions that began in the day, and of guests.</summary>
internal readonly record struct RowSlice(int HomeFrom, int HomeTo, int GuestFrom, int GuestTo)
{
    /// <param name="to">Not itself in it.</param>
    public static RowSlice Of(DaySegment segment, int from, int to)
    {
        var homes = segment.Visitor.AsSpan(0, segment.Homes);
        var guests = segment.Visitor.AsSpan(segment.Homes);
        return new RowSlice(Lower(homes, from), Lower(homes, to), segment.Homes + Lower(guests, from), segment.Homes + Lower(guests, to));
    }

    public bool IsEmpty => HomeFrom == HomeTo && GuestFrom == GuestTo;

    /// <summary>The hits of a group that these rows have: two runs, since hits lie by row.</summary>
    public (int From, int To, int GuestsFrom, int GuestsTo) HitsOf(DaySegment segment, in HitGroup group)
    {
        var rows = segment.HitRow.AsSpan(group.First, group.Count);
        var (from, to) = HomeFrom == HomeTo ? (0, 0) : (Lower(rows, HomeFrom), Lower(rows, HomeTo));
        var (guestsFrom, guestsTo) = GuestFrom == GuestTo ? (0, 0) : (Lower(rows, GuestFrom), Lower(rows, GuestTo));
        return (group.First + from, group.First + to, group.First + guestsFrom, group.First + guestsTo);
    }

    /// <summary>Where the first number is that is not less.</summary>
    private static int Lower(ReadOnlySpan<int> sorted, int least)
    {
        int low = 0, high = sorted.Length;
        while (low < high)
        {
            var middle = (low + high) >>> 1;
            if (sorted[middle] < least) low = middle + 1;
            else high = middle;
        }
        return low;
    }
}

/// <summary>The hits of a segment of which two lists of conditions hold: groups of hits, and whether each hit of theirs still has to be looked at.</summary>
internal sealed class HitSet
{
    private readonly KeptPart? all, own;

    private HitSet(DaySegment segment, int[] groups, KeptPart? all, KeptPart? own) => (Segment, Groups, this.all, this.own) = (segment, groups, all, own);

    public DaySegment Segment { get; }

    public int[] Groups { get; }

    public long Hits { get; private init; }

    public bool Checks => all is not null || own is not null;

    public bool Keeps(int hit) => all?.Keeps(hit) != false && own?.Keeps(hit) != false;

    /// <summary>Null where there is none.</summary>
    public static HitSet? Of(KeptPart? all, KeptPart? own)
    {
        if (all is null || own is null) return null;
        var segment = all.Segment;
        List<int> groups = [];
        long hits = 0;
        for (var g = 0; g < segment.Groups.Length; g++)
        {
            if (all.Groups?[g] == false || own.Groups?[g] == false) continue;
            groups.Add(g);
            hits += segment.Groups[g].Count;
        }
        return groups.Count == 0 ? null : new HitSet(segment, [.. groups], Needed(all), Needed(own)) { Hits = hits };
    }

    private static KeptPart? Needed(KeptPart part) => part.Rows is null && part.HitBits is null ? null : part;
}

/// <summary>Instants of hits as microseconds since the window's start.</summary>
internal static class HitTimes
{
    public const long MicrosOfDay = 86_400_000_000;

    public static long At(DaySegment segment, long dayStart, int hit) => dayStart + (segment.HitTime[hit] * 1_000L) + (segment.HitMicros?[hit] ?? 0);

    public static long StartOf(DaySegment segment, DayRange window) => (segment.Day.DayNumber - window.From.DayNumber) * MicrosOfDay;
}

/// <summary>What ways need segments to hold, and how much memory their masks take.</summary>
internal static class WayCover
{
    private const long MostMaskBytes = 128L << 20;

    public static bool Covers(SegmentWindow window, IEnumerable<IReadOnlyList<Filter>> conditions, Dimension? by = null)
    {
        var sets = conditions.Where(c => c.Count > 0).ToList();
        var props = sets.SelectMany(s => s).Select(f => f.Dimension).Append(by ?? default).Where(d => d.Kind == DimensionKind.Prop).Select(d => d.Key!).Distinct(StringComparer.Ordinal).ToList();
        long bytes = 0;
        foreach (var segment in window.Segments)
        {
            if (!props.TrueForAll(segment.Props.Covers)) return false;
            bytes += sets.Sum(s => (s.Any(f => !f.Dimension.IsOfEvent) ? segment.Rows / 8L : 0L) + (s.Any(f => f.Dimension.Kind == DimensionKind.Prop) ? segment.Hits / 8L : 0L));
            if (by is { Kind: DimensionKind.Prop }) bytes += 4L * segment.Hits;
        }
        return bytes <= MostMaskBytes;
    }
}
