using Footfall.Definitions;
using Footfall.Metrics;

namespace Footfall.Dashboard.Funnels;

/// <summary>A funnel in the window, overall and by the variants of experiments.</summary>
/// <param name="IsOwn">Defined for this property, and not by the configuration for all.</param>
/// <param name="Then">The users of each step in the window that is compared with; null without one.</param>
internal sealed record FunnelModel(FunnelDefinition Definition, bool IsOwn, FunnelAnswer? Overall, IReadOnlyList<FunnelAnswer> ByVariant, IReadOnlyList<long>? Then);

/// <summary>Every funnel that the property has.</summary>
internal sealed record FunnelsModel(IReadOnlyList<FunnelModel> Funnels);

internal sealed class FunnelsOverview(CurrentPage page, FunnelStore definitions, FunnelsReader reader)
{
    public async Task<FunnelsModel> ReadAsync(CancellationToken cancellationToken)
    {
        var days = page.Period.Days;
        var answers = await reader.ReadAsync(page.Property.Id, new Window(days.From, days.To), null, cancellationToken);
        var then = page.Period.CompareTo is { } compared ? await reader.ReadAsync(page.Property.Id, new Window(compared.From, compared.To), null, cancellationToken) : null;
        return new FunnelsModel([.. (await definitions.ListAsync(page.Property.Id, cancellationToken)).Select(d => new FunnelModel(
            d, !definitions.Configured.Contains(d), Of(answers, d.Name).FirstOrDefault(a => a.ExperimentId.Length == 0), [.. Of(answers, d.Name).Where(a => a.ExperimentId.Length > 0)],
            then is null ? null : [.. Of(then, d.Name).FirstOrDefault(a => a.ExperimentId.Length == 0)?.Steps.Select(s => s.Users) ?? []]))]);
    }

    private static IEnumerable<FunnelAnswer> Of(IReadOnlyList<FunnelAnswer> answers, string name) => answers.Where(a => a.Name == name);
}
