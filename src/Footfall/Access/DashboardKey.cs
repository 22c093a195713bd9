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

    private readonly byte[]? hash = Hash(options.Value.DashboardToken);
    private readonly byte[]? former = Hash(options.Value.PreviousDashboardToken);

    public bool IsConfigured => hash is not null;

    /// <summary>As <see cref="AdminKey.Mark"/>.</summary>
    public string? Mark => MarkOf(hash);

    /// <inheritdoc cref="AdminKey.HasMark"/>
    public bool HasMark(string mark) => mark == Mark || mark == MarkOf(former);

    /// <summary>In constant time, as <see cref="AdminKey.Matches"/>.</summary>
    public bool Matches(string? given) =>
        hash is not null && Hash(given) is { } other
        && (CryptographicOperations.FixedTimeEquals(hash, other) | (former is not null && CryptographicOperations.FixedTimeEquals(former, other)));

    private static byte[]? Hash(string? key) => string.IsNullOrEmpty(key) ? null : SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string? MarkOf(byte[]? hash) => hash is null ? null : $"dashboard:{Convert.ToHexStringLower(SHA256.HashData(hash))}";
}
