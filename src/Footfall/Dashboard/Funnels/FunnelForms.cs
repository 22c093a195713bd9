using System.Globalization;
using Footfall.Dashboard.SignIn;
using Footfall.Definitions;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Dashboard.Funnels;

/// <summary>A step as it is typed.</summary>
internal sealed record StepDraft(string Name, string Events, string Path, string Props)
{
    public bool IsBlank => Name.Length + Events.Length + Path.Length + Props.Length == 0;
}

/// <summary>A funnel as it is typed.</summary>
/// <param name="Known">It is there already: its name stands.</param>
/// <param name="Problem">What is wrong with it; null when nothing is, or before it was sent.</param>
internal sealed record FunnelDraft(bool Known, string Name, string Hours, IReadOnlyList<StepDraft> Steps, string? Problem)
{
    private const int SpareSteps = 2, LeastSteps = 4;

    public static FunnelDraft New { get; } = new(false, "", "24", [], null);

    public static FunnelDraft Of(FunnelDefinition f) => new(
        true, f.Name, f.WindowHours.ToString(CultureInfo.InvariantCulture),
        [.. f.Steps.Select(s => new StepDraft(s.Name, string.Join(", ", s.EventTypes), s.Path ?? "", string.Join(", ", (s.Props ?? new Dictionary<string, string>()).Select(p => $"{p.Key}={p.Value}"))))], null);

    /// <summary>The steps with room for more.</summary>
    public IEnumerable<StepDraft> Rows => Steps.Concat(Enumerable.Repeat(new StepDraft("", "", "", ""), Math.Clamp(Math.Max(LeastSteps - Steps.Count, SpareSteps), 0, FunnelDefinition.MostSteps - Steps.Count)));

    public static FunnelDraft Read(IFormCollection form, string? known)
    {
        var (names, events, paths, props) = (form["step"], form["events"], form["path"], form["props"]);
        string At(Microsoft.Extensions.Primitives.StringValues values, int i) => i < values.Count ? (values[i] ?? "").Trim() : "";
        var steps = Enumerable.Range(0, Math.Min(FunnelDefinition.MostSteps + 1, Math.Max(names.Count, events.Count))).Select(i => new StepDraft(At(names, i), At(events, i), At(paths, i), At(props, i))).Where(s => !s.IsBlank).ToList();
        return new FunnelDraft(known is not null, known ?? form["name"].ToString().Trim(), form["hours"].ToString().Trim(), steps, null);
    }

    /// <summary>The funnel that is meant, or the draft with what is wrong with it.</summary>
    public (FunnelDefinition? Funnel, FunnelDraft Draft) Check()
    {
        if (!int.TryParse(Hours, NumberStyles.None, CultureInfo.InvariantCulture, out var hours)) return Wrong($"Hours must be a whole number from 1 to {FunnelDefinition.MostHours}.");
        List<FunnelStep> steps = [];
        foreach (var (step, i) in Steps.Select((s, i) => (s, i)))
        {
            Dictionary<string, string> props = [];
            foreach (var pair in step.Props.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries))
            {
                var equals = pair.IndexOf('=', StringComparison.Ordinal);
                if (equals < 1 || !props.TryAdd(pair[..equals].Trim(), pair[(equals + 1)..].Trim())) return Wrong($"Step {i + 1}: write props as name=value, each name once, with commas between.");
            }
            var types = step.Events.Split(',', StringSplitOptions.TrimEntries | StringSplitOptions.RemoveEmptyEntries).Distinct(StringComparer.Ordinal).ToList();
            if (!Explore.StorableText.Is(step.Events + step.Path + step.Props)) return Wrong($"Step {i + 1} has a character that cannot be stored.");
            // A page alone says it all: to view it.
            steps.Add(new FunnelStep(step.Name.Length > 0 ? step.Name : $"step_{i + 1}", types.Count == 0 && step.Path.Length > 0 ? ["page_view"] : types, step.Path.Length > 0 ? step.Path : null, props.Count > 0 ? props : null));
        }
        var funnel = new FunnelDefinition(Name, steps, hours);
        return DefinitionRules.Problem(funnel) is { } problem ? Wrong(Said(problem)) : (funnel, this);
    }

    public (FunnelDefinition?, FunnelDraft) Wrong(string problem) => (null, this with { Problem = problem });

    // "steps[2].path" is how the API names it.
    private static string Said(DefinitionProblem problem)
    {
        if (problem.Field == "windowHours") return $"Hours must be a whole number from 1 to {FunnelDefinition.MostHours}.";
        var number = problem.Field.StartsWith("steps[", StringComparison.Ordinal) && int.TryParse(problem.Field[6..problem.Field.IndexOf(']', StringComparison.Ordinal)], out var i) ? $"Step {i + 1}: " : "";
        return number + problem.Message;
    }
}

