using System.Text.Json.Serialization;
using Footfall.Capture;

namespace Footfall.Leads;

/// <summary>What a form said of consent.</summary>
internal sealed record FormConsent(string? Status, string? Method, string? Basis, string? Purpose);

/// <summary>The answer of POST /v1/leads/capture.</summary>
/// <param name="MustConfirm">True where the property asks people to confirm by mail: until then nobody may write to them.</param>
internal sealed record LeadReply(Guid LeadId, bool MustConfirm)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>What is wrong with one field.</summary>
/// <param name="Code">See docs/api.md.</param>
internal sealed record LeadIssue(string Field, string Code, string Message);

/// <summary>The body of a refusal, in the form of every error of the API.</summary>
/// <param name="Parameter">The path part, query parameter or field at fault.</param>
/// <param name="Issues">Of a form: the fields at fault.</param>
internal sealed record LeadError(string Error, string Message, string? Parameter = null, IReadOnlyList<LeadIssue>? Issues = null)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => false;

    public static IReadOnlyList<LeadIssue>? Of(IReadOnlyList<CaptureIssue> issues) =>
        issues.Count == 0 ? null : [.. issues.Select(i => new LeadIssue(i.Field, i.Code, i.Message))];
}

internal sealed record LeadDone
{
    public bool Ok => true;
}

/// <summary>The answer of GET /v1/leads/form-token.</summary>
/// <param name="MinFillSeconds">A form that is sent sooner is turned away.</param>
internal sealed record FormTokenReply(string FormToken, int MinFillSeconds)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <summary>The answer of GET /v1/leads/{id}/consent.</summary>
/// <param name="MayBeMailed">Express, or implied and not expired.</param>
/// <param name="UnsubscribeUrl">Withdraws this lead's consent: for the mail's List-Unsubscribe header and its text.</param>
/// <param name="Confirmations">Requests to confirm, newest first.</param>
/// <param name="History">Oldest first: the lead's rows of the ledger.</param>
internal sealed record ConsentReply(
    Guid LeadId, string Status, bool MayBeMailed, string? Method, IReadOnlyList<string> Purposes, DateTimeOffset? ChangedAt, DateTimeOffset? ExpiresAt,
    string UnsubscribeUrl, IReadOnlyList<ConfirmationState> Confirmations, IReadOnlyList<ConsentEntry> History)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => true;
}

/// <param name="State">open, confirmed, expired, or void (consent was withdrawn meanwhile).</param>
/// <param name="SentAt">Null where it was not sent (yet).</param>
/// <param name="ConfirmUrl">Of an open one, where the server has no way to send it: pass it on to the person, and to nobody else.</param>
internal sealed record ConfirmationState(string State, string? Purpose, string PropertyId, DateTimeOffset RequestedAt, DateTimeOffset ExpiresAt, DateTimeOffset? SentAt, DateTimeOffset? ConfirmedAt, string? ConfirmUrl);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(string))]
[JsonSerializable(typeof(FormConsent))]
[JsonSerializable(typeof(LeadReply))]
[JsonSerializable(typeof(LeadError))]
[JsonSerializable(typeof(LeadDone))]
[JsonSerializable(typeof(FormTokenReply))]
[JsonSerializable(typeof(ConsentReply))]
[JsonSerializable(typeof(ConfirmationCall))]
[JsonSerializable(typeof(LetterCall))]
internal sealed partial class LeadsJson : JsonSerializerContext;
