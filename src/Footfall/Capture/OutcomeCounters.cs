using System.Buffers;
using System.Runtime.InteropServices;

namespace Footfall.Capture;

/// <summary>
/// Counts what was turned away, and puts the counts into the same log as the events, so that they are as safe. The counts
/// of a moment may be lost with a killed process; nothing that was answered with 202 is.
/// </summary>
internal sealed class OutcomeCounters(ICaptureLog log, CaptureMeter meter, TimeProvider time, ILogger<OutcomeCounters> logger) : BackgroundService, IHostedLifecycleService
{
    private const string RejectedOutcome = "rejected";
    private const string DroppedOutcome = "dropped";
    private const string LeadRejectedOutcome = "lead_rejected";
    private static readonly TimeSpan Interval = TimeSpan.FromMilliseconds(500);

    private readonly Lock gate = new();
    private readonly SemaphoreSlim writing = new(1, 1);
    private Dictionary<(string Property, DateOnly Day, string Outcome, string Reason), long> counts = [];
    private bool complained;

    /// <summary>Events refused with one of <see cref="ErrorCodes"/>; a request that could not be read counts as one.</summary>
    public void Rejected(string propertyId, DateOnly day, string error, int events = 1) => Add((propertyId, day, RejectedOutcome, error), events);

    /// <summary>A form that made no lead.</summary>
    public void LeadRejected(string propertyId, DateOnly day, string reason) => Add((propertyId, day, LeadRejectedOutcome, reason), 1);

    public void Dropped(string propertyId, DateOnly day, DropReason reason) => Add((propertyId, day, DroppedOutcome, reason.Text()), 1);

    /// <summary>What is counted and not yet in the log.</summary>
    internal List<OutcomeCount> Pending()
    {
        lock (gate) return [.. counts.Select(c => new OutcomeCount(c.Key.Property, c.Key.Day, c.Key.Outcome, c.Key.Reason, c.Value))];
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, time);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await FlushAsync(stoppingToken);
    }

    /// <summary>Before other services stop, the journal among them.</summary>
    public Task StoppingAsync(CancellationToken cancellationToken) => FlushAsync(cancellationToken);

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync(cancellationToken);
    }

    Task IHostedLifecycleService.StartingAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    Task IHostedLifecycleService.StartedAsync(CancellationToken cancellationToken) => Task.CompletedTask;
    Task IHostedLifecycleService.StoppedAsync(CancellationToken cancellationToken) => Task.CompletedTask;

    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        await writing.WaitAsync(cancellationToken);
        try
        {
            var taken = Take();
            if (taken.Count == 0) return;
            var payload = new ArrayBufferWriter<byte>();
            CaptureRecord.WriteCounts(payload, [.. taken.Select(c => new OutcomeCount(c.Key.Property, c.Key.Day, c.Key.Outcome, c.Key.Reason, c.Value))]);
            var result = AppendResult.Failed;
            try
            {
                result = await log.AppendAsync(payload.WrittenMemory, cancellationToken);
            }
            finally
            {
                if (result != AppendResult.Durable)
                {
                    foreach (var (key, n) in taken) Keep(key, n);     // for the next time
                }
            }
            if (result != AppendResult.Durable && !complained) logger.CountsWait(result);
            complained = result != AppendResult.Durable;
        }
        finally
        {
            writing.Release();
        }
    }

    private Dictionary<(string Property, DateOnly Day, string Outcome, string Reason), long> Take()
    {
        lock (gate)
        {
            var taken = counts;
            counts = [];
            return taken;
        }
    }

    private void Add((string Property, DateOnly Day, string Outcome, string Reason) key, long n)
    {
        meter.TurnedAway(key.Outcome, key.Reason, n);
        Keep(key, n);
    }

    private void Keep((string Property, DateOnly Day, string Outcome, string Reason) key, long n)
    {
        lock (gate) CollectionsMarshal.GetValueRefOrAddDefault(counts, key, out _) += n;
    }

    public override void Dispose()
    {
        writing.Dispose();
        base.Dispose();
    }
}
