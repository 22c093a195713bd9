using Footfall.Access;
using Footfall.Capture;
using Footfall.Hosting;
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
        routes.MapPut("/v1/funnels/{name}", ReplaceAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("funnelReplace")
            .Produces<FunnelReply>().WithMetadata(DefinitionTexts.FunnelReplace);
        routes.MapDelete("/v1/funnels/{name}", RemoveAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("funnelRemove")
            .Produces<Done>().WithMetadata(DefinitionTexts.FunnelRemove);
    }

    private static async Task<IResult> AddAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.FunnelBody);
        if (body is null) return unreadable!;
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, body.PropertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var funnel = Read(body.Name ?? "", body);
        if (DefinitionRules.Problem(funnel) is { } problem) return DefinitionAnswers.Invalid(problem);
        return await store.AddAsync(property, funnel, cancellationToken)
            ? DefinitionAnswers.Ok(new FunnelReply(true, BodyOf(property, funnel, false)), DefinitionsJson.Default.FunnelReply, StatusCodes.Status201Created)
            : DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "funnel_exists", "The property has a funnel of this name already. DELETE /v1/funnels/{name} removes it.", "name");
    }

    private static async Task<IResult> ReplaceAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, string name, string? propertyId, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.FunnelBody);
        if (body is null) return unreadable!;
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId ?? body.PropertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        if (body.Name is not null && body.Name != name) return DefinitionAnswers.Invalid(new("name", "A funnel's name cannot be changed. Define another one."));
        var funnel = Read(name, body);
        if (DefinitionRules.Problem(funnel) is { } problem) return DefinitionAnswers.Invalid(problem);
        return await store.ReplaceAsync(property, funnel, cancellationToken) ? DefinitionAnswers.Ok(new FunnelReply(true, BodyOf(property, funnel, false)), DefinitionsJson.Default.FunnelReply) : NotFound(store, name);
    }

    private static async Task<IResult> ListAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var funnels = await store.ListAsync(property, cancellationToken);
        return DefinitionAnswers.List(context, new FunnelList(true, [.. funnels.Select(f => BodyOf(property, f, store.Configured.Contains(f)))]), DefinitionsJson.Default.FunnelList, "funnels", Table);
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, FunnelStore store, IOptions<CaptureOptions> capture, string name, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        if (await store.RemoveAsync(property, name, cancellationToken)) return DefinitionAnswers.Ok(new Done(true), DefinitionsJson.Default.Done);
        return NotFound(store, name);
    }

    private static FunnelDefinition Read(string name, FunnelBody body) =>
        new(name, [.. (body.Steps ?? []).Select(s => new FunnelStep(s?.Name ?? "", s?.EventTypes ?? [], s?.Path, s?.Props))], body.WindowHours ?? 24);

    private static IResult NotFound(FunnelStore store, string name) =>
        store.Configured.Any(f => f.Name == name)
            ? DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "funnel_is_configured", "This funnel comes from the server's configuration: take it out of Funnels:Definitions (core_journey: set Funnels:CoreJourney to false) and restart the server.", "name")
            : DefinitionAnswers.Refuse(StatusCodes.Status404NotFound, "funnel_not_found", "The property has no funnel of this name. GET /v1/funnels lists those there are.", "name");

    private static CsvTable Table(FunnelList list)
    {
        var table = new CsvTable("name", "window_hours", "is_configured", "step", "step_name", "event_types", "path", "props");
        foreach (var funnel in list.Funnels)
        {
            foreach (var (step, i) in funnel.Steps!.Select((s, i) => (s, i)))
                table.Add(funnel.Name, funnel.WindowHours!.Value, funnel.IsConfigured == true ? "true" : "false", i + 1, step.Name, string.Join(' ', step.EventTypes!), step.Path, string.Join(' ', (step.Props ?? new Dictionary<string, string>()).Select(p => $"{p.Key}={p.Value}")));
        }
        return table;
    }

    private static FunnelBody BodyOf(string property, FunnelDefinition f, bool configured) => new(
        f.Name, property, f.WindowHours, [.. f.Steps.Select(s => new StepBody(s.Name, s.EventTypes, s.Path, s.Props))], configured);
}
