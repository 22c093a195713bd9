using System.Net;

namespace Footfall.Demo;

/// <summary>A made-up person: the same one whenever their number comes up.</summary>
/// <param name="Joined">The day of the first visit.</param>
/// <param name="Account">Null for who only looks around; else keeps the training diary.</param>
internal sealed record DemoVisitor(string AnonId, DateOnly Joined, IPAddress Address, string UserAgent, string? Account, string? Name, string Variant, string Email)
{
    private static readonly (string Agent, int Share)[] Agents =
    [
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36", 30),
        ("Mozilla/5.0 (iPhone; CPU iPhone OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", 24),
        ("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Mobile Safari/537.36", 20),
        ("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Safari/605.1.15", 9),
        ("Mozilla/5.0 (X11; Linux x86_64; rv:144.0) Gecko/20100101 Firefox/144.0", 5),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64; rv:144.0) Gecko/20100101 Firefox/144.0", 4),
        ("Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/141.0.0.0 Safari/537.36 Edg/141.0.0.0", 4),
        ("Mozilla/5.0 (iPad; CPU OS 18_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.6 Mobile/15E148 Safari/604.1", 3),
        ("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", 1),
    ];

    private static readonly string[] Domains = ["example.com", "example.com", "example.net", "example.org"];

    private static readonly string[] Names = ["Ada", "Björn", "Chiara", "Davide", "Esra", "Femke", "Goran", "Hanna", "Idris", "Jonna", "Kai", "Lotte", "Mats", "Noor", "Oskar", "Paula"];

    /// <summary>The <paramref name="index"/>th newcomer of a day.</summary>
    public static DemoVisitor Of(DateOnly joined, int index, DemoAddresses addresses)
    {
        var random = new Random(HashCode(joined.DayNumber, index));
        var keepsDiary = random.NextDouble() < 0.22;
        var name = Names[random.Next(Names.Length)];
        return new DemoVisitor(
            $"demo-visitor-{joined.DayNumber}-{index}",
            joined,
            addresses.Pick(random),
            Agent(random),
            keepsDiary ? $"demo-{joined.DayNumber}-{index}" : null,
            keepsDiary ? name : null,
            random.Next(2) == 0 ? "calm" : "bold",
            // Domains kept for examples (RFC 2606): nobody's mailbox.
            $"{name.ToLowerInvariant().Replace("ö", "oe", StringComparison.Ordinal)}.{joined.DayNumber % 1000}{index}@{Domains[random.Next(Domains.Length)]}");
    }

    /// <summary>The same on every machine and run, unlike the framework's.</summary>
    public static int HashCode(int a, int b)
    {
        var h = (uint)a * 0x9E37_79B1u ^ (uint)b * 0x85EB_CA77u;
        h = (h ^ h >> 15) * 0x2C1B_3C6Du;
        return (int)((h ^ h >> 13) & 0x7FFF_FFFF);
    }

    private static string Agent(Random random)
    {
        var roll = random.Next(100);
        foreach (var (agent, share) in Agents)
        {
            roll -= share;
            if (roll < 0) return agent;
        }
        return Agents[0].Agent;
    }
}
