using System.Diagnostics;
using System.Diagnostics.Metrics;

namespace Footfall.Hosting;

/// <summary>What every room's figures and spans have in common. A room makes its instruments of the host's own meter: two servers in one process count apart.</summary>
internal static class Measures
{
    public const string Name = "Footfall";

    /// <summary>What the driver calls the connections of the server's own pool in its metrics.</summary>
    public const string PoolName = "footfall";

    /// <summary>Seconds, from what answers out of memory to what a person waits for.</summary>
    public static readonly InstrumentAdvice<double> Fast = new() { HistogramBucketBoundaries = [0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10] };

    /// <summary>Seconds, for work that nobody waits for.</summary>
    public static readonly InstrumentAdvice<double> Slow = new() { HistogramBucketBoundaries = [0.05, 0.1, 0.25, 0.5, 1, 2.5, 5, 10, 30, 60, 300, 1800, 7200] };

    /// <summary>Work that no request asked for: batches, jobs.</summary>
    public static readonly ActivitySource Spans = new(Name);

    public static Meter Create(this IMeterFactory meters) => meters.Create(Name);
}

/// <summary>Marks an endpoint that measures its own requests: those that come by the thousand are told apart by less.</summary>
internal sealed class MeasuresItself;
