using System.Text.Json;
using Footfall.Explore;
using Npgsql;

namespace Footfall.Metrics;

/// <summary>Reads day rows for those who want them day by day.</summary>
internal sealed class DailyStore(NpgsqlDataSource database)
{
    private const string Days = """
        select day,
               coalesce(m.unique_visitors, 0), coalesce(m.returning_visitors, 0), coalesce(m.page_views, 0), coalesce(m.entrances, 0),
               coalesce(m.exits, 0), coalesce(m.conversions, 0), coalesce(m.events, 0), coalesce(m.form_starts, 0), coalesce(m.form_submits, 0),
               coalesce(m.sessions, 0), coalesce(m.bounces, 0), coalesce(m.duration_ms, 0), coalesce(m.converted_sessions, 0), coalesce(m.new_leads, 0),
               coalesce(m.sources, '{}')::text,
               coalesce(i.events_accepted, 0), coalesce(i.events_duplicate, 0), coalesce(i.events_bot, 0), coalesce(i.events_dropped, 0), coalesce(i.events_rejected, 0),
               i.p95_ttfb_ms,
               greatest(m.generated_at, i.generated_at)
        from (select * from daily_metric_rollups where property_id = @property and day between @from and @to) m
        full join (select * from daily_ingest_rollups where property_id = @property and day between @from and @to) i using (day)
        order by day
        """;

    private static readonly Dictionary<string, long> NoSources = [];

    /// <summary>Every day of the window, and when the newest row of it was written.</summary>
    public async Task<(List<DailyRow> Days, DateTimeOffset? GeneratedAt)> ReadAsync(string property, DayRange window, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Days);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", window.From);
        command.Parameters.AddWithValue("to", window.To);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<DailyRow> days = new(window.Days);
        DateTimeOffset? generated = null;
        var next = window.From;
        while (await rows.ReadAsync(cancellationToken))
        {
            var row = Row(rows);
            for (; next < row.Day; next = next.AddDays(1)) days.Add(Empty(next));
            days.Add(row);
            next = row.Day.AddDays(1);
            var at = rows.GetFieldValue<DateTimeOffset>(22);
            if (generated is null || at > generated) generated = at;
        }
        for (; next <= window.To; next = next.AddDays(1)) days.Add(Empty(next));
        return (days, generated);
    }

    private static DailyRow Row(NpgsqlDataReader r)
    {
        var (visitors, sessions, bounces, leads) = (r.GetInt32(1), r.GetInt64(10), r.GetInt64(11), r.GetInt32(14));
        return new DailyRow(
            r.GetFieldValue<DateOnly>(0), visitors, r.GetInt32(2), r.GetInt64(3), r.GetInt64(4), r.GetInt64(5), r.GetInt64(6), r.GetInt64(7),
            r.GetInt64(8), r.GetInt64(9), sessions, bounces, WindowTotals.Ratio(bounces, sessions), WindowTotals.Ratio(r.GetInt64(12), sessions) / 1000,
            r.GetInt64(13), leads, WindowTotals.Ratio(leads, visitors), JsonSerializer.Deserialize(r.GetString(15), MetricsJson.Default.DictionaryStringInt64)!,
            r.GetInt64(16), r.GetInt64(17), r.GetInt64(18), r.GetInt64(19), r.GetInt64(20), r.IsDBNull(21) ? null : r.GetInt32(21));
    }

    private static DailyRow Empty(DateOnly day) => new(day, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, null, null, 0, 0, null, NoSources, 0, 0, 0, 0, 0, null);
}
