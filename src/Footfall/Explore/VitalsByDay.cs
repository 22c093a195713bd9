using Npgsql;
using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>One measurement on one day: its 75th percentile, and how many page loads were how good.</summary>
internal sealed record VitalDay(DateOnly Day, double P75, long Good, long Middling, long Poor);

/// <summary>How a measurement went from day to day, exact over the raw values.</summary>
internal static class VitalsByDaySql
{
    private const string Days = """
        with measured as (
            select (e.occurred_at at time zone 'UTC')::date as day, (e.props ->> @key)::float8 as value
            from events e
            join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id
            where e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end
              and e.device_type <> 'bot' and jsonb_typeof(e.props -> @key) = 'number'
              and (@path::text is null or e.path = @path)
              and (@device::text is null or s.device_type::text = @device)
        )
        select day, percentile_cont(0.75) within group (order by value),
               count(*) filter (where value <= @good), count(*) filter (where value > @good and value <= @poor), count(*) filter (where value > @poor)
        from measured
        group by day
        order by day
        """;

    /// <summary>Days on which it was measured, in order.</summary>
    public static async Task<List<VitalDay>> ReadAsync(Snapshot snapshot, VitalsQuery query, Vital vital, CancellationToken cancellationToken)
    {
        var (good, poor) = VitalThresholds.Of(vital);
        List<VitalDay> days = [];
        await using var command = snapshot.Command(Days);
        var parameters = command.Parameters;
        parameters.AddWithValue("property", query.PropertyId);
        parameters.AddWithValue("start", query.Window.Start);
        parameters.AddWithValue("end", query.Window.End);
        parameters.AddWithValue("key", Key(vital));
        parameters.AddWithValue("good", good);
        parameters.AddWithValue("poor", poor);
        parameters.Add(new NpgsqlParameter("path", NpgsqlDbType.Text) { Value = (object?)query.Path ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter("device", NpgsqlDbType.Text) { Value = (object?)query.Device ?? DBNull.Value });
        await snapshot.ReadAsync(command, r => days.Add(new VitalDay(r.GetFieldValue<DateOnly>(0), r.GetDouble(1), r.GetInt64(2), r.GetInt64(3), r.GetInt64(4))), cancellationToken);
        return days;
    }

    private static string Key(Vital vital) => vital switch
    {
        Vital.Lcp => "lcpMs",
        Vital.Inp => "inpMs",
        Vital.Cls => "clsScore",
        Vital.Fcp => "fcpMs",
        Vital.Ttfb => "ttfbMs",
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };
}
