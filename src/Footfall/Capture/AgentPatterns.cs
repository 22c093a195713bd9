using System.Text.Json;
using System.Text.RegularExpressions;

namespace Footfall.Capture;

/// <summary>A regular expression of a data list, made when it is first needed.</summary>
internal sealed class AgentPattern(string pattern, string? name)
{
    // Enough for any honest string on a busy machine; what takes longer was written to.
    private static readonly TimeSpan Timeout = TimeSpan.FromMilliseconds(50);
    private Regex? regex;

    /// <summary>The name that a match stands for: the list's, with $1 filled in, else the first group.</summary>
    public string? Name(string agent)
    {
        var match = Compiled.Match(agent);
        if (!match.Success) return null;
        if (name is null) return match.Groups[1].Value;
        return name.Contains('$') ? Filled(name, match) : name;
    }

    public bool IsIn(string agent) => Compiled.IsMatch(agent);

    private Regex Compiled => regex ??= new Regex(pattern, RegexOptions.CultureInvariant, Timeout);

    private static string Filled(string name, Match match)
    {
        for (var i = 1; i <= 9 && name.Contains('$'); i++) name = name.Replace($"${i}", match.Groups[i].Value);
        return name;
    }
}

/// <summary>The patterns of lists/user-agents.json, in the lists' order, and the texts of which one must occur before a pattern is worth trying.</summary>
internal sealed class AgentPatterns
{
    private readonly AgentPattern[] patterns;
    private readonly int crawlers;
    private readonly int browsers;
    private readonly Dictionary<int, Literal[]> byFirstTwo;

    private readonly record struct Literal(string Text, int[] Patterns);

    private AgentPatterns(AgentPattern[] patterns, int crawlers, int browsers, Dictionary<int, Literal[]> byFirstTwo) =>
        (this.patterns, this.crawlers, this.browsers, this.byFirstTwo) = (patterns, crawlers, browsers, byFirstTwo);

    public int Count => patterns.Length;

    /// <exception cref="InvalidDataException">The file is not what web/build-data.mjs writes.</exception>
    public static AgentPatterns Load(string file)
    {
        try
        {
            using var stream = File.OpenRead(file);
            using var json = JsonDocument.Parse(stream);
            List<AgentPattern> all = [];
            Dictionary<string, List<int>> literals = [];
            int Add(string list)
            {
                foreach (var entry in json.RootElement.GetProperty(list).EnumerateArray())
                {
                    foreach (var literal in entry.GetProperty("literals").EnumerateArray())
                    {
                        var text = literal.GetString()!;
                        if (!literals.TryGetValue(text, out var users)) literals.Add(text, users = []);
                        users.Add(all.Count);
                    }
                    all.Add(new AgentPattern(entry.GetProperty("pattern").GetString()!, entry.TryGetProperty("name", out var name) ? name.GetString() : null));
                }
                return all.Count;
            }

            var (crawlers, browsers, _) = (Add("crawlers"), Add("browsers"), Add("systems"));
            var literalsByFirstTwo = literals
                .GroupBy(l => Key(l.Key, 0))
                .ToDictionary(g => g.Key, g => g.Select(l => new Literal(l.Key, [.. l.Value])).ToArray());
            return new AgentPatterns([.. all], crawlers, browsers, literalsByFirstTwo);
        }
        catch (Exception e) when (e is JsonException or KeyNotFoundException or InvalidOperationException or IOException)
        {
            throw new InvalidDataException($"{file} is missing, or not the list of user-agent patterns that the build makes. Build or install Footfall again.", e);
        }
    }

    /// <summary>Whether a crawler's pattern matches.</summary>
    public bool IsCrawler(string agent, Candidates candidates) => First(agent, candidates, 0, crawlers, static (p, a) => p.IsIn(a) ? "" : null) is not null;

    public string? Browser(string agent, Candidates candidates) => First(agent, candidates, crawlers, browsers, static (p, a) => p.Name(a));

    public string? System(string agent, Candidates candidates) => First(agent, candidates, browsers, patterns.Length, static (p, a) => p.Name(a));

    /// <summary>The patterns that can still match, in order.</summary>
    public Candidates CandidatesFor(string agent)
    {
        var found = new SortedSet<int>();
        for (var i = 0; i + 1 < agent.Length; i++)
        {
            if (!byFirstTwo.TryGetValue(Key(agent, i), out var literals)) continue;
            foreach (var (text, users) in literals)
            {
                if (string.CompareOrdinal(agent, i, text, 0, text.Length) == 0) found.UnionWith(users);
            }
        }
        return new Candidates([.. found]);
    }

    private string? First(string agent, Candidates candidates, int from, int to, Func<AgentPattern, string, string?> match)
    {
        try
        {
            foreach (var i in candidates.Patterns)
            {
                if (i >= from && i < to && match(patterns[i], agent) is { } found) return found;
            }
        }
        catch (RegexMatchTimeoutException)
        {
            // No honest agent costs that much; nothing more is asked of this one.
        }
        return null;
    }

    private static int Key(string text, int at) => (text[at] << 16) | text[at + 1];

    internal readonly record struct Candidates(int[] Patterns);
}
