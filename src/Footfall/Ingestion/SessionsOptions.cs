using System.ComponentModel.DataAnnotations;

namespace Footfall.Ingestion;

/// <summary>Section <c>Sessions</c>.</summary>
internal sealed class SessionsOptions
{
    /// <summary>A visitor's events further apart than this belong to different sessions. Changing it affects sessions from then on; stored ones stay as they are.</summary>
    [Range(1, 24 * 60, ErrorMessage = "Sessions:InactivityMinutes must be between 1 and 1440.")]
    public int InactivityMinutes { get; set; } = 30;

    public TimeSpan Gap => TimeSpan.FromMinutes(InactivityMinutes);
}
