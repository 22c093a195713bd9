using System.ComponentModel.DataAnnotations;

namespace Footfall.Segments;

/// <summary>Section <c>Explore</c>: what of it is about segments.</summary>
internal sealed class SegmentOptions
{
    public const int MostUsual = 512;

    /// <summary>Memory that decoded segments may take, in megabytes. A question whose window does not fit, or a day that is too large for it, is answered from raw rows.</summary>
    [Range(16, 1_000_000, ErrorMessage = "Explore:MemoryMb must be between 16 and 1000000.")]
    public int MemoryMb { get; set; } = UsualOf(GC.GetGCMemoryInfo().TotalAvailableMemoryBytes);

    public long MemoryBytes => (long)MemoryMb << 20;

    /// <param name="available">Bytes that the machine has, or its container.</param>
    public static int UsualOf(long available) => (int)Math.Clamp(available / 4 >> 20, 64, MostUsual);
}
