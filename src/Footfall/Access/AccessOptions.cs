using System.ComponentModel.DataAnnotations;

namespace Footfall.Access;

/// <summary>Section <c>Access</c>.</summary>
internal sealed class AccessOptions
{
    /// <summary>The key that <c>x-admin-key</c> must carry. Also ADMIN_API_KEY. Without it, a server with its own PostgreSQL makes one and keeps it in the data folder; a server on a given database answers 503 to admin requests.</summary>
    [MinLength(16, ErrorMessage = "Access:AdminKey (ADMIN_API_KEY) must have at least 16 characters; `openssl rand -hex 24` makes a good one.")]
    public string? AdminKey { get; set; }

    /// <summary>A key that reads the figures of every property, of plan pro. Also DASHBOARD_TOKEN. <c>footfall token create</c> makes others.</summary>
    [MinLength(16, ErrorMessage = "Access:DashboardToken (DASHBOARD_TOKEN) must have at least 16 characters; `openssl rand -hex 24` makes a good one.")]
    public string? DashboardToken { get; set; }

    /// <summary>The admin key of before, which works too: until everybody has the new one. Also ADMIN_API_KEY_PREVIOUS.</summary>
    [MinLength(16, ErrorMessage = "Access:PreviousAdminKey (ADMIN_API_KEY_PREVIOUS) must have at least 16 characters.")]
    public string? PreviousAdminKey { get; set; }

    /// <summary>The same for <see cref="DashboardToken"/>. Also DASHBOARD_TOKEN_PREVIOUS.</summary>
    [MinLength(16, ErrorMessage = "Access:PreviousDashboardToken (DASHBOARD_TOKEN_PREVIOUS) must have at least 16 characters.")]
    public string? PreviousDashboardToken { get; set; }

    /// <summary>Wrong keys that one address may send in a minute before it is told to wait.</summary>
    [Range(1, 100_000, ErrorMessage = "Access:FailedAttemptsPerMinute must be between 1 and 100000.")]
    public int FailedAttemptsPerMinute { get; set; } = 30;

    /// <summary>Hours after which a browser that was not used has to show its key again.</summary>
    [Range(1, 720, ErrorMessage = "Access:SignInIdleHours must be between 1 and 720.")]
    public int SignInIdleHours { get; set; } = 12;

    /// <summary>Days after which a browser has to show its key again in any case.</summary>
    [Range(1, 90, ErrorMessage = "Access:SignInDays must be between 1 and 90.")]
    public int SignInDays { get; set; } = 7;
}
