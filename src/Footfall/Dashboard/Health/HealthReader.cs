using Footfall.Journal;
using Footfall.Metrics;
using Footfall.Rollups;
using Microsoft.Extensions.Options;

namespace Footfall.Dashboard.Health;

/// <summary>Whether the figures can be trusted, and what to do where they cannot.</summary>
/// <param name="Problems">Of the server; empty when all is well.</param>
/// <param name="PurgedThrough">The last day whose raw events are gone; null while none are.</param>
internal sealed record HealthModel(
    IReadOnlyList<string> Problems, JournalStatus Journal, IReadOnlyList<DailyRow> Days, IReadOnlyList<ProductDay> Lag, IngestHealth Ingest, FreshnessBody Freshness,
    IReadOnlyList<JobState> Jobs, DateOnly? PurgedThrough, int RawDays, int RollupMonths);

/// <summary>A job, with its newest run; null before the first, and for one that writes none.</summary>
internal sealed record JobState(string Name, string What, RollupRun? Run);

internal sealed class HealthReader(
    CurrentPage page, Readiness readiness, EventJournal journal, DailyStore daily, ProductReader product, IngestHealthReader ingest,
    RollupStore rollups, Jobs jobs, IOptions<RetentionOptions> retention)
{
    public async Task<HealthModel> ReadAsync(CancellationToken cancellationToken)
    {
        var days = page.Period.Days;
        var window = new Window(days.From, days.To);
        var (rows, generatedAt) = await daily.ReadAsync(page.Property.Id, days, cancellationToken);
        var purged = await rollups.PurgedThroughAsync(cancellationToken);
        var runs = (await rollups.LatestRunsAsync(jobs.All.Select(j => j.Name), 1, cancellationToken)).ToDictionary(r => r.Job);
        return new HealthModel(
            readiness.Problems(), journal.Status, rows, (await product.ReadAsync(page.Property.Id, window, cancellationToken)).Days,
            await ingest.ReadAsync(page.Property.Id, window, cancellationToken), SummaryReader.FreshnessOf(page.State, page.Today, generatedAt),
            [.. jobs.All.Select(j => new JobState(j.Name, j.What, runs.GetValueOrDefault(j.Name)))],
            purged.TryGetValue(page.Property.Id, out var through) ? through : null, retention.Value.RawDays, retention.Value.RollupMonths);
    }
}
