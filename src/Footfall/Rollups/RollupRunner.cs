using System.Data;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Rollups;

/// <summary>How far a run is.</summary>
public sealed record RollupProgress(string PropertyId, DateOnly Day, int DaysDone, int DaysTotal);

/// <summary>What a run did.</summary>
/// <param name="Days">Property-days recomputed.</param>
/// <param name="Failed">Of them, those that could not be; their errors are in <c>rollup_runs</c>.</param>
/// <param name="LockHeld">True when another process was at it, and this one did nothing.</param>
public sealed record RollupReport(int Days, int Rows, int Failed, bool LockHeld, string? Error)
{
    public static readonly RollupReport Busy = new(0, 0, 0, LockHeld: true, null);
}

/// <summary>
/// Recomputes property-days. Each day is one transaction that sees one snapshot; its mark is removed only if the day
/// did not change meanwhile. One process at a time: the others are told so, or wait if they ask to.
/// </summary>
internal sealed class RollupRunner(NpgsqlDataSource database, RollupStore store, IEnumerable<IDayModel> models, TimeProvider clock, ILogger<RollupRunner> log)
{
    private const long LockKey = 0x466F6F74726F6C6C; // "Footroll"

    private readonly IDayModel[] models = [.. models];

    /// <summary>Names that <c>--job</c> takes.</summary>
    public IEnumerable<string> JobNames => models.Select(m => m.Job);

    /// <summary>Recomputes the days that changed since they were last rolled up.</summary>
    public async Task<RollupReport> RunDirtyAsync(string? propertyId, bool wait, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, LockKey, wait, cancellationToken);
        if (gate is null) return RollupReport.Busy;
        var dirty = await store.DirtyDaysAsync(propertyId, cancellationToken);
        return await RollAsync(models, dirty.ConvertAll(d => (d.Property, d.Day, (long?)d.Marks)), propertyId, null, cancellationToken);
    }

    /// <summary>Recomputes every day of the window, whether it changed or not. Waits while another process is at it.</summary>
    /// <param name="job">Only this one; null for all.</param>
    public async Task<RollupReport> RunAsync(
        DateOnly from, DateOnly to, string? propertyId, string? job, IProgress<RollupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, LockKey, wait: true, cancellationToken);
        var chosen = job is null ? models : Array.FindAll(models, m => m.Job == job);
        var marks = (await store.DirtyDaysAsync(propertyId, cancellationToken)).ToDictionary(d => (d.Property, d.Day), d => d.Marks);
        List<(string, DateOnly, long?)> days = [];
        foreach (var property in propertyId is null ? await store.PropertiesAsync(from, to, cancellationToken) : [propertyId])
        {
            for (var day = from; day <= to; day = day.AddDays(1))
            {
                // A mark speaks for every model: one job alone leaves it.
                days.Add((property, day, job is null && marks.TryGetValue((property, day), out var m) ? m : null));
            }
        }
        return await RollAsync(chosen, days, propertyId, progress, cancellationToken);
    }

    private async Task<RollupReport> RollAsync(
        IDayModel[] chosen, List<(string Property, DateOnly Day, long? Marks)> days, string? propertyId, IProgress<RollupProgress>? progress, CancellationToken cancellationToken)
    {
        if (days.Count == 0) return new RollupReport(0, 0, 0, LockHeld: false, null);
        var runs = new RunTally[chosen.Length];
        for (var i = 0; i < chosen.Length; i++)
        {
            var id = await store.BeginRunAsync(chosen[i].Job, propertyId, days.Min(d => d.Day), days.Max(d => d.Day), clock.GetUtcNow(), cancellationToken);
            runs[i] = new RunTally(id);
        }
        var failed = 0;
        string? firstError = null;
        try
        {
            for (var i = 0; i < days.Count; i++)
            {
                var (property, day, marks) = days[i];
                progress?.Report(new RollupProgress(property, day, i, days.Count));
                try
                {
                    await RollDayAsync(chosen, runs, property, day, cancellationToken);
                    if (marks is { } seen) await store.UnmarkAsync(property, day, seen, cancellationToken);
                }
                catch (Exception e) when (e is NpgsqlException or InvalidDataException or TimeoutException)
                {
                    // The day stays marked and is tried again; the others go on.
                    failed++;
                    firstError ??= $"{property} {day:yyyy-MM-dd}: {Database.Describe(e)}";
                    log.DayFailed(e, property, day);
                    if (e is NpgsqlException and not PostgresException) break;   // the database is away: the rest would fail too
                }
            }
        }
        finally
        {
            var error = firstError ?? (cancellationToken.IsCancellationRequested ? "Cancelled." : null);
            await FinishAsync(runs, error);
        }
        return new RollupReport(days.Count, runs.Sum(r => r.Rows), failed, LockHeld: false, firstError);
    }

    private async Task RollDayAsync(IDayModel[] chosen, RunTally[] runs, string property, DateOnly day, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        var scope = new DayScope(property, day, clock.GetUtcNow());
        var outcomes = new DayOutcome[chosen.Length];
        for (var i = 0; i < chosen.Length; i++) outcomes[i] = await chosen[i].RollAsync(connection, scope, cancellationToken);
        await RollupStore.BumpAsync(connection, property, cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        for (var i = 0; i < chosen.Length; i++) runs[i].Add(outcomes[i]);
    }

    private async Task FinishAsync(RunTally[] runs, string? error)
    {
        try
        {
            foreach (var run in runs) await store.FinishRunAsync(run.Id, clock.GetUtcNow(), run.Rows, run.Ignored, error, CancellationToken.None);
        }
        catch (NpgsqlException e)
        {
            log.RunNotRecorded(e);   // the next run closes it as failed
        }
    }

    private sealed class RunTally(long id)
    {
        public long Id { get; } = id;
        public int Rows { get; private set; }
        public long Ignored { get; private set; }

        public void Add(DayOutcome outcome)
        {
            Rows += outcome.Rows;
            Ignored += outcome.Ignored;
        }
    }
}
