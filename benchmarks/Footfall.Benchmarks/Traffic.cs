using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;

namespace Footfall.Benchmarks;

/// <summary>Made-up traffic of one property, the same for the same seed: sessions of about four page views, one visitor in two comes back, skewed paths, 40 countries, six sources, web vitals on one view in four.</summary>
internal sealed class Traffic(int seed, string property, int visitors)
{
    private static readonly string[] Browsers = ["Chrome", "Safari", "Firefox", "Edge"];
    private static readonly string[] Systems = ["Windows", "macOS", "iOS", "Android", "Linux"];
    private static readonly TrafficSource[] Sources = [TrafficSource.Direct, TrafficSource.OrganicSearch, TrafficSource.Social, TrafficSource.Referral, TrafficSource.Email, TrafficSource.Campaign];

    private readonly Random random = new(seed);
    private readonly byte[] ids = new byte[16];

    /// <summary>Events in order of time, spread evenly over the span, as they would arrive.</summary>
    public IEnumerable<CapturedEvent> Between(DateTimeOffset from, DateTimeOffset to, int count)
    {
        var step = (to - from) / count;
        // Sessions under way; each gives an event now and then, so that visitors' events interleave as they do in life.
        var open = new List<OpenSession>();
        for (var i = 0; i < count; i++)
        {
            var at = from + step * i;
            at = new DateTimeOffset(at.UtcTicks / 10 * 10, TimeSpan.Zero);
            OpenSession session;
            if (open.Count < 64 || random.Next(4) == 0)
            {
                session = NewSession();
                open.Add(session);
            }
            else
            {
                var n = random.Next(open.Count);
                session = open[n];
                if (--session.Left == 0)
                {
                    open[n] = open[^1];
                    open.RemoveAt(open.Count - 1);
                }
            }
            yield return Event(session, at);
        }
    }

    private OpenSession NewSession()
    {
        var visitor = random.Next(visitors);
        return new OpenSession
        {
            Visitor = Id("visitor", visitor),
            AnonId = $"visitor-{visitor:00000000}",
            Source = Sources[random.Next(Sources.Length)],
            Device = (DeviceType)(1 + random.Next(3)),
            Country = random.Next(40),
            Browser = random.Next(Browsers.Length),
            Left = 1 + random.Next(6),
            Hash = SHA256.HashData(BitConverter.GetBytes(visitor)),
        };
    }

    private CapturedEvent Event(OpenSession s, DateTimeOffset at)
    {
        random.NextBytes(ids);
        var path = (int)(500 * Math.Pow(random.NextDouble(), 3));
        return new CapturedEvent
        {
            Id = Guid.CreateVersion7(at),
            VisitorId = s.Visitor,
            VisitorKind = VisitorKind.AnonId,
            AnonId = s.AnonId,
            DedupeKey = new Guid(ids),
            PropertyId = property,
            EventType = "page_view",
            Path = $"/section-{path % 20}/page-{path}",
            OccurredAt = at,
            ReceivedAt = at.AddMilliseconds(80),
            IpHash = s.Hash,
            UaHash = s.Hash,
            Referrer = s.Source == TrafficSource.Direct ? null : "https://www.example.com/somewhere",
            ReferrerHost = s.Source == TrafficSource.Direct ? null : "www.example.com",
            TrafficSource = s.Source,
            DeviceType = s.Device,
            Browser = Browsers[s.Browser],
            Os = Systems[s.Browser],
            CountryCode = $"{(char)('A' + s.Country % 26)}{(char)('A' + s.Country / 2 % 26)}",
            Props = random.Next(4) == 0 ? Encoding.UTF8.GetBytes($"{{\"ttfbMs\":{20 + random.Next(400)},\"lcpMs\":{400 + random.Next(3000)}}}") : "{\"plan\":\"free\"}"u8.ToArray(),
        };
    }

    private static Guid Id(string kind, int n) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"{kind} {n}")).AsSpan(0, 16));

    private sealed class OpenSession
    {
        public required Guid Visitor;
        public required string AnonId;
        public required TrafficSource Source;
        public required DeviceType Device;
        public required int Country;
        public required int Browser;
        public required int Left;
        public required byte[] Hash;
    }
}
