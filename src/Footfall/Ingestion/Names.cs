using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>The names under which PostgreSQL knows the closed sets.</summary>
internal static class Names
{
    public static string Of(VisitorKind kind) => kind switch
    {
        VisitorKind.AnonId => "anon_id",
        VisitorKind.Cookieless => "cookieless",
        _ => throw new ArgumentOutOfRangeException(nameof(kind), kind, null),
    };

    public static string Of(TrafficSource source) => source switch
    {
        TrafficSource.Direct => "direct",
        TrafficSource.OrganicSearch => "organic_search",
        TrafficSource.PaidSearch => "paid_search",
        TrafficSource.Social => "social",
        TrafficSource.Email => "email",
        TrafficSource.Referral => "referral",
        TrafficSource.Campaign => "campaign",
        TrafficSource.Internal => "internal",
        TrafficSource.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(source), source, null),
    };

    public static string Of(DeviceType device) => device switch
    {
        DeviceType.Desktop => "desktop",
        DeviceType.Mobile => "mobile",
        DeviceType.Tablet => "tablet",
        DeviceType.Bot => "bot",
        DeviceType.Unknown => "unknown",
        _ => throw new ArgumentOutOfRangeException(nameof(device), device, null),
    };
}
