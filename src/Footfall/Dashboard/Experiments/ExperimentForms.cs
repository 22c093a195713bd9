using System.Globalization;
using Footfall.Dashboard.SignIn;
using Footfall.Definitions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Experiments;

internal sealed record VariantDraft(string Id, string Weight);

/// <summary>An experiment as it is typed.</summary>
/// <param name="Known">It is there already: its id stands.</param>
/// <param name="Control">Which of the variants; from 0.</param>
/// <param name="Problem">What is wrong with it; null when nothing is, or before it was sent.</param>
internal sealed record ExperimentDraft(
    bool Known, string Id, string Name, IReadOnlyList<VariantDraft> Variants, int Control, string Event, string Hours, string Start, string End, string? Problem)
{
    private const int LeastVariants = 3;

    public static ExperimentDraft New(string id, IEnumerable<string> variants) => new(false, id, "", [.. variants.Select(v => new VariantDraft(v, "1"))], 0, "", "24", "", "", null);

    public static ExperimentDraft Of(ExperimentDefinition e) => new(
        true, e.Id, e.Name, [.. e.Variants.Select(v => new VariantDraft(v.Id, v.Weight.ToString(CultureInfo.InvariantCulture)))], e.Variants.ToList().FindIndex(v => v.Id == e.Control),
        e.MetricEvent, e.MetricHours.ToString(CultureInfo.InvariantCulture), Day(e.StartsOn), Day(e.EndsOn), null);

    public IEnumerable<VariantDraft> Rows => Variants.Concat(Enumerable.Repeat(new VariantDraft("", "1"), Math.Clamp(Math.Max(LeastVariants - Variants.Count, 1), 0, ExperimentDefinition.MostVariants - Variants.Count)));

    public static ExperimentDraft Read(IFormCollection form, string? known)
    {
        var (ids, weights) = (form["variant"], form["weight"]);
        var rows = Enumerable.Range(0, Math.Min(ids.Count, ExperimentDefinition.MostVariants + 1)).Select(i => (Id: (ids[i] ?? "").Trim(), Weight: i < weights.Count ? (weights[i] ?? "").Trim() : "1", Index: i)).Where(v => v.Id.Length > 0).ToList();
        _ = int.TryParse(form["control"], NumberStyles.None, CultureInfo.InvariantCulture, out var control);
        return new ExperimentDraft(
            known is not null, known ?? form["id"].ToString().Trim(), form["name"].ToString().Trim(), [.. rows.Select(v => new VariantDraft(v.Id, v.Weight))], rows.FindIndex(v => v.Index == control),
            form["event"].ToString().Trim(), form["hours"].ToString().Trim(), form["start"].ToString().Trim(), form["end"].ToString().Trim(), null);
    }

    /// <summary>The experiment that is meant, or the draft with what is wrong with it.</summary>
    public (ExperimentDefinition? Experiment, ExperimentDraft Draft) Check(string property)
    {
        if (!DefinitionAnswers.TryDay(Start.Length > 0 ? Start : null, out var start) || !DefinitionAnswers.TryDay(End.Length > 0 ? End : null, out var end)) return Wrong("The first and last day must be days such as 2026-03-01, or empty.");
        if (!Explore.StorableText.Is(Name + Event)) return Wrong("The name has a character that cannot be stored.");
        if (Control < 0) return Wrong("Choose which of the variants is the control: how things are without the experiment.");
        var experiment = new ExperimentDefinition(
            property, Id, Name.Length > 0 ? Name : Id, [.. Variants.Select(v => new ExperimentVariant(v.Id, Whole(v.Weight)))], Variants[Control].Id, Event, Whole(Hours), start, end);
        return DefinitionRules.Problem(experiment) is { } problem ? Wrong(Said(problem)) : (experiment, this);
    }

    public (ExperimentDefinition?, ExperimentDraft) Wrong(string problem) => (null, this with { Problem = problem });

    // The rules say what is wrong with 0.
    private static int Whole(string text) => int.TryParse(text, NumberStyles.None, CultureInfo.InvariantCulture, out var number) ? number : 0;

    private static string Day(DateOnly? day) => day?.ToString("yyyy-MM-dd", CultureInfo.InvariantCulture) ?? "";

    private static string Said(DefinitionProblem problem) => problem.Field switch
    {
        "metric.eventType" => "Say which event converts: its type has 1 to 64 characters.",
        "metric.withinHours" => $"Hours must be a whole number from 1 to {ExperimentDefinition.MostHours}.",
        "end" => "The last day must not be before the first.",
        _ => problem.Message.Replace("weight must", "A weight must", StringComparison.Ordinal),
    };
}

