namespace Footfall.Capture;

/// <summary>An event on its way through <see cref="CapturePipeline"/>.</summary>
internal sealed class EventDraft(EventRequest request, Sender sender)
{
    public EventRequest Request { get; } = request;
    public Sender Sender { get; } = sender;
    public Property? Property { get; set; }
    public string? PropertyId => Property?.Id;

    /// <summary>The browser asked for it: no lasting id of the person is kept.</summary>
    public bool Anonymous { get; set; }

    public AgentFacts Agent { get; set; } = AgentFacts.None;
    public DeviceType DeviceType { get; set; }
    public VisitorKind VisitorKind { get; set; }
    public Guid VisitorId { get; set; }
    public byte[]? IpHash { get; set; }
    public PagePath Page { get; set; }
    public Referrer Referrer { get; set; }
    public CampaignTags Tags { get; set; }
    public TrafficSource TrafficSource { get; set; }
    public bool IsConversion { get; set; }
    public byte[]? Props { get; set; }
    public Guid? DedupeKey { get; set; }

    /// <summary>An account that the visitor opted out of, or that the property wants proven and is not, does not count.</summary>
    private bool IsNobody => Anonymous || Request.AccountId is null || !(Sender.IsServer || Property!.Proves(Request.AccountId, Request.AccountSignature));

    public CapturedEvent Build(Guid id) => new()
    {
        Id = id,
        VisitorId = VisitorId,
        VisitorKind = VisitorKind,
        AnonId = VisitorKind == VisitorKind.AnonId ? Request.AnonId : null,
        DedupeKey = DedupeKey,
        PropertyId = PropertyId!,
        EventType = Request.EventType,
        Path = Page.Path,
        OccurredAt = Request.Timestamp ?? Sender.ReceivedAt,
        ReceivedAt = Sender.ReceivedAt,
        IpHash = IpHash,
        UaHash = Agent.Hash,
        Referrer = Referrer.Url,
        ReferrerHost = Referrer.Host,
        UtmSource = Tags.Source,
        UtmMedium = Tags.Medium,
        UtmCampaign = Tags.Campaign,
        UtmTerm = Tags.Term,
        UtmContent = Tags.Content,
        TrafficSource = TrafficSource,
        DeviceType = DeviceType,
        Browser = Agent.Browser,
        Os = Agent.Os,
        CountryCode = Sender.Country,
        IsConversion = IsConversion,
        AccountId = IsNobody ? null : Request.AccountId,
        AccountUsername = IsNobody ? null : Request.AccountUsername,
        AccountDisplayName = IsNobody ? null : Request.AccountDisplayName,
        EntityType = Request.EntityType,
        EntityId = Request.EntityId,
        EngagedMs = Request.EngagedTimeMs ?? 0,
        Props = Props,
    };
}
