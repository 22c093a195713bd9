using System.Buffers;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>What became of a form that was taken.</summary>
/// <param name="IsNew">The address was not known before.</param>
/// <param name="MustConfirm">The property asks people to confirm by mail.</param>
internal sealed record LeadTaken(Guid LeadId, bool IsNew, bool MustConfirm);

/// <summary>Makes a lead of a form: reads out of the request what is stored, and has it written.</summary>
internal sealed class LeadCapture(CapturePipeline pipeline, EventIds ids, IOptions<LeadsOptions> options, IOptions<CaptureOptions> captureOptions, LeadWriter writer, SubmissionRecorder recorder, ConfirmationSender confirmations)
{
    private readonly LeadsOptions options = options.Value;

    /// <summary>The lead, or why there is none. Throws what the database throws, having stored nothing.</summary>
    /// <param name="isServer">A site's server says what a person told it: the request's address and browser are not the person's.</param>
    /// <param name="mailHostUnknown">DNS did not tell whether the domain takes mail.</param>
    public async Task<(LeadTaken? Taken, LeadRejection? Rejection)> TakeAsync(
        LeadRequest request, EmailAddress address, Sender sender, bool isServer, bool mailHostUnknown, CancellationToken cancellationToken)
    {
        var submissionId = ids.Next(sender.ReceivedAt);
        var outcome = pipeline.Run(EventOf(request, submissionId), sender);
        switch (outcome.Dropped)
        {
            case DropReason.PropertyLimit: return (null, LeadRejection.PropertyLimit);
            case DropReason.Bot when !isServer: return (null, LeadRejection.Bot);
        }
        // Who wants not to be counted may still write to us: then there is a lead, and no event.
        var e = isServer && request.AnonId is null ? null : outcome.Event;
        var submission = new Submission(
            submissionId, outcome.PropertyId, request, address, e, PageOf(request, sender), isServer,
            e is null ? null : isServer ? null : e.IpHash, e is null || isServer ? null : e.UaHash, sender.ReceivedAt,
            mailHostUnknown ? "mail_host_unknown" : "valid", options.HeuristicLinks && !WantsToBeUnknown(sender));
        var taken = await writer.WriteAsync(submission, cancellationToken);
        recorder.Wake();
        if (taken.MustConfirm) confirmations.Wake();
        return (taken, null);
    }

    private bool WantsToBeUnknown(Sender sender) =>
        (sender.GlobalPrivacyControl && captureOptions.Value.Gpc != OptOutHandling.Ignore) || (sender.DoNotTrack && captureOptions.Value.Dnt != OptOutHandling.Ignore);

    /// <summary>The event by which funnels and conversions see the submit. The tracker reports it too, under the same id: it counts once.</summary>
    private static EventRequest EventOf(LeadRequest r, Guid submissionId) => new()
    {
        EventType = "form_submit",
        EventId = r.EventId ?? $"lead-{submissionId:N}",
        AnonId = r.AnonId,
        PropertyId = r.PropertyId,
        Path = r.Path,
        UtmSource = r.UtmSource,
        UtmMedium = r.UtmMedium,
        UtmCampaign = r.UtmCampaign,
        UtmTerm = r.UtmTerm,
        UtmContent = r.UtmContent,
        Props = r.FormName is { } form ? new ClientProps(Encoding.UTF8.GetBytes($"\"form\":{JsonSerializer.Serialize(form, LeadsJson.Default.String)}"), null) : null,
    };

    /// <summary>Host and path of the page that the form stood on, as far as it is known; never its query.</summary>
    private static string? PageOf(LeadRequest request, Sender sender)
    {
        var path = PagePath.Read(request.Path).Path;
        if (path is not null)
        {
            var end = path.AsSpan().IndexOfAny('?', '#');
            if (end >= 0) path = path[..end];
        }
        return sender.PageHost is { } host ? host + path : path;
    }
}

/// <summary>A form on its way into the database.</summary>
/// <param name="Id">Of the submission; also the lead's, where it is new.</param>
/// <param name="Event">Null where the person is not to be counted.</param>
/// <param name="LooksForLikely">Whether visitors who are likely the same person are linked too.</param>
internal sealed record Submission(
    Guid Id, string PropertyId, LeadRequest Request, EmailAddress Address, CapturedEvent? Event, string? Page, bool IsServer,
    byte[]? IpHash, byte[]? UaHash, DateTimeOffset At, string ValidationStatus, bool LooksForLikely)
{
    /// <summary>The visitor who is known by an id that is this person's own.</summary>
    public Guid? OwnVisitor => Event is { VisitorKind: VisitorKind.AnonId } e ? e.VisitorId : null;

    /// <summary>UTF-8 JSON; null when the form had no further fields.</summary>
    public string? Payload
    {
        get
        {
            if (Request.Payload is not { } payload) return null;
            // Capture keeps a title apart, which in a form is a field like others.
            var title = payload.Title is { } t ? "\"title\":" + Encoding.UTF8.GetString(t) : "";
            var members = Encoding.UTF8.GetString(payload.Members);
            return "{" + title + (title.Length > 0 && members.Length > 0 ? "," : "") + members + "}";
        }
    }

    /// <summary>What the form said of consent, as it said it: the evidence beside the ledger.</summary>
    public string? Consent => Request.ConsentStatus is null && Request.ConsentMethod is null && Request.ConsentPurpose is null
        ? null
        : JsonSerializer.Serialize(new FormConsent(Request.ConsentStatus?.Text(), Request.ConsentMethod, Request.ConsentBasis?.Text(), Request.ConsentPurpose), LeadsJson.Default.FormConsent);

    /// <summary>The journal record of the event; empty where there is none.</summary>
    public byte[] Record
    {
        get
        {
            if (Event is null) return [];
            var record = new ArrayBufferWriter<byte>(512);
            CaptureRecord.WriteEvents(record, [Event]);
            return record.WrittenSpan.ToArray();
        }
    }
}