/// <summary>Forms by which admins define a property's experiments.</summary>
internal static class ExperimentForms
{
    public static void Map(IEndpointRouteBuilder pages, IEndpointRouteBuilder changes)
    {
        var admins = pages.MapGroup("").AddEndpointFilter(PageGuard.AdmitAdmin);
        admins.MapGet("new/experiment", NewAsync).WithMetadata(new PageName("experiments"));
        admins.MapGet("experiments/{id}/edit", EditAsync).WithMetadata(new PageName("experiments"));
        admins.MapGet("experiments/{id}/remove", AskAsync).WithMetadata(new PageName("experiments"));
        changes.MapPost("new/experiment", AddAsync).WithMetadata(new PageName("experiments"));
        changes.MapPost("experiments/{id}/edit", SaveAsync).WithMetadata(new PageName("experiments"));
        changes.MapPost("experiments/{id}/remove", RemoveAsync).WithMetadata(new PageName("experiments"));
    }

    /// <summary><c>id</c> of one that events name already fills in what they say.</summary>
    private static async Task<IResult> NewAsync(CurrentPage page, ExperimentsOverview overview, CancellationToken cancellationToken)
    {
        var named = page.Address["id"] is { } id ? (await overview.ReadAsync(cancellationToken)).Undefined.FirstOrDefault(u => u.Id == id) : null;
        return Form(page, named is null ? ExperimentDraft.New("", ["control", ""]) : ExperimentDraft.New(named.Id, named.Variants.Select(v => v.Variant)));
    }

    private static async Task<IResult> EditAsync(string id, CurrentPage page, ExperimentStore store, CancellationToken cancellationToken) =>
        await store.FindAsync(page.Property.Id, id, cancellationToken) is { } experiment ? Form(page, ExperimentDraft.Of(experiment)) : NotHere(page);

    private static async Task<IResult> AskAsync(string id, CurrentPage page, ExperimentStore store, CancellationToken cancellationToken) =>
        await store.FindAsync(page.Property.Id, id, cancellationToken) is { } experiment ? Ask(page, experiment, null) : NotHere(page);

    private static async Task<IResult> AddAsync(CurrentPage page, ExperimentStore store, CancellationToken cancellationToken)
    {
        var (experiment, draft) = ExperimentDraft.Read(await page.Context.Request.ReadFormAsync(cancellationToken), null).Check(page.Property.Id);
        if (experiment is null) return Form(page, draft);
        return await store.AddAsync(experiment, cancellationToken) ? Done(page, "defined") : Form(page, draft.Wrong($"There is an experiment with the id {experiment.Id} already. Change that one, or choose another id.").Item2);
    }

    private static async Task<IResult> SaveAsync(string id, CurrentPage page, ExperimentStore store, RunningExperiments running, CancellationToken cancellationToken)
    {
        var (experiment, draft) = ExperimentDraft.Read(await page.Context.Request.ReadFormAsync(cancellationToken), id).Check(page.Property.Id);
        if (experiment is null) return Form(page, draft);
        if (await store.FindAsync(page.Property.Id, id, cancellationToken) is not { } before) return NotHere(page);
        if (!experiment.Variants.SequenceEqual(before.Variants) && await store.HasAssignmentsAsync(page.Property.Id, id, cancellationToken))
            return Form(page, draft.Wrong("Users have been assigned already; another split would move them between variants. Leave the variants and weights as they are, or end this experiment and define another one.").Item2);
        if (!await store.ReplaceAsync(experiment, cancellationToken)) return NotHere(page);
        running.Forget(page.Property.Id, id);
        return Done(page, "changed");
    }

    private static async Task<IResult> RemoveAsync(string id, CurrentPage page, ExperimentStore store, RunningExperiments running, CancellationToken cancellationToken)
    {
        if (await store.FindAsync(page.Property.Id, id, cancellationToken) is not { } experiment) return NotHere(page);
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (form["typed"].ToString().Trim() != id) return Ask(page, experiment, "That is not its id. Nothing was removed.");
        if (!await store.RemoveAsync(page.Property.Id, id, cancellationToken)) return NotHere(page);
        running.Forget(page.Property.Id, id);
        return Done(page, "removed");
    }

    private static RazorComponentResult Form(CurrentPage page, ExperimentDraft draft)
    {
        page.Show(draft);
        return Views.Page<ExperimentFormPage>(page.Context, status: draft.Problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static RazorComponentResult Ask(CurrentPage page, ExperimentDefinition experiment, string? problem) => Views.Page<ExperimentRemovePage>(
        page.Context, new Dictionary<string, object?> { [nameof(ExperimentRemovePage.Id)] = experiment.Id, [nameof(ExperimentRemovePage.Problem)] = problem }, problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);

    private static IResult Done(CurrentPage page, string done) => SignInEndpoints.Redirect(page.Context, page.Address.On("experiments").With("done", done).ToString());

    private static RazorComponentResult NotHere(CurrentPage page) => Views.Error(page.Context, StatusCodes.Status404NotFound, "No such experiment", "Somebody may have removed it. The page Experiments shows those there are.");
}
