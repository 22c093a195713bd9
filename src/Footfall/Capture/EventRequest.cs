namespace Footfall.Capture;

/// <summary>One event as a client wrote it, read and within its limits, before anything is added. Absent, null and (but for ids) empty are all null.</summary>
internal sealed class EventRequest
{
    public string EventType { get; set; } = "";
    public string? AnonId { get; set; }
    public string? EventId { get; set; }
    public string? Path { get; set; }

    /// <summary>Whole microseconds, UTC.</summary>
    public DateTimeOffset? Timestamp { get; set; }

    public string? Referrer { get; set; }
    public string? Title { get; set; }
    public string? UtmSource { get; set; }
    public string? UtmMedium { get; set; }
    public string? UtmCampaign { get; set; }
    public string? UtmTerm { get; set; }
    public string? UtmContent { get; set; }
    public string? AccountId { get; set; }

    /// <summary>HMAC-SHA256 of the account's id under the property's account secret, in hexadecimal.</summary>
    public string? AccountSignature { get; set; }

    public string? AccountUsername { get; set; }
    public string? AccountDisplayName { get; set; }
    public string? EntityType { get; set; }
    public string? EntityId { get; set; }

    /// <summary>The members of the client's props, each key once, in UTF-8 JSON; null when there are none.</summary>
    public ClientProps? Props { get; set; }

    public string? PropertyId { get; set; }
    public DeviceType? DeviceType { get; set; }
    public bool IsConversion { get; set; }

    /// <summary>0 to 86,400,000.</summary>
    public int? EngagedTimeMs { get; set; }

    /// <summary>0 to 100.</summary>
    public int? ScrollDepthPercent { get; set; }

    /// <summary>0 to 86,400,000.</summary>
    public int? FcpMs { get; set; }

    public int? LcpMs { get; set; }
    public int? InpMs { get; set; }
    public int? TtfbMs { get; set; }

    /// <summary>0 to 1,000.</summary>
    public double? ClsScore { get; set; }
}
