using Npgsql;
using NpgsqlTypes;

namespace Footfall.Metrics;

/// <summary>An entity with the sums of a window.</summary>
/// <param name="AvgTimeOnPageSec">Null when no view has any engaged time.</param>
/// <param name="BounceRate">A fraction; null when no session entered on it.</param>
internal sealed record EntityTotals(string EntityType, string EntityId, long TotalViews, double? AvgTimeOnPageSec, double? BounceRate);

/// <summary>Which entities a property has, the most viewed first.</summary>
internal sealed class EntityListReader(NpgsqlDataSource database)
{
    private const string Entities = """
        select entity_type, entity_id, sum(total_views)::bigint, sum(engaged_ms)::bigint, sum(engaged_views)::bigint, sum(bounced_sessions)::bigint, sum(entered_sessions)::bigint
        from analytics_aggregates
        where property_id = @property and day between @from and @to and hour = -1
          and (@search::text is null or strpos(lower(entity_type || '/' || entity_id), lower(@search)) > 0)
        group by entity_type, entity_id
        order by 3 desc, entity_type collate "C", entity_id collate "C"
        limit @limit
        """;

    /// <param name="search">Part of "type/id", in any case; null for all.</param>
    public async Task<List<EntityTotals>> ReadAsync(string property, Window window, string? search, int limit, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = WindowCommand.Of(connection, Entities, property, window);
        command.Parameters.Add(new NpgsqlParameter("search", NpgsqlDbType.Text) { Value = (object?)search ?? DBNull.Value });
        command.Parameters.AddWithValue("limit", limit);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<EntityTotals> entities = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            entities.Add(new EntityTotals(
                rows.GetString(0), rows.GetString(1), rows.GetInt64(2), WindowTotals.Ratio(rows.GetInt64(3), rows.GetInt64(4)) / 1000, WindowTotals.Ratio(rows.GetInt64(5), rows.GetInt64(6))));
        }
        return entities;
    }
}
