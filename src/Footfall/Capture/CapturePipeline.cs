using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>What became of one event: taken, or dropped with a reason.</summary>
internal readonly record struct CaptureOutcome(CapturedEvent? Event, DropReason? Dropped, string PropertyId);

/// <summary>
/// What happens to a valid event between the wire and the journal, in this order. A step adds what it knows, or drops the
/// event with a reason. It waits for nothing: all is decided from memory. Imports run through it like live events.
/// </summary>
internal sealed class CapturePipeline(
    IOptions<CaptureOptions> options,
    PropertyRegistry properties,
    PersonalHashes hashes,
    UserAgentReader agents,
    Countries countries,
    EventIds ids)
{
    private delegate DropReason? Step(EventDraft draft);

    private readonly CaptureOptions options = options.Value;

    // Bots are turned away before a visitor is made of them; the property comes first, because every outcome is counted for one.
    private Step[] Steps => field ??= [Property, OptOut, Agent, Visitor, Address, Country, Source, Conversion, Props, Duplicates];

    public CaptureOutcome Run(EventRequest request, Sender sender)
    {
        var draft = new EventDraft(request, sender);
        foreach (var step in Steps)
        {
            if (step(draft) is { } reason) return new CaptureOutcome(null, reason, draft.PropertyId ?? options.DefaultPropertyId);
        }
        return new CaptureOutcome(draft.Build(ids.Next(sender.ReceivedAt)), null, draft.PropertyId!);
    }

    private DropReason? Property(EventDraft draft)
    {
        if (properties.Admit(draft.Request.PropertyId ?? options.DefaultPropertyId) is not { } property) return DropReason.PropertyLimit;
        draft.Property = property;
        return null;
    }

    private DropReason? OptOut(EventDraft draft)
    {
        var gpc = draft.Sender.GlobalPrivacyControl ? options.Gpc : OptOutHandling.Ignore;
        var dnt = draft.Sender.DoNotTrack ? options.Dnt : OptOutHandling.Ignore;
        if (gpc == OptOutHandling.Drop || dnt == OptOutHandling.Drop) return DropReason.OptedOut;
        draft.Anonymous = gpc == OptOutHandling.Cookieless || dnt == OptOutHandling.Cookieless;
        return null;
    }

    private DropReason? Agent(EventDraft draft)
    {
        var agent = draft.Sender.Agent ??= agents.Read(draft.Sender.UserAgent);
        draft.Agent = agent;
        var tellsNothing = agent.DeviceType == DeviceType.Unknown || (agent.IsProgram && draft.Sender.CalledApi);
        draft.DeviceType = tellsNothing ? draft.Request.DeviceType ?? DeviceType.Unknown : agent.DeviceType;
        return draft.DeviceType == DeviceType.Bot && options.Bots == BotHandling.Drop ? DropReason.Bot : null;
    }

    private DropReason? Visitor(EventDraft draft)
    {
        var (request, sender) = (draft.Request, draft.Sender);
        if (request.AnonId is not null && !draft.Anonymous)
        {
            draft.VisitorKind = VisitorKind.AnonId;
            draft.VisitorId = VisitorIds.OfAnonId(request.AnonId);
        }
        else
        {
            draft.VisitorKind = VisitorKind.Cookieless;
            draft.VisitorId = VisitorIds.Cookieless(sender.Keys.For(sender.Day), sender.Address, sender.UserAgent, draft.PropertyId!, sender.Day);
        }
        return null;
    }

    private DropReason? Address(EventDraft draft)
    {
        if (draft.Sender.Address is { } address) draft.IpHash = draft.Sender.AddressHash ??= hashes.OfAddress(address);
        return null;
    }

    private DropReason? Country(EventDraft draft)
    {
        var sender = draft.Sender;
        if (!sender.CountryKnown)
        {
            sender.Country = sender.Address is { } address ? countries.Find(address) : null;
            sender.CountryKnown = true;
        }
        return null;
    }

    private DropReason? Source(EventDraft draft)
    {
        var request = draft.Request;
        draft.Page = PagePath.Read(request.Path);
        draft.Referrer = Referrer.Read(request.Referrer);
        var tags = draft.Tags = CampaignTags.Of(request, draft.Page);
        draft.TrafficSource = TrafficSources.Decide(tags, draft.Page.ClickId, draft.Referrer, draft.Property!, draft.Sender.PageHost);
        return null;
    }

    private DropReason? Conversion(EventDraft draft)
    {
        var request = draft.Request;
        draft.IsConversion = request.IsConversion || request.EventType == "form_submit" || draft.Property!.IsGoal(request.EventType, draft.Page.Path);
        return null;
    }

    private DropReason? Props(EventDraft draft)
    {
        draft.Props = PropsWriter.Write(draft.Request);
        return null;
    }

    private DropReason? Duplicates(EventDraft draft)
    {
        var request = draft.Request;
        draft.DedupeKey = request switch
        {
            { EventId: { } id } => VisitorIds.DedupeKeyOfEventId(id),
            { Timestamp: { } at } => VisitorIds.DedupeKeyOfContent(draft.VisitorId, request.EventType, draft.Page.Path, at, draft.Props),
            _ => null,
        };
        return null;
    }
}