/// <summary>Forms by which admins define a property's funnels.</summary>
internal static class FunnelForms
{
    /// <param name="changes">The property's address; for admins' own forms alone.</param>
    public static void Map(IEndpointRouteBuilder pages, IEndpointRouteBuilder changes)
    {
        var admins = pages.MapGroup("").AddEndpointFilter(PageGuard.AdmitAdmin);
        admins.MapGet("new/funnel", (CurrentPage page) => Form(page, FunnelDraft.New)).WithMetadata(new PageName("funnels"));
        admins.MapGet("funnels/{name}/edit", EditAsync).WithMetadata(new PageName("funnels"));
        admins.MapGet("funnels/{name}/remove", AskAsync).WithMetadata(new PageName("funnels"));
        changes.MapPost("new/funnel", AddAsync).WithMetadata(new PageName("funnels"));
        changes.MapPost("funnels/{name}/edit", SaveAsync).WithMetadata(new PageName("funnels"));
        changes.MapPost("funnels/{name}/remove", RemoveAsync).WithMetadata(new PageName("funnels"));
    }

    private static async Task<IResult> EditAsync(string name, CurrentPage page, FunnelStore store, CancellationToken cancellationToken) =>
        await OwnAsync(name, page, store, cancellationToken) is { } funnel ? Form(page, FunnelDraft.Of(funnel)) : NotHere(page, store, name);

    private static async Task<IResult> AskAsync(string name, CurrentPage page, FunnelStore store, CancellationToken cancellationToken) =>
        await OwnAsync(name, page, store, cancellationToken) is { } funnel ? Ask(page, funnel, null) : NotHere(page, store, name);

    private static async Task<IResult> AddAsync(CurrentPage page, FunnelStore store, CancellationToken cancellationToken)
    {
        var (funnel, draft) = FunnelDraft.Read(await page.Context.Request.ReadFormAsync(cancellationToken), null).Check();
        if (funnel is null) return Form(page, draft);
        return await store.AddAsync(page.Property.Id, funnel, cancellationToken) ? Done(page, "defined") : Form(page, draft.Wrong($"There is a funnel named {funnel.Name} already. Change that one, or choose another name.").Item2);
    }

    private static async Task<IResult> SaveAsync(string name, CurrentPage page, FunnelStore store, CancellationToken cancellationToken)
    {
        var (funnel, draft) = FunnelDraft.Read(await page.Context.Request.ReadFormAsync(cancellationToken), name).Check();
        if (funnel is null) return Form(page, draft);
        return await store.ReplaceAsync(page.Property.Id, funnel, cancellationToken) ? Done(page, "changed") : NotHere(page, store, name);
    }

    private static async Task<IResult> RemoveAsync(string name, CurrentPage page, FunnelStore store, CancellationToken cancellationToken)
    {
        if (await OwnAsync(name, page, store, cancellationToken) is not { } funnel) return NotHere(page, store, name);
        var form = await page.Context.Request.ReadFormAsync(cancellationToken);
        if (form["typed"].ToString().Trim() != name) return Ask(page, funnel, "That is not its name. Nothing was removed.");
        return await store.RemoveAsync(page.Property.Id, name, cancellationToken) ? Done(page, "removed") : NotHere(page, store, name);
    }

    private static async Task<FunnelDefinition?> OwnAsync(string name, CurrentPage page, FunnelStore store, CancellationToken cancellationToken) =>
        (await store.ListAsync(page.Property.Id, cancellationToken)).FirstOrDefault(f => f.Name == name && !store.Configured.Contains(f));

    private static RazorComponentResult Form(CurrentPage page, FunnelDraft draft)
    {
        page.Show(draft);
        return Views.Page<FunnelFormPage>(page.Context, status: draft.Problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);
    }

    private static RazorComponentResult Ask(CurrentPage page, FunnelDefinition funnel, string? problem) => Views.Page<FunnelRemovePage>(
        page.Context, new Dictionary<string, object?> { [nameof(FunnelRemovePage.Name)] = funnel.Name, [nameof(FunnelRemovePage.Problem)] = problem }, problem is null ? StatusCodes.Status200OK : StatusCodes.Status400BadRequest);

    private static IResult Done(CurrentPage page, string done) => SignInEndpoints.Redirect(page.Context, page.Address.On("funnels").With("done", done).ToString());

    private static RazorComponentResult NotHere(CurrentPage page, FunnelStore store, string name) => store.Configured.Any(f => f.Name == name)
        ? Views.Error(page.Context, StatusCodes.Status409Conflict, "This funnel is the server's", "It comes from the configuration (Funnels:Definitions, Funnels:CoreJourney), is the same for every property, and is changed there.")
        : Views.Error(page.Context, StatusCodes.Status404NotFound, "No such funnel", "Somebody may have removed it. The page Funnels shows those there are.");
}
