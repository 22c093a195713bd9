using Footfall.Explore;

namespace Footfall.Dashboard.Overview;

/// <summary>One list of a panel: the groups of a dimension by a figure.</summary>
/// <param name="Second">Shown beside the first instead of the share; null where the share is.</param>
internal sealed record PanelTab(string Key, string Label, DimensionKind By, Metric Metric, Metric? Second = null);

/// <summary>One box of the overview with its tabs.</summary>
/// <param name="Key">The parameter of the address that chooses the tab.</param>
internal sealed record PanelInfo(string Key, string Title, IReadOnlyList<PanelTab> Tabs)
{
    public const int Rows = 9;

    public static IReadOnlyList<PanelInfo> All { get; } =
    [
        new("sources", "Where from",
        [
            new("source", "Sources", DimensionKind.Source, Metric.Visitors), new("channel", "Channels", DimensionKind.Channel, Metric.Visitors), new("campaign", "Campaigns", DimensionKind.UtmCampaign, Metric.Visitors),
        ]),
        new("pages", "Pages",
        [
            new("path", "Pages", DimensionKind.Path, Metric.Visitors), new("entry", "Entry", DimensionKind.EntryPath, Metric.Sessions), new("exit", "Exit", DimensionKind.ExitPath, Metric.Sessions),
            new("landing", "Landing conversion", DimensionKind.EntryPath, Metric.Sessions, Metric.ConversionRate),
        ]),
        new("countries", "Countries", [new("list", "Countries", DimensionKind.Country, Metric.Visitors), new("map", "Map", DimensionKind.Country, Metric.Visitors)]),
        new("devices", "Devices",
        [
            new("device", "Devices", DimensionKind.Device, Metric.Visitors), new("browser", "Browsers", DimensionKind.Browser, Metric.Visitors), new("os", "Systems", DimensionKind.Os, Metric.Visitors),
        ]),
        new("events", "Events",
        [
            new("event", "Events", DimensionKind.EventType, Metric.Events), new("goal", "Goals", DimensionKind.EventType, Metric.Conversions),
        ]),
    ];

    public PanelTab Tab(Address address) => Tabs.FirstOrDefault(t => t.Key == address[Key]) ?? Tabs[0];
}

/// <summary>A panel with its answer.</summary>
/// <param name="Total">What the rows' values are a share of; null for none.</param>
/// <param name="Then">The same groups in the window that is compared with; null without one.</param>
internal sealed record PanelAnswer(PanelInfo Panel, PanelTab Tab, IReadOnlyList<Cell> Rows, double? Total, IReadOnlyDictionary<string, double?>? Then, bool HasMore);

internal sealed class PanelsReader(CurrentPage page, Questions questions)
{
    public async Task<PanelAnswer> ReadAsync(PanelInfo panel, CancellationToken cancellationToken)
    {
        var tab = panel.Tab(page.Address);
        var isMap = tab.Key == "map";
        Metric[] metrics = tab.Second is { } second ? [tab.Metric, second] : [tab.Metric];
        var query = new Query(page.Property.Id, page.Period.Days, metrics, page.Filters, By: new Dimension(tab.By));
        var rows = await questions.AnswerAsync(query with { Limit = isMap ? 300 : PanelInfo.Rows + 1 }, cancellationToken);
        var shown = rows.Where(r => r.Values[0] is > 0).Take(isMap ? 300 : PanelInfo.Rows).ToList();
        var total = await questions.TotalAsync(query with { Metrics = [tab.Metric] }, cancellationToken);
        Dictionary<string, double?>? then = null;
        if (page.Period.CompareTo is { } window && shown.Count > 0)
        {
            var compared = await questions.AnswerAsync(query with { Window = window, Metrics = [tab.Metric], Only = [.. shown.Select(c => c.Key)] }, cancellationToken);
            then = compared.ToDictionary(c => KeyOf(c.Key), c => c.Values[0], StringComparer.Ordinal);
        }
        return new PanelAnswer(panel, tab, shown, total.Values[0], then, rows.Count > PanelInfo.Rows);
    }

    // A text that no value can be: values hold no NUL.
    public static string KeyOf(string? key) => key ?? "\0";
}
