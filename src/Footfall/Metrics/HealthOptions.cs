using System.ComponentModel.DataAnnotations;

namespace Footfall.Metrics;

/// <summary>Section <c>Health</c>: from when on <c>/v1/readyz</c> is red for what still works, but not for long.</summary>
internal sealed class HealthOptions
{
    /// <summary>Megabytes that must be free on the disk of the data folder; 0: not looked at.</summary>
    [Range(0, 10_000_000, ErrorMessage = "Health:MinFreeMegabytes must be between 0 and 10000000.")]
    public int MinFreeMegabytes { get; set; } = 256;

    /// <summary>Minutes that the oldest event may wait for the database.</summary>
    [Range(1, 10_080, ErrorMessage = "Health:MaxLagMinutes must be between 1 and 10080.")]
    public int MaxLagMinutes { get; set; } = 15;
}
