using Footfall.Postgres;
using Npgsql;

namespace Footfall.Metrics;

/// <summary>Why events were not counted, and how often.</summary>
/// <param name="Kind"><c>rejected</c> (refused with an error) or <c>dropped</c> (taken and left out, as it should be).</param>
internal sealed record LeftOut(string Kind, string Reason, long Events);

/// <summary>What an operator wants to know of a property's data beside its figures.</summary>
/// <param name="DatabaseBytes">Of the whole database.</param>
/// <param name="DirtyDays">Days of the property that wait to be rolled up.</param>
internal sealed record IngestHealth(IReadOnlyList<LeftOut> LeftOut, long DatabaseBytes, int DirtyDays);

internal sealed class IngestHealthReader(NpgsqlDataSource database)
{
    private const string Reasons = """
        select kind, reason, sum(events)::bigint
        from (
            select 'rejected' as kind, r.key as reason, r.value::bigint as events
            from daily_ingest_rollups i cross join lateral jsonb_each_text(i.rejected_by_reason) r
            where i.property_id = @property and i.day between @from and @to
            union all
            select 'dropped', d.key, d.value::bigint
            from daily_ingest_rollups i cross join lateral jsonb_each_text(i.dropped_by_reason) d
            where i.property_id = @property and i.day between @from and @to
        ) reasons
        group by kind, reason
        order by kind desc, 3 desc, reason
        """;

    private const string Store = "select pg_database_size(current_database()), (select count(*) from dirty_days where property_id = @property)::int";

    public async Task<IngestHealth> ReadAsync(string property, Window window, CancellationToken cancellationToken)
    {
        List<LeftOut> reasons = [];
        await using (var command = database.CreateCommand(Reasons))
        {
            command.Parameters.AddWithValue("property", property);
            command.Parameters.AddWithValue("from", window.From);
            command.Parameters.AddWithValue("to", window.To);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) reasons.Add(new LeftOut(rows.GetString(0), rows.GetString(1), rows.GetInt64(2)));
        }
        await using var store = database.CreateCommand(Store);
        store.Parameters.AddWithValue("property", property);
        await using var row = await store.ExecuteReaderAsync(cancellationToken);
        await row.ReadAsync(cancellationToken);
        var (bytes, dirty) = (row.GetInt64(0), row.GetInt32(1));
        await row.DisposeAsync();
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        return new IngestHealth(reasons, bytes + await Distribution.WorkerBytesAsync(connection, cancellationToken), dirty);
    }
}
