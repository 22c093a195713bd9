using Footfall.Ingestion;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;
using Quartz;

namespace Footfall.Rollups;

/// <summary>One scheduled piece of work. It may run twice, or on two servers at once, without harm.</summary>
/// <param name="Schedule">Cron expression with seconds, UTC.</param>
internal sealed record Job(string Name, string Schedule, Func<CancellationToken, Task> Run)
{
    public CronExpression Cron { get; } = new(Schedule, TimeZoneInfo.Utc);
}

/// <summary>Every job of the server.</summary>
internal sealed class Jobs(
    IOptions<RollupsOptions> options, RollupRunner rollups, RollupStore store, SessionSealer sealer, EventPartitions partitions,
    NpgsqlDataSource database, TimeProvider clock)
{
    public IReadOnlyList<Job> All { get; } =
    [
        new("dirty-days", options.Value.DirtySchedule, async stop =>
        {
            var report = await rollups.RunDirtyAsync(null, wait: false, stop);
            if (report.Error is { } error) throw new JobFailedException(error);
        }),
        new("nightly", options.Value.NightlySchedule, async stop =>
        {
            var today = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime);
            var report = await rollups.RunAsync(today.AddDays(1 - options.Value.BatchDays), today, null, null, null, stop);
            await store.ForgetRunsAsync(clock.GetUtcNow().AddDays(-30), stop);
            if (report.Error is { } error) throw new JobFailedException(error);
        }),
        new("seal-sessions", options.Value.SealSchedule, sealer.SealAsync),
        new("partitions", options.Value.PartitionsSchedule, async stop =>
        {
            await using var connection = await database.OpenConnectionAsync(stop);
            await partitions.EnsureUpcomingAsync(connection, stop);
        }),
    ];
}

/// <summary>A job did not do all of its work; the message says what and why.</summary>
internal sealed class JobFailedException(string message) : Exception(message);
