using Footfall.Journal;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>How far each journal is in the database, lane by lane.</summary>
internal sealed class JournalPositions(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Read = """
        select n, coalesce(l.segment, p.segment), coalesce(l."offset", p."offset")
        from generate_series(0, @lanes - 1) as n
        left join journal_lanes l on l.journal_id = @journal and l.lane = n
        left join journal_positions p on p.journal_id = @journal
        where coalesce(l.segment, p.segment) is not null
        """;

    private const string Write = """
        insert into journal_lanes (journal_id, lane, segment, "offset", updated_at)
        select @journal, lane, @segment, @offset, @now
        from unnest(@lanes) as lane
        on conflict (journal_id, lane) do update set segment = excluded.segment, "offset" = excluded."offset", updated_at = excluded.updated_at
        """;

    public async Task<LanePositions> ReadAsync(Guid journal, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.AddWithValue("journal", journal);
        command.Parameters.AddWithValue("lanes", Lanes.Count);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var positions = new LanePositions();
        while (await rows.ReadAsync(cancellationToken)) positions.Move([rows.GetInt32(0)], new JournalPosition(rows.GetInt64(1), rows.GetInt64(2)));
        return positions;
    }

    /// <summary>In the transaction that stores the lanes' rows before <paramref name="position"/>.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, Guid journal, IReadOnlyList<int> lanes, JournalPosition position, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Write, connection);
        command.Parameters.AddWithValue("journal", journal);
        command.Parameters.AddWithValue("lanes", lanes.Select(lane => (short)lane).ToArray());
        command.Parameters.AddWithValue("segment", position.Segment);
        command.Parameters.AddWithValue("offset", position.Offset);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}

/// <summary>How far each lane of one journal is.</summary>
internal sealed class LanePositions
{
    private readonly JournalPosition[] positions = new JournalPosition[Lanes.Count];

    /// <summary>All lanes have what lies before.</summary>
    public JournalPosition Through => positions.Min();

    /// <summary>No lane has anything that lies behind.</summary>
    public JournalPosition Furthest => positions.Max();

    public JournalPosition this[int lane] => positions[lane];

    public void Move(IEnumerable<int> lanes, JournalPosition to)
    {
        foreach (var lane in lanes) positions[lane] = to;
    }
}
