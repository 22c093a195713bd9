using Footfall.Definitions;

namespace Footfall.Rollups;

/// <summary>Gathers one day's times of users by fact: opens, submits, experiments' metrics, steps of funnels.</summary>
internal sealed class DayFacts
{
    private readonly Dictionary<string, UserTimes> facts = [];
    private readonly Dictionary<string, List<(string Fact, FunnelStep? Step)>> byType = new(StringComparer.Ordinal);

    public DayFacts(string[] submits, string[] opens, string[] metrics, IReadOnlyList<FunnelDefinition> funnels)
    {
        foreach (var type in submits) Watch(type, UserFactStore.Submit, null);
        foreach (var type in opens) Watch(type, UserFactStore.Open, null);
        foreach (var type in metrics) Watch(type, UserFactStore.Type(type), null);
        foreach (var funnel in funnels)
        {
            for (var i = 0; i < funnel.Steps.Count; i++)
            {
                foreach (var type in funnel.Steps[i].EventTypes) Watch(type, UserFactStore.Step(funnel.Name, i), funnel.Steps[i]);
            }
        }
    }

    /// <summary>Event types that any fact is made of.</summary>
    public IEnumerable<string> Types => byType.Keys;

    public IEnumerable<string> TypesWithPath => byType.Where(t => t.Value.Any(f => f.Step?.Path is not null)).Select(t => t.Key);

    public IEnumerable<string> TypesWithProps => byType.Where(t => t.Value.Any(f => f.Step?.Props is { Count: > 0 })).Select(t => t.Key);

    public long SubmitCount => facts.TryGetValue(UserFactStore.Submit, out var submits) ? submits.Count : 0;

    public void Add(int user, string eventType, long micros, string? path, string? props)
    {
        if (!byType.TryGetValue(eventType, out var watched)) return;
        foreach (var (fact, step) in watched)
        {
            if (step is not null && !step.IsReachedBy(eventType, path, props)) continue;
            if (!facts.TryGetValue(fact, out var times)) facts[fact] = times = new UserTimes();
            times.Add(user, micros);
        }
    }

    public Dictionary<string, byte[]> Encode() => facts.ToDictionary(f => f.Key, f => f.Value.Encode(), StringComparer.Ordinal);

    private void Watch(string type, string fact, FunnelStep? step)
    {
        if (!byType.TryGetValue(type, out var watched)) byType[type] = watched = [];
        if (!watched.Contains((fact, step))) watched.Add((fact, step));
    }
}
