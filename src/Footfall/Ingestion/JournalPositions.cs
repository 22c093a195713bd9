using Footfall.Journal;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>How far each journal is in the database.</summary>
internal sealed class JournalPositions(NpgsqlDataSource database, TimeProvider clock)
{
    private const string Read = """select segment, "offset" from journal_positions where journal_id = @journal""";

    private const string All = """select journal_id, segment, "offset" from journal_positions order by journal_id""";

    private const string Write = """
        insert into journal_positions (journal_id, segment, "offset", updated_at)
        values (@journal, @segment, @offset, @now)
        on conflict (journal_id) do update set segment = excluded.segment, "offset" = excluded."offset", updated_at = excluded.updated_at
        """;

    public async Task<JournalPosition> ReadAsync(Guid journal, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Read);
        command.Parameters.AddWithValue("journal", journal);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        return await rows.ReadAsync(cancellationToken) ? new JournalPosition(rows.GetInt64(0), rows.GetInt64(1)) : JournalPosition.Start;
    }

    /// <summary>Of every journal, where in it lies what the connection's database may not have.</summary>
    public static async Task<List<(Guid Journal, JournalPosition Position)>> AllAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(All, connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(Guid, JournalPosition)> all = [];
        while (await rows.ReadAsync(cancellationToken)) all.Add((rows.GetGuid(0), new JournalPosition(rows.GetInt64(1), rows.GetInt64(2))));
        return all;
    }

    /// <summary>In the transaction that stores the rows before <paramref name="position"/>.</summary>
    public async Task WriteAsync(NpgsqlConnection connection, Guid journal, JournalPosition position, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Write, connection);
        command.Parameters.AddWithValue("journal", journal);
        command.Parameters.AddWithValue("segment", position.Segment);
        command.Parameters.AddWithValue("offset", position.Offset);
        command.Parameters.AddWithValue("now", clock.GetUtcNow());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
