using System.ComponentModel.DataAnnotations;

namespace Footfall.Leads;

/// <summary>Section <c>Leads:Erasure</c>.</summary>
internal sealed class LeadErasureOptions
{
    /// <summary>Tables up to this size are written anew right after an erasure, larger ones at the quiet hour: nobody can use a table meanwhile.</summary>
    [Range(0, 1_000_000, ErrorMessage = "Leads:Erasure:RewriteAtOnceMegabytes must be 0 to 1000000.")]
    public long RewriteAtOnceMegabytes { get; set; } = 256;

    /// <summary>Of the day, UTC.</summary>
    [Range(0, 23, ErrorMessage = "Leads:Erasure:QuietHour must be 0 to 23.")]
    public int QuietHour { get; set; } = 3;
}
