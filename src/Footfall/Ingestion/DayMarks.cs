using Footfall.Capture;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>What rooms that write rows of their own owe the rollups: which days they changed, and what became of what arrived. Last in their transaction, since these rows are shared by all servers.</summary>
internal static class DayMarks
{
    /// <summary>Adds to the ingest figures, and marks their days.</summary>
    public static async Task CountAsync(NpgsqlConnection connection, IReadOnlyCollection<OutcomeCount> counts, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (counts.Count == 0) return;
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { SharedRows.Counting(counts), SharedRows.Marking([.. counts.Select(c => (c.PropertyId, c.Day)).Distinct()], now) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }

    /// <summary>Has the days rolled up again.</summary>
    public static async Task MarkAsync(NpgsqlConnection connection, IReadOnlyCollection<(string PropertyId, DateOnly Day)> days, DateTimeOffset now, CancellationToken cancellationToken)
    {
        if (days.Count == 0) return;
        await using var batch = new NpgsqlBatch(connection) { BatchCommands = { SharedRows.Marking([.. days.Distinct()], now) } };
        await batch.ExecuteNonQueryAsync(cancellationToken);
    }
}
