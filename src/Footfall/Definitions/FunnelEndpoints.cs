using Footfall.Access;
using Footfall.Capture;
using Microsoft.Extensions.Options;

namespace Footfall.Definitions;

internal sealed record StepBody(string? Name, IReadOnlyList<string>? EventTypes, string? Path, IReadOnlyDictionary<string, string>? Props);

/// <param name="IsConfigured">True for a funnel that configuration gives to every property: it cannot be removed here.</param>
internal sealed record FunnelBody(string? Name, string? PropertyId, int? WindowHours, IReadOnlyList<StepBody>? Steps, bool? IsConfigured = null);

internal sealed record FunnelReply(bool Ok, FunnelBody Funnel);

internal sealed record FunnelList(bool Ok, IReadOnlyList<FunnelBody> Funnels);

internal sealed record Done(bool Ok);

/// <summary>Definitions of funnels.</summary>
internal static class FunnelEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/funnels", AddAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("funnelAdd")
            .Produces<FunnelReply>(StatusCodes.Status201Created).WithMetadata(DefinitionTexts.FunnelAdd);
        routes.MapGet("/v1/funnels", ListAsync).RequireAccess(AccessRole.Dashboard).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("funnelList")
            .Produces<FunnelList>().WithMetadata(DefinitionTexts.FunnelList);
        routes.MapDelete("/v1/funnels/{name}", RemoveAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("funnelRemove")
            .Produces<Done>().WithMetadata(DefinitionTexts.FunnelRemove);
    }

    private static async Task<IResult> AddAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.FunnelBody);
        if (body is null) return unreadable!;
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, body.PropertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var funnel = new FunnelDefinition(
            body.Name ?? "", [.. (body.Steps ?? []).Select(s => new FunnelStep(s?.Name ?? "", s?.EventTypes ?? [], s?.Path, s?.Props))], body.WindowHours ?? 24);
        if (DefinitionRules.Problem(funnel) is { } problem) return DefinitionAnswers.Invalid(problem);
        return await store.AddAsync(property, funnel, cancellationToken)
            ? DefinitionAnswers.Ok(new FunnelReply(true, BodyOf(property, funnel, false)), DefinitionsJson.Default.FunnelReply, StatusCodes.Status201Created)
            : DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "funnel_exists", "The property has a funnel of this name already. DELETE /v1/funnels/{name} removes it.", "name");
    }

    private static async Task<IResult> ListAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var funnels = await store.ListAsync(property, cancellationToken);
        return DefinitionAnswers.Ok(new FunnelList(true, [.. funnels.Select(f => BodyOf(property, f, store.Configured.Contains(f)))]), DefinitionsJson.Default.FunnelList);
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, string name, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        if (await store.RemoveAsync(property, name, cancellationToken)) return DefinitionAnswers.Ok(new Done(true), DefinitionsJson.Default.Done);
        return store.Configured.Any(f => f.Name == name)
            ? DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "funnel_is_configured", "This funnel comes from the server's configuration: take it out of Funnels:Definitions (core_journey: set Funnels:CoreJourney to false) and restart the server.", "name")
            : DefinitionAnswers.Refuse(StatusCodes.Status404NotFound, "funnel_not_found", "The property has no funnel of this name. GET /v1/funnels lists those there are.", "name");
    }

    private static FunnelBody BodyOf(string property, FunnelDefinition f, bool configured) => new(
        f.Name, property, f.WindowHours, [.. f.Steps.Select(s => new StepBody(s.Name, s.EventTypes, s.Path, s.Props))], configured);
}
