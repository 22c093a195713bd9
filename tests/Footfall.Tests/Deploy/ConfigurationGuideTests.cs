using System.Reflection;
using Footfall.Hosting;
using Xunit;

namespace Footfall.Tests.Deploy;

/// <summary>docs/configuration.md names every key, and no key that there is not.</summary>
public sealed class ConfigurationGuideTests
{
    // Keys that no options class has: read before there are any, or by the environment's own name.
    private static readonly string[] Plain = ["DataDir", "PORT", "TrustedProxies", "TrustedProxyHeader"];

    [Fact]
    public void Every_option_is_described_and_nothing_else()
    {
        var options = typeof(FootfallHost).Assembly.GetTypes()
            .Where(t => t is { IsClass: true, IsNested: false } && t.Name.EndsWith("Options", StringComparison.Ordinal) && t != typeof(TrustedProxyOptions))
            .SelectMany(t => Keys(t, Section(t))).ToHashSet();
        var described = ConfigurationKeys.Documented.Where(k => k.Contains(':', StringComparison.Ordinal)).ToHashSet();
        Assert.True(options.Count > 60, $"{options.Count} options");

        var missing = options.Where(o => !described.Contains(o) && !o.StartsWith("Funnels:", StringComparison.Ordinal)).Order().ToList();
        Assert.True(missing.Count == 0, $"docs/configuration.md lacks {string.Join(", ", missing)}. Add a row `| \\`{missing.FirstOrDefault()}\\` | default | meaning |`.");
        var unknown = described.Where(d => !options.Contains(d) && !d.StartsWith("Funnels:", StringComparison.Ordinal) && !d.Contains("Kestrel", StringComparison.Ordinal) && !d.Contains('_', StringComparison.Ordinal)).Order().ToList();
        Assert.True(unknown.Count == 0, $"docs/configuration.md describes {string.Join(", ", unknown)}, which no options class has.");
        Assert.All(Plain, p => Assert.Contains(p, ConfigurationKeys.Documented));
    }

    private static string Section(Type type) =>
        type.GetField("Section", BindingFlags.Public | BindingFlags.NonPublic | BindingFlags.Static) is { IsLiteral: true } section ? (string)section.GetRawConstantValue()!
        : type.Name == "SegmentOptions" ? "Explore"
        : type.Name == "LeadErasureOptions" ? "Leads:Erasure" : type.Name[..^"Options".Length];

    private static IEnumerable<string> Keys(Type type, string section) =>
        type.GetProperties(BindingFlags.Public | BindingFlags.Instance).Where(p => p.CanWrite || IsSection(p.PropertyType))
            .SelectMany(p => IsSection(p.PropertyType) ? Keys(p.PropertyType, $"{section}:{p.Name}") : [$"{section}:{p.Name}"]);

    private static bool IsSection(Type type) => type.IsClass && type.Assembly == typeof(FootfallHost).Assembly;
}
