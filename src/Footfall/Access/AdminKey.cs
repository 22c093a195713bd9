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

    /// <summary>Its name among the data folder's keys.</summary>
    public const string SecretName = "admin-key";
    public const int SecretBytes = 24;

    private readonly byte[]? hash;
    private readonly TimeProvider clock;
    private readonly List<(byte[] Hash, DateTimeOffset Until)> former = [];

    public AdminKey(IOptions<AccessOptions> options, IOptions<PostgresOptions> postgres, DataFolder folder, TimeProvider clock)
    {
        this.clock = clock;
        var key = options.Value.AdminKey;
        if (string.IsNullOrEmpty(key) && string.IsNullOrEmpty(postgres.Value.ConnectionString))
        {
            key = Convert.ToHexStringLower(folder.Secret(SecretName, SecretBytes));
            Generated = key;
            former.AddRange(folder.FormerSecrets(SecretName, clock.GetUtcNow()).Select(f => (Hash(Convert.ToHexStringLower(f.Secret)), f.Until)));
        }
        if (!string.IsNullOrEmpty(options.Value.PreviousAdminKey)) former.Add((Hash(options.Value.PreviousAdminKey), DateTimeOffset.MaxValue));
        if (!string.IsNullOrEmpty(key)) hash = Hash(key);
    }

    public bool IsConfigured => hash is not null;

    /// <summary>Tells this key from another in its place, and nothing else about it; null when none is configured.</summary>
    public string? Mark => hash is null ? null : MarkOf(hash);

    /// <summary>Whether a sign-in was made with this key, or with one of before that still works.</summary>
    public bool HasMark(string mark) => mark == Mark || former.Exists(f => f.Until > clock.GetUtcNow() && MarkOf(f.Hash) == mark);

    /// <summary>The key that the server made, for the operator's eyes at start; null when it was configured.</summary>
    public string? Generated { get; }

    /// <summary>Compares hashes in constant time, so that neither content nor length of the key shows in the time it takes.</summary>
    public bool Matches(string? given) =>
        hash is not null && given is not null && Hash(given) is var other
        && (CryptographicOperations.FixedTimeEquals(hash, other) | former.Exists(f => CryptographicOperations.FixedTimeEquals(f.Hash, other) & f.Until > clock.GetUtcNow()));

    private static byte[] Hash(string key) => SHA256.HashData(Encoding.UTF8.GetBytes(key));

    private static string MarkOf(byte[] hash) => $"admin:{Convert.ToHexStringLower(SHA256.HashData(hash))}";
}
