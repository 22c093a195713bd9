using Footfall.Access;
using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>GET /v1/leads/{id}/consent: what holds, and every step to it.</summary>
internal static class ConsentEndpoint
{
    public static void Map(IEndpointRouteBuilder routes) =>
        routes.MapGet("/v1/leads/{id}/consent", GetAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(LeadAnswers.WithoutDatabase)
            .WithName("leadConsent").Produces<ConsentReply>().WithMetadata(LeadNotes.Consent);

    private static async Task<IResult> GetAsync(
        HttpContext context, Guid id, LeadStore leads, ConsentLedger ledger, Confirmations confirmations, SignedLinks links, AuditLog audit, IOptions<LeadsOptions> options, TimeProvider time, CancellationToken cancellationToken)
    {
        if (await leads.FindAsync(id, cancellationToken) is not { } lead || !context.CallerOf().MayUse(lead.PropertyId)) return LeadAnswers.NotFound();
        var server = string.IsNullOrEmpty(options.Value.PublicUrl) ? $"{context.Request.Scheme}://{context.Request.Host}" : options.Value.PublicUrl.TrimEnd('/');
        var c = lead.Consent;
        await audit.AddAsync(context.CallerOf().Actor, AuditAction.ConsentShown, id, "{}", cancellationToken);
        return LeadAnswers.Ok(
            new ConsentReply(
                lead.Id, c.Status.Text(), c.MayBeMailed(time.GetUtcNow()), c.Method?.Text(), c.Purposes, c.ChangedAt, c.ExpiresAt,
                $"{server}{SignedLinks.UnsubscribePath}?token={links.Unsubscribe(id)}",
                await confirmations.OfLeadAsync(id, options.Value.SendsMail ? null : server, cancellationToken),
                await ledger.OfLeadAsync(id, cancellationToken)),
            LeadsJson.Default.ConsentReply);
    }
}
