using Footfall.Dashboard.Overview;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Dashboard.By;

/// <summary>The groups of a dimension, a page of them.</summary>
/// <param name="Totals">Of everything, in the order of <paramref name="Metrics"/>.</param>
/// <param name="Then">The first metric of the same groups in the window that is compared with; null without one.</param>
/// <param name="Next">Where the next page begins; null on the last.</param>
internal sealed record DetailsModel(
    Dimension Dimension, IReadOnlyList<Metric> Metrics, IReadOnlyList<Cell> Rows, Cell Totals, IReadOnlyDictionary<string, double?>? Then, string? Next, string? Search);

internal sealed class DetailsReader(CurrentPage page, Questions questions)
{
    public const int PageRows = 50;
    private const int MostRows = 100_000;

    private static readonly Metric[] OfSessions = [Metric.Visitors, Metric.Sessions, Metric.PageViews, Metric.BounceRate, Metric.VisitDuration, Metric.ConversionRate];
    private static readonly Metric[] OfEvents = [Metric.Visitors, Metric.Events, Metric.PageViews, Metric.Conversions];

    /// <summary>The page that the address asks for; null when its cursor is of another question.</summary>
    public async Task<DetailsModel?> ReadAsync(Dimension dimension, CancellationToken cancellationToken)
    {
        await using var _ = questions;
        var query = QueryOf(dimension, out var search);
        Position? after = null;
        if (page.Address["cursor"] is { } cursor && (after = Position.Decode(cursor, query.Fingerprint())) is null) return null;
        var rows = (await questions.AnswerAsync(query with { Limit = PageRows + 1, After = after }, cancellationToken)).ToList();
        string? next = null;
        if (rows.Count > PageRows)
        {
            rows.RemoveAt(PageRows);
            next = Position.Of(rows[^1].Values[0], rows[^1].Key).Encode(query.Fingerprint());
        }
        Dictionary<string, double?>? then = null;
        if (page.Period.CompareTo is { } window && rows.Count > 0)
        {
            var compared = await questions.AnswerAsync(query with { Window = window, Metrics = [query.Metrics[0]], Only = [.. rows.Select(r => r.Key)] }, cancellationToken);
            then = compared.ToDictionary(c => PanelsReader.KeyOf(c.Key), c => c.Values[0], StringComparer.Ordinal);
        }
        return new DetailsModel(dimension, query.Metrics, rows, await questions.TotalAsync(query, cancellationToken), then, next, search);
    }

    /// <summary>Every row, as a file.</summary>
    public async Task<CsvTable> TableAsync(Dimension dimension, CancellationToken cancellationToken)
    {
        await using var _ = questions;
        var query = QueryOf(dimension, out var _);
        var table = new CsvTable(query.Metrics.Select(m => m.Name()).Prepend(dimension.Name));
        foreach (var row in await questions.AnswerAsync(query with { Limit = MostRows }, cancellationToken)) table.Add(row.Values.Cast<object?>().Prepend(row.Key));
        return table;
    }

    private Query QueryOf(Dimension dimension, out string? search)
    {
        var offered = dimension.IsOfEvent ? OfEvents : OfSessions;
        var first = offered.Cast<Metric?>().FirstOrDefault(m => m!.Value.Name() == page.Address["sort"]) ?? offered[0];
        search = page.Address["q"] is { Length: <= Filters.MaxCharacters } text && StorableText.Is(text) ? text : null;
        List<Filter> filters = [.. page.Filters];
        if (search is { } wanted) filters.Add(Matching(dimension, wanted));
        return new Query(page.Property.Id, page.Period.Days, [first, .. offered.Where(m => m != first)], filters, By: dimension);
    }

    // Countries are stored by their code and looked for by their name.
    private static Filter Matching(Dimension dimension, string search)
    {
        if (dimension.Kind != DimensionKind.Country) return new Filter(dimension, FilterOperator.Contains, [search]);
        var codes = Countries.Names.Where(n => n.Value.Contains(search, StringComparison.OrdinalIgnoreCase) || n.Key.Equals(search, StringComparison.OrdinalIgnoreCase)).Select(n => (string?)n.Key).ToList();
        return new Filter(dimension, FilterOperator.Is, codes.Count > 0 ? codes : [search]);
    }
}
