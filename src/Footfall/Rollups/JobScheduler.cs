using System.Collections.Concurrent;
using System.Diagnostics;
using System.Diagnostics.Metrics;
using Footfall.Postgres;
using Microsoft.Extensions.Options;

namespace Footfall.Rollups;

/// <summary>How a job fared in this process.</summary>
/// <param name="FailingSince">Null while its last run succeeded.</param>
public sealed record JobHealth(string Name, DateTimeOffset? LastSuccess, DateTimeOffset? FailingSince, string? Error);

/// <summary>Runs each job on its schedule, one run of it at a time, and outlives its failures. The clock may jump: a job waits at most a minute before it looks again.</summary>
internal sealed class JobScheduler(Jobs jobs, DatabaseGate gate, IOptions<RollupsOptions> options, JobMeter meter, IMeterFactory meters, TimeProvider clock, ILogger<JobScheduler> log) : BackgroundService
{
    private static readonly TimeSpan LongestWait = TimeSpan.FromMinutes(1);
    private static readonly TimeSpan ShortestRetry = TimeSpan.FromSeconds(10);

    private readonly ConcurrentDictionary<string, JobHealth> health = new(StringComparer.Ordinal);

    public IReadOnlyCollection<JobHealth> Health => [.. health.Values.OrderBy(h => h.Name, StringComparer.Ordinal)];

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        if (!options.Value.Enabled) return;
        JobMeter.Watch(meters, () => Health);
        try
        {
            await gate.WaitAsync(stoppingToken);
            await Task.WhenAll(jobs.Passes.Select(pass => RepeatAsync(pass, stoppingToken)));
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    private async Task RepeatAsync(Pass job, CancellationToken stop)
    {
        var due = clock.GetUtcNow();   // once at start: what was missed while the server was off
        if (!job.AtStart) due = Next(job);
        var seen = clock.GetUtcNow();
        while (!stop.IsCancellationRequested)
        {
            var now = clock.GetUtcNow();
            if (now < seen) due = Next(job);   // the clock was set back: what was planned by the old one may be hours away
            seen = now;
            var wait = due - now;
            if (wait > TimeSpan.Zero)
            {
                await Task.Delay(wait < LongestWait ? wait : LongestWait, clock, stop);
                continue;
            }
            await gate.WaitAsync(stop);
            var (took, failed) = await RunOnceAsync(job, stop);
            due = Next(job);
            if (failed)
            {
                // Not only in an hour or a day: health would show until then what may have lasted a second.
                var again = clock.GetUtcNow() + (took * 10 > ShortestRetry ? took * 10 : ShortestRetry);
                if (due > again) due = again;
            }
            // A day that takes long to recompute is recomputed less often, and at least once a minute.
            var rest = clock.GetUtcNow() + (took * 4 < LongestWait - took ? took * 4 : TimeSpan.Zero);
            if (due < rest) due = rest;
        }
    }

    private DateTimeOffset Next(Pass job) => job.Cron.GetNextValidTimeAfter(clock.GetUtcNow()) ?? DateTimeOffset.MaxValue;

    private async Task<(TimeSpan Took, bool Failed)> RunOnceAsync(Pass job, CancellationToken stop)
    {
        var started = clock.GetTimestamp();
        using var span = JobMeter.Span(job.Name);
        var before = health.GetValueOrDefault(job.Name) ?? new JobHealth(job.Name, null, null, null);
        try
        {
            await job.Run(stop);
            if (before.FailingSince is not null) log.JobRecovered(job.Name);
            health[job.Name] = new JobHealth(job.Name, clock.GetUtcNow(), null, null);
            return Ran(failed: false);
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
            span?.SetStatus(ActivityStatusCode.Error);
            return Ran(failed: true);
        }

        (TimeSpan, bool) Ran(bool failed)
        {
            var took = clock.GetElapsedTime(started);
            meter.Ran(job.Name, took, failed);
            return (took, failed);
        }
    }
}
