namespace Footfall.Capture;

/// <summary>One event as Capture hands it over: validated, enriched, without a raw address or user agent. All that later rooms know of the request is in here.</summary>
public sealed record CapturedEvent
{
    /// <summary>Unique and ordered by arrival (UUID version 7 of <see cref="ReceivedAt"/>); breaks ties between events of the same instant.</summary>
    public required Guid Id { get; init; }

    /// <summary>Hash of the anon id, or of address, user agent, property and day under that day's key. See <see cref="VisitorKind"/>.</summary>
    public required Guid VisitorId { get; init; }

    public required VisitorKind VisitorKind { get; init; }

    /// <summary>8 to 128 characters; null for a cookieless visitor.</summary>
    public string? AnonId { get; init; }

    /// <summary>128-bit hash of the client's eventId, or of visitor, type, path, timestamp and props when the client gave a timestamp; null when it gave neither.</summary>
    public Guid? DedupeKey { get; init; }

    public required string PropertyId { get; init; }

    /// <summary>1 to 64 characters.</summary>
    public required string EventType { get; init; }

    /// <summary>At most 2,048 characters; null when the client named none.</summary>
    public string? Path { get; init; }

    /// <summary>The client's time, else <see cref="ReceivedAt"/>; whole microseconds, UTC.</summary>
    public required DateTimeOffset OccurredAt { get; init; }

    /// <summary>The server's time; whole microseconds, UTC.</summary>
    public required DateTimeOffset ReceivedAt { get; init; }

    /// <summary>HMAC-SHA256(address, pepper), 32 bytes; null where there is no address.</summary>
    public byte[]? IpHash { get; init; }

    /// <summary>HMAC-SHA256(user agent, pepper), 32 bytes; null where there is no user agent.</summary>
    public byte[]? UaHash { get; init; }

    /// <summary>Scheme, host and path of the referring page; its query is never kept.</summary>
    public string? Referrer { get; init; }

    public string? ReferrerHost { get; init; }
    public string? UtmSource { get; init; }
    public string? UtmMedium { get; init; }
    public string? UtmCampaign { get; init; }
    public string? UtmTerm { get; init; }
    public string? UtmContent { get; init; }
    public required TrafficSource TrafficSource { get; init; }
    public required DeviceType DeviceType { get; init; }
    public string? Browser { get; init; }
    public string? Os { get; init; }

    /// <summary>ISO 3166-1 alpha-2, upper case.</summary>
    public string? CountryCode { get; init; }

    /// <summary>Flagged so by the client, a form_submit, or one of the property's goals.</summary>
    public bool IsConversion { get; init; }

    public string? AccountId { get; init; }
    public string? AccountUsername { get; init; }
    public string? AccountDisplayName { get; init; }
    public string? EntityType { get; init; }
    public string? EntityId { get; init; }

    /// <summary>0 to 86,400,000; the same value as in <see cref="Props"/>, kept apart because sessions sum it.</summary>
    public int EngagedMs { get; init; }

    /// <summary>UTF-8 JSON object: the client's props plus web vitals, engagement, title; null when empty.</summary>
    public byte[]? Props { get; init; }

    /// <summary>Later than the server's clock allows (5 min) or older than 180 days before it arrived: stored, but counted by no rollup.</summary>
    public bool IsOutOfRange => OccurredAt > ReceivedAt + TimeSpan.FromMinutes(5) || OccurredAt < ReceivedAt - TimeSpan.FromDays(180);
}

/// <summary>How a visitor is known. The number is stored in the journal and in PostgreSQL.</summary>
public enum VisitorKind : byte
{
    /// <summary>By the anon id that the browser keeps.</summary>
    AnonId = 1,

    /// <summary>By a keyed hash that only holds for one UTC day.</summary>
    Cookieless = 2,
}

/// <summary>Where a session came from; rules in docs/definitions.md. Stored in the journal by number, in PostgreSQL by its snake-case name.</summary>
public enum TrafficSource : byte
{
    Direct = 1,
    OrganicSearch,
    PaidSearch,
    Social,
    Email,
    Referral,
    Campaign,
    Internal,
    Unknown,
}

/// <summary>Stored in the journal by number, in PostgreSQL by its lower-case name.</summary>
public enum DeviceType : byte
{
    Desktop = 1,
    Mobile,
    Tablet,
    Bot,
    Unknown,
}
