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
    /// <summary>Days that were left as they are, because their raw rows are past retention.</summary>
    public int Skipped { get; init; }

    /// <summary>Other days that these have changed, and marked.</summary>
    public IReadOnlySet<(string Property, DateOnly Day)> Dependents { get; init; } = new HashSet<(string, DateOnly)>();

    public static readonly RollupReport Busy = new(0, 0, 0, LockHeld: true, null);
}

/// <summary>
/// Recomputes property-days. Each day is one transaction that sees one snapshot; its mark is removed only if the day
/// did not change meanwhile. One process at a time: the others are told so, or wait if they ask to.
/// </summary>
internal sealed class RollupRunner(
    NpgsqlDataSource database, RollupStore store, IEnumerable<IDayModel> models, TimeProvider clock, ILogger<RollupRunner> log, RollupLimits? limits = null)
{
    /// <inheritdoc cref="Locks.Rollups"/>
    public const long LockKey = Locks.Rollups;

    // On a cluster a statement is sent to a node over several connections when that is slow to answer, and all but one of them do not see
    // what the transaction has just written to tables that are whole on every node: numbers of accounts were given twice, or not found.
    private const string SeeOwnRows = "set local citus.max_adaptive_executor_pool_size = 1";

    // A long run holds the lock: so that new events show meanwhile, it looks after changed days itself.
    private static readonly TimeSpan FreshWithin = TimeSpan.FromSeconds(20);

    private const int Tries = 3;

    private readonly IDayModel[] models = [.. models];

    /// <summary>The models' jobs, in the order in which a day is rolled up.</summary>
    public IEnumerable<string> JobNames => models.Select(m => m.Job);

    /// <summary>Recomputes the days that changed since they were last rolled up.</summary>
    public async Task<RollupReport> RunDirtyAsync(string? propertyId, bool wait, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, LockKey, wait, cancellationToken);
        if (gate is null) return RollupReport.Busy;
        var dirty = await store.DirtyDaysAsync(propertyId, cancellationToken);
        var report = await RollAsync(models, Days(dirty), propertyId, null, null, cancellationToken);
        // A day that moved a user to another day has marked that one; it moves nobody further.
        for (var round = 0; round < 3 && report is { Error: null, Dependents.Count: > 0 }; round++)
        {
            dirty = [.. (await store.DirtyDaysAsync(propertyId, cancellationToken)).Where(d => report.Dependents.Contains((d.Property, d.Day)))];
            var next = await RollAsync(models, Days(dirty), propertyId, null, null, cancellationToken);
            report = next with { Days = report.Days + next.Days, Rows = report.Rows + next.Rows };
        }
        return report;

        static List<RollupDay> Days(List<(string Property, DateOnly Day, long Marks)> dirty) => dirty.ConvertAll(d => new RollupDay(d.Property, d.Day, d.Marks));
    }

    /// <summary>Recomputes every day of the window, whether it changed or not. Waits while another process is at it.</summary>
    /// <param name="job">Only this one; null for all.</param>
    public Task<RollupReport> RunAsync(
        DateOnly from, DateOnly to, string? propertyId, string? job, IProgress<RollupProgress>? progress, CancellationToken cancellationToken) =>
        RunJobsAsync(from, to, propertyId, job is null ? JobNames.ToArray() : [job], progress, cancellationToken);

    /// <param name="jobs">Only these.</param>
    /// <inheritdoc cref="RunAsync"/>
    public async Task<RollupReport> RunJobsAsync(
        DateOnly from, DateOnly to, string? propertyId, IReadOnlyCollection<string> jobs, IProgress<RollupProgress>? progress, CancellationToken cancellationToken)
    {
        await using var gate = await JobLock.TakeAsync(database, LockKey, wait: true, cancellationToken);
        var chosen = Array.FindAll(models, m => jobs.Contains(m.Job));
        var days = await DaysAsync(from, to, propertyId, cancellationToken);
        // A mark speaks for every model: some jobs alone leave it.
        if (chosen.Length < models.Length) days = days.ConvertAll(d => d with { Marks = null });
        return await RollAsync(chosen, days, propertyId, progress, null, cancellationToken);
    }

    /// <summary>Every day of the window of the property, or of each property, with its mark where it has one.</summary>
    public async Task<List<RollupDay>> DaysAsync(DateOnly from, DateOnly to, string? propertyId, CancellationToken cancellationToken)
    {
        var marks = await MarksAsync(propertyId, cancellationToken);
        List<RollupDay> days = [];
        foreach (var property in propertyId is null ? await store.PropertiesAsync(from, to, cancellationToken) : [propertyId])
        {
            for (var day = from; day <= to; day = day.AddDays(1)) days.Add(new(property, day, marks.TryGetValue((property, day), out var m) ? m : null));
        }
        return days;
    }

    /// <summary>How often each changed day was marked.</summary>
    public async Task<Dictionary<(string Property, DateOnly Day), long>> MarksAsync(string? propertyId, CancellationToken cancellationToken) =>
        (await store.DirtyDaysAsync(propertyId, cancellationToken)).ToDictionary(d => (d.Property, d.Day), d => d.Marks);

    /// <summary>All models over these days. The caller holds the lock.</summary>
    /// <param name="inDay">Written in each day's own transaction, or, for a day whose raw rows are gone, by itself.</param>
    public Task<RollupReport> RollAsync(
        List<RollupDay> days, string? propertyId, IProgress<RollupProgress>? progress, Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken) =>
        RollAsync(models, days, propertyId, progress, inDay, cancellationToken);

    private async Task<RollupReport> RollAsync(
        IDayModel[] chosen, List<RollupDay> days, string? propertyId, IProgress<RollupProgress>? progress,
        Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken)
    {
        if (days.Count == 0) return new RollupReport(0, 0, 0, LockHeld: false, null);
        var pass = new Pass(chosen, await store.PurgedThroughAsync(cancellationToken));
        foreach (var model in chosen) pass.Runs.Add(new RunTally(model.Job, await store.BeginRunAsync(model.Job, propertyId, days.Min(d => d.Day), days.Max(d => d.Day), clock.GetUtcNow(), cancellationToken)));
        try
        {
            var remaining = days.Select(d => (d.Property, d.Day)).ToHashSet();
            var fresh = clock.GetTimestamp();
            for (var i = 0; i < days.Count && !pass.DatabaseAway; i++)
            {
                if (!remaining.Remove((days[i].Property, days[i].Day))) continue;
                progress?.Report(new RollupProgress(days[i].Property, days[i].Day, i, days.Count));
                await RollAsync(pass, days[i], inDay, cancellationToken);
                if (clock.GetElapsedTime(fresh) < FreshWithin || chosen.Length < models.Length) continue;
                await FreshenAsync(pass, remaining, inDay, cancellationToken);
                fresh = clock.GetTimestamp();
            }
            if (pass.DatabaseAway) pass.GiveUp(remaining.Count);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested)
        {
            pass.FirstError ??= Database.Describe(e);   // nothing that a day can do about it; the run must not look as if it had succeeded
            throw;
        }
        finally
        {
            await FinishAsync(pass, cancellationToken.IsCancellationRequested);
        }
        return new RollupReport(pass.Tried, pass.Runs.Sum(r => r.Rows), pass.Failed, LockHeld: false, pass.FirstError) { Skipped = pass.Skipped, Dependents = pass.Dependents };
    }

    /// <summary>Days that changed meanwhile. Of those whose turn will come, only the ones on which events are happening: they would wait too long.</summary>
    private async Task FreshenAsync(Pass pass, HashSet<(string Property, DateOnly Day)> remaining, Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken)
    {
        var yesterday = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime).AddDays(-1);
        foreach (var (property, day, marks) in await store.DirtyDaysAsync(null, cancellationToken))
        {
            var comes = remaining.Contains((property, day));
            if (pass.DatabaseAway || (comes && day < yesterday)) continue;
            await RollAsync(pass, new(property, day, marks), comes ? inDay : null, cancellationToken);
            remaining.Remove((property, day));
        }
    }

    /// <summary>One day. What the database refuses is kept in the pass: the day stays marked and is tried again; the others go on.</summary>
    private async Task RollAsync(Pass pass, RollupDay day, Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken)
    {
        try
        {
            // What its raw rows would give now is not what happened: they are gone.
            if (pass.Purged.TryGetValue(day.Property, out var through) && day.Day <= through)
            {
                pass.Skipped++;
                if (inDay is not null)
                {
                    await using var alone = await database.OpenConnectionAsync(cancellationToken);
                    await inDay(alone, day, cancellationToken);
                }
            }
            else
            {
                pass.Tried++;
                await TryDayAsync(pass, day, inDay, cancellationToken);
            }
            if (day.Marks is { } seen) await store.UnmarkAsync(day.Property, day.Day, seen, cancellationToken);
        }
        catch (Exception e) when (!cancellationToken.IsCancellationRequested && e is NpgsqlException or InvalidDataException or TimeoutException)
        {
            pass.Failed++;
            pass.FirstError ??= $"{day.Property} {day.Day:yyyy-MM-dd}: {Database.Describe(e)}";
            pass.DatabaseAway = e is NpgsqlException and not PostgresException;   // the rest would fail too
            log.DayFailed(e, day.Property, day.Day);
        }
    }

    private async Task TryDayAsync(Pass pass, RollupDay day, Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken)
    {
        var holdsOff = false;
        for (var i = 1; ; i++)
        {
            try
            {
                await RollDayAsync(pass, day, holdsOff, inDay, cancellationToken);
                return;
            }
            catch (ErasedMeanwhileException)
            {
                holdsOff = true;   // the second time for sure: the next erasure waits for this day
            }
            catch (PostgresException e) when (i < Tries && e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            {
                // Another transaction was in the way, a migration's perhaps; of the day nothing was stored.
            }
        }
    }

    private async Task RollDayAsync(Pass pass, RollupDay day, bool holdsOff, Func<NpgsqlConnection, RollupDay, CancellationToken, Task>? inDay, CancellationToken cancellationToken)
    {
        await using var fence = await ErasureFence.OpenAsync(database, holdsOff, cancellationToken);
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(IsolationLevel.RepeatableRead, cancellationToken);
        await using (var reach = new NpgsqlCommand(SeeOwnRows, connection)) await reach.ExecuteNonQueryAsync(cancellationToken);
        var scope = new DayScope(day.Property, day.Day, clock.GetUtcNow()) { Limits = limits ?? RollupLimits.Usual };
        var outcomes = new DayOutcome[pass.Models.Length];
        for (var i = 0; i < outcomes.Length; i++) outcomes[i] = await pass.Models[i].RollAsync(connection, scope, cancellationToken);
        await RollupStore.BumpAsync(connection, day.Property, cancellationToken);
        if (inDay is not null) await inDay(connection, day, cancellationToken);
        if (!await fence.HoldsAsync(cancellationToken)) throw new ErasedMeanwhileException();
        await transaction.CommitAsync(cancellationToken);
        for (var i = 0; i < outcomes.Length; i++) pass.Runs[i].Add(outcomes[i], scope);
        pass.Dependents.UnionWith(scope.Dependents.Select(d => (day.Property, d)));
    }

    private async Task FinishAsync(Pass pass, bool cancelled)
    {
        try
        {
            foreach (var run in pass.Runs)
            {
                await store.FinishRunAsync(run.Id, clock.GetUtcNow(), new RunResult(run.Rows, run.Ignored, pass.Skipped, pass.FirstError, cancelled, run.LeftOut), CancellationToken.None);
            }
        }
        catch (NpgsqlException e)
        {
            log.RunNotRecorded(e);   // the next run closes it as failed
        }
    }

    /// <summary>What one walk over days has come to.</summary>
    private sealed class Pass(IDayModel[] models, Dictionary<string, DateOnly> purged)
    {
        public IDayModel[] Models { get; } = models;

        public Dictionary<string, DateOnly> Purged { get; } = purged;

        public List<RunTally> Runs { get; } = [];

        public HashSet<(string, DateOnly)> Dependents { get; } = [];

        /// <summary>Days whose raw rows are there.</summary>
        public int Tried { get; set; }

        public int Skipped { get; set; }

        public int Failed { get; set; }

        public string? FirstError { get; set; }

        public bool DatabaseAway { get; set; }

        /// <summary>These days were not even tried.</summary>
        public void GiveUp(int days)
        {
            Tried += days;
            Failed += days;
        }
    }

    private sealed class RunTally(string job, long id)
    {
        public long Id { get; } = id;
        public int Rows { get; private set; }
        public long Ignored { get; private set; }
        public SortedDictionary<string, long> LeftOut { get; } = new(StringComparer.Ordinal);

        public void Add(DayOutcome outcome, DayScope scope)
        {
            Rows += outcome.Rows;
            Ignored += outcome.Ignored;
            foreach (var ((of, reason), n) in scope.LeftOut)
            {
                if (of == job) LeftOut[reason] = LeftOut.GetValueOrDefault(reason) + n;
            }
        }
    }
}

/// <summary>A property's day to be rolled up.</summary>
/// <param name="Marks">How often it was marked as changed when it was looked at; null for a day that keeps its mark, or has none.</param>
internal readonly record struct RollupDay(string Property, DateOnly Day, long? Marks);
