using System.ComponentModel.DataAnnotations;

namespace Footfall.Segments;

/// <summary>Section <c>Explore</c>: what of it is about segments.</summary>
internal sealed class SegmentOptions
{
    /// <summary>Memory that decoded segments may take, in megabytes. A question whose window does not fit is answered from raw rows.</summary>
    [Range(16, 1_000_000, ErrorMessage = "Explore:MemoryMb must be between 16 and 1000000.")]
    public int MemoryMb { get; set; } = 512;

    public long MemoryBytes => (long)MemoryMb << 20;
}
