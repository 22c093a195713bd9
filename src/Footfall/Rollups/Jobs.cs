using Footfall.Backups;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Leads;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Footfall.Rollups;

/// <summary>One scheduled piece of work. It may run twice, or on two servers at once, without harm.</summary>
/// <param name="What">One line for people.</param>
/// <param name="Schedule">Cron expression with seconds, UTC.</param>
/// <param name="Lock">The advisory locks under which it works, one after the other: <c>own</c> (who finds it taken does nothing), and those shared with other work.</param>
/// <param name="Run">Does it once, and writes that into <c>rollup_runs</c>. False when another process is at it.</param>
internal sealed record Job(string Name, string What, string Schedule, string Lock, Func<CancellationToken, Task<bool>> Run)
{
    /// <summary>A model of days: also recomputed whenever a day changes, and together with the models that are due at the same time.</summary>
    public bool IsModel { get; init; }

    /// <summary>Also runs when the server starts: for what may have been missed while it was off.</summary>
    public bool AtStart { get; init; }
}

/// <summary>A job that a later room does: this one puts it on the clock, locks it and writes its runs down, and need not know what it is.</summary>
/// <param name="Schedule">Of the options of this room.</param>
/// <param name="Work">Returns how much it did.</param>
internal sealed record LaterJob(string Name, string What, Func<RollupsOptions, string> Schedule, Func<CancellationToken, Task<int>> Work);

/// <summary>What the scheduler repeats: a job, or several models at once, so that they see one snapshot of each day.</summary>
internal sealed record Pass(string Name, string Schedule, Func<CancellationToken, Task> Run, bool AtStart)
{
    public CronExpression Cron { get; } = new(Schedule, TimeZoneInfo.Utc);
}

/// <summary>Every job of the server.</summary>
internal sealed class Jobs
{
    private const string RollupsLock = "rollups";
    private const string OwnLock = "own";
    private static readonly TimeSpan RunsKept = TimeSpan.FromDays(30);
    private static readonly TimeSpan SucceededRunsKept = TimeSpan.FromDays(7);

    private readonly RollupRunner rollups;
    private readonly RollupStore store;
    private readonly NpgsqlDataSource database;
    private readonly TimeProvider clock;
    private readonly RollupsOptions options;

    public Jobs(
        IOptions<RollupsOptions> options, RollupRunner rollups, RollupStore store, SessionSealer sealer, EventPartitions partitions,
        Retention retention, Discrepancy discrepancy, ConsentExpiry consent, LikelyLinks links, BackupFiles backups, IEnumerable<LaterJob> later, NpgsqlDataSource database, TimeProvider clock)
    {
        (this.rollups, this.store, this.database, this.clock) = (rollups, store, database, clock);
        var o = this.options = options.Value;
        All =
        [
            Model("daily", "visits, page views, leads", o.DailySchedule),
            Model("ingest", "what arrived, p95 of its TTFB", o.IngestSchedule),
            Model("hourly", "views of entities", o.HourlySchedule),
            Model("product", "active users, submits, lag", o.ProductSchedule),
            Model("experiment", "users of each variant", o.ExperimentSchedule),
            Model("funnel", "users at each step", o.FunnelSchedule),
            Model("visitors", "who viewed an entity", o.VisitorsSchedule),
            Model("segments", "columns that questions read", o.SegmentsSchedule),
            Of("seal-sessions", "closes ended sessions", o.SealSchedule, "ingestion", TodayAlone, sealer.SealAsync) with { AtStart = true },
            Of("consent-expiry", "ends implied consent in time", o.ConsentSchedule, null, TodayAlone, consent.RunAsync) with { AtStart = true },
            Of("likely-links", "finds visitors of known leads", o.LinksSchedule, null, TodayAlone, links.RunAsync) with { AtStart = true },
            Of("retention", "removes what is past its time", o.RetentionSchedule, RollupsLock, TodayAlone, async stop =>
            {
                var report = await retention.RunAsync(dryRun: false, stop);
                await store.ForgetRunsAsync(clock.GetUtcNow() - RunsKept, clock.GetUtcNow() - SucceededRunsKept, stop);
                return (int)Math.Min(int.MaxValue, report.Properties.Sum(p => p.Events + p.Rollups) + report.Keys + report.Visitors);
            }),
            Of("partitions", "tables of coming weeks", o.PartitionsSchedule, null, TodayAlone, async stop =>
            {
                await using var connection = await database.OpenConnectionAsync(stop);
                await partitions.EnsureUpcomingAsync(connection, stop);
                return 0;
            }) with { AtStart = true },
            Of("discrepancy", "compares with raw rows", o.DiscrepancySchedule, null, () => (Today.AddDays(-o.BatchDays), Today.AddDays(-1)), async stop =>
            {
                var differences = await discrepancy.FindAsync(Today.AddDays(-o.BatchDays), Today.AddDays(-1), null, stop);
                return differences.Count == 0 ? 0 : throw new JobFailedException(
                    $"{differences.Count} figures differ from their raw rows, the first on {differences[0].Day:yyyy-MM-dd} ({differences[0].Figure}); `footfall rollups discrepancy` shows all.");
            }),
            Of("backup", "writes, tries, prunes backups", backups.Schedule, null, TodayAlone, async stop =>
            {
                try
                {
                    return (int)Math.Min(int.MaxValue, await backups.RunScheduledAsync(stop));
                }
                catch (Exception e) when (e is SetupException or InvalidDataException or IOException)
                {
                    throw new JobFailedException(e.Message);
                }
            }),
            .. later.Select(l => Of(l.Name, l.What, l.Schedule(o), null, TodayAlone, l.Work) with { AtStart = true }),
        ];
        Passes = [DirtyDays(), .. Nightly(), .. All.Where(j => !j.IsModel && (j.Name != "backup" || backups.IsScheduled)).Select(j => new Pass(j.Name, j.Schedule, j.Run, j.AtStart))];
    }

