namespace Footfall.Access;

/// <summary>What a key is for. The texts are those of the command line, the table and the API.</summary>
internal enum AccessRole
{
    /// <summary>Everything.</summary>
    Admin,

    /// <summary>Reads figures.</summary>
    Dashboard,

    /// <summary>Sends what only a site's own server may say.</summary>
    Ingest,
}

/// <summary>How much a reader may read.</summary>
internal enum AccessPlan
{
    Free,
    Pro,
}

internal static class AccessNames
{
    public static readonly string[] Roles = [.. Enum.GetValues<AccessRole>().Select(Text)];
    public static readonly string[] Plans = [.. Enum.GetValues<AccessPlan>().Select(Text)];

    public static string Text(this AccessRole role) => role switch
    {
        AccessRole.Admin => "admin",
        AccessRole.Dashboard => "dashboard",
        AccessRole.Ingest => "ingest",
        _ => throw new ArgumentOutOfRangeException(nameof(role), role, null),
    };

    public static string Text(this AccessPlan plan) => plan switch
    {
        AccessPlan.Free => "free",
        AccessPlan.Pro => "pro",
        _ => throw new ArgumentOutOfRangeException(nameof(plan), plan, null),
    };

    public static AccessRole Role(string text) => Enum.GetValues<AccessRole>().First(r => r.Text() == text);

    public static AccessPlan Plan(string text) => Enum.GetValues<AccessPlan>().First(p => p.Text() == text);
}

/// <summary>Who asks: the owner of a right key.</summary>
/// <param name="PropertyId">The only property the key is for; null for all of them.</param>
internal sealed record Caller(AccessRole Role, AccessPlan Plan, string? PropertyId)
{
    /// <summary>Who has the admin key, or the server's own pages.</summary>
    public static readonly Caller Admin = new(AccessRole.Admin, AccessPlan.Pro, null) { Actor = "admin key" };

    /// <summary>How an audit log names the caller: the kind of key, or the token's id. Neither a person nor a secret.</summary>
    public string Actor { get; init; } = "dashboard key";

    /// <summary>Of who has a token; null of who has a configured key.</summary>
    public Guid? TokenId { get; init; }

    public static Caller Of(AccessToken token) => new(token.Role, token.Plan, token.PropertyId) { Actor = $"token {token.Id}", TokenId = token.Id };

    public bool Has(AccessRole role) => Role == AccessRole.Admin || Role == role;

    /// <summary>An admin's key has every plan: plans divide readers.</summary>
    public bool Has(AccessPlan plan) => Role == AccessRole.Admin || Plan >= plan;

    public bool MayUse(string propertyId) => PropertyId is null || PropertyId == propertyId;
}

/// <summary>Whose key it is that was shown, and which.</summary>
/// <param name="TokenId">Of a token; else null, and the key is a configured one.</param>
/// <param name="KeyMark">Of a configured key; else null.</param>
internal sealed record KeyOwner(Caller Caller, Guid? TokenId, string? KeyMark);

/// <summary>What an endpoint asks of its caller; also read by the OpenAPI document.</summary>
internal sealed record AccessRequirement(AccessRole Role, AccessPlan Plan);
