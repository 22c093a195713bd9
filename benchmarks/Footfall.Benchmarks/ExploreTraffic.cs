namespace Footfall.Benchmarks;

/// <summary>A visit as the generator makes it. The same object comes again and again.</summary>
internal sealed class MadeSession
{
    public int Number { get; set; }
    public int Visitor { get; set; }
    public int Source { get; set; }
    public int Device { get; set; }
    public int Country { get; set; }

    /// <summary>Of the views, in milliseconds since the window's start, and their paths.</summary>
    public List<(long At, int Path)> Views { get; } = [];

    public long Start => Views[0].At;
    public long End => Views[^1].At;
}

/// <summary>
/// Seeded traffic: the same seed gives the same visits on every machine. Thirty days, on average 2.5 M visits of 1.2 M visitors with 10 M page views of
/// 500 paths (a few are much more popular), 6 sources, 3 devices and 40 countries; days are fuller in the afternoon. Times are whole milliseconds.
/// A visitor's visits are more than half an hour apart; those of the last evening end before midnight, others may go on into the next day.
/// </summary>
internal sealed class ExploreTraffic(double scale)
{
    public const int Days = 30;
    public const int PathCount = 500;
    public const long DayMs = 86_400_000;
    private const long GapMs = 30 * 60_000;
    private const ulong Seed = 0x5EED_0F_F007FA11;

    public static readonly DateOnly From = new(2026, 1, 5);   // a Monday
    public static readonly DateOnly To = From.AddDays(Days - 1);

    public static readonly string[] Paths = [.. Enumerable.Range(0, PathCount).Select(n => n == 0 ? "/" : $"/section-{n % 20:00}/page-{n:000}")];
    public static readonly string?[] Sources = [null, "google.com", "newsletter", "facebook.com", "bing.com", "partner.example"];
    public static readonly string[] Devices = ["desktop", "mobile", "tablet"];
    public static readonly string[] Countries = [.. "US DE GB FR CA IN BR JP NL ES IT AU PL SE MX CH BE AT DK NO FI PT IE CZ RO HU GR TR KR SG ZA AR CL CO NZ IL UA TH ID PH".Split(' ')];

    private readonly Draw draw = new(Seed);
    private readonly List<long> lastEnds = [];
    private readonly MadeSession session = new();
    private int sessions;

    /// <summary>Visitors so far; their numbers are below it.</summary>
    public int Visitors => lastEnds.Count;

    public int SessionsADay => (int)(2_500_000 * scale / Days);

    /// <summary>One day's visits in the order in which they begin. Days must be asked for one after the other.</summary>
    public IEnumerable<MadeSession> Day(int day)
    {
        const double newVisitors = 1.2 / 2.5;
        var starts = new long[SessionsADay];
        for (var i = 0; i < starts.Length; i++) starts[i] = (day * DayMs) + TimeOfDay(lastDay: day == Days - 1);
        Array.Sort(starts);
        foreach (var start in starts)
        {
            session.Visitor = draw.Next() < newVisitors ? -1 : Returning(start);
            if (session.Visitor < 0)
            {
                session.Visitor = lastEnds.Count;
                lastEnds.Add(0);
            }
            Fill(start, (day + 1) * DayMs, lastDay: day == Days - 1);
            lastEnds[session.Visitor] = session.End;
            session.Number = sessions++;
            yield return session;
        }
    }

    private void Fill(long start, long midnight, bool lastDay)
    {
        // What belongs to the visitor comes from the visitor's number.
        var own = new Draw(Seed ^ (0x9E37_79B9_7F4A_7C15UL * (ulong)(session.Visitor + 1)));
        session.Device = own.Next() switch { < 0.5 => 0, < 0.93 => 1, _ => 2 };
        session.Country = Skewed(own.Next(), Countries.Length);
        session.Source = draw.Next() switch { < 0.35 => 0, < 0.70 => 1, < 0.78 => 2, < 0.88 => 3, < 0.94 => 4, _ => 5 };
        session.Views.Clear();
        var views = draw.Next() < 0.4 ? 1 : 2 + Math.Min(60, (int)(Math.Log(1 - draw.Next()) / Math.Log(0.8)));
        var at = start;
        for (var i = 0; i < views; i++)
        {
            session.Views.Add((at, Skewed(draw.Next(), PathCount)));
            at += 3_000 + (long)(Math.Pow(draw.Next(), 3) * 400_000);
            if (lastDay && at >= midnight) break;
        }
    }

    private int Returning(long start)
    {
        for (var attempt = 0; attempt < 8 && lastEnds.Count > 0; attempt++)
        {
            var visitor = (int)(draw.Next() * lastEnds.Count);
            if (lastEnds[visitor] + GapMs < start) return visitor;
        }
        return -1;
    }

    // Fullest in the afternoon; nobody begins in the last minutes of the last day.
    private long TimeOfDay(bool lastDay)
    {
        while (true)
        {
            var at = draw.Next();
            var hour = 24 * at;
            if (draw.Next() > 0.55 + (0.45 * Math.Sin((hour - 9) / 24 * 2 * Math.PI)) || (lastDay && hour > 23.5)) continue;
            return (long)(at * DayMs);
        }
    }

    private static int Skewed(double at, int count) => (int)(count * at * at * at);

    /// <summary>SplitMix64: small, seeded, and the same everywhere.</summary>
    private sealed class Draw(ulong seed)
    {
        private ulong state = seed;

        public double Next()
        {
            state += 0x9E37_79B9_7F4A_7C15;
            var z = state;
            z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
            z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
            return ((z ^ (z >> 31)) >> 11) / (double)(1UL << 53);
        }
    }
}
