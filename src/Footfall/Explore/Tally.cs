using System.Numerics;
using Footfall.Segments;

namespace Footfall.Explore;

/// <summary>The sums from which metrics are computed, by group.</summary>
internal sealed class Tally
{
    public Tally(int groups, IReadOnlyList<Metric> metrics)
    {
        Groups = groups;
        NeedsEvents = metrics.Any(m => m.IsOfEvents());
        NeedsSessions = metrics.Any(m => m == Metric.Sessions || m.IsRatio());
        if (metrics.Contains(Metric.Visitors)) Visitors = new long[groups];
        // A group with visitors has events: which is all that one must know of them where nobody asks for their number.
        if (metrics.Contains(Metric.Events) || (NeedsEvents && Visitors is null)) Events = new long[groups];
        if (metrics.Contains(Metric.PageViews)) PageViews = new long[groups];
        if (metrics.Contains(Metric.Conversions)) Conversions = new long[groups];
        if (NeedsSessions) Sessions = new long[groups];
        if (metrics.Contains(Metric.BounceRate)) Bounces = new long[groups];
        if (metrics.Contains(Metric.ConversionRate)) Converted = new long[groups];
        if (metrics.Contains(Metric.VisitDuration)) DurationMicros = new long[groups];
        if (metrics.Contains(Metric.EngagedTime)) EngagedMs = new long[groups];
        Sums = metrics.Where(m => m.Kind == MetricKind.PropSum).ToDictionary(m => m.Key!, _ => new Int128[groups], StringComparer.Ordinal);
    }

    public int Groups { get; }

    public bool NeedsEvents { get; }

    public bool NeedsSessions { get; }

    // Null where no asked metric needs them.
    public long[]? Visitors { get; }
    public long[]? Events { get; }
    public long[]? PageViews { get; }
    public long[]? Conversions { get; }
    public long[]? Sessions { get; }
    public long[]? Bounces { get; }
    public long[]? Converted { get; }
    public long[]? DurationMicros { get; }
    public long[]? EngagedMs { get; }

    /// <summary>By prop, in millionths.</summary>
    public IReadOnlyDictionary<string, Int128[]> Sums { get; }

    /// <summary>Whether the group has anything that the asked metrics are computed from.</summary>
    public bool Has(int group) => Visitors?[group] > 0 || Events?[group] > 0 || Sessions?[group] > 0;

    public void AddSession(int group, DaySegment segment, int row)
    {
        Sessions![group]++;
        if (Bounces is not null && (segment.Flags[row] & SessionFlags.Bounce) != SessionFlags.None) Bounces[group]++;
        if (Converted is not null && (segment.Flags[row] & SessionFlags.Converted) != SessionFlags.None) Converted[group]++;
        if (DurationMicros is not null) DurationMicros[group] += (segment.Duration[row] * 1_000L) + (segment.DurationMicros?[row] ?? 0);
        if (EngagedMs is not null) EngagedMs[group] += segment.Engaged[row];
        if (segment.LongSessions.Length > 0) AddLong(group, segment, row);
    }

    /// <summary>Whether of sessions nothing is asked but how many there are.</summary>
    public bool CountsSessionsAlone => this is { Bounces: null, Converted: null, DurationMicros: null, EngagedMs: null };

    /// <summary>Every session that began in the day.</summary>
    public void AddSessions(int group, DaySegment segment)
    {
        var homes = segment.Homes;
        Sessions![group] += homes;
        if (Bounces is not null) foreach (var flags in segment.Flags.AsSpan(0, homes)) Bounces[group] += (int)(flags & SessionFlags.Bounce);
        if (Converted is not null) foreach (var flags in segment.Flags.AsSpan(0, homes)) Converted[group] += (int)(flags & SessionFlags.Converted) >> 1;
        if (DurationMicros is not null)
        {
            DurationMicros[group] += Sum(segment.Duration.AsSpan(0, homes)) * 1_000;
            if (segment.DurationMicros is { } micros) foreach (var more in micros.AsSpan(0, homes)) DurationMicros[group] += more;
        }
        if (EngagedMs is not null) EngagedMs[group] += Sum(segment.Engaged.AsSpan(0, homes));
        foreach (var session in segment.LongSessions)
        {
            if (session.Row >= homes) continue;
            if (DurationMicros is not null) DurationMicros[group] += session.MoreDuration * 1_000;
            if (EngagedMs is not null) EngagedMs[group] += session.MoreEngaged;
        }
    }

    /// <summary>The same division, in the same order, as in SQL: to the last bit.</summary>
    public double? Value(Metric metric, int group) => metric.Kind switch
    {
        MetricKind.Visitors => Visitors![group],
        MetricKind.Sessions => Sessions![group],
        MetricKind.PageViews => PageViews![group],
        MetricKind.Events => Events![group],
        MetricKind.BounceRate => Share(Bounces![group], Sessions![group]),
        MetricKind.VisitDuration => Share((DurationMicros![group] + 500) / 1_000, Sessions![group]) / 1_000,   // whole milliseconds, as SQL rounds them
        MetricKind.EngagedTime => Share(EngagedMs![group], Sessions![group]) / 1_000,
        MetricKind.Conversions => Conversions![group],
        MetricKind.ConversionRate => Share(Converted![group], Sessions![group]),
        MetricKind.PropSum => PropNumber.Value(Sums[metric.Key!][group]),
        MetricKind.Leads => throw new NotSupportedException("Leads are counted by themselves."),
        _ => throw new ArgumentOutOfRangeException(nameof(metric), metric, null),
    };

    private static double? Share(long part, long whole) => whole == 0 ? null : (double)part / whole;

    private static long Sum(ReadOnlySpan<uint> values)
    {
        var wide = Vector<ulong>.Zero;
        ulong sum = 0;
        var i = 0;
        for (; i <= values.Length - Vector<uint>.Count; i += Vector<uint>.Count)
        {
            Vector.Widen(new Vector<uint>(values[i..]), out var low, out var high);
            wide += low + high;
        }
        for (; i < values.Length; i++) sum += values[i];
        return (long)(sum + Vector.Sum(wide));
    }

    private void AddLong(int group, DaySegment segment, int row)
    {
        foreach (var session in segment.LongSessions)
        {
            if (session.Row != row) continue;
            if (DurationMicros is not null) DurationMicros[group] += session.MoreDuration * 1_000;
            if (EngagedMs is not null) EngagedMs[group] += session.MoreEngaged;
        }
    }
}
