using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using FsCheck;
using FsCheck.Fluent;

namespace Footfall.Tests.Model;

/// <summary>An event as the generator picks it: small numbers, so that a failing case shrinks to something one can read.</summary>
internal sealed record PickedEvent(int Visitor, int Property, int Second, int Type, int Key, int Oddity);

/// <summary>Random traffic: few visitors, so that their events meet; times that fall often on the edges of the gap and of the day.</summary>
internal static class RandomTraffic
{
    public static readonly DateTimeOffset Epoch = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);
    public static readonly DateTimeOffset Received = Epoch.AddDays(5);
    public static readonly string[] Properties = ["shop", "blog"];
    private static readonly string[] Types = ["page_view", "page_view", "page_view", "engagement", "form_start", "form_submit", "signup"];

    private static readonly Gen<int> Second =
        Gen.OneOf(
            Gen.Choose(0, 4 * 86_400),
            // on the gap, to the second, around a few anchors; and around midnight
            from anchor in Gen.Choose(0, 7)
            from step in Gen.Elements(0, 1, 599, 1799, 1800, 1801, 3600, 5400)
            select anchor * 43_200 + step,
            from day in Gen.Choose(1, 4)
            from around in Gen.Choose(-2000, 2000)
            select Math.Clamp(day * 86_400 + around, 0, 4 * 86_400));

    private static readonly Gen<PickedEvent> Event =
        from visitor in Gen.Elements(0, 0, 1, 1, 2, 3, 4)
        from property in Gen.Elements(0, 0, 1)
        from second in Second
        from type in Gen.Choose(0, Types.Length - 1)
        from key in Gen.Choose(0, 60)
        from oddity in Gen.Choose(0, 19)
        select new PickedEvent(visitor, property, second, type, key, oddity);

    /// <summary>Arrivals cut into batches.</summary>
    public static Arbitrary<List<List<PickedEvent>>> Batches() =>
        Arb.From(
            Event.ListOf().Select(l => l.ToList()).ListOf().Select(b => b.ToList()),
            batches => batches.Count == 0 ? [] : Smaller(batches));

    public static Guid VisitorId(int visitor) => new(SHA256.HashData(Encoding.UTF8.GetBytes($"visitor {visitor}")).AsSpan(0, 16));

    public static List<CapturedEvent> Build(List<PickedEvent> batch, ref int arrival)
    {
        List<CapturedEvent> events = [];
        foreach (var p in batch) events.Add(Build(p, arrival++));
        return events;
    }

    private static CapturedEvent Build(PickedEvent p, int arrival)
    {
        // Oddities: 0 a bot, 1 far too old, 2 from the future, 3 without a dedupe key, 4 arrived on the day before; the others are plain.
        var received = p.Oddity == 4 ? Received.AddHours(-20) : Received;
        var occurred = p.Oddity switch
        {
            1 => Epoch.AddDays(-181).AddSeconds(p.Second),
            2 => received.AddMinutes(6).AddSeconds(p.Second),
            _ => Epoch.AddSeconds(p.Second),
        };
        var type = Types[p.Type];
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, arrival + 1);
        return new CapturedEvent
        {
            Id = new Guid(id, bigEndian: true),
            VisitorId = VisitorId(p.Visitor),
            VisitorKind = p.Visitor == 4 ? VisitorKind.Cookieless : VisitorKind.AnonId,
            AnonId = p.Visitor == 4 ? null : $"anon-000{p.Visitor}",
            // Half of the keys are the arrival's own, the others meet again.
            DedupeKey = p.Oddity == 3 ? null : p.Key > 30 ? new Guid(id, bigEndian: true) : new Guid(p.Key + 1_000_000, 0, 0, new byte[8]),
            PropertyId = Properties[p.Property],
            EventType = type,
            Path = $"/p{p.Key % 5}",
            OccurredAt = occurred,
            ReceivedAt = received,
            IpHash = [(byte)(p.Key % 3)],
            UaHash = [(byte)(p.Key % 2)],
            Referrer = p.Key % 4 == 0 ? null : $"https://r{p.Key % 4}.example/",
            ReferrerHost = p.Key % 4 == 0 ? null : $"r{p.Key % 4}.example",
            TrafficSource = (TrafficSource)(1 + p.Key % 9),
            DeviceType = p.Oddity == 0 ? DeviceType.Bot : (DeviceType)(1 + p.Key % 3),
            Browser = $"b{p.Key % 3}",
            CountryCode = p.Key % 2 == 0 ? "CA" : "FR",
            IsConversion = type is "form_submit" or "signup",
            EngagedMs = type == "engagement" ? p.Key * 400 : 0,
            Props = p.Key % 7 == 0 ? Encoding.UTF8.GetBytes($"{{\"ttfbMs\":{p.Key * 3}}}") : null,
        };
    }

    private static IEnumerable<List<List<PickedEvent>>> Smaller(List<List<PickedEvent>> batches)
    {
        for (var i = 0; i < batches.Count; i++) yield return [.. batches.Where((_, n) => n != i)];
        for (var i = 0; i < batches.Count; i++)
        {
            for (var j = 0; j < batches[i].Count; j++)
            {
                var (b, e) = (i, j);
                yield return [.. batches.Select((batch, n) => n == b ? batch.Where((_, m) => m != e).ToList() : batch)];
            }
        }
        for (var i = 0; i + 1 < batches.Count; i++)
        {
            var at = i;
            yield return [.. batches[..at], [.. batches[at], .. batches[at + 1]], .. batches[(at + 2)..]];
        }
    }
}
