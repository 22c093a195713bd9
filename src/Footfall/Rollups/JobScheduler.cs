using System.Collections.Concurrent;
using Footfall.Postgres;
using Microsoft.Extensions.Options;

namespace Footfall.Rollups;

/// <summary>How a job fared in this process.</summary>
/// <param name="FailingSince">Null while its last run succeeded.</param>
public sealed record JobHealth(string Name, DateTimeOffset? LastSuccess, DateTimeOffset? FailingSince, string? Error);

/// <summary>Runs each job on its schedule, one run of it at a time, and outlives its failures. The clock may jump: a job waits at most a minute before it looks again.</summary>
internal sealed class JobScheduler(Jobs jobs, DatabaseGate gate, IOptions<RollupsOptions> options, TimeProvider clock, ILogger<JobScheduler> log) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<string, JobHealth> health = new(StringComparer.Ordinal);

    public IReadOnlyCollection<JobHealth> Health => [.. health.Values.OrderBy(h => h.Name, StringComparer.Ordinal)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        try
        {
            await gate.WaitAsync(stoppingToken);
            await Task.WhenAll(jobs.All.Select(job => RepeatAsync(job, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RepeatAsync(Job job, CancellationToken stop)
    {
        var due = clock.GetUtcNow();   // once at start: what was missed while the server was off
        if (job.Name == "nightly") due = Next(job);
        while (!stop.IsCancellationRequested)
        {
            var wait = due - clock.GetUtcNow();
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait < LongestWait ? wait : LongestWait, clock, stop);
                continue;
            }
            var took = await RunOnceAsync(job, stop);
            due = Next(job);
            // A day that takes long to recompute is recomputed less often, and at least once a minute.
            var rest = clock.GetUtcNow() + (took * 4 < LongestWait - took ? took * 4 : TimeSpan.Zero);
            if (due < rest) due = rest;
        }
    }

    private DateTimeOffset Next(Job job) => job.Cron.GetNextValidTimeAfter(clock.GetUtcNow()) ?? DateTimeOffset.MaxValue;

    private async Task<TimeSpan> RunOnceAsync(Job job, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        var before = health.GetValueOrDefault(job.Name) ?? new JobHealth(job.Name, null, null, null);
        try
        {
            await job.Run(stop);
            if (before.FailingSince is not null) log.JobRecovered(job.Name);
            health[job.Name] = new JobHealth(job.Name, clock.GetUtcNow(), null, null);
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            throw;
        }
#pragma warning disable CA1031 // A job that fails for whatever reason must not end the schedule.
        catch (Exception e)
#pragma warning restore CA1031
        {
            if (before.FailingSince is null) log.JobFailed(e, job.Name);   // said once; health goes on saying it
            health[job.Name] = before with { FailingSince = before.FailingSince ?? clock.GetUtcNow(), Error = Database.Describe(e) };
        }
        return clock.GetElapsedTime(started);
    }
}
