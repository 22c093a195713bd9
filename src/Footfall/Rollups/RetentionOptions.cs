using System.ComponentModel.DataAnnotations;

namespace Footfall.Rollups;

/// <summary>Section <c>Retention</c>. A property may have days and months of its own (<c>footfall properties set</c>).</summary>
internal sealed class RetentionOptions
{
    /// <summary>Raw events and sessions older than this many whole days are removed, once they are rolled up.</summary>
    [Range(1, 36_600, ErrorMessage = "Retention:RawDays must be between 1 and 36600.")]
    public int RawDays { get; set; } = 90;

    /// <summary>Rollups older than this many months are removed; 0 keeps them for ever.</summary>
    [Range(0, 1_200, ErrorMessage = "Retention:RollupMonths must be between 0 (for ever) and 1200.")]
    public int RollupMonths { get; set; } = 24;
}