    public IReadOnlyList<Job> All { get; }

    /// <summary>How the jobs are put on the clock.</summary>
    public IReadOnlyList<Pass> Passes { get; }

    private DateOnly Today => DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);

    private (DateOnly, DateOnly) TodayAlone() => (Today, Today);

    private Pass DirtyDays() => new("dirty-days", options.DirtySchedule, async stop =>
    {
        var report = await rollups.RunDirtyAsync(null, wait: false, stop);
        if (report.Error is { } error) throw new JobFailedException(error);
    }, AtStart: true);

    /// <summary>One pass for each time at which models are due.</summary>
    private IEnumerable<Pass> Nightly() =>
        All.Where(j => j.IsModel).GroupBy(j => j.Schedule, StringComparer.Ordinal).Select(due =>
        {
            var names = due.Select(j => j.Name).ToArray();
            var name = due.Key == options.NightlySchedule ? "nightly" : string.Join('+', names);
            return new Pass(name, due.Key, async stop =>
            {
                // Every server comes at the same time: one of them does it. (The lock of the rollups itself is waited for, since changed days are at work under it.)
                await using var gate = await JobLock.TakeAsync(database, JobLock.KeyOf(name), wait: false, stop);
                if (gate is not null) await RecomputeAsync(names, stop);
            }, AtStart: false);
        });

    private Job Model(string name, string what, string? schedule) => new(name, what, schedule ?? options.NightlySchedule, RollupsLock, async stop =>
    {
        await RecomputeAsync([name], stop);
        return true;
    })
    {
        IsModel = true,
    };

    private async Task RecomputeAsync(string[] names, CancellationToken stop)
    {
        var report = await rollups.RunJobsAsync(Today.AddDays(1 - options.BatchDays), Today, null, names, null, stop);
        if (report.Error is { } error) throw new JobFailedException(error);
    }

    /// <summary>A job under a lock of its own name, whose runs are rows of rollup_runs as the models' are.</summary>
    /// <param name="further">A lock that the work itself takes beside.</param>
    /// <param name="work">Returns rows written.</param>
    private Job Of(string name, string what, string schedule, string? further, Func<(DateOnly From, DateOnly To)> window, Func<CancellationToken, Task<int>> work) =>
        new(name, what, schedule, further is null ? OwnLock : $"{OwnLock}, {further}", async stop =>
        {
            await using var gate = await JobLock.TakeAsync(database, JobLock.KeyOf(name), wait: false, stop);
            if (gate is null) return false;
            var (from, to) = window();
            var run = await store.BeginRunAsync(name, null, from, to, clock.GetUtcNow(), stop);
            var result = new RunResult(0, Cancelled: true);
            try
            {
                result = new RunResult(await work(stop));
            }
            catch (Exception e) when (!stop.IsCancellationRequested)
            {
                result = new RunResult(0, Error: e is JobFailedException ? e.Message : Database.Describe(e));
                throw;
            }
            finally
            {
                await store.FinishRunAsync(run, clock.GetUtcNow(), result, CancellationToken.None);
            }
            return true;
        });
}

/// <summary>A job did not do all of its work; the message says what and why.</summary>
internal sealed class JobFailedException(string message) : Exception(message);
