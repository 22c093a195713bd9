using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>What the endpoints for admins have in common: bodies, and refusals that repeat nothing of what was sent.</summary>
internal static class LeadAdminAnswers
{
    private const int MaxBodyBytes = 64 * 1024;

    /// <summary>Scheme and host that links begin with.</summary>
    public static string Server(HttpContext context)
    {
        var configured = context.RequestServices.GetRequiredService<IOptions<LeadsOptions>>().Value.PublicUrl;
        return string.IsNullOrEmpty(configured) ? $"{context.Request.Scheme}://{context.Request.Host}" : configured.TrimEnd('/');
    }

    public static IResult Invalid(string field, string message) => LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "validation_failed", message, field);

    public static IResult LeadNotFound(string parameter = "leadId") =>
        LeadAnswers.Refuse(StatusCodes.Status404NotFound, "lead_not_found", "There is no lead of this id or address. GET /v1/leads lists those there are.", parameter);

    /// <summary>The body, or why it cannot be read. An empty one is an empty object.</summary>
    public static async Task<(T? Body, IResult? Refusal)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        if (!context.Request.HasJsonContentType()) return (null, LeadAnswers.Refuse(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Send application/json."));
        if (context.Request.ContentLength > MaxBodyBytes) return (null, TooLarge());
        using var read = new MemoryStream();
        var buffer = new byte[8192];
        for (int n; (n = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            if (read.Length + n > MaxBodyBytes) return (null, TooLarge());
            read.Write(buffer, 0, n);
        }
        try
        {
            return JsonSerializer.Deserialize(read.GetBuffer().AsSpan(0, (int)read.Length), type) is { } body
                ? (body, null)
                : (null, LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "invalid_json", "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            return (null, LeadAnswers.Refuse(StatusCodes.Status400BadRequest, "invalid_json", $"The body is no JSON of the expected form (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}). docs/api.md shows an example."));
        }

        static IResult TooLarge() => LeadAnswers.Refuse(StatusCodes.Status413PayloadTooLarge, "body_too_large", $"The body may have at most {MaxBodyBytes} bytes.");
    }
}

/// <summary>Names one lead, by its id or by its address.</summary>
internal sealed record EraseRequestBody(string? LeadId, string? Email, bool? DryRun);

/// <param name="From">The lead whose visitors the other gets.</param>
internal sealed record MergeRequestBody(string? From, string? Into);

internal sealed record UnmergeRequestBody(string? MergeId);

/// <param name="Links">Visitors that the lead got by it.</param>
internal sealed record MergeReply(bool Ok, Guid MergeId, Guid From, Guid Into, DateTimeOffset MergedAt, DateTimeOffset? UndoneAt, int Links);

/// <param name="ScrubbedAt">From then on nothing of it is on the disk; null while that is being done.</param>
internal sealed record ErasureStateReply(bool Ok, ErasureReceipt Receipt, DateTimeOffset? ScrubbedAt);

internal sealed record AuditReply(bool Ok, IReadOnlyList<AuditEntry> Entries, long? NextBefore);

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(EraseRequestBody))]
[JsonSerializable(typeof(ErasureBody))]
[JsonSerializable(typeof(ErasureStateReply))]
[JsonSerializable(typeof(MergeRequestBody))]
[JsonSerializable(typeof(UnmergeRequestBody))]
[JsonSerializable(typeof(MergeReply))]
[JsonSerializable(typeof(LeadSearchBody))]
[JsonSerializable(typeof(LeadPage))]
[JsonSerializable(typeof(AuditReply))]
internal sealed partial class LeadAdminJson : JsonSerializerContext;
