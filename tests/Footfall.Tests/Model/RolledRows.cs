using Footfall.Tests.Infrastructure;

namespace Footfall.Tests.Model;

/// <summary>Every row of every read model, without the time at which it was written.</summary>
internal static class RolledRows
{
    /// <summary>What the jobs write, and only they.</summary>
    public static readonly string[] Tables =
    [
        "user_facts", "product_users", "daily_product_metrics", "experiment_exposures", "experiment_assignments", "experiment_metric_rollups",
        "funnel_rollups", "analytics_aggregates", "entity_visitor_days", "entity_visitors", "daily_metric_rollups", "daily_ingest_rollups", "day_segments",
    ];

    // Half a year before the others lie events that are out of range: their days have no rows, or rows that nobody asked for.
    public static async Task<List<string>> ReadAsync(TestDatabase database)
    {
        List<string> rows = [];
        foreach (var table in Tables)
        {
            var recent = table.StartsWith("daily_metric", StringComparison.Ordinal) || table.StartsWith("daily_ingest", StringComparison.Ordinal) ? "where day > '2026-02-20'" : "";
            rows.AddRange((await database.RowsAsync($"select (to_jsonb(r) - 'generated_at' - 'version' - 'built_at')::text from {table} r {recent} order by 1")).Select(r => $"{table} {r}"));
        }
        return rows;
    }
}
