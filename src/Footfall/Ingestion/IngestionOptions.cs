using System.ComponentModel.DataAnnotations;

namespace Footfall.Ingestion;

/// <summary>Section <c>Ingestion</c>.</summary>
internal sealed class IngestionOptions
{
    /// <summary>How many bytes of the journal one transaction takes at most.</summary>
    [Range(64 * 1024, 256 * 1024 * 1024, ErrorMessage = "Ingestion:BatchBytes must be between 65536 and 268435456.")]
    public int BatchBytes { get; set; } = 8 * 1024 * 1024;

    /// <summary>How long to wait, after the first waiting event, for more to come into the same transaction. Trades freshness for fewer, larger transactions.</summary>
    [Range(0, 10_000, ErrorMessage = "Ingestion:GatherMilliseconds must be between 0 and 10000.")]
    public int GatherMilliseconds { get; set; } = 500;
}
