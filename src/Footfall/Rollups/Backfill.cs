using Npgsql;

namespace Footfall.Rollups;

/// <param name="BegunAt">When the backfill that this run went on with had begun; null when this run began it.</param>
/// <param name="DoneBefore">Property-days that earlier runs of it had done.</param>
internal sealed record BackfillReport(RollupReport Rollup, DateTimeOffset? BegunAt, int DoneBefore);

/// <summary>
/// Recomputes every day of a window with every model. What is still to do is stored, and each day leaves it in the transaction
/// that rolls it up: however a run ends, the next with the same window and property goes on behind it. Days that failed are tried again.
/// </summary>
internal sealed class Backfill(NpgsqlDataSource database, RollupRunner runner, TimeProvider clock)
{
    /// <summary>From so many property-days on, what the planner knows of the tables is old afterwards.</summary>
    private const int WorthAnalyzing = 14;

    private const string Analyze = """
        analyze daily_metric_rollups, daily_ingest_rollups, daily_product_metrics, user_facts, product_users, experiment_exposures, experiment_assignments,
                experiment_metric_rollups, funnel_rollups, analytics_aggregates, entity_visitor_days, entity_visitors
        """;

    /// <param name="restart">Begins anew, whatever an earlier run has done.</param>
    public async Task<BackfillReport> RunAsync(BackfillKey key, bool restart, IProgress<RollupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, RollupRunner.LockKey, wait: true, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        if (restart) await BackfillStore.ForgetAsync(connection, key, cancellationToken);
        var (pending, begunAt) = await BackfillStore.PendingAsync(connection, key, cancellationToken);
        var days = await runner.DaysAsync(key.From, key.To, key.PropertyId, cancellationToken);
        var all = days.Count;
        if (begunAt is null)
        {
            await BackfillStore.PlanAsync(connection, key, days, clock.GetUtcNow(), cancellationToken);
        }
        else
        {
            var marks = days.ToDictionary(d => (d.Property, d.Day), d => d.Marks);
            days = pending.ConvertAll(p => new RollupDay(p.Property, p.Day, marks.GetValueOrDefault(p)));
        }
        var report = await runner.RollAsync(days, key.PropertyId, Shifted(progress, Math.Max(0, all - days.Count), all), (open, day, stop) => BackfillStore.DoneAsync(open, key, day, stop), cancellationToken);
        if (report.Days >= WorthAnalyzing)
        {
            await using var analyze = new NpgsqlCommand(Analyze, connection) { CommandTimeout = 0 };
            await analyze.ExecuteNonQueryAsync(cancellationToken);
        }
        return new BackfillReport(report, begunAt, Math.Max(0, all - days.Count));
    }

    /// <summary>Tells of the whole backfill, not of this run's part.</summary>
    private static Whole? Shifted(IProgress<RollupProgress>? progress, int before, int all) => progress is null ? null : new Whole(progress, before, all);

    private sealed class Whole(IProgress<RollupProgress> progress, int before, int all) : IProgress<RollupProgress>
    {
        public void Report(RollupProgress value) => progress.Report(value with { DaysDone = value.DaysDone + before, DaysTotal = Math.Max(all, value.DaysTotal) });
    }
}
