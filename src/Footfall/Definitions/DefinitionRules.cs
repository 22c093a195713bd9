namespace Footfall.Definitions;

/// <param name="Field">The field at fault, as the request or the configuration names it.</param>
internal sealed record DefinitionProblem(string Field, string Message);

/// <summary>What definitions must be like, wherever they come from.</summary>
internal static class DefinitionRules
{
    private const string NameRule = "must have 1 to 64 letters, digits, dots, hyphens or underscores";
    private const string DotsRule = "must have something beside dots: it stands in addresses, where dots alone mean another folder";

    public static bool IsName(string? text) => text is { Length: >= 1 and <= 64 } && text.All(c => char.IsAsciiLetterOrDigit(c) || c is '.' or '-' or '_');

    public static DefinitionProblem? Problem(FunnelDefinition funnel)
    {
        if (!IsName(funnel.Name)) return new("name", $"A funnel's name {NameRule}.");
        if (funnel.Name.All(c => c == '.')) return new("name", $"A funnel's name {DotsRule}.");
        if (funnel.WindowHours is < 1 or > FunnelDefinition.MostHours) return new("windowHours", $"windowHours must be a whole number from 1 to {FunnelDefinition.MostHours}.");
        if (funnel.Steps.Count is < 2 or > FunnelDefinition.MostSteps) return new("steps", $"A funnel must have 2 to {FunnelDefinition.MostSteps} steps.");
        for (var i = 0; i < funnel.Steps.Count; i++)
        {
            var step = funnel.Steps[i];
            if (!IsName(step.Name)) return new($"steps[{i}].name", $"A step's name {NameRule}.");
            if (funnel.Steps.Take(i).Any(s => s.Name == step.Name)) return new($"steps[{i}].name", $"Two steps are named '{step.Name}'; names of steps are unique within a funnel.");
            if (step.EventTypes.Count is < 1 or > 20 || step.EventTypes.Any(t => t is not { Length: >= 1 and <= 64 })) return new($"steps[{i}].eventTypes", "A step must name 1 to 20 event types of 1 to 64 characters.");
            if (step.Path is not null && (step.Path.Length > 2048 || !step.Path.StartsWith('/'))) return new($"steps[{i}].path", "A path begins with / and has at most 2,048 characters; one that ends in * is a beginning.");
            if (step.Props is { Count: > 10 } || step.Props?.Any(p => p.Key.Length is < 1 or > 128 || p.Value is null or { Length: > 1024 }) == true) return new($"steps[{i}].props", "A step may ask for at most 10 props, each with a name of 1 to 128 and a value of at most 1,024 characters.");
        }
        return null;
    }

    public static DefinitionProblem? Problem(ExperimentDefinition experiment)
    {
        if (!IsName(experiment.Id)) return new("id", $"An experiment's id {NameRule}.");
        if (experiment.Id.All(c => c == '.')) return new("id", $"An experiment's id {DotsRule}.");
        if (experiment.Name.Length is < 1 or > 200) return new("name", "name must have 1 to 200 characters.");
        if (experiment.Variants.Count is < 2 or > ExperimentDefinition.MostVariants) return new("variants", $"An experiment must have 2 to {ExperimentDefinition.MostVariants} variants.");
        for (var i = 0; i < experiment.Variants.Count; i++)
        {
            var variant = experiment.Variants[i];
            if (!IsName(variant.Id)) return new($"variants[{i}].id", $"A variant's id {NameRule}.");
            if (experiment.Variants.Take(i).Any(v => v.Id == variant.Id)) return new($"variants[{i}].id", $"Two variants have the id '{variant.Id}'.");
            if (variant.Weight is < 1 or > 1_000_000) return new($"variants[{i}].weight", "weight must be a whole number from 1 to 1000000; only the weights' proportion matters.");
        }
        if (experiment.Variants.All(v => v.Id != experiment.Control)) return new("control", "control must be the id of one of the variants.");
        if (experiment.MetricEvent.Length is < 1 or > 64) return new("metric.eventType", "metric.eventType must have 1 to 64 characters.");
        if (experiment.MetricHours is < 1 or > ExperimentDefinition.MostHours) return new("metric.withinHours", $"metric.withinHours must be a whole number from 1 to {ExperimentDefinition.MostHours}.");
        if (experiment.StartsOn > experiment.EndsOn) return new("end", "end must not be before start.");
        return null;
    }
}
