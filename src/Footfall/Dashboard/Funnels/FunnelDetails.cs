using Footfall.Definitions;
using Footfall.Explore;
using Footfall.Hosting;
using Footfall.Metrics;

namespace Footfall.Dashboard.Funnels;

/// <summary>What visitors are told apart by: a dimension, or their variant of an experiment.</summary>
/// <param name="Key">As the address has it.</param>
internal sealed record FunnelSplit(string Key, string Label, Dimension? By, string? Experiment);

/// <summary>One funnel from single events: each visitor once.</summary>
/// <param name="By">What the groups are by; null for none.</param>
/// <param name="Variants">The experiments whose variants can tell visitors apart.</param>
/// <param name="Then">In the window that is compared with; null without one.</param>
internal sealed record FunnelDetailModel(FunnelDefinition Definition, bool IsOwn, FunnelResult Now, FunnelCounts? Then, FunnelSplit? By, IReadOnlyList<FunnelSplit> Variants)
{
    /// <summary>Every step of all visitors, then of each group.</summary>
    public CsvTable ToTable()
    {
        var table = new CsvTable(By is null ? "group" : By.Key.Replace(':', '_'), "step", "step_name", "visitors", "of_previous", "of_first", "median_seconds_from_previous");
        Add(table, "(all visitors)", Now.Overall);
        foreach (var group in Now.Groups) Add(table, group.Key ?? Labels.None, group);
        return table;
    }

    private void Add(CsvTable table, string name, FunnelCounts counts)
    {
        foreach (var (step, i) in Definition.Steps.Select((s, i) => (s, i)))
            table.Add(name, i + 1, step.Name, counts.Visitors[i], i == 0 ? null : Share(counts, i, i - 1), Share(counts, i, 0), i == 0 ? null : counts.MedianSeconds[i - 1]);
    }

    private static double? Share(FunnelCounts counts, int step, int of) => counts.Visitors[of] > 0 ? (double)counts.Visitors[step] / counts.Visitors[of] : null;
}

internal sealed class FunnelDetails(CurrentPage page, FunnelStore definitions, ExperimentStore experiments, ExperimentsReader assigned, Assignments assignments, Questions questions)
{
    private const int Groups = 20;

    /// <summary>The dimensions that the page offers to tell visitors apart by.</summary>
    public static IReadOnlyList<FunnelSplit> Offered { get; } =
    [
        .. new[] { DimensionKind.Source, DimensionKind.Channel, DimensionKind.UtmCampaign, DimensionKind.EntryPath, DimensionKind.Country, DimensionKind.Device, DimensionKind.Browser }
            .Select(k => new Dimension(k)).Select(d => new FunnelSplit(d.Name, Labels.Of(d), d, null)),
    ];

    /// <summary>Null when there is no funnel of this name.</summary>
    public async Task<FunnelDetailModel?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        if ((await definitions.ListAsync(page.Property.Id, cancellationToken)).FirstOrDefault(f => f.Name == name) is not { } funnel) return null;
        await using var _ = questions;
        var variants = await VariantsAsync(cancellationToken);
        var by = Offered.Concat(variants).FirstOrDefault(s => s.Key == page.Address["by"]);
        var query = new FunnelQuery(page.Property.Id, page.Period.Days, [.. funnel.Steps.Select(Step)], funnel.WindowHours, page.Filters, by?.By, by?.Experiment) { Limit = Groups };
        var now = await AskAsync(funnel, query, cancellationToken);
        var then = page.Period.CompareTo is { } window ? (await AskAsync(funnel, query with { Window = window, By = null, Experiment = null }, cancellationToken)).Overall : null;
        return new FunnelDetailModel(funnel, !definitions.Configured.Contains(funnel), now, then, by, variants);
    }

    /// <summary>Experiments that are defined, and those that only events name.</summary>
    private async Task<List<FunnelSplit>> VariantsAsync(CancellationToken cancellationToken)
    {
        var days = page.Period.Days;
        var names = (await experiments.ListAsync(page.Property.Id, cancellationToken)).ToDictionary(e => e.Id, e => e.Name);
        foreach (var id in await assigned.IdsAsync(page.Property.Id, new Window(days.From, days.To), cancellationToken)) names.TryAdd(id, id);
        return [.. names.OrderBy(n => n.Value, StringComparer.OrdinalIgnoreCase).Select(n => new FunnelSplit($"variant:{n.Key}", Labels.Visible(n.Value), null, n.Key))];
    }

    private Task<FunnelResult> AskAsync(FunnelDefinition funnel, FunnelQuery query, CancellationToken cancellationToken)
    {
        var steps = string.Join('\u0002', funnel.Steps.Select(s => $"{string.Join('\u0003', s.EventTypes)}\u0003\u0003{s.Path}\u0003\u0003{string.Join('\u0003', (s.Props ?? new Dictionary<string, string>()).Select(p => $"{p.Key}\u0004{p.Value}"))}"));
        var filters = new Query(query.PropertyId, query.Window, [Metric.Visitors], query.Filters).Fingerprint();
        return questions.KeptOfMomentAsync(
            $"funnel {filters} {query.By?.Name} {query.Experiment} {query.WindowHours} {steps}",
            async m => await Ways.AnswerAsync(m, query, query.Experiment is { } experiment ? await assignments.ReadAsync(query.PropertyId, experiment, cancellationToken) : null, cancellationToken));
    }

    private static FunnelQueryStep Step(FunnelStep step)
    {
        List<Filter> filters = [new(new Dimension(DimensionKind.EventType), FilterOperator.Is, [.. step.EventTypes])];
        if (step.Path is { } path) filters.Add(new(new Dimension(DimensionKind.Path), FilterOperator.Matches, [path]));
        foreach (var (name, value) in step.Props ?? new Dictionary<string, string>()) filters.Add(new(new Dimension(DimensionKind.Prop, name), FilterOperator.Is, [value]));
        return new FunnelQueryStep(step.Name, filters);
    }
}
