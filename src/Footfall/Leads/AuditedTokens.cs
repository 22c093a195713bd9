using Footfall.Access;

namespace Footfall.Leads;

/// <summary>Makes and revokes tokens, and writes down who did, in one transaction: whoever has one may see people.</summary>
internal sealed class AuditedTokens(TokenStore tokens, AuditLog audit)
{
    /// <summary>Makes a token; its text is handed out here and never again.</summary>
    public Task<(AccessToken Token, string Text)> MakeAsync(string actor, string name, AccessRole role, AccessPlan plan, string? propertyId, CancellationToken cancellationToken) => tokens.CreateAsync(
        name, role, plan, propertyId,
        (connection, token) => audit.AddAsync(
            connection, actor, AuditAction.TokenMade, null,
            $$"""{"token":"{{token.Id}}","role":"{{token.Role.Text()}}","plan":"{{token.Plan.Text()}}","property":{{(token.PropertyId is { } only ? $"\"{only}\"" : "null")}}}""", cancellationToken),
        cancellationToken);

    /// <summary>The token, which works for a while yet; null when none or several begin so.</summary>
    public Task<AccessToken?> RevokeAsync(string actor, string idOrBeginning, TimeSpan grace, CancellationToken cancellationToken) => tokens.RevokeAsync(
        idOrBeginning, grace,
        (connection, token) => audit.AddAsync(connection, actor, AuditAction.TokenRevoked, null, $$"""{"token":"{{token.Id}}","until":"{{token.RevokedAt!.Value.UtcDateTime:O}}"}""", cancellationToken),
        cancellationToken);
}
