using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>What retention did or, on a dry run, would do with one property.</summary>
/// <param name="Events">Those of boundary weeks; of whole weeks only a dry run tells.</param>
internal sealed record PropertyPurge(PropertyRetention Plan, long Events, long Sessions, long Rollups);

/// <param name="Weeks">Mondays of the weeks dropped whole.</param>
/// <param name="Busy">Weeks that could have been dropped, had not long reads held them; the next run does.</param>
internal sealed record PurgeReport(IReadOnlyList<PropertyPurge> Properties, IReadOnlyList<DateOnly> Weeks, IReadOnlyList<DateOnly> Busy, long Keys, long Visitors);

/// <summary>
/// Removes what is past its time: raw rows, dedupe keys, visitors of whom nothing is left, rollups. A day goes only once it
/// is rolled up; from then on it is never rolled up again. Rollups do not run meanwhile.
/// </summary>
internal sealed class Retention(NpgsqlDataSource database, EventPartitions partitions, IOptions<RetentionOptions> options, TimeProvider clock)
{
    public async Task<PurgeReport> RunAsync(bool dryRun, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, RollupRunner.LockKey, wait: true, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
        var plan = await RetentionPlan.ReadAsync(connection, options.Value, today, cancellationToken);
        if (plan.Count == 0) return new PurgeReport([], [], [], 0, 0);

        // What no property needs any more can go as a whole.
        var (common, latest) = (plan.Min(p => p.RawBefore), plan.Max(p => p.RawBefore));
        List<DateOnly> old = [];
        foreach (var week in await EventPartitions.WeeksAsync(connection, cancellationToken))
        {
            if (week.AddDays(7) <= common && await RetentionStore.IsOldAsync(connection, EventPartitions.NameOf(week), common, cancellationToken)) old.Add(week);
        }
        return dryRun
            ? await TellAsync(connection, plan, old, cancellationToken)
            : await RemoveAsync(connection, plan, old, common, latest, cancellationToken);
    }

    private async Task<PurgeReport> RemoveAsync(NpgsqlConnection connection, List<PropertyRetention> plan, List<DateOnly> old, DateOnly common, DateOnly latest, CancellationToken cancellationToken)
    {
        // First of all: a run that is cut off in the middle must not leave days that look complete.
        foreach (var p in plan) await RetentionStore.SetPurgedAsync(connection, p.PropertyId, p.RawBefore.AddDays(-1), cancellationToken);
        List<DateOnly> dropped = [], busy = [];
        foreach (var week in old) (await partitions.DropAsync(connection, week, cancellationToken) ? dropped : busy).Add(week);
        List<PropertyPurge> properties = [];
        foreach (var p in plan)
        {
            var raw = await RetentionStore.RemoveRawAsync(connection, p, cancellationToken);
            var rollups = p.RollupsBefore is { } before ? await RetentionStore.RollupsAsync(connection, p.PropertyId, before, remove: true, cancellationToken) : 0;
            properties.Add(new PropertyPurge(p, raw, 0, rollups));
        }
        var keys = await RetentionStore.RemoveKeysAsync(connection, common, cancellationToken);
        return new PurgeReport(properties, dropped, busy, keys, await RetentionStore.RemoveVisitorsAsync(connection, latest, cancellationToken));
    }

    private static async Task<PurgeReport> TellAsync(NpgsqlConnection connection, List<PropertyRetention> plan, List<DateOnly> old, CancellationToken cancellationToken)
    {
        List<PropertyPurge> properties = [];
        foreach (var p in plan)
        {
            var (events, sessions) = await RetentionStore.CountAsync(connection, p, cancellationToken);
            var rollups = p.RollupsBefore is { } before ? await RetentionStore.RollupsAsync(connection, p.PropertyId, before, remove: false, cancellationToken) : 0;
            properties.Add(new PropertyPurge(p, events, sessions, rollups));
        }
        return new PurgeReport(properties, old, [], 0, 0);
    }
}
