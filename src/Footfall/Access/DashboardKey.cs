using System.Security.Cryptography;
using System.Text;
using Microsoft.Extensions.Options;

namespace Footfall.Access;

/// <summary>The configured key that reads every property's figures.</summary>
internal sealed class DashboardKey(IOptions<AccessOptions> options)
{
    /// <summary>The request header that carries a dashboard's key.</summary>
    public const string Header = "x-dashboard-token";

    /// <summary>Who has it.</summary>
    public static readonly Caller Owner = new(AccessRole.Dashboard, AccessPlan.Pro, null);

    private readonly byte[]? hash = string.IsNullOrEmpty(options.Value.DashboardToken) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(options.Value.DashboardToken));

    public bool IsConfigured => hash is not null;

    /// <summary>As <see cref="AdminKey.Mark"/>.</summary>
    public string? Mark => hash is null ? null : $"dashboard:{Convert.ToHexStringLower(SHA256.HashData(hash))}";

    /// <summary>In constant time, as <see cref="AdminKey.Matches"/>.</summary>
    public bool Matches(string? given) =>
        hash is not null && given is not null && CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(given)));
}
