namespace Footfall.Definitions;

/// <param name="Weight">Its part of the expected split, relative to the others'.</param>
internal sealed record ExperimentVariant(string Id, int Weight);

/// <summary>An experiment as an operator defines it. Experiments that are only named by events are rolled up too, without a metric of their own.</summary>
/// <param name="MetricEvent">Users convert with an event of this type within <paramref name="MetricHours"/> after they were assigned.</param>
/// <param name="StartsOn">First day (UTC) whose assignments count; null: any.</param>
/// <param name="EndsOn">Last such day, itself included; null: it goes on.</param>
internal sealed record ExperimentDefinition(
    string PropertyId, string Id, string Name, IReadOnlyList<ExperimentVariant> Variants, string Control,
    string MetricEvent, int MetricHours, DateOnly? StartsOn, DateOnly? EndsOn)
{
    public const int MostHours = 24 * 30;
    public const int MostVariants = 20;

    /// <summary>Whether assignments are made on the day.</summary>
    public bool RunsOn(DateOnly day) => !(StartsOn > day) && !(EndsOn < day);
}
