using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>Closes sessions that have had no event for longer than the inactivity gap, and flags their last page view as the exit. A late event opens such a session again (<see cref="Stitching"/>).</summary>
internal sealed class SessionSealer(NpgsqlDataSource database, IOptions<SessionsOptions> options, TimeProvider clock)
{
    private const int Portion = 5_000;   // the lock that ingestion waits for is held no longer than this takes

    private const string Ended = """
        select visitor_id, id, exit_at, exit_event_id
        from sessions
        where not sealed and ended_at < @cutoff
        order by started_at
        limit @portion
        """;

    private const string Seal = """
        update events e
        set is_exit = true
        from unnest(@visitors, @exits, @exit_events) as t (visitor_id, exit_at, exit_event_id)
        where e.visitor_id = t.visitor_id and e.occurred_at = t.exit_at and e.id = t.exit_event_id;

        update sessions s
        set sealed = true
        from unnest(@visitors, @sessions) as t (visitor_id, id)
        where s.visitor_id = t.visitor_id and s.id = t.id
        """;

    /// <summary>Returns how many were closed.</summary>
    public async Task<int> SealAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        int closed = 0, portion;
        do closed += portion = await SealPortionAsync(connection, cancellationToken);
        while (portion == Portion);
        return closed;
    }

    private async Task<int> SealPortionAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        await BatchWriter.LockAsync(connection, cancellationToken);
        List<Guid> visitors = [], sessions = [];
        List<DateTimeOffset?> exits = [];
        List<Guid?> exitEvents = [];
        await using (var select = new NpgsqlCommand(Ended, connection))
        {
            select.Parameters.AddWithValue("cutoff", clock.GetUtcNow() - options.Value.Gap);
            select.Parameters.AddWithValue("portion", Portion);
            await using var rows = await select.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                visitors.Add(rows.GetGuid(0));
                sessions.Add(rows.GetGuid(1));
                exits.Add(rows.IsDBNull(2) ? null : rows.GetFieldValue<DateTimeOffset>(2));
                exitEvents.Add(rows.IsDBNull(3) ? null : rows.GetGuid(3));
            }
        }
        if (visitors.Count > 0)
        {
            await using var seal = new NpgsqlCommand(Seal, connection);
            seal.Parameters.AddWithValue("visitors", visitors.ToArray());
            seal.Parameters.AddWithValue("sessions", sessions.ToArray());
            seal.Parameters.AddWithValue("exits", exits.ToArray());
            seal.Parameters.AddWithValue("exit_events", exitEvents.ToArray());
            await seal.ExecuteNonQueryAsync(cancellationToken);
        }
        await transaction.CommitAsync(cancellationToken);
        return visitors.Count;
    }
}
