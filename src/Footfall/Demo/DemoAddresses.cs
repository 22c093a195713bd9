using System.Net;
using Footfall.Capture;

namespace Footfall.Demo;

/// <summary>Addresses of the countries that the made-up visitors come from, found by asking the country database about random ones. Only their hashes are stored.</summary>
internal sealed class DemoAddresses
{
    private const int Seed = 20_260_101;
    private const int PerCountry = 400;
    private const int Attempts = 400_000;

    /// <summary>Country and its share of visitors, in percent.</summary>
    private static readonly (string Country, int Share)[] Shares =
        [("DE", 30), ("US", 16), ("GB", 10), ("FR", 8), ("NL", 7), ("AT", 6), ("CH", 5), ("SE", 4), ("PL", 4), ("CA", 4), ("AU", 2), ("BR", 2), ("IN", 1), ("JP", 1)];

    private readonly Dictionary<string, List<IPAddress>> found = Shares.ToDictionary(s => s.Country, _ => new List<IPAddress>(), StringComparer.Ordinal);

    public DemoAddresses(Countries countries)
    {
        var random = new Random(Seed);
        var bytes = new byte[4];
        var missing = Shares.Length;
        for (var i = 0; i < Attempts && missing > 0; i++)
        {
            random.NextBytes(bytes);
            bytes[0] = (byte)(1 + (bytes[0] % 223));      // unicast
            var address = new IPAddress(bytes);
            if (countries.Find(address) is not { } country || !found.TryGetValue(country, out var list) || list.Count == PerCountry) continue;
            list.Add(address);
            if (list.Count == PerCountry) missing--;
        }
    }

    /// <summary>An address by chance, in a country by its share; of no country where the database knows none there.</summary>
    public IPAddress Pick(Random random)
    {
        var roll = random.Next(100);
        foreach (var (country, share) in Shares)
        {
            roll -= share;
            if (roll < 0) return found[country] is { Count: > 0 } list ? list[random.Next(list.Count)] : Nowhere(random);
        }
        return Nowhere(random);
    }

    // The block kept for documentation (RFC 5737).
    private static IPAddress Nowhere(Random random) => new([203, 0, 113, (byte)random.Next(1, 255)]);
}
