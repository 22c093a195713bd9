using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Telemetry;

/// <summary>Listens to the chosen instruments of this host, from its start on, and keeps what they say until somebody reads it.</summary>
internal sealed class MetricStore : IDisposable
{
    private static readonly double[] UsualBounds = [0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10];

    private readonly List<MetricFamily> families = [];
    private readonly Lock gate = new();
    private readonly MeterListener listener = new();

    public MetricStore(IMeterFactory meters)
    {
        listener.InstrumentPublished = (instrument, to) =>
        {
            // Instruments of the framework belong to the host that made them, those of the runtime and the driver to the process.
            if (!Chosen.Has(instrument) || (instrument.Meter.Scope is { } scope && !ReferenceEquals(scope, meters))) return;
            var family = Family(instrument);
            lock (gate) families.Add(family);
            to.EnableMeasurementEvents(instrument, family);
        };
        listener.SetMeasurementEventCallback<double>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        listener.SetMeasurementEventCallback<float>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        listener.SetMeasurementEventCallback<long>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        listener.SetMeasurementEventCallback<int>(static (_, value, tags, family) => ((MetricFamily)family!).Take(value, tags));
        listener.Start();
    }

    /// <summary>As Prometheus reads it.</summary>
    public string Write()
    {
        // One reader at a time: observed series are told anew for each.
        lock (gate)
        {
            foreach (var family in families) family.BeginReading();
            listener.RecordObservableInstruments();
            return PrometheusText.Write(families);
        }
    }

    /// <summary>What Prometheus calls the families that there are, with or without figures yet.</summary>
    public IReadOnlyList<string> Names()
    {
        lock (gate) return [.. families.Select(PrometheusText.NameOf).Distinct(StringComparer.Ordinal).Order(StringComparer.Ordinal)];
    }

    public void Dispose() => listener.Dispose();

    private static MetricFamily Family(Instrument instrument)
    {
        var kind = KindOf(instrument);
        var bounds = kind != SeriesKind.Histogram ? [] : instrument is Histogram<double> { Advice.HistogramBucketBoundaries: { } advised } ? [.. advised] : UsualBounds;
        return new MetricFamily(instrument, kind, instrument.IsObservable, bounds, instrument.Meter.Name == Measures.Name);
    }

    private static SeriesKind KindOf(Instrument instrument)
    {
        if (Chosen.IsLevel(instrument)) return SeriesKind.Gauge;
        var type = instrument.GetType().GetGenericTypeDefinition();
        if (type == typeof(Histogram<>)) return SeriesKind.Histogram;
        return type == typeof(Counter<>) || type == typeof(ObservableCounter<>) ? SeriesKind.Counter : SeriesKind.Gauge;
    }
}
