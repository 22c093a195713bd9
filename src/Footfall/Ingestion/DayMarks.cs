using Footfall.Capture;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>What rooms that write rows of their own owe the rollups: which days they changed, and what became of what arrived. Last in their transaction, since these rows are shared by all servers.</summary>
internal static class DayMarks
{
    private const string Count = BatchSql.AddCounts + ";\n" + BatchSql.MarkCountedDays;

    /// <summary>Adds to the ingest figures, and marks their days.</summary>
    public static async Task CountAsync(NpgsqlConnection connection, IReadOnlyCollection<OutcomeCount> counts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (counts.Count == 0) return;
        await using var command = new NpgsqlCommand(Count, connection);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("properties", counts.Select(c => c.PropertyId).ToArray());
        command.Parameters.AddWithValue("days", counts.Select(c => c.Day).ToArray());
        command.Parameters.AddWithValue("outcomes", counts.Select(c => c.Outcome).ToArray());
        command.Parameters.AddWithValue("reasons", counts.Select(c => c.Reason).ToArray());
        command.Parameters.AddWithValue("events", counts.Select(c => c.Events).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Has the days rolled up again.</summary>
    public static async Task MarkAsync(NpgsqlConnection connection, IReadOnlyCollection<(string PropertyId, DateOnly Day)> days, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (days.Count == 0) return;
        await using var command = new NpgsqlCommand(BatchSql.MarkCountedDays, connection);
        command.Parameters.AddWithValue("now", now);
        command.Parameters.AddWithValue("properties", days.Select(d => d.PropertyId).ToArray());
        command.Parameters.AddWithValue("days", days.Select(d => d.Day).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
