using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using Footfall.Explore;
using Footfall.Tests.Model;

namespace Footfall.Tests.Segments;

/// <summary>Random traffic with everything that makes a difference to a segment, and random questions about it.</summary>
internal static class SegmentTraffic
{
    public static readonly DateTimeOffset Epoch = RandomTraffic.Epoch;
    public static readonly DateOnly First = ReferenceModel.Day(Epoch);
    public static readonly string[] Properties = ["shop", "blog"];

    // Letters of which UTF-16 and code points disagree about the order, and pages that differ only behind the beginning that orders them.
    private static readonly string[] Paths =
        ["/", "/a", "/a?x=1", "/a#top", "/ab", "/b/c", "/\ue000", "/\ud83d\ude00", "/ümläut", $"/{new string('l', 120)}1", $"/{new string('l', 120)}2", $"/{new string('l', 120)}3"];

    private static readonly string[] Types = ["page_view", "page_view", "page_view", "page_view", "engagement", "form_submit", "signup", "click"];

    private static readonly string[] Props =
    [
        """{"plan":"pro","seats":3}""", """{"plan":"free","seats":null}""", """{"plan":"pro","price":19.90,"nested":{"b":[1,2.50,"x"],"a":true}}""",
        """{"price":"7","flag":false,"quote":"\"é\u0001\\"}""", """{"price":-0.0000005,"plan":""}""", """{"price":1e3,"list":[]}""", """{"price":"1e3","sparse":1}""",
    ];

