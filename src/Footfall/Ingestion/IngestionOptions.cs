using System.ComponentModel.DataAnnotations;

namespace Footfall.Ingestion;

/// <summary>Section <c>Ingestion</c>.</summary>
internal sealed class IngestionOptions
{
    /// <summary>How many bytes of the journal one transaction takes at most. In memory it is several times as much for each writer while it is worked on.</summary>
    [Range(64 * 1024, 256 * 1024 * 1024, ErrorMessage = "Ingestion:BatchBytes must be between 65536 and 268435456.")]
    public int BatchBytes { get; set; } = 3 * 1024 * 1024;

    /// <summary>How long to wait, after the first waiting event, for more to come into the same transaction. Trades freshness for fewer, larger transactions.</summary>
    [Range(0, 10_000, ErrorMessage = "Ingestion:GatherMilliseconds must be between 0 and 10000.")]
    public int GatherMilliseconds { get; set; } = 500;

    /// <summary>How many transactions write at once, each on a connection of its own and for visitors of its own. The number of cores, if that is less than the default.</summary>
    [Range(1, Lanes.Count, ErrorMessage = "Ingestion:Writers must be between 1 and 4.")]
    public int Writers { get; set; } = Math.Clamp(Environment.ProcessorCount, 1, Lanes.Count);

    /// <summary>While capture is busy and no more than this waits in the journal, ingestion leaves it most of the machine. 0: never.</summary>
    [Range(0, 1024, ErrorMessage = "Ingestion:YieldMegabytes must be between 0 and 1024.")]
    public int YieldMegabytes { get; set; } = 64;
}
