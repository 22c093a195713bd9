using System.Collections.Frozen;
using System.Text.Json;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>Kinds of mail hosts, from lists that the build makes (web/build-data.mjs). A domain below a listed one is of its kind.</summary>
internal sealed class MailDomains
{
    private readonly Lazy<FrozenSet<string>> disposable = new(() => Load("mail-disposable.json"));
    private readonly Lazy<FrozenSet<string>> free = new(() => Load("mail-free.json"));

    /// <summary>Whether the host gives out addresses that are thrown away after minutes.</summary>
    /// <param name="domain">ASCII, lower case.</param>
    public bool IsDisposable(string domain) => Has(disposable.Value, domain);

    /// <summary>Whether anybody can have an address there: a person's own, rather than a business's.</summary>
    /// <param name="domain">ASCII, lower case.</param>
    public bool IsFree(string domain) => free.Value.Contains(domain);

    /// <summary>All free ones, for comparisons in the database.</summary>
    public IReadOnlyCollection<string> Free => free.Value;

    private static bool Has(FrozenSet<string> set, string domain)
    {
        for (var at = 0; at >= 0; at = domain.IndexOf('.', at) + 1)
        {
            if (set.Contains(domain[at..])) return true;
            if (domain.IndexOf('.', at) < 0) return false;
        }
        return false;
    }

    private static FrozenSet<string> Load(string list)
    {
        using var file = JsonDocument.Parse(File.ReadAllBytes(DataLists.File(list)));
        return file.RootElement.EnumerateArray().Select(d => d.GetString()!).ToFrozenSet(StringComparer.Ordinal);
    }
}
