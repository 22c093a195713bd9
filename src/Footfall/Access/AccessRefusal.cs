using System.Text.Json.Serialization;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Access;

/// <summary>The body of a refusal, in the form of every error of the API.</summary>
internal sealed record AccessError(string Error, string Message)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => false;
}

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(AccessError))]
internal sealed partial class AccessJson : JsonSerializerContext;

/// <summary>Why a caller does not come through.</summary>
internal sealed record AccessRefusal(int Status, string Error, string Message, int? RetryAfterSeconds = null)
{
    public static readonly AccessRefusal AdminNotConfigured = new(
        StatusCodes.Status503ServiceUnavailable, "admin_auth_not_configured",
        "No admin key is configured. Set ADMIN_API_KEY (at least 16 characters) and restart the server, or make a token: footfall token create --role admin.");

    public static readonly AccessRefusal DashboardNotConfigured = new(
        StatusCodes.Status503ServiceUnavailable, "dashboard_auth_not_configured",
        "Nobody can read figures yet: make a token (footfall token create --role dashboard), or set DASHBOARD_TOKEN or ADMIN_API_KEY (at least 16 characters) and restart the server.");

    public static readonly AccessRefusal IngestNotConfigured = new(
        StatusCodes.Status503ServiceUnavailable, "ingest_auth_not_configured",
        "No server may send this yet: make a token (footfall token create --role ingest), or set ADMIN_API_KEY (at least 16 characters) and restart the server.");

    public static readonly AccessRefusal TooManyAttempts = new(
        StatusCodes.Status429TooManyRequests, "too_many_attempts",
        "Too many wrong keys came from this address. Wait a minute, then try again with the right one.", RetryAfterSeconds: 60);

    public static readonly AccessRefusal NotNow = new(
        StatusCodes.Status503ServiceUnavailable, "temporarily_unavailable",
        "The database that knows the access tokens does not answer. Try again soon; /v1/readyz tells when it is back.", RetryAfterSeconds: 5);

    public static readonly AccessRefusal PlanRequired = new(
        StatusCodes.Status403Forbidden, "plan_required",
        "This needs a token of plan pro: footfall token create --role dashboard --plan pro.");

    public static AccessRefusal Unauthorized(AccessRole role) => new(
        StatusCodes.Status401Unauthorized, "unauthorized", role switch
        {
            AccessRole.Admin => $"Send the admin key in the header {AdminKey.Header}.",
            AccessRole.Dashboard => $"Send a dashboard token in the header {DashboardKey.Header}, or the admin key in {AdminKey.Header}.",
            AccessRole.Ingest => "Send a token of role ingest in the header Authorization: Bearer TOKEN.",
            _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
        });

    public static AccessRefusal RoleRequired(AccessRole role) => new(
        StatusCodes.Status403Forbidden, "role_required", $"This needs a key of role {role.Text()}; the one that was sent is for something else.");

    /// <summary>The key is right, and is for another property.</summary>
    public static AccessRefusal OtherProperty() => new(
        StatusCodes.Status403Forbidden, "property_not_allowed", "This key is for another property. Leave the parameter out to ask about the key's own.");

    public static AccessRefusal NotConfigured(AccessRole role) => role switch
    {
        AccessRole.Admin => AdminNotConfigured,
        AccessRole.Dashboard => DashboardNotConfigured,
        AccessRole.Ingest => IngestNotConfigured,
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };

    public JsonHttpResult<AccessError> Answer(HttpResponse response)
    {
        response.Headers.CacheControl = "private, no-store";
        if (RetryAfterSeconds is { } seconds) response.Headers.RetryAfter = seconds.ToString();
        if (Status == StatusCodes.Status401Unauthorized) response.Headers.WWWAuthenticate = "Bearer";
        return TypedResults.Json(new AccessError(Error, Message), AccessJson.Default.AccessError, statusCode: Status);
    }
}
