using System.Text.RegularExpressions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Deploy;

/// <summary>What the documents point to is there.</summary>
public sealed partial class LinkTests
{
    private static readonly string[] Documents = [.. Directory.EnumerateFiles(Repository.Root, "*.md").Concat(Directory.EnumerateFiles(Repository.File("docs"), "*.md")).Order(StringComparer.Ordinal)];

    public static TheoryData<string> Names => [.. Documents.Select(d => Path.GetRelativePath(Repository.Root, d))];

    [Theory]
    [MemberData(nameof(Names))]
    public void Every_link_and_anchor_leads_somewhere(string name)
    {
        var file = Repository.File(name);
        List<string> broken = [];
        foreach (Match link in Link().Matches(WithoutCode(File.ReadAllText(file))))
        {
            var target = link.Groups[1].Value;
            if (target.Contains("://", StringComparison.Ordinal) || target.StartsWith("mailto:", StringComparison.Ordinal)) continue;
            var (path, anchor) = target.Split('#') is [var p, var a] ? (p, a) : (target, null);
            var to = path.Length == 0 ? file : Path.GetFullPath(Path.Combine(Path.GetDirectoryName(file)!, path));
            if (!File.Exists(to) && !Directory.Exists(to)) broken.Add($"{target}: there is no such file");
            else if (anchor is not null && !Anchors(to).Contains(anchor)) broken.Add($"{target}: {Path.GetFileName(to)} has {string.Join(", ", Anchors(to))}");
        }
        Assert.True(broken.Count == 0, $"{name}:\n{string.Join('\n', broken)}");
    }

    [Fact]
    public void Every_document_is_linked_from_the_readme()
    {
        var readme = Repository.Text("README.md");
        Assert.All(Directory.EnumerateFiles(Repository.File("docs"), "*.md").Select(d => $"docs/{Path.GetFileName(d)}"), d => Assert.True(readme.Contains($"({d})", StringComparison.Ordinal), $"README.md does not link to {d}."));
    }

    [Fact]
    public void Tests_that_the_threat_model_names_exist()
    {
        var files = Directory.EnumerateFiles(Repository.File("tests"), "*Tests.cs", SearchOption.AllDirectories).Select(Path.GetFileNameWithoutExtension).ToHashSet();
        var named = Regex.Matches(Repository.Text("docs", "security.md"), "`(\\w+Tests)`").Select(m => m.Groups[1].Value).ToList();
        Assert.True(named.Count > 15, $"{named.Count} named");
        Assert.All(named, n => Assert.Contains(n, files));
    }

    /// <summary>As GitHub makes them of headings: lower case, without punctuation, blanks as hyphens.</summary>
    private static HashSet<string> Anchors(string file) =>
        [.. WithoutCode(File.ReadAllText(file)).Split('\n').Where(l => Heading().IsMatch(l)).Select(l => Punctuation().Replace(Heading().Replace(l, "").Trim().ToLowerInvariant(), "").Replace(' ', '-'))];

    private static string WithoutCode(string text) => Fenced().Replace(text, "");

    [GeneratedRegex(@"\]\(([^)\s]+)\)")]
    private static partial Regex Link();

    [GeneratedRegex(@"^#{1,6} ")]
    private static partial Regex Heading();

    [GeneratedRegex(@"[^\w\- ]")]
    private static partial Regex Punctuation();

    [GeneratedRegex(@"^ *```.*?^ *```", RegexOptions.Multiline | RegexOptions.Singleline)]
    private static partial Regex Fenced();
}
