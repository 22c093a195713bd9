using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>
/// Writes batches into the database, each in one transaction: all of it or nothing. Used by one caller at a time.
/// Of all servers, one transaction at a time changes a lane's visitors, sessions and events (advisory locks), which is what makes
/// sessions right when two servers see the same visitor. A batch is a handful of statements however many events it holds.
/// </summary>
internal sealed class BatchWriter(NpgsqlDataSource database, EventPartitions partitions, IOptions<SessionsOptions> sessions, TimeProvider clock) : IAsyncDisposable
{
    /// <summary>Key of the advisory lock under which visitors, sessions and events change: held alone for all of them, shared by who changes some lanes.</summary>
    public const long LockKey = Locks.VisitorRows;

    /// <summary>So many further keys follow, one for each lane.</summary>
    private const long FirstLaneKey = LockKey + 1;

    /// <summary>What happens to a batch once it is in its temporary table, in this order, until it is known what becomes of sessions.</summary>
    private static readonly string[] Gathering =
    [
        // Without statistics the planner takes a temporary table for small, and walks one for each row of another.
        "analyze batch (seq, visitor_id, property_id, dedupe_key, account_id)",
        BatchSql.DropErased,
        BatchSql.DropDuplicates,
        BatchSql.AddProperties,
        BatchSql.GatherVisitors,
        "analyze batch_visitors (visitor_id)",
        BatchSql.AddVisitors,
        BatchSql.MoveVisitors,
        BatchSql.UpsertAccounts,
        BatchSql.FindNearSessions,
        "analyze batch_near (visitor_id, id)",
        BatchSql.CutIslands,
        "analyze batch_pieces (island, seq, session_id, visitor_id)",
        BatchSql.JoinIslands,
        "analyze batch_islands (island, visitor_id, session_id, first_seq, first_session, entry_seq, entry_session, exit_seq, exit_session, near)",
    ];

    /// <summary>All steps, also those that few batches need.</summary>
    internal static readonly string[] Steps = [.. Gathering, .. Storing(new BatchNeeds(true, true, true, true))];

    /// <summary>What stores it then.</summary>
    private static IEnumerable<string> Storing(BatchNeeds needs)
    {
        if (needs.Absorb) yield return BatchSql.Absorb;
        if (needs.MoveFlags) yield return BatchSql.MoveFlags;
        yield return BatchSql.AddSessions;
        if (needs.MoveSessions) yield return BatchSql.MoveSessions;
        yield return BatchSql.InsertEvents;
        yield return BatchSql.CountOutcomes;
        yield return needs.MarkVisitorsDays ? BatchSql.MarkDirtyDays : BatchSql.MarkBatchDays;
    }

    /// <summary>Below this many events any plan will do, and statistics would cost more than they save.</summary>
    private const int WorthAnalyzing = 500;

    private static readonly string GatherMany = string.Join(";\n", [.. Gathering, BatchSql.Needs]);
    private static readonly string GatherFew = string.Join(";\n", [.. Gathering.Where(s => !s.StartsWith("analyze", StringComparison.Ordinal)), BatchSql.Needs]);

    private static readonly string CountOnly = string.Join(";\n", [BatchSql.AddCounts, BatchSql.MarkCountedDays]);

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
            if (batch.Arrived.Count > 0)
            {
                await BatchTables.FillAsync(open, batch.Events, cancellationToken);
                await StoreAsync(open, batch, cancellationToken);
            }
            else if (batch.TurnedAway.Count > 0)
            {
                await CountAsync(open, CountOnly, batch, cancellationToken);
            }
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
        // A server that stops in the middle (a paused machine) must not hold the lock for ever.
        await using var setUp = new NpgsqlCommand("set idle_in_transaction_session_timeout = '60s';\n" + BatchTables.Create, connection);
        await setUp.ExecuteNonQueryAsync(cancellationToken);
        return connection;
    }

    private async Task StoreAsync(NpgsqlConnection open, IngestBatch batch, CancellationToken cancellationToken)
    {
        // First what Capture turned away, whose rows nobody else's lanes count into, and last what all count into, in one order: else two lanes could wait for each other.
        if (batch.TurnedAway.Count > 0) await CountAsync(open, BatchSql.AddCounts, batch, cancellationToken);
        var now = clock.GetUtcNow();
        BatchNeeds needs;
        await using (var gather = new NpgsqlCommand(batch.Events.Count < WorthAnalyzing ? GatherFew : GatherMany, open))
        {
            AddParameters(gather, batch, sessions.Value.Gap, now);
            await using var rows = await gather.ExecuteReaderAsync(cancellationToken);
            await rows.ReadAsync(cancellationToken);
            needs = new BatchNeeds(rows.GetBoolean(0), rows.GetBoolean(1), rows.GetBoolean(2), rows.GetBoolean(3));
        }
        await using var store = new NpgsqlCommand(string.Join(";\n", Storing(needs)), open);
        AddParameters(store, batch, sessions.Value.Gap, now);
        await store.ExecuteNonQueryAsync(cancellationToken);
    }

    internal static void AddParameters(NpgsqlCommand command, IngestBatch batch, TimeSpan gap, DateTimeOffset now)
    {
        var days = batch.Arrived.Concat(batch.TurnedAway.Keys.Select(k => (k.Property, k.Day)).Where(k => !batch.Arrived.ContainsKey(k)).Distinct().Select(k => KeyValuePair.Create(k, 0L))).ToList();
        command.Parameters.AddWithValue("gap", gap);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("properties", days.Select(d => d.Key.Property).ToArray());
        command.Parameters.AddWithValue("days", days.Select(d => d.Key.Day).ToArray());
        command.Parameters.AddWithValue("arrived", days.Select(d => d.Value).ToArray());
    }

    private async Task CountAsync(NpgsqlConnection open, string sql, IngestBatch batch, CancellationToken cancellationToken)
    {
        var counts = batch.TurnedAway.ToArray();
        await using var command = new NpgsqlCommand(sql, open);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        command.Parameters.AddWithValue("properties", counts.Select(c => c.Key.Property).ToArray());
        command.Parameters.AddWithValue("days", counts.Select(c => c.Key.Day).ToArray());
        command.Parameters.AddWithValue("outcomes", counts.Select(c => c.Key.Outcome).ToArray());
        command.Parameters.AddWithValue("reasons", counts.Select(c => c.Key.Reason).ToArray());
        command.Parameters.AddWithValue("events", counts.Select(c => c.Value).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>Which of the rarer steps a batch needs. Each of them looks through what is stored, on a cluster on every node, also when it finds nothing.</summary>
/// <param name="Absorb">A late event joins stored sessions.</param>
/// <param name="MoveFlags">A stored event is no longer the first or last page view of its session, or has become it.</param>
/// <param name="MoveSessions">Stored sessions go on.</param>
/// <param name="MarkVisitorsDays">A visitor turns out to have been here before.</param>
internal readonly record struct BatchNeeds(bool Absorb, bool MoveFlags, bool MoveSessions, bool MarkVisitorsDays);
