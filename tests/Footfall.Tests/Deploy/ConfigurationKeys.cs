using System.Text.RegularExpressions;
using Footfall.Tests.Infrastructure;

namespace Footfall.Tests.Deploy;

/// <summary>The keys that docs/configuration.md names: a recipe may set no other.</summary>
internal static partial class ConfigurationKeys
{
    // .NET's own, which its documentation names.
    private static readonly string[] OfDotNet = ["ASPNETCORE_HTTP_PORTS", "ASPNETCORE_URLS", "DOTNET_EnableDiagnostics", "DOTNET_ENVIRONMENT"];

    public static HashSet<string> Documented { get; } = Read();

    /// <summary>As it is written in the environment: <c>Leads__LinkKey</c>.</summary>
    public static bool Knows(string variable) =>
        OfDotNet.Contains(variable) || Documented.Contains(variable.Replace("__", ":", StringComparison.Ordinal)) || variable.StartsWith("Kestrel__Endpoints__", StringComparison.Ordinal);

    private static HashSet<string> Read()
    {
        HashSet<string> keys = new(StringComparer.Ordinal);
        foreach (var row in Repository.Text("docs", "configuration.md").Split('\n').Where(l => l.StartsWith("| `", StringComparison.Ordinal)))
        {
            string? section = null;
            foreach (Match code in Code().Matches(row.Split(" | ")[0]))
            {
                var key = code.Groups[1].Value;
                // `Leads:Smtp:Host`, `:Port` share the beginning; so do names of one row without any.
                if (key.StartsWith(':')) key = section + key;
                else if (!key.Contains(':') && section is not null) key = $"{section}:{key}";
                if (key.LastIndexOf(':') is var colon and > 0) section = key[..colon];
                keys.Add(key);
            }
        }
        foreach (Match also in Also().Matches(Repository.Text("docs", "configuration.md"))) keys.Add(also.Groups[1].Value);
        return keys;
    }

    [GeneratedRegex("`([^`]+)`")]
    private static partial Regex Code();

    [GeneratedRegex("Also `([A-Z_]+)`")]
    private static partial Regex Also();
}
