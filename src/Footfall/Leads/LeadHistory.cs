namespace Footfall.Leads;

/// <summary>What is known of one lead, a page of it at a time, the newest first.</summary>
/// <param name="Visitors">All that are linked, the certain ones first.</param>
/// <param name="Before">Where the next page of the timeline begins: before this instant. Null on the last.</param>
internal sealed record LeadHistory(
    Lead Lead, bool IsFreeMail, string? FirstPage, IReadOnlyList<LeadVisitor> Visitors, IReadOnlyList<LeadMerge> Merges, IReadOnlyList<LeadMoment> Moments, DateTimeOffset? Before);

/// <summary>A visitor that is, or may be, the person.</summary>
/// <param name="Sources">How they came together: as in <c>link_source</c>.</param>
/// <param name="FirstSeenAt">Null where nothing of the visitor is left, or nothing has arrived.</param>
internal sealed record LeadVisitor(
    Guid Id, IReadOnlyList<string> Sources, float Confidence, DateTimeOffset LinkedAt, DateTimeOffset? FirstSeenAt, DateTimeOffset? LastSeenAt, string? Account, long Sessions);

/// <summary>Said to be the same person as another lead.</summary>
/// <param name="IsInto">This lead took the other's visitors; else the other took this one's.</param>
internal sealed record LeadMerge(Guid Id, Guid Other, string OtherAddress, bool IsInto, DateTimeOffset MergedAt, DateTimeOffset? UndoneAt);

/// <summary>One thing on the timeline: exactly one of its parts is there, or none where it is the first capture itself.</summary>
internal sealed record LeadMoment(DateTimeOffset At, ConsentEntry? Consent = null, LeadSubmission? Submission = null, LeadSession? Session = null);

/// <param name="Page">Without its query.</param>
/// <param name="Payload">JSON as the form sent it; null without any.</param>
internal sealed record LeadSubmission(Guid Id, string PropertyId, string FormName, string? Page, string ValidationStatus, string? Payload, string? Consent);

/// <param name="Steps">The first events of the visit, in their order.</param>
/// <param name="StepCount">How many there are in all.</param>
internal sealed record LeadSession(
    Guid Id, Guid VisitorId, string PropertyId, DateTimeOffset EndedAt, string TrafficSource, string? ReferrerHost, string? Campaign, string DeviceType, string? Browser, string? Os,
    string? CountryCode, int PageViews, long EngagedMs, bool HasConversion, IReadOnlyList<LeadStep> Steps, long StepCount);

internal sealed record LeadStep(DateTimeOffset At, string EventType, string? Path, bool IsConversion);
