using Footfall.Explore;
using Footfall.Hosting;
using Footfall.Metrics;

namespace Footfall.Dashboard.Entities;

/// <summary>The entities of a property, or one of them with who viewed it.</summary>
/// <param name="Chosen">Null for the list.</param>
/// <param name="Next">Where the next page of visitors begins; null on the last.</param>
internal sealed record EntitiesModel(
    IReadOnlyList<EntityTotals> List, (string Type, string Id)? Chosen, IReadOnlyList<EntityPoint> Days, IReadOnlyList<EntityVisitor> Visitors, string? Next, string? Search);

internal sealed class EntitiesOverview(CurrentPage page, EntityListReader list, EntitiesReader reader)
{
    private const int ListRows = 200, PageRows = 50, FileRows = 10_000;

    public async Task<EntitiesModel> ReadAsync(CancellationToken cancellationToken)
    {
        var search = Text("q");
        if (Chosen is not var (type, id)) return new EntitiesModel(await list.ReadAsync(page.Property.Id, Days, search, ListRows, cancellationToken), null, [], [], null, search);
        var days = await reader.SeriesAsync(page.Property.Id, type, id, Days, EntityPeriod.Daily, cancellationToken);
        var visitors = (await reader.VisitorsAsync(page.Property.Id, type, id, Days, search, PageRows + 1, After, cancellationToken)).ToList();
        string? next = null;
        if (visitors.Count > PageRows)
        {
            visitors.RemoveAt(PageRows);
            next = $"{visitors[^1].LastVisit.UtcTicks}-{visitors[^1].User}";
        }
        return new EntitiesModel([], (type, id), days, visitors, next, search);
    }

    /// <summary>The list, or the visitors of the one that is chosen, as a file.</summary>
    public async Task<CsvTable> TableAsync(CancellationToken cancellationToken)
    {
        if (Chosen is not var (type, id))
        {
            var entities = new CsvTable("entity_type", "entity_id", "total_views", "avg_time_on_page", "bounce_rate");
            foreach (var e in await list.ReadAsync(page.Property.Id, Days, Text("q"), FileRows, cancellationToken)) entities.Add(e.EntityType, e.EntityId, e.TotalViews, e.AvgTimeOnPageSec, e.BounceRate);
            return entities;
        }
        var table = new CsvTable("account_id", "username", "display_name", "visit_count", "first_visit", "last_visit", "avg_time_on_page", "days_visited");
        foreach (var v in await reader.VisitorsAsync(page.Property.Id, type, id, Days, Text("q"), FileRows, null, cancellationToken))
            table.Add(v.AccountId, v.Username, v.DisplayName, v.VisitCount, v.FirstVisit, v.LastVisit, v.AvgTimeOnPageSec, v.DaysVisited);
        return table;
    }

    /// <summary>The views of the one that is chosen from day to day, as a file; null when none is.</summary>
    public async Task<CsvTable?> DaysTableAsync(CancellationToken cancellationToken)
    {
        if (Chosen is not var (type, id)) return null;
        var table = new CsvTable("day", "total_views", "unique_visitors", "unique_accounts", "anonymous_visitors", "avg_time_on_page", "bounce_rate_pct");
        foreach (var d in await reader.SeriesAsync(page.Property.Id, type, id, Days, EntityPeriod.Daily, cancellationToken))
            table.Add(DateOnly.FromDateTime(d.Start.UtcDateTime), d.TotalViews, d.UniqueVisitors, d.UniqueAccounts, d.AnonymousVisitors, d.AvgTimeOnPageSec, d.BounceRatePct);
        return table;
    }

    private Window Days => new(page.Period.Days.From, page.Period.Days.To);

    private (string, string)? Chosen => Text("type") is { } type && Text("id") is { } id ? (type, id) : null;

    // The last visitor of the page before; what is none begins anew.
    private (DateTimeOffset, int)? After =>
        page.Address["cursor"]?.Split('-') is [var ticks, var user] && long.TryParse(ticks, out var t) && t > 0 && t < DateTimeOffset.MaxValue.UtcTicks && int.TryParse(user, out var number)
            ? (new DateTimeOffset(t, TimeSpan.Zero), number) : null;

    private string? Text(string name) => page.Address[name] is { Length: <= Filters.MaxCharacters } text && StorableText.Is(text) ? text : null;
}
