using Footfall.Access;
using Footfall.Capture;
using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Definitions;

internal sealed record VariantBody(string? Id, int? Weight);

/// <param name="EventType">Users convert with an event of this type.</param>
/// <param name="WithinHours">Counted from when they were assigned.</param>
internal sealed record MetricBody(string? EventType, int? WithinHours);

/// <summary>As sent and as answered. In a change, what is left out stays as it is.</summary>
/// <param name="Start">First day, YYYY-MM-DD, UTC; empty removes it.</param>
/// <param name="End">Last day, itself included; empty removes it.</param>
internal sealed record ExperimentBody(
    string? Id, string? PropertyId, string? Name, IReadOnlyList<VariantBody>? Variants, string? Control, MetricBody? Metric, string? Start, string? End);

internal sealed record ExperimentReply(bool Ok, ExperimentBody Experiment);

internal sealed record ExperimentList(bool Ok, IReadOnlyList<ExperimentBody> Experiments);

/// <param name="Running">False before the start and after the end: everybody then gets the control.</param>
internal sealed record VariantReply(bool Ok, string ExperimentId, string VariantId, bool Running);

/// <summary>Definitions of experiments, and which variant a user gets.</summary>
internal static class ExperimentEndpoints
{
    public static void Map(IEndpointRouteBuilder routes)
    {
        routes.MapPost("/v1/experiments", AddAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("experimentAdd")
            .Produces<ExperimentReply>(StatusCodes.Status201Created).WithMetadata(DefinitionTexts.ExperimentAdd);
        routes.MapGet("/v1/experiments", ListAsync).RequireAccess(AccessRole.Dashboard).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("experimentList")
            .Produces<ExperimentList>().WithMetadata(DefinitionTexts.ExperimentList);
        routes.MapPatch("/v1/experiments/{id}", ChangeAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("experimentChange")
            .Produces<ExperimentReply>().WithMetadata(DefinitionTexts.ExperimentChange);
        routes.MapDelete("/v1/experiments/{id}", RemoveAsync).RequireAccess(AccessRole.Admin).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("experimentRemove")
            .Produces<Done>().WithMetadata(DefinitionTexts.ExperimentRemove);
        // A site's pages ask this without a key, as they send events.
        routes.MapGet("/v1/experiments/{id}/variant", VariantAsync).AddEndpointFilter(DefinitionAnswers.WithoutDatabase).WithName("experimentVariant")
            .Produces<VariantReply>().WithMetadata(DefinitionTexts.ExperimentVariant);
    }

    private static async Task<IResult> AddAsync(HttpContext context, ExperimentStore store, IOptions<CaptureOptions> capture, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.ExperimentBody);
        if (body is null) return unreadable!;
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, body.PropertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var fresh = new ExperimentDefinition(property, body.Id ?? "", body.Name ?? body.Id ?? "", [], body.Variants is [{ Id: { } first }, ..] ? first : "", "", 24, null, null);
        var (experiment, problem) = Apply(fresh, body);
        if (problem is not null) return DefinitionAnswers.Invalid(problem);
        return await store.AddAsync(experiment, cancellationToken)
            ? DefinitionAnswers.Ok(new ExperimentReply(true, BodyOf(experiment)), DefinitionsJson.Default.ExperimentReply, StatusCodes.Status201Created)
            : DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "experiment_exists", "There is an experiment of this id already. PATCH /v1/experiments/{id} changes it.", "id");
    }

    private static async Task<IResult> ListAsync(HttpContext context, ExperimentStore store, IOptions<CaptureOptions> capture, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        var experiments = await store.ListAsync(property, cancellationToken);
        return DefinitionAnswers.List(context, new ExperimentList(true, experiments.ConvertAll(BodyOf)), DefinitionsJson.Default.ExperimentList, "experiments", Table);
    }

    private static async Task<IResult> ChangeAsync(HttpContext context, ExperimentStore store, RunningExperiments running, IOptions<CaptureOptions> capture, string id, string? propertyId, CancellationToken cancellationToken)
    {
        var (body, unreadable) = await DefinitionAnswers.ReadAsync(context, DefinitionsJson.Default.ExperimentBody);
        if (body is null) return unreadable!;
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId ?? body.PropertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        if (await store.FindAsync(property, id, cancellationToken) is not { } before) return NotFound();
        if (body.Id is not null && body.Id != id) return DefinitionAnswers.Invalid(new("id", "An experiment's id cannot be changed: events carry it. Make another experiment."));
        var (after, problem) = Apply(before, body);
        if (problem is not null) return DefinitionAnswers.Invalid(problem);
        if (!after.Variants.SequenceEqual(before.Variants) && await store.HasAssignmentsAsync(property, id, cancellationToken))
        {
            return DefinitionAnswers.Refuse(StatusCodes.Status409Conflict, "experiment_has_users", "Users have been assigned already; another split would move them between variants. End this experiment and make another one.", "variants");
        }
        if (!await store.ReplaceAsync(after, cancellationToken)) return NotFound();
        running.Forget(property, id);
        return DefinitionAnswers.Ok(new ExperimentReply(true, BodyOf(after)), DefinitionsJson.Default.ExperimentReply);
    }

