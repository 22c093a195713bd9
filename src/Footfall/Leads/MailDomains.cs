using System.Collections.Frozen;
using System.Text.Json;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>Throw-away mail hosts, from a list that the build makes (web/build-data.mjs). A domain below a listed one is one too.</summary>
internal sealed class MailDomains
{
    private readonly Lazy<FrozenSet<string>> disposable = new(() => Load("mail-disposable.json"));

    /// <summary>Whether the host gives out addresses that are thrown away after minutes.</summary>
    /// <param name="domain">ASCII, lower case.</param>
    public bool IsDisposable(string domain) => Has(disposable.Value, domain);

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
