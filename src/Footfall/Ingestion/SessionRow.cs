using Footfall.Capture;

namespace Footfall.Ingestion;

/// <summary>A session as it is stored.</summary>
internal sealed record SessionRow
{
    /// <summary>A visit of one page that did nothing and was engaged for less is a bounce.</summary>
    private const long EngagedEnoughMs = 10_000;

    public required Guid VisitorId { get; init; }
    public required Guid Id { get; init; }
    public required string PropertyId { get; init; }
    public required DateTimeOffset StartedAt { get; init; }

    /// <summary>The last event so far.</summary>
    public required DateTimeOffset EndedAt { get; init; }

    public required Guid FirstEventId { get; init; }

    /// <summary>The first page view; null while there is none.</summary>
    public required PageView? Entry { get; init; }

    /// <summary>The last page view so far.</summary>
    public required PageView? Exit { get; init; }

    public required SessionOrigin Origin { get; init; }
    public required int PageViews { get; init; }
    public required int Events { get; init; }
    public required long EngagedMs { get; init; }
    public required bool HasConversion { get; init; }
    public required bool Sealed { get; init; }

    public bool IsBot => Origin.Device == Names.Of(DeviceType.Bot);

    public bool IsBounce => PageViews == 1 && !HasConversion && EngagedMs < EngagedEnoughMs;

    /// <summary>The UTC day of the exit where the session began on an earlier one.</summary>
    public DateOnly? LaterExitDay => Exit is { } exit && Day(exit.At) > Day(StartedAt) ? Day(exit.At) : null;

    public static DateOnly Day(DateTimeOffset at) => DateOnly.FromDateTime(at.UtcDateTime);
}

/// <summary>A page view that a session begins or ends with. Of several at one instant the id decides.</summary>
internal readonly record struct PageView(DateTimeOffset At, Guid EventId, string? Path)
{
    public bool IsBefore(in PageView other) => At != other.At ? At < other.At : EventId.CompareTo(other.EventId) < 0;
}

/// <summary>What a session's first event says of all of it. Source and device by the names that PostgreSQL knows.</summary>
internal sealed record SessionOrigin(
    string? Referrer, string? ReferrerHost,
    string? UtmSource, string? UtmMedium, string? UtmCampaign, string? UtmTerm, string? UtmContent,
    string Source, string Device, string? Browser, string? Os, string? Country)
{
    public static SessionOrigin Of(CapturedEvent e) => new(
        e.Referrer, e.ReferrerHost, e.UtmSource, e.UtmMedium, e.UtmCampaign, e.UtmTerm, e.UtmContent,
        Names.Of(e.TrafficSource), Names.Of(e.DeviceType), e.Browser, e.Os, e.CountryCode);
}
