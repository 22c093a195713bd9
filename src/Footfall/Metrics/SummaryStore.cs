using System.Text.Json;
using Footfall.Explore;
using Footfall.Rollups;
using Npgsql;

namespace Footfall.Metrics;

/// <summary>A day row of <c>daily_metric_rollups</c>.</summary>
internal sealed record DayRow(
    DateOnly Day, int UniqueVisitors, long PageViews, long Sessions, long Bounces, long LandingSessions, long LandingConversions,
    long DurationMs, long FormStarts, long FormSubmits, int NewLeads, long FirstCaptureMs, int FirstCaptureLeads,
    IReadOnlyDictionary<string, long> Sources, byte[] Visitors, byte[] FirstTimeVisitors, byte[] SeenElsewhere, DateTimeOffset GeneratedAt);

/// <summary>What answers about a property depend on beside its day rows.</summary>
/// <param name="Version">Grows with each rollup.</param>
/// <param name="FirstDirtyDay">The earliest day that waits to be rolled up; null when none does.</param>
/// <param name="CompleteFrom">The first day of which retention has left all raw rows; null when it has removed none.</param>
/// <param name="SegmentsFrom">The first day from which on every day is in segments where raw rows are gone; null when none are.</param>
/// <param name="WaitingSince">When the day that has waited longest was last marked to be rolled up; null when none waits.</param>
/// <param name="FirstDay">The first day with figures; null before there are any.</param>
internal sealed record PropertyState(bool Exists, bool IsPublic, long Version, DateOnly? FirstDirtyDay, DateOnly? CompleteFrom, DateOnly? SegmentsFrom, DateTimeOffset? WaitingSince, DateOnly? FirstDay)
{
    /// <summary>The first day of which an answer has everything.</summary>
    public DateOnly? CompleteBy(string engine) => engine == Moment.Segments ? SegmentsFrom : CompleteFrom;
}

/// <summary>Reads day rows. Nothing here touches events.</summary>
internal sealed class SummaryStore(NpgsqlDataSource database)
{
    private const string State = """
        select p.id is not null, coalesce(p.public_summary, false), coalesce(v.version, 0),
               (select min(day) from dirty_days where property_id = q.id),
               w.through + 1,
               least(w.through + 1, greatest(
                   (select max(m.day) + 1
                    from daily_metric_rollups m
                    left join day_segments s on s.property_id = m.property_id and s.day = m.day
                    where m.property_id = q.id and m.day <= w.through and (m.events > 0 or m.sessions > 0) and s.day is null),
                   (select min(day) from day_segments where property_id = q.id and w.through is not null))),
               (select min(marked_at) from dirty_days where property_id = q.id),
               (select m.day from daily_metric_rollups m where m.property_id = q.id and (m.events > 0 or m.sessions > 0) order by m.day limit 1)
        from (values (@property)) as q (id)
        left join properties p on p.id = q.id
        left join rollup_versions v on v.property_id = q.id
        left join purged_days w on w.property_id = q.id
        """;

    private const string Days = """
        select day, unique_visitors, page_views, sessions, bounces, landing_sessions, landing_conversions, duration_ms,
               form_starts, form_submits, new_leads, first_capture_ms, first_capture_leads, sources::text,
               visitors, first_time_visitors, seen_elsewhere, generated_at
        from daily_metric_rollups
        where property_id = @property and day between @from and @to
        order by day
        """;

    private const string Ingest = """
        select events_accepted, events_rejected, ttfb_counts
        from daily_ingest_rollups
        where property_id = @property and day between @from and @to
        """;

    public async Task<PropertyState> StateAsync(string property, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(State);
        command.Parameters.AddWithValue("property", property);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        await rows.ReadAsync(cancellationToken);
        return new PropertyState(rows.GetBoolean(0), rows.GetBoolean(1), rows.GetInt64(2), Day(3), Day(4), Day(5), rows.IsDBNull(6) ? null : rows.GetFieldValue<DateTimeOffset>(6), Day(7));

        DateOnly? Day(int column) => rows.IsDBNull(column) ? null : rows.GetFieldValue<DateOnly>(column);
    }

    public async Task<List<DayRow>> DaysAsync(string property, Window window, CancellationToken cancellationToken)
    {
        await using var command = Command(Days, property, window);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<DayRow> days = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            days.Add(new DayRow(
                rows.GetFieldValue<DateOnly>(0), rows.GetInt32(1), rows.GetInt64(2), rows.GetInt64(3), rows.GetInt64(4), rows.GetInt64(5),
                rows.GetInt64(6), rows.GetInt64(7), rows.GetInt64(8), rows.GetInt64(9), rows.GetInt32(10), rows.GetInt64(11), rows.GetInt32(12),
                JsonSerializer.Deserialize(rows.GetString(13), MetricsJson.Default.DictionaryStringInt64)!,
                rows.GetFieldValue<byte[]>(14), rows.GetFieldValue<byte[]>(15), rows.GetFieldValue<byte[]>(16),
                rows.GetFieldValue<DateTimeOffset>(17)));
        }
        return days;
    }

    public async Task<IngestBody> IngestAsync(string property, Window window, CancellationToken cancellationToken)
    {
        await using var command = Command(Ingest, property, window);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        long accepted = 0, rejected = 0;
        var ttfb = new TtfbCounts();
        while (await rows.ReadAsync(cancellationToken))
        {
            accepted += rows.GetInt64(0);
            rejected += rows.GetInt64(1);
            ttfb.Add(rows.GetFieldValue<byte[]>(2));
        }
        return new IngestBody(WindowTotals.Ratio(accepted, accepted + rejected), ttfb.Percentile(0.95), accepted, rejected);
    }

    private NpgsqlCommand Command(string sql, string property, Window window)
    {
        var command = database.CreateCommand(sql);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", window.From);
        command.Parameters.AddWithValue("to", window.To);
        return command;
    }
}
