using System.Buffers;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Ingestion;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Leads;

/// <summary>What became of a form that was taken.</summary>
/// <param name="IsNew">The address was not known before.</param>
/// <param name="MustConfirm">The property asks people to confirm by mail.</param>
internal sealed record LeadTaken(Guid LeadId, bool IsNew, bool MustConfirm);

/// <summary>
/// Makes a lead of a form, in one transaction: the lead, the submission, the change of consent, the links, and the event that
/// is on its way to the journal. All of it or nothing. Forms of one address follow each other, by the lock of the lead's row.
/// </summary>
internal sealed class LeadCapture(
    NpgsqlDataSource database, CapturePipeline pipeline, EventIds ids, IOptions<LeadsOptions> options, IOptions<CaptureOptions> captureOptions, IOptions<SessionsOptions> sessions, SubmissionRecorder recorder, ConfirmationSender confirmations)
{
    private const int Tries = 3;
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
        for (var i = 1; ; i++)
        {
            try
            {
                var taken = await StoreAsync(submission, cancellationToken);
                recorder.Wake();
                if (taken.MustConfirm) confirmations.Wake();
                return (taken, null);
            }
            catch (PostgresException x) when (i < Tries && x.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            {
                // Another transaction was in the way; nothing was stored.
            }
        }
    }

    private async Task<LeadTaken> StoreAsync(Submission s, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);      // taken back where the commit is not reached
        var (lead, doubleOptIn) = await UpsertAsync(connection, s, cancellationToken);
        var isNew = lead.Id == s.Id;
        var given = Given(s);
        var standing = isNew ? null : lead.Consent;

        // What a server says with a key of its own, it answers for.
        var mustConfirm = doubleOptIn && !s.IsServer && given.Status == ConsentStatus.Express && ConsentRules.Give(standing, given, s.At) is not null;
        var change = ConsentRules.Give(standing, mustConfirm ? given with { Status = ConsentStatus.Pending } : given, s.At);

        await using var batch = new NpgsqlBatch(connection);
        foreach (var command in LeadSql.Storing(s, lead.Id, sessions.Value.Gap)) batch.BatchCommands.Add(command);
        if (mustConfirm) batch.BatchCommands.Add(LeadSql.AskingToConfirm(lead.Id, given, s, TimeSpan.FromHours(options.ConfirmationHours), options.SendsMail));
        if (change is not null)
        {
            foreach (var command in LeadStore.Changing(lead.Id, change)) batch.BatchCommands.Add(command);
        }
        // With the rest rather than behind it: the ledger's end is locked until then, and every other form waits for it.
        batch.BatchCommands.Add(new NpgsqlBatchCommand("commit"));
        await batch.PrepareAsync(cancellationToken);
        await batch.ExecuteNonQueryAsync(cancellationToken);
        return new LeadTaken(lead.Id, isNew, doubleOptIn && !s.IsServer && given.Status == ConsentStatus.Express);
    }

    private async Task<(Lead Lead, bool DoubleOptIn)> UpsertAsync(NpgsqlConnection connection, Submission s, CancellationToken cancellationToken)
    {
        await using var batch = new NpgsqlBatch(connection);
        batch.BatchCommands.Add(LeadSql.DoubleOptIn(s.PropertyId));
        batch.BatchCommands.Add(LeadSql.Upserting(s, sessions.Value.Gap));
        await batch.PrepareAsync(cancellationToken);
        await using var rows = await batch.ExecuteReaderAsync(cancellationToken);
        var doubleOptIn = await rows.ReadAsync(cancellationToken) && rows.GetBoolean(0);
        await rows.NextResultAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return (LeadStore.Read(rows), doubleOptIn);
    }

    private bool WantsToBeUnknown(Sender sender) =>
        (sender.GlobalPrivacyControl && captureOptions.Value.Gpc != OptOutHandling.Ignore) || (sender.DoNotTrack && captureOptions.Value.Dnt != OptOutHandling.Ignore);

    private static ConsentGiven Given(Submission s) => new(
        s.Request.ConsentStatus ?? ConsentStatus.Pending, s.IsServer ? ConsentMethod.Api : ConsentMethod.Form, s.Request.ConsentBasis ?? ConsentBasis.Inquiry,
        s.Request.ConsentPurpose, s.Page, s.IpHash, s.PropertyId, s.At);

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
