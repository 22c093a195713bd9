using Footfall.Definitions;
using Footfall.Explore;

namespace Footfall.Dashboard.Funnels;

/// <summary>One funnel from single events: each visitor once.</summary>
/// <param name="By">What the groups are by; null for none.</param>
/// <param name="Then">In the window that is compared with; null without one.</param>
internal sealed record FunnelDetailModel(FunnelDefinition Definition, bool IsOwn, FunnelResult Now, FunnelCounts? Then, Dimension? By);

internal sealed class FunnelDetails(CurrentPage page, FunnelStore definitions, Questions questions)
{
    private const int Groups = 20;

    /// <summary>What the page offers to tell visitors apart by.</summary>
    public static IReadOnlyList<Dimension> Offered { get; } =
        [new(DimensionKind.Source), new(DimensionKind.Channel), new(DimensionKind.UtmCampaign), new(DimensionKind.EntryPath), new(DimensionKind.Country), new(DimensionKind.Device), new(DimensionKind.Browser)];

    /// <summary>Null when there is no funnel of this name.</summary>
    public async Task<FunnelDetailModel?> ReadAsync(string name, CancellationToken cancellationToken)
    {
        if ((await definitions.ListAsync(page.Property.Id, cancellationToken)).FirstOrDefault(f => f.Name == name) is not { } funnel) return null;
        await using var _ = questions;
        Dimension? by = Offered.Where(d => d.Name == page.Address["by"]).Cast<Dimension?>().FirstOrDefault();
        var query = new FunnelQuery(page.Property.Id, page.Period.Days, [.. funnel.Steps.Select(Step)], funnel.WindowHours, page.Filters, by, null) { Limit = Groups };
        var now = await AskAsync(funnel, query, cancellationToken);
        var then = page.Period.CompareTo is { } window ? (await AskAsync(funnel, query with { Window = window, By = null }, cancellationToken)).Overall : null;
        return new FunnelDetailModel(funnel, !definitions.Configured.Contains(funnel), now, then, by);
    }

    private Task<FunnelResult> AskAsync(FunnelDefinition funnel, FunnelQuery query, CancellationToken cancellationToken)
    {
        var steps = string.Join('\u0002', funnel.Steps.Select(s => $"{string.Join('\u0003', s.EventTypes)}\u0003\u0003{s.Path}\u0003\u0003{string.Join('\u0003', (s.Props ?? new Dictionary<string, string>()).Select(p => $"{p.Key}\u0004{p.Value}"))}"));
        var filters = new Query(query.PropertyId, query.Window, [Metric.Visitors], query.Filters).Fingerprint();
        return questions.KeptOfMomentAsync($"funnel {filters} {query.By?.Name} {query.WindowHours} {steps}", m => Ways.AnswerAsync(m, query, null, cancellationToken));
    }

    private static FunnelQueryStep Step(FunnelStep step)
    {
        List<Filter> filters = [new(new Dimension(DimensionKind.EventType), FilterOperator.Is, [.. step.EventTypes])];
        if (step.Path is { } path) filters.Add(new(new Dimension(DimensionKind.Path), FilterOperator.Matches, [path]));
        foreach (var (name, value) in step.Props ?? new Dictionary<string, string>()) filters.Add(new(new Dimension(DimensionKind.Prop, name), FilterOperator.Is, [value]));
        return new FunnelQueryStep(step.Name, filters);
    }
}
