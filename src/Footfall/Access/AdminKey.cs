using System.Security.Cryptography;
using System.Text;
using Footfall.Hosting;
using Footfall.Postgres;
using Microsoft.Extensions.Options;

namespace Footfall.Access;

/// <summary>The one key to everything, configured or made by the server itself.</summary>
internal sealed class AdminKey
{
    /// <summary>The request header that carries it.</summary>
    public const string Header = "x-admin-key";

    private readonly byte[]? hash;

    public AdminKey(IOptions<AccessOptions> options, IOptions<PostgresOptions> postgres, DataFolder folder)
    {
        var key = options.Value.AdminKey;
        if (string.IsNullOrEmpty(key) && string.IsNullOrEmpty(postgres.Value.ConnectionString))
        {
            key = Convert.ToHexStringLower(folder.Secret("admin-key", 24));
            Generated = key;
        }
        if (!string.IsNullOrEmpty(key)) hash = SHA256.HashData(Encoding.UTF8.GetBytes(key));
    }

    public bool IsConfigured => hash is not null;

    /// <summary>Tells this key from another in its place, and nothing else about it; null when none is configured.</summary>
    public string? Mark => hash is null ? null : $"admin:{Convert.ToHexStringLower(SHA256.HashData(hash))}";

    /// <summary>The key that the server made, for the operator's eyes at start; null when it was configured.</summary>
    public string? Generated { get; }

    /// <summary>Compares hashes in constant time, so that neither content nor length of the key shows in the time it takes.</summary>
    public bool Matches(string? given) =>
        hash is not null && given is not null && CryptographicOperations.FixedTimeEquals(hash, SHA256.HashData(Encoding.UTF8.GetBytes(given)));
}
