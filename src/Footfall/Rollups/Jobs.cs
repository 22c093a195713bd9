using Footfall.Ingestion;
using Footfall.Leads;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Footfall.Rollups;

/// <summary>One scheduled piece of work. It may run twice, or on two servers at once, without harm.</summary>
/// <param name="Schedule">Cron expression with seconds, UTC.</param>
/// <param name="AtStart">Also runs when the server starts: for what may have been missed while it was off.</param>
internal sealed record Job(string Name, string Schedule, Func<CancellationToken, Task> Run, bool AtStart = true)
{
    public CronExpression Cron { get; } = new(Schedule, TimeZoneInfo.Utc);
}

/// <summary>Every job of the server.</summary>
internal sealed class Jobs(
    IOptions<RollupsOptions> options, RollupRunner rollups, RollupStore store, SessionSealer sealer, EventPartitions partitions,
    Retention retention, Discrepancy discrepancy, ConsentExpiry consent, LikelyLinks links, NpgsqlDataSource database, TimeProvider clock)
{
    private static DateOnly DayOf(TimeProvider clock) => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    public IReadOnlyList<Job> All { get; } =
    [
        new("dirty-days", options.Value.DirtySchedule, async stop =>
        {
            var report = await rollups.RunDirtyAsync(null, wait: false, stop);
            if (report.Error is { } error) throw new JobFailedException(error);
        }),
        new("nightly", options.Value.NightlySchedule, async stop =>
        {
            var report = await rollups.RunAsync(DayOf(clock).AddDays(1 - options.Value.BatchDays), DayOf(clock), null, null, null, stop);
            await store.ForgetRunsAsync(clock.GetUtcNow().AddDays(-30), stop);
            if (report.Error is { } error) throw new JobFailedException(error);
        }, AtStart: false),
        new("seal-sessions", options.Value.SealSchedule, sealer.SealAsync),
        new("partitions", options.Value.PartitionsSchedule, async stop =>
        {
            await using var connection = await database.OpenConnectionAsync(stop);
            await partitions.EnsureUpcomingAsync(connection, stop);
        }),
        new("retention", options.Value.RetentionSchedule, stop => RecordAsync("retention", store, clock, DayOf(clock), DayOf(clock), async () =>
        {
            var report = await retention.RunAsync(dryRun: false, stop);
            return (int)Math.Min(int.MaxValue, report.Properties.Sum(p => p.Events + p.Rollups) + report.Keys + report.Visitors);
        }, stop), AtStart: false),
        new("consent-expiry", options.Value.ConsentSchedule, async stop =>
        {
            // Every ten minutes nothing happens, mostly: only a run that did something is worth a row.
            await consent.RunAsync(stop);
        }),
        new("likely-links", options.Value.LinksSchedule, links.RunAsync),
        new("discrepancy", options.Value.DiscrepancySchedule, stop =>
        {
            var from = DayOf(clock).AddDays(-options.Value.BatchDays);
            return RecordAsync("discrepancy", store, clock, from, DayOf(clock).AddDays(-1), async () =>
            {
                var differences = await discrepancy.FindAsync(from, DayOf(clock).AddDays(-1), null, stop);
                if (differences.Count > 0) throw new JobFailedException($"{differences.Count} figures differ from their raw rows, the first on {differences[0].Day:yyyy-MM-dd} ({differences[0].Figure}); `footfall rollups discrepancy` shows all.");
                return 0;
            }, stop);
        }, AtStart: false),
    ];

    /// <summary>Writes the run as a row of rollup_runs, as the day models' runs are.</summary>
    private static async Task RecordAsync(string job, RollupStore store, TimeProvider clock, DateOnly from, DateOnly to, Func<Task<int>> work, CancellationToken stop)
    {
        var run = await store.BeginRunAsync(job, null, from, to, clock.GetUtcNow(), stop);
        (int rows, string? error) = (0, "The process ended before the run did.");
        try
        {
            rows = await work();
            error = null;
        }
        catch (Exception e) when (!stop.IsCancellationRequested)
        {
            error = e.Message;
            throw;
        }
        finally
        {
            await store.FinishRunAsync(run, clock.GetUtcNow(), rows, 0, 0, error, CancellationToken.None);
        }
    }
}

/// <summary>A job did not do all of its work; the message says what and why.</summary>
internal sealed class JobFailedException(string message) : Exception(message);
