using Microsoft.Extensions.Caching.Memory;

namespace Footfall.Metrics;

/// <summary>Answers summaries from day rows, and keeps answers until the property is rolled up again.</summary>
internal sealed class SummaryReader(SummaryStore store, IMemoryCache cache)
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);

    /// <summary>The summary of <paramref name="query"/>, whose property is in <paramref name="state"/>.</summary>
    public async Task<Summary> ReadAsync(SummaryQuery query, PropertyState state, DateOnly today, CancellationToken cancellationToken)
    {
        var key = (nameof(SummaryReader), query.PropertyId, query.Window, query.CompareTo);
        if (!cache.TryGetValue(key, out (long Version, Summary Summary) kept) || kept.Version != state.Version)
        {
            kept = (state.Version, await ComputeAsync(query, cancellationToken));
            cache.Set(key, kept, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = KeptFor, Size = 1 + query.Window.Days / 16 });
        }
        return kept.Summary with { Freshness = FreshnessOf(state, today, kept.Summary.Freshness.GeneratedAt) };
    }

    private async Task<Summary> ComputeAsync(SummaryQuery query, CancellationToken cancellationToken)
    {
        var days = await store.DaysAsync(query.PropertyId, query.Window, cancellationToken);
        var now = Total(query.Window, days);
        var then = query.CompareTo is { } window ? Total(window, await store.DaysAsync(query.PropertyId, window, cancellationToken)) : null;
        var ingest = await store.IngestAsync(query.PropertyId, query.Window, cancellationToken);
        return new Summary(
            Body(query.Window),
            query.CompareTo is { } compared ? Body(compared) : null,
            new FreshnessBody(default, 0, now.GeneratedAt),
            new SummaryMetrics(
                Of(t => t.UniqueVisitors), Of(t => t.ReturningVisitorsPct), Of(t => t.PageViews), Of(t => t.LeadCaptureRate),
                Of(t => t.FormCompletionRate), Of(t => t.LandingPageConversionRate), Of(t => t.AvgTimeToFirstCaptureHrs),
                Of(t => t.BounceRate), Of(t => t.AvgVisitDurationSec), Of(t => t.Sessions),
                now.Sources.ToDictionary(s => s.Key, s => (double)s.Value / now.Sessions)),
            ingest,
            Trend(query.Window, days));

        Figure Of(Func<WindowTotals, double?> figure)
        {
            var value = figure(now);
            var before = then is null ? null : figure(then);
            return new Figure(value, value is null || before is null or 0 ? null : (value - before) / before);
        }
    }

    private static WindowTotals Total(Window window, List<DayRow> days)
    {
        var totals = new WindowTotals(window.From);
        foreach (var day in days) totals.Add(day);
        return totals.Counted();
    }

    private static List<TrendDay> Trend(Window window, List<DayRow> days)
    {
        var byDay = days.ToDictionary(d => d.Day);
        var trend = new List<TrendDay>(window.Days);
        for (var n = 0; n < window.Days; n++)
        {
            var day = window.From.AddDays(n);
            trend.Add(byDay.TryGetValue(day, out var row)
                ? new TrendDay(day, row.UniqueVisitors, row.PageViews, row.NewLeads)
                : new TrendDay(day, 0, 0, 0));
        }
        return trend;
    }

    /// <summary>A day that waits to be rolled up, and all after it, are not through; today never is.</summary>
    internal static FreshnessBody FreshnessOf(PropertyState state, DateOnly today, DateTimeOffset? generatedAt)
    {
        var through = today.AddDays(-1);
        if (state.FirstDirtyDay is { } dirty && dirty <= through) through = dirty.AddDays(-1);
        return new FreshnessBody(through, today.DayNumber - through.DayNumber, generatedAt);
    }

    private static WindowBody Body(Window window) => new(window.From, window.To);
}