    public static Guid Visitor(int visitor) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"visitor {visitor}")).AsSpan(0, 16));

    public static List<CapturedEvent> Events(Random random, int count, ref int arrivals)
    {
        List<CapturedEvent> events = [];
        var visitors = random.Next(1, 25);
        while (events.Count < count)
        {
            var visitor = random.Next(visitors);
            // Often around midnight, and on for a while; now and then for days.
            var at = random.Next(3) == 0 ? random.Next(1, 5) * 86_400_000_000L + random.Next(-1800, 600) * 1_000_000L : random.NextInt64(0, 5 * 86_400_000_000L);
            var steps = random.Next(40) == 0 ? 130 : random.Next(1, 7);
            var property = Properties[random.Next(5) == 0 ? 1 : 0];
            for (var i = 0; i < steps && events.Count < count; i++)
            {
                events.Add(Event(random, ++arrivals, visitor, property, at));
                at += steps > 100 ? 1_700_000_000 : random.Next(6) == 0 ? 0 : random.NextInt64(1, 1_790_000_000) / (random.Next(2) == 0 ? 1_000 : 1);
            }
        }
        random.Shuffle(System.Runtime.InteropServices.CollectionsMarshal.AsSpan(events));
        return events;
    }

    private static CapturedEvent Event(Random random, int arrival, int visitor, string property, long micros)
    {
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, arrival);
        var type = random.GetItems(Types, 1)[0];
        if (random.Next(3) > 0) micros -= micros % 1_000;   // most clocks tell milliseconds
        return new CapturedEvent
        {
            Id = new Guid(id, bigEndian: true),
            VisitorId = Visitor(visitor),
            VisitorKind = VisitorKind.AnonId,
            AnonId = $"anon-{visitor:0000}",
            PropertyId = property,
            EventType = type,
            Path = random.Next(12) == 0 ? null : random.GetItems(Paths, 1)[0],
            OccurredAt = Epoch.AddTicks(micros * TimeSpan.TicksPerMicrosecond),
            ReceivedAt = Epoch.AddDays(random.Next(60) == 0 ? 200 : 7),   // far too late: out of range
            ReferrerHost = Maybe(random, "www.google.com", "google.com", "r.example"),
            UtmSource = Maybe(random, "Newsletter", "newsletter", "ADS", "İstanbul"),
            UtmMedium = Maybe(random, "cpc", "email"),
            UtmCampaign = Maybe(random, "spring", "summer"),
            UtmTerm = Maybe(random, "shoes"),
            UtmContent = Maybe(random, "a", "b"),
            TrafficSource = (TrafficSource)(1 + random.Next(9)),
            DeviceType = random.Next(25) == 0 ? DeviceType.Bot : random.GetItems([DeviceType.Desktop, DeviceType.Mobile, DeviceType.Tablet, DeviceType.Unknown], 1)[0],
            Browser = Maybe(random, "Firefox", "Chrome"),
            Os = Maybe(random, "Linux", "iOS"),
            CountryCode = Maybe(random, "CA", "FR", "DE"),
            IsConversion = type is "form_submit" or "signup",
            EngagedMs = type == "engagement" ? random.Next(20_000) : 0,
            Props = random.Next(3) == 0 ? Encoding.UTF8.GetBytes(random.GetItems(Props, 1)[0]) : null,
        };
    }

    private static string? Maybe(Random random, params string[] values) => random.Next(2) == 0 ? null : random.GetItems(values, 1)[0];

    private static readonly Dimension[] Dimensions =
    [
        .. Enum.GetValues<DimensionKind>().Where(k => k != DimensionKind.Prop).Select(k => new Dimension(k)),
        .. new[] { "plan", "seats", "price", "nested", "flag", "quote", "list", "sparse", "nobody has it" }.Select(k => new Dimension(DimensionKind.Prop, k)),
        new(DimensionKind.Path), new(DimensionKind.Path), new(DimensionKind.Source), new(DimensionKind.EntryPath),
    ];

    private static readonly Metric[] Metrics =
        [.. Footfall.Explore.Metrics.All, Metric.Visitors, Metric.Sessions, Metric.PropSum("price"), Metric.PropSum("seats")];

    public static Query Question(Random random, Dictionary<Dimension, List<string?>> seen)
    {
        var from = First.AddDays(random.Next(-1, 6));
        var window = new DayRange(from, from.AddDays(random.Next(0, 7)));
        var metrics = random.GetItems(Metrics, random.Next(1, 5)).Distinct().ToList();
        var filters = Enumerable.Range(0, random.GetItems([0, 0, 1, 1, 2, 3], 1)[0]).Select(_ => Filter(random, seen)).ToList();
        var query = new Query(random.Next(4) == 0 ? "blog" : "shop", window, metrics, filters);
        return random.Next(5) switch
        {
            0 => query,
            1 => query with { Per = random.GetItems(Enum.GetValues<Interval>(), 1)[0] },
            _ => ByDimension(random, query, seen),
        };
    }

    private static Query ByDimension(Random random, Query query, Dictionary<Dimension, List<string?>> seen)
    {
        var by = random.GetItems([.. Dimensions.Where(d => d.IsGroup)], 1)[0];
        query = query with { By = by };
        return random.Next(4) == 0 ? query with { Only = random.GetItems(Values(seen, by), random.Next(1, 4)) } : query with { Limit = random.Next(1, 12) };
    }

    private static Filter Filter(Random random, Dictionary<Dimension, List<string?>> seen)
    {
        var dimension = random.GetItems(Dimensions, 1)[0];
        if (dimension.Kind == DimensionKind.Goal)
        {
            GoalMeaning[] goals = [new("g", "page_view", "/a"), new("g", "signup", null), new("g", "form_submit", "/*"), new("g", "click", "/b*"), new("g", "nothing", null)];
            return new Filter(dimension, random.GetItems([FilterOperator.Is, FilterOperator.IsNot], 1)[0], ["g"]) { Goals = random.GetItems(goals, random.Next(1, 3)) };
        }
        var op = random.GetItems(Enum.GetValues<FilterOperator>(), 1)[0];
        var values = Values(seen, dimension);
        if (op == FilterOperator.Matches) return new Filter(new Dimension(random.GetItems([DimensionKind.Path, DimensionKind.EntryPath, DimensionKind.ExitPath], 1)[0]), op, random.GetItems(["/", "/a", "/a*", "/*", "/ab", "/\ud83d\ude00*"], 1));
        if (op == FilterOperator.Contains) return new Filter(dimension, op, [values.OfType<string>().Where(v => v.Length > 0).ToArray() is { Length: > 0 } texts && random.GetItems(texts, 1)[0] is var v && random.Next(2) == 0 ? v[..1].Replace("\ud83d", "/", StringComparison.Ordinal) : "o"]);
        return new Filter(dimension, op, random.GetItems(values, random.Next(1, 4)));
    }

    private static string?[] Values(Dictionary<Dimension, List<string?>> seen, Dimension dimension) => [.. seen.GetValueOrDefault(dimension) ?? [], "nothing like it", null];

    public static string Text(Cell cell) => $"{cell.Key ?? "-"}: {string.Join(' ', cell.Values.Select(v => v is null ? "null" : v.Value.ToString("R", CultureInfo.InvariantCulture)))}";

    public static string Text(Query query) =>
        $"{query.PropertyId} {query.Window.From:MM-dd}..{query.Window.To:MM-dd} {string.Join(',', query.Metrics.Select(m => m.Name()))} by {query.By?.Name ?? query.Per?.ToString()} limit {query.Limit} only {(query.Only is null ? "" : string.Join('|', query.Only.Select(o => o ?? "none")))} after {query.After} where {string.Join("; ", query.Filters.Select(f => $"{f.Dimension.Name} {f.Operator} {string.Join('|', f.Values.Select(v => v ?? "none"))} {string.Join('|', f.Goals)}"))}";
}
