using System.ComponentModel.DataAnnotations;

namespace Footfall.Explore;

/// <summary>Section <c>Explore</c>.</summary>
internal sealed class ExploreOptions
{
    /// <summary>Seconds that PostgreSQL may spend on one question before it is broken off.</summary>
    [Range(1, 600, ErrorMessage = "Explore:StatementTimeoutSeconds must be between 1 and 600.")]
    public int StatementTimeoutSeconds { get; set; } = 15;

    /// <summary>Questions that are worked on at once, so that readers leave connections and processors to ingestion.</summary>
    [Range(1, 100, ErrorMessage = "Explore:MaxConcurrentQueries must be between 1 and 100.")]
    public int MaxConcurrentQueries { get; set; } = 4;

    /// <summary>Seconds that a question waits for its turn before it is refused.</summary>
    [Range(0, 60, ErrorMessage = "Explore:QueueSeconds must be between 0 and 60.")]
    public int QueueSeconds { get; set; } = 5;
}
