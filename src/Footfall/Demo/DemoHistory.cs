using Footfall.Capture;
using Footfall.Leads;

namespace Footfall.Demo;

/// <summary>
/// What happened at Halda, the made-up shop of the demo site, on a day: who came, from where, and what they did. A day is
/// the same whenever it is told, and its events have the same ids, so that telling it twice changes nothing.
/// </summary>
internal sealed class DemoHistory(DemoAddresses addresses, IVisitorKeys keys)
{
    public const string Host = "halda.example";
    public static readonly string[] Hosts = [Host];
    public static readonly (string Name, string EventType)[] Goals = [("basket", "add_to_cart")];

    /// <summary>Sunday first: people look around in the evening of working days and train at weekends.</summary>
    private static readonly double[] Rhythm = [0.82, 1.12, 1.08, 1.06, 1.0, 0.88, 0.74];

    /// <summary>Visits per hour of a day, UTC, of a hundred.</summary>
    private static readonly int[] Hours = [1, 1, 0, 0, 1, 2, 4, 5, 5, 5, 5, 5, 6, 5, 5, 5, 5, 6, 7, 8, 8, 6, 3, 2];

    private const int NewcomersPerDay = 110;
    private const int ReturnsFor = 70;       // days after which a visitor has moved on
    private const int Seed = 7_341;

    private static readonly (Source Source, int Share)[] Sources =
    [
        (new(null, null), 27),
        (new("https://www.google.com/", null), 26),
        (new("https://duckduckgo.com/", null), 4),
        (new("https://www.bing.com/", null), 4),
        (new("https://www.instagram.com/", null), 8),
        (new("https://www.reddit.com/r/kettlebell/", null), 4),
        (new("https://blog.example.org/home-training", null), 6),
        (new("https://www.strongathome.example/gear", null), 4),
        (new("https://www.google.com/", new("google", "cpc", "bells-search")), 10),
        (new("https://www.facebook.com/", new("facebook", "paid-social", "ten-minutes")), 5),
        (new(null, new("partner", "affiliate", "gear-guide")), 2),
    ];

    private static readonly Source Letter = new(null, new("letter", "email", "monthly-letter"));

    private sealed record Campaign(string Source, string Medium, string Name);

    private sealed record Source(string? Referrer, Campaign? Campaign);

    /// <summary>The day's events with their senders, oldest first within a visit.</summary>
    /// <param name="forms">Gets the forms that were sent on the day.</param>
    public IEnumerable<(EventRequest Request, Sender Sender)> Of(DateOnly day, List<(LeadRequest Request, Sender Sender)> forms)
    {
        var wave = 1 + (0.12 * Math.Sin(day.DayNumber * Math.Tau / 61));
        var newcomers = (int)(NewcomersPerDay * Rhythm[(int)day.DayOfWeek] * wave);
        for (var i = 0; i < newcomers; i++)
        {
            var visitor = DemoVisitor.Of(day, i, addresses);
            foreach (var e in Visit(visitor, day, i, first: true, forms)) yield return e;
        }
        for (var back = 1; back <= ReturnsFor; back++)
        {
            var joined = day.AddDays(-back);
            for (var i = 0; i < NewcomersPerDay; i++)
            {
                // Who keeps a diary comes every few days, and tires slowly; others come back once or twice.
                var random = new Random(DemoVisitor.HashCode(Seed + (day.DayNumber * 64) + back, i));
                var visitor = DemoVisitor.Of(joined, i, addresses);
                var chance = visitor.Account is null ? 0.03 / Math.Sqrt(back) : (0.13 * Math.Exp(-back / 18.0)) + 0.004;
                if (random.NextDouble() >= chance) continue;
                foreach (var e in Visit(visitor, day, (back * 1000) + i, first: false, forms)) yield return e;
            }
        }
    }

    private List<(EventRequest, Sender)> Visit(DemoVisitor visitor, DateOnly day, int number, bool first, List<(LeadRequest, Sender)> forms)
    {
        var random = new Random(DemoVisitor.HashCode(Seed + day.DayNumber, number));
        var source = SourceOf(visitor, day, first, random);
        var visit = new DemoVisit(visitor, day.ToDateTime(TimeOnly.MinValue, DateTimeKind.Utc).AddHours(HourOf(random)).AddSeconds(random.Next(3600)), $"demo-{day.DayNumber}-{number}", random, keys);
        var entry = EntryOf(source, first, visitor, random);
        // Most strangers look and leave, as they do everywhere; the bold headline keeps a few more. Who keeps a diary sometimes only peeks at it.
        var glance = random.NextDouble() < (visitor.Account is not null ? (first ? 0.1 : 0.18) : visitor.Variant == "bold" ? 0.66 : 0.74);
        visit.View(entry, source.Referrer, source.Campaign is { } c ? (c.Source, c.Medium, c.Name) : null, glance);
        if (entry == DemoVisit.Home && first) visit.Event("experiment_assigned", ("experimentId", "hero"), ("variantId", visitor.Variant));
        if (glance)
        {
            visit.Leave();
            return visit.Events;
        }
        if (visitor.Account is not null && (!first || random.NextDouble() < 0.6)) visit.KeepDiary(first, visitor.Variant == "bold" ? 0.66 : 0.58);
        else visit.LookAround();
        if (visit.Form is { } form) forms.Add(form);
        visit.Leave();
        return visit.Events;
    }

    private static Source SourceOf(DemoVisitor visitor, DateOnly day, bool first, Random random)
    {
        if (!first && visitor.Account is not null) return Sources[0].Source;
        if (!first && (day.Day <= 3 || random.NextDouble() < 0.2)) return Letter;       // the letter goes out on the first
        var roll = random.Next(100);
        foreach (var (source, share) in Sources)
        {
            roll -= share;
            if (roll < 0) return source;
        }
        return Sources[0].Source;
    }

    private static string EntryOf(Source source, bool first, DemoVisitor visitor, Random random)
    {
        if (!first && visitor.Account is not null) return DemoVisit.Diary;
        return source.Campaign?.Name switch
        {
            "bells-search" => "/bell.html",
            "ten-minutes" or "monthly-letter" => "/guide.html",
            _ => random.NextDouble() switch { < 0.55 => DemoVisit.Home, < 0.75 => "/guide.html", < 0.88 => "/bell.html", < 0.95 => "/mat.html", _ => "/rope.html" },
        };
    }

    private static int HourOf(Random random)
    {
        var roll = random.Next(100);
        for (var hour = 0; hour < Hours.Length; hour++)
        {
            roll -= Hours[hour];
            if (roll < 0) return hour;
        }
        return 20;
    }
}