    private static async Task<IResult> RemoveAsync(HttpContext context, ExperimentStore store, RunningExperiments running, IOptions<CaptureOptions> capture, string id, string? propertyId, CancellationToken cancellationToken)
    {
        var (property, refusal) = DefinitionAnswers.PropertyOf(context, propertyId, capture.Value.DefaultPropertyId);
        if (refusal is not null) return refusal;
        if (!await store.RemoveAsync(property, id, cancellationToken)) return NotFound();
        running.Forget(property, id);
        return DefinitionAnswers.Ok(new Done(true), DefinitionsJson.Default.Done);
    }

    private static async Task<IResult> VariantAsync(
        HttpContext context, RunningExperiments running, AddressLimiter limiter, IOptions<CaptureOptions> capture, TimeProvider clock, string id, string? userId, string? propertyId, CancellationToken cancellationToken)
    {
        context.Response.Headers.AccessControlAllowOrigin = "*";
        if (!limiter.TryTake(context.Connection.RemoteIpAddress, out var retryAfter))
        {
            context.Response.Headers.RetryAfter = retryAfter.ToString();
            return DefinitionAnswers.Refuse(StatusCodes.Status429TooManyRequests, "rate_limited", "Too many requests from this address.");
        }
        if (userId is not { Length: >= 1 and <= 128 }) return DefinitionAnswers.Invalid(new("userId", "userId must have 1 to 128 characters."));
        var property = propertyId ?? capture.Value.DefaultPropertyId;
        if (!PropertyId.IsValid(property)) return DefinitionAnswers.Invalid(new("propertyId", $"propertyId must have {PropertyId.Rule}."));
        if (await running.FindAsync(property, id, cancellationToken) is not { } experiment) return NotFound();
        var runs = experiment.RunsOn(DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime));
        return DefinitionAnswers.Ok(new VariantReply(true, id, runs ? VariantSplit.Of(experiment, userId) : experiment.Control, runs), DefinitionsJson.Default.VariantReply);
    }

    private static IResult NotFound() => DefinitionAnswers.Refuse(StatusCodes.Status404NotFound, "experiment_not_found", "There is no experiment of this id on the property. GET /v1/experiments lists those there are.", "id");

    private static (ExperimentDefinition Experiment, DefinitionProblem? Problem) Apply(ExperimentDefinition before, ExperimentBody body)
    {
        var after = before with
        {
            Name = body.Name ?? before.Name,
            Variants = body.Variants is null ? before.Variants : [.. body.Variants.Select(v => new ExperimentVariant(v?.Id ?? "", v?.Weight ?? 1))],
            Control = body.Control ?? before.Control,
            MetricEvent = body.Metric?.EventType ?? before.MetricEvent,
            MetricHours = body.Metric?.WithinHours ?? before.MetricHours,
        };
        if (body.Start is not null)
        {
            if (!DefinitionAnswers.TryDay(body.Start.Length == 0 ? null : body.Start, out var day)) return (before, new("start", "start must be a day such as 2026-03-01, or empty."));
            after = after with { StartsOn = day };
        }
        if (body.End is not null)
        {
            if (!DefinitionAnswers.TryDay(body.End.Length == 0 ? null : body.End, out var day)) return (before, new("end", "end must be a day such as 2026-03-31, or empty."));
            after = after with { EndsOn = day };
        }
        return (after, DefinitionRules.Problem(after));
    }

    private static CsvTable Table(ExperimentList list)
    {
        var table = new CsvTable("id", "name", "variant", "weight", "is_control", "metric_event_type", "metric_within_hours", "start", "end");
        foreach (var e in list.Experiments)
        {
            foreach (var v in e.Variants!) table.Add(e.Id, e.Name, v.Id, v.Weight!.Value, v.Id == e.Control ? "true" : "false", e.Metric!.EventType, e.Metric.WithinHours!.Value, e.Start, e.End);
        }
        return table;
    }

    private static ExperimentBody BodyOf(ExperimentDefinition e) => new(
        e.Id, e.PropertyId, e.Name, [.. e.Variants.Select(v => new VariantBody(v.Id, v.Weight))], e.Control, new MetricBody(e.MetricEvent, e.MetricHours),
        e.StartsOn?.ToString("yyyy-MM-dd"), e.EndsOn?.ToString("yyyy-MM-dd"));
}
