using System.ComponentModel.DataAnnotations;

namespace Footfall.Definitions;

/// <summary>Section <c>Funnels</c>: funnels of every property, beside those that a property defines for itself.</summary>
internal sealed class FunnelsOptions : IValidatableObject
{
    /// <summary>The example, <c>core_journey</c>. It costs nothing where none of its events occur.</summary>
    public bool CoreJourney { get; set; } = true;

    /// <summary><c>Funnels:Definitions:0:Name</c>, <c>...:WindowHours</c>, <c>...:Steps:0:Name</c>, <c>...:Steps:0:EventTypes:0</c>, <c>...:Steps:0:Path</c>, <c>...:Steps:0:Props:plan</c>.</summary>
    public List<FunnelSetting> Definitions { get; set; } = [];

    public IReadOnlyList<FunnelDefinition> All() =>
        [.. Definitions.Select(d => d.ToDefinition()), .. CoreJourney && Definitions.All(d => d.Name != FunnelDefinition.CoreJourney.Name) ? [FunnelDefinition.CoreJourney] : Array.Empty<FunnelDefinition>()];

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        for (var i = 0; i < Definitions.Count; i++)
        {
            if (DefinitionRules.Problem(Definitions[i].ToDefinition()) is { } problem) yield return new ValidationResult($"Funnels:Definitions:{i}:{problem.Field}: {problem.Message}");
        }
        foreach (var twice in Definitions.GroupBy(d => d.Name, StringComparer.Ordinal).Where(g => g.Count() > 1))
        {
            yield return new ValidationResult($"Funnels:Definitions has two funnels named '{twice.Key}'; names are unique.");
        }
    }
}

internal sealed class FunnelSetting
{
    public string Name { get; set; } = "";
    public int WindowHours { get; set; } = 24;
    public List<FunnelStepSetting> Steps { get; set; } = [];

    public FunnelDefinition ToDefinition() => new(Name, [.. Steps.Select(s => new FunnelStep(s.Name, s.EventTypes, s.Path, s.Props))], WindowHours);
}

internal sealed class FunnelStepSetting
{
    public string Name { get; set; } = "";
    public List<string> EventTypes { get; set; } = [];
    public string? Path { get; set; }
    public Dictionary<string, string> Props { get; set; } = [];
}
