using Npgsql;

namespace Footfall.Rollups;

/// <summary>What became of the events and leads that arrived on a property's day, and the day's p95 of time to first byte.</summary>
internal sealed class DailyIngest : IDayModel
{
    public string Job => "ingest";

    private const string Ttfb = """
        select least(round((props ->> 'ttfbMs')::numeric), 86400000)::int as ms, count(*)
        from events
        where property_id = @property
          and occurred_at >= @day_start and occurred_at < @day_end
          and session_id is not null and device_type <> 'bot'
          and jsonb_typeof(props -> 'ttfbMs') = 'number'
        group by 1
        """;

    private const string Write = """
        insert into daily_ingest_rollups (
            property_id, day, events_accepted, events_duplicate, events_bot, events_dropped, events_rejected,
            dropped_by_reason, rejected_by_reason, leads_accepted, leads_rejected, leads_rejected_by_reason,
            p95_ttfb_ms, ttfb_counts, generated_at)
        select @property, @day,
               coalesce(sum(events) filter (where outcome = 'accepted'), 0)::bigint,
               coalesce(sum(events) filter (where outcome = 'duplicate'), 0)::bigint,
               coalesce(sum(events) filter (where outcome = 'bot'), 0)::bigint,
               coalesce(sum(events) filter (where outcome = 'dropped'), 0)::bigint,
               coalesce(sum(events) filter (where outcome = 'rejected'), 0)::bigint,
               coalesce(jsonb_object_agg(reason, events) filter (where outcome = 'dropped'), '{}'),
               coalesce(jsonb_object_agg(reason, events) filter (where outcome = 'rejected'), '{}'),
               coalesce(sum(events) filter (where outcome = 'lead_accepted'), 0)::bigint,
               coalesce(sum(events) filter (where outcome = 'lead_rejected'), 0)::bigint,
               coalesce(jsonb_object_agg(reason, events) filter (where outcome = 'lead_rejected'), '{}'),
               @p95, @ttfb_counts, @now
        from ingest_counts
        where property_id = @property and day = @day
        having count(*) > 0 or length(@ttfb_counts) > 0
        on conflict (property_id, day) do update set
            events_accepted = excluded.events_accepted, events_duplicate = excluded.events_duplicate,
            events_bot = excluded.events_bot, events_dropped = excluded.events_dropped, events_rejected = excluded.events_rejected,
            dropped_by_reason = excluded.dropped_by_reason, rejected_by_reason = excluded.rejected_by_reason,
            leads_accepted = excluded.leads_accepted, leads_rejected = excluded.leads_rejected,
            leads_rejected_by_reason = excluded.leads_rejected_by_reason,
            p95_ttfb_ms = excluded.p95_ttfb_ms, ttfb_counts = excluded.ttfb_counts, generated_at = excluded.generated_at
        returning true
        """;

    private const string Remove = "delete from daily_ingest_rollups where property_id = @property and day = @day";

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var ttfb = new TtfbCounts();
        await using (var read = scope.Command(Ttfb, connection))
        await using (var rows = await read.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken)) ttfb.Add(rows.GetInt32(0), rows.GetInt64(1));
        }

        await using var write = scope.Command(Write, connection);
        write.Parameters.Add(new NpgsqlParameter("p95", NpgsqlTypes.NpgsqlDbType.Integer) { Value = (object?)ttfb.Percentile(0.95) ?? DBNull.Value });
        write.Parameters.AddWithValue("ttfb_counts", ttfb.Encode());
        if (await write.ExecuteScalarAsync(cancellationToken) is true) return new DayOutcome(1, 0);

        await using var remove = scope.Command(Remove, connection);
        await remove.ExecuteNonQueryAsync(cancellationToken);
        return new DayOutcome(0, 0);
    }
}
