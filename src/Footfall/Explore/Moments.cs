using Footfall.Segments;
using Microsoft.Extensions.Options;

namespace Footfall.Explore;

/// <summary>Opens what questions are answered from: segments where they have the answer, else raw rows.</summary>
internal sealed class Moments(SegmentCache segments, Snapshots snapshots, IOptions<ExploreOptions> options)
{
    /// <summary>For the questions of one answer or page about one property.</summary>
    public Moment Open(string propertyId) => new(segments.Open(propertyId), snapshots, options.Value);
}

/// <summary>
/// Answers the questions of one answer or page. Those answered from segments are of one build of each day; those answered from raw rows are of
/// one snapshot. Used by one caller at a time; dispose it soon.
/// </summary>
internal sealed class Moment(SegmentMoment segments, Snapshots snapshots, ExploreOptions options) : IAsyncDisposable
{
    private readonly Dictionary<DayRange, List<LeadRow>> leads = [];
    private readonly Dictionary<DayRange, SegmentWindow> windows = [];
    private Snapshot? snapshot;
    private bool onlyRows;
    private bool usedRows;

    /// <summary>What answered: <c>segments</c>, or <c>sql</c> where any question was answered from raw rows.</summary>
    public string Engine => usedRows ? "sql" : Segments;

    public const string Segments = "segments";

    /// <summary>Has all questions answered from raw rows unless segments can answer every one of these: for an answer whose figures must fit together. Nulls are none.</summary>
    public async Task DecideAsync(IEnumerable<Query?> queries, CancellationToken cancellationToken)
    {
        foreach (var query in queries)
        {
            if (query is null || onlyRows) continue;
            onlyRows = await WindowAsync(query.Window, w => SegmentEngine.Covers(query, w), cancellationToken) is null;
        }
    }

    /// <summary>The groups of the answer, in its order. For a question without groups one cell, also where nothing was counted.</summary>
    public async Task<List<Cell>> AnswerAsync(Query query, CancellationToken cancellationToken)
    {
        if (onlyRows || await WindowAsync(query.Window, w => SegmentEngine.Covers(query, w), cancellationToken) is not { } window)
        {
            usedRows = true;
            return await (await SnapshotAsync(cancellationToken)).AnswerAsync(query, cancellationToken);
        }
        var captured = query.Metrics.Contains(Metric.Leads) ? await LeadsAsync(query, cancellationToken) : null;
        return await WorkAsync(window, (w, stop) => SegmentEngine.Answer(query, w, captured, stop), cancellationToken);
    }

    /// <param name="covers">Whether segments hold all that the question needs.</param>
    /// <exception cref="QueryTooSlowException">It was broken off.</exception>
    /// <exception cref="TooManyQueriesException">No turn came in time.</exception>
    public async Task<T> AskAsync<T>(
        DayRange window, Func<SegmentWindow, bool> covers, Func<SegmentWindow, CancellationToken, T> fromSegments, Func<Snapshot, CancellationToken, Task<T>> fromRows, CancellationToken cancellationToken)
    {
        if (!onlyRows && await WindowAsync(window, covers, cancellationToken) is { } found) return await WorkAsync(found, fromSegments, cancellationToken);
        usedRows = true;
        return await fromRows(await SnapshotAsync(cancellationToken), cancellationToken);
    }

    /// <summary>Raw rows, for what only they tell.</summary>
    public async Task<Snapshot> SnapshotAsync(CancellationToken cancellationToken) => snapshot ??= await snapshots.OpenAsync(cancellationToken);

    public async ValueTask DisposeAsync()
    {
        segments.Dispose();
        if (snapshot is not null) await snapshot.DisposeAsync();
    }

    private async Task<List<LeadRow>> LeadsAsync(Query query, CancellationToken cancellationToken)
    {
        if (!leads.TryGetValue(query.Window, out var known)) leads[query.Window] = known = await LeadRows.ReadAsync(await SnapshotAsync(cancellationToken), query.PropertyId, query.Window, cancellationToken);
        return known;
    }

    private async Task<SegmentWindow?> WindowAsync(DayRange window, Func<SegmentWindow, bool> covers, CancellationToken cancellationToken)
    {
        // What is held does not change, so that a window is looked up once.
        if (!windows.TryGetValue(window, out var found))
        {
            (found, _) = await segments.WindowAsync(window.From, window.To, cancellationToken);
            if (found is not null) windows.Add(window, found);
        }
        return found is not null && covers(found) ? found : null;
    }

    private async Task<T> WorkAsync<T>(SegmentWindow window, Func<SegmentWindow, CancellationToken, T> work, CancellationToken cancellationToken)
    {
        using var turn = snapshot is null ? await snapshots.TurnAsync(cancellationToken) : null;   // an open snapshot has a turn
        using var limited = CancellationTokenSource.CreateLinkedTokenSource(cancellationToken);
        limited.CancelAfter(TimeSpan.FromSeconds(options.StatementTimeoutSeconds));
        try
        {
            return work(window, limited.Token);
        }
        catch (OperationCanceledException e) when (!cancellationToken.IsCancellationRequested)
        {
            throw new QueryTooSlowException(options.StatementTimeoutSeconds, e);
        }
    }
}
