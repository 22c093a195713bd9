using Footfall.Capture;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>
/// Writes batches into the database, each in one transaction: all of it or nothing. Used by one caller at a time.
/// Of all servers, one transaction at a time changes a lane's visitors, sessions and events (advisory locks), which is what makes
/// sessions right when two servers see the same visitor. What becomes of events is worked out here, from what is stored of their visitors
/// (<see cref="BatchReads"/>); rows then go in by COPY (<see cref="BatchRows"/>). A batch is a handful of statements however many events it holds.
/// </summary>
internal sealed class BatchWriter(NpgsqlDataSource database, EventPartitions partitions, IOptions<SessionsOptions> sessions, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Key of the advisory lock under which visitors, sessions and events change: held alone for all of them, shared by who changes some lanes.</summary>
    public const long LockKey = Locks.VisitorRows;

    /// <summary>So many further keys follow, one for each lane.</summary>
    private const long FirstLaneKey = LockKey + 1;

    // A server that stops in the middle (a paused machine) must not hold the lock for ever.
    // Large tables are only looked into by key here: that the planner takes a batch's keys for reason enough to read all of one must not happen.
    // What is so forbidden counts as very dear where it cannot be helped (up to PostgreSQL 17), and what is dear is compiled first: half a second for each statement of a small batch.
    // On a cluster each node is written to over one connection, which lasts: else each batch opens a dozen to each node, and commits in as many halves.
    internal const string SetUp = """
        set citus.max_adaptive_executor_pool_size = 1;
        set idle_in_transaction_session_timeout = '60s';
        set enable_seqscan = off;
        set enable_hashjoin = off;
        set enable_mergejoin = off;
        set jit = off;

        """ + BatchRows.Create;

    private NpgsqlConnection? connection;

    /// <inheritdoc cref="WriteAsync(IngestBatch, IReadOnlyList{int}, Func{NpgsqlConnection, CancellationToken, Task}, CancellationToken)"/>
    public Task WriteAsync(IngestBatch batch, Func<NpgsqlConnection, CancellationToken, Task> mark, CancellationToken cancellationToken) =>
        WriteAsync(batch, Lanes.All, mark, cancellationToken);

    /// <summary>Stores the batch and, in the same transaction, whatever <paramref name="mark"/> writes (how far the source was read).</summary>
    /// <param name="lanes">Those of the batch's visitors.</param>
    /// <exception cref="NpgsqlException">Nothing was stored, or (where the connection broke during commit) perhaps all: the mark tells.</exception>
    public async Task WriteAsync(IngestBatch batch, IReadOnlyList<int> lanes, Func<NpgsqlConnection, CancellationToken, Task> mark, CancellationToken cancellationToken)
    {
        try
        {
            var open = await OpenAsync(cancellationToken);
            await partitions.EnsureAsync(open, batch.Events.Where(e => !e.IsOutOfRange).Select(e => e.OccurredAt), cancellationToken);
            await using var transaction = await open.BeginTransactionAsync(cancellationToken);
            await LockAsync(open, lanes, cancellationToken);
            if (!batch.IsEmpty) await StoreAsync(open, batch, cancellationToken);
            await mark(open, cancellationToken);
            await transaction.CommitAsync(cancellationToken);
        }
        catch
        {
            await DisposeAsync();   // whatever state the connection is in, the next batch starts on a new one
            throw;
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (connection is null) return;
        await connection.DisposeAsync();
        connection = null;
    }

    /// <summary>Waits for the lock under which visitors, sessions and events of all lanes change; held until the transaction ends.</summary>
    public static Task LockAsync(NpgsqlConnection connection, CancellationToken cancellationToken) => LockAsync(connection, Lanes.All, cancellationToken);

    private static async Task LockAsync(NpgsqlConnection connection, IReadOnlyList<int> lanes, CancellationToken cancellationToken)
    {
        var all = lanes.Count == Lanes.Count;
        // One after the other, each in a statement of its own: two servers' writers of several lanes must not wait for each other.
        await using var batch = new NpgsqlBatch(connection);
        Take(all ? "select pg_advisory_xact_lock(@key)" : "select pg_advisory_xact_lock_shared(@key)", LockKey);
        if (!all)
        {
            foreach (var lane in lanes.Order()) Take("select pg_advisory_xact_lock(@key)", FirstLaneKey + lane);
        }
        await batch.ExecuteNonQueryAsync(cancellationToken);

        void Take(string sql, long key)
        {
            var command = new NpgsqlBatchCommand(sql);
            command.Parameters.AddWithValue("key", key);
            batch.BatchCommands.Add(command);
        }
    }

    private async Task<NpgsqlConnection> OpenAsync(CancellationToken cancellationToken)
    {
        if (connection is not null) return connection;
        connection = await database.OpenConnectionAsync(cancellationToken);
        await using var setUp = new NpgsqlCommand(SetUp, connection);
        await setUp.ExecuteNonQueryAsync(cancellationToken);
        return connection;
    }

    private async Task StoreAsync(NpgsqlConnection open, IngestBatch batch, CancellationToken cancellationToken)
    {
        var outcome = new BatchOutcome(batch);
        var accounts = await StoreEventsAsync(open, batch, outcome, cancellationToken);
        // Last what all lanes and servers write into, always in this order: else two could wait for each other.
        await SharedRows.WriteAsync(open, outcome, accounts, clock.GetUtcNow(), cancellationToken);
    }

    /// <summary>Everything that is the visitors' own. Returns the accounts' names that came with it.</summary>
    private async Task<List<AccountName>> StoreEventsAsync(NpgsqlConnection open, IngestBatch batch, BatchOutcome outcome, CancellationToken cancellationToken)
    {
        if (batch.Events.Count == 0) return [];
        var keyed = batch.Events.Where(e => e.DedupeKey is not null).OrderBy(e => e.VisitorId).ToList();
        Guid[] seen = [.. batch.Events.Select(e => e.VisitorId).Distinct().Order()];
        var shards = await ShardMap.OfAsync(open, seen, cancellationToken);
        var before = await BatchReads.BeforeAsync(open, shards, seen, keyed, [.. batch.Events.Select(e => e.PropertyId).Distinct()], cancellationToken);
        var events = outcome.Sort(batch.Events, before);
        batch.Stored = events.Count;
        if (events.Count == 0) return [];

        var visitors = VisitorChange.Of(events, before.Visitors);
        var trails = new Dictionary<Trail, List<CapturedEvent>>();
        foreach (var e in events.Where(e => !e.IsOutOfRange))
        {
            var trail = Trail.Of(e);
            if (trails.TryGetValue(trail, out var others)) others.Add(e);
            else trails.Add(trail, [e]);
        }
        var near = await BatchReads.NearAsync(open, shards, Reaches(trails, visitors), cancellationToken);
        var stitched = Stitching.Of(trails, near, sessions.Value.Gap, clock.GetUtcNow());
        outcome.Add(stitched.Grown);

        var added = visitors.Values.Where(v => v.Stored is null).ToList();
        var numbers = await BatchReads.NumbersAsync(open, added.Count, cancellationToken);
        await BatchRows.AddVisitorsAsync(open, added.Zip(numbers), cancellationToken);
        await BatchRows.MoveVisitorsAsync(open, [.. visitors.Values.Where(v => v.Stored is not null && (v.MovesFirst || v.MovesLast || v.MovesAccount))], cancellationToken);
        await BatchRows.AddKeysAsync(open, keyed.Where(outcome.IsStored), cancellationToken);
        await BatchRows.AbsorbAsync(open, stitched.Absorbed, cancellationToken);
        await BatchRows.MoveFlagsAsync(open, stitched.Flags, cancellationToken);
        await BatchRows.AddSessionsAsync(open, stitched.New, cancellationToken);
        await BatchRows.GrowAsync(open, stitched.Grown, cancellationToken);
        await BatchRows.AddEventsAsync(open, events, stitched, cancellationToken);
        await BatchReads.AddDaysAsync(open, [.. visitors.Values.Where(v => v.MovesFirst)], outcome.Days, cancellationToken);
        return AccountName.Of(events);
    }

    /// <summary>
    /// Where stored sessions may be that events touch. A visitor who was last seen before the reach has no session in it: most are such, and
    /// looking through the sessions of each would read pages that nothing else needs. A bot's events do not say when it was last seen.
    /// </summary>
    private List<(Trail Trail, DateTimeOffset From, DateTimeOffset To)> Reaches(Dictionary<Trail, List<CapturedEvent>> trails, Dictionary<Guid, VisitorChange> visitors)
    {
        var gap = sessions.Value.Gap;
        List<(Trail Trail, DateTimeOffset From, DateTimeOffset To)> reaches = [];
        foreach (var (trail, events) in trails)
        {
            if (visitors[trail.VisitorId].Stored is not { } stored) continue;
            var from = events.Min(e => e.OccurredAt) - gap;
            if (trail.IsBot || stored.LastSeenAt >= from) reaches.Add((trail, from, events.Max(e => e.OccurredAt) + gap));
        }
        reaches.Sort((a, b) => a.Trail.VisitorId.CompareTo(b.Trail.VisitorId));
        return reaches;
    }
}
