using System.Diagnostics.Metrics;

namespace Footfall.Telemetry;

/// <summary>What Prometheus calls it.</summary>
internal enum SeriesKind
{
    Counter,
    Gauge,
    Histogram,
}

/// <summary>One instrument and the series that its labels make. Anybody may send anything, so there are never more than <see cref="Most"/>: what comes after counts together.</summary>
internal sealed class MetricFamily(Instrument instrument, SeriesKind kind, bool isObserved, double[] bounds, bool isOwn)
{
    public const int Most = 1000;
    private const string Overflow = "overflow=\"true\"";

    private readonly Dictionary<string, Series> byLabels = new(StringComparer.Ordinal);
    private readonly Lock gate = new();
    private Series? plain;

    public Instrument Instrument => instrument;

    public SeriesKind Kind => kind;

    /// <summary>The upper bounds of a histogram's buckets, but for the infinite one.</summary>
    public double[] Bounds => bounds;

    public void Take(double value, ReadOnlySpan<KeyValuePair<string, object?>> tags)
    {
        Series series;
        if (tags.IsEmpty) series = plain ?? Find("");
        else if (isOwn) series = Find(Labels.Of(tags));
        else if (Chosen.Labels(tags) is { } kept) series = Find(Labels.Of(kept));
        else return;
        if (kind == SeriesKind.Histogram) series.Record(value, bounds);
        else if (isObserved) series.Set(value);
        else series.Add(value);
    }

    /// <summary>Forgets observed series, which are told anew at each reading: a job that is gone has no gauge.</summary>
    public void BeginReading()
    {
        if (!isObserved) return;
        lock (gate)
        {
            byLabels.Clear();
            plain = null;
        }
    }

    public IReadOnlyList<(string Labels, Series Series)> All()
    {
        lock (gate) return [.. byLabels.OrderBy(s => s.Key, StringComparer.Ordinal).Select(s => (s.Key, s.Value))];
    }

    private Series Find(string labels)
    {
        lock (gate)
        {
            if (byLabels.TryGetValue(labels, out var known)) return known;
            if (byLabels.Count >= Most) labels = Overflow;
            if (byLabels.TryGetValue(labels, out known)) return known;
            var added = byLabels[labels] = new Series(kind == SeriesKind.Histogram ? bounds.Length : 0);
            if (labels.Length == 0) plain = added;
            return added;
        }
    }
}

/// <summary>The figures of one set of labels. A histogram's buckets are kept apart here, and added up where they are written.</summary>
internal sealed class Series(int bounds)
{
    private readonly long[] buckets = bounds > 0 ? new long[bounds + 1] : [];
    private readonly Lock gate = new();
    private double sum;

    public void Add(double value)
    {
        lock (gate) sum += value;
    }

    public void Set(double value)
    {
        lock (gate) sum = value;
    }

    public void Record(double value, double[] upperBounds)
    {
        var bucket = 0;
        while (bucket < upperBounds.Length && value > upperBounds[bucket]) bucket++;
        lock (gate)
        {
            buckets[bucket]++;
            sum += value;
        }
    }

    /// <summary>The sum (or the value), and how many fell into each bucket.</summary>
    public (double Sum, long[] Buckets) Read()
    {
        lock (gate) return (sum, [.. buckets]);
    }
}
