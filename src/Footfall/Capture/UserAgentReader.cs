using System.Collections.Concurrent;

namespace Footfall.Capture;

/// <summary>
/// Browser, system and device of a user agent, and whether it is a bot. The browsers' and crawlers' names come from the
/// data lists; the device type from rules of our own. What was read is remembered, so that a string is read once.
/// </summary>
internal sealed class UserAgentReader(PersonalHashes hashes)
{
    /// <summary>What lies behind is noise, or an attempt to keep the server busy.</summary>
    private const int MaxRead = 512;
    private const int MaxName = 64;
    private const int Generation = 10_000;

    private readonly Lazy<AgentPatterns> patterns = new(() => AgentPatterns.Load(DataLists.File("user-agents.json")));

    // Two generations: when the young one is full it becomes the old one, so that at most twice as many are kept and the used ones stay.
    private ConcurrentDictionary<string, AgentFacts> young = new();
    private ConcurrentDictionary<string, AgentFacts> old = new();
    private int youngCount;

    /// <summary>Loads the list, so that the first visitor need not wait for it.</summary>
    public void WarmUp() => _ = patterns.Value;

    public AgentFacts Read(string? userAgent)
    {
        if (string.IsNullOrWhiteSpace(userAgent)) return AgentFacts.None;
        if (userAgent.Length > MaxRead) return Decide(userAgent[..MaxRead], hashes.OfUserAgent(userAgent));
        if (young.TryGetValue(userAgent, out var known)) return known;
        if (!old.TryGetValue(userAgent, out known)) known = Decide(userAgent, hashes.OfUserAgent(userAgent));
        if (young.TryAdd(userAgent, known) && Interlocked.Increment(ref youngCount) == Generation)
        {
            old = young;
            young = new ConcurrentDictionary<string, AgentFacts>();
            Volatile.Write(ref youngCount, 0);
        }
        return known;
    }

    private AgentFacts Decide(string agent, byte[] hash)
    {
        var candidates = patterns.Value.CandidatesFor(agent);
        if (DeviceRules.IsProgram(agent)) return new AgentFacts(hash, DeviceType.Bot, null, null, IsProgram: true);
        if (DeviceRules.SaysBot(agent) || patterns.Value.IsCrawler(agent, candidates)) return new AgentFacts(hash, DeviceType.Bot, null, null);
        return new AgentFacts(hash, DeviceRules.DeviceOf(agent), Name(patterns.Value.Browser(agent, candidates)), Name(patterns.Value.System(agent, candidates)));
    }

    // Some patterns take a name from the agent itself, and thereby whatever a stranger writes there.
    private static string? Name(string? name)
    {
        if (string.IsNullOrWhiteSpace(name) || name.Length > MaxName) return null;
        foreach (var c in name)
        {
            if (char.IsControl(c) || char.IsSurrogate(c)) return null;
        }
        return name.Trim();
    }
}
