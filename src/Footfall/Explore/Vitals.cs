using System.Security.Cryptography;
using System.Text.Json;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Explore;

/// <summary>What browsers measure of a page's loading and answering.</summary>
internal enum Vital
{
    Lcp,
    Inp,
    Cls,
    Fcp,
    Ttfb,
}

/// <summary>One measurement's spread over the events that have it. Milliseconds; the layout shift is a score without a unit.</summary>
/// <param name="Samples">Events that have the measurement.</param>
internal sealed record Spread(double P50, double P75, double P95, long Samples);

/// <summary>The measurements of one page on one kind of device.</summary>
/// <param name="Samples">Events with at least one measurement: what rows are ordered by.</param>
/// <param name="Spreads">In the order of <see cref="Vital"/>; null where none was measured.</param>
internal sealed record VitalsRow(string? Path, string? Device, long Samples, Spread?[] Spreads)
{
    /// <summary>Page and device as one key, for the order of rows and for cursors.</summary>
    public string Key => $"{Path}\t{Device}";
}

/// <summary>How good a measurement is, by the thresholds that web.dev publishes for its 75th percentile.</summary>
internal static class VitalThresholds
{
    /// <summary>Up to the first it is good, above the second poor, between needs improvement. Source: https://web.dev/articles/vitals, and the article of each measurement there.</summary>
    public static (double Good, double Poor) Of(Vital vital) => vital switch
    {
        Vital.Lcp => (2_500, 4_000),
        Vital.Inp => (200, 500),
        Vital.Cls => (0.1, 0.25),
        Vital.Fcp => (1_800, 3_000),
        Vital.Ttfb => (800, 1_800),
        _ => throw new ArgumentOutOfRangeException(nameof(vital), vital, null),
    };

    public static string Rating(Vital vital, double p75)
    {
        var (good, poor) = Of(vital);
        return p75 <= good ? "good" : p75 <= poor ? "needs_improvement" : "poor";
    }
}

/// <summary>Exact percentiles over the raw values of the window.</summary>
internal static class VitalsSql
{
    private static readonly Vital[] Vitals = Enum.GetValues<Vital>();

    private const string Measured = """
        with measured as (
            select e.path, s.device_type::text as device,
                   case when jsonb_typeof(e.props -> 'lcpMs') = 'number' then (e.props ->> 'lcpMs')::float8 end as lcp,
                   case when jsonb_typeof(e.props -> 'inpMs') = 'number' then (e.props ->> 'inpMs')::float8 end as inp,
                   case when jsonb_typeof(e.props -> 'clsScore') = 'number' then (e.props ->> 'clsScore')::float8 end as cls,
                   case when jsonb_typeof(e.props -> 'fcpMs') = 'number' then (e.props ->> 'fcpMs')::float8 end as fcp,
                   case when jsonb_typeof(e.props -> 'ttfbMs') = 'number' then (e.props ->> 'ttfbMs')::float8 end as ttfb
            from events e
            join sessions s on s.visitor_id = e.visitor_id and s.id = e.session_id
            where e.property_id = @property and e.occurred_at >= @start and e.occurred_at < @end
              and e.device_type <> 'bot'
              and e.props ?| array['lcpMs', 'inpMs', 'clsScore', 'fcpMs', 'ttfbMs']
              and (@path::text is null or e.path = @path)
              and (@device::text is null or s.device_type::text = @device)
        )
        """;

    // A prop of the same name may be a text of the site's own.
    private const string Any = "coalesce(lcp, inp, cls, fcp, ttfb) is not null";

    // By position: samples, then percentiles and count of each vital in the order of the enum.
    private const string Spreads = """
        count(*) as samples,
        percentile_cont(array[0.5, 0.75, 0.95]) within group (order by lcp) as lcp, count(lcp) as lcp_samples,
        percentile_cont(array[0.5, 0.75, 0.95]) within group (order by inp) as inp, count(inp) as inp_samples,
        percentile_cont(array[0.5, 0.75, 0.95]) within group (order by cls) as cls, count(cls) as cls_samples,
        percentile_cont(array[0.5, 0.75, 0.95]) within group (order by fcp) as fcp, count(fcp) as fcp_samples,
        percentile_cont(array[0.5, 0.75, 0.95]) within group (order by ttfb) as ttfb, count(ttfb) as ttfb_samples
        """;

    private const string Overall = $"""
        {Measured}
        select null::text as path, null::text as device, {Spreads}
        from measured
        where {Any}
        """;

    private static readonly string Rows = $"""
        {Measured},
        rows as (
            select path, device, {Spreads}, coalesce(path, '') || chr(9) || device as key
            from measured
            where {Any}
            group by path, device
        )
        select * from rows
        where not @paged
           or samples < @after
           or (samples = @after and (left(key, {Position.BeginningCharacters}) collate "C", sha256(convert_to(key, 'UTF8'))) > (@after_beginning, @after_hash))
        order by samples desc, left(key, {Position.BeginningCharacters}) collate "C", sha256(convert_to(key, 'UTF8'))
        limit @limit
        """;

    /// <summary>Of all events that the question is about.</summary>
    public static async Task<VitalsRow> OverallAsync(Snapshot snapshot, VitalsQuery query, CancellationToken cancellationToken) =>
        (await ReadAsync(snapshot, Overall, query, cancellationToken))[0];

    /// <summary>By page and device, the most measured first.</summary>
    public static Task<List<VitalsRow>> RowsAsync(Snapshot snapshot, VitalsQuery query, CancellationToken cancellationToken) =>
        ReadAsync(snapshot, Rows, query, cancellationToken);

    private static async Task<List<VitalsRow>> ReadAsync(Snapshot snapshot, string sql, VitalsQuery query, CancellationToken cancellationToken)
    {
        const int firstSpread = 3;
        List<VitalsRow> rows = [];
        await using var command = snapshot.Command(sql);
        var parameters = command.Parameters;
        parameters.AddWithValue("property", query.PropertyId);
        parameters.AddWithValue("start", query.Window.Start);
        parameters.AddWithValue("end", query.Window.End);
        parameters.Add(new NpgsqlParameter("path", NpgsqlDbType.Text) { Value = (object?)query.Path ?? DBNull.Value });
        parameters.Add(new NpgsqlParameter("device", NpgsqlDbType.Text) { Value = (object?)query.Device ?? DBNull.Value });
        parameters.AddWithValue("paged", query.After is not null);
        parameters.AddWithValue("after", query.After?.Order ?? 0);
        parameters.AddWithValue("after_beginning", query.After?.Beginning ?? "");
        parameters.AddWithValue("after_hash", query.After?.Hash ?? []);
        parameters.AddWithValue("limit", query.Limit);
        await snapshot.ReadAsync(command, row => rows.Add(new VitalsRow(
            row.IsDBNull(0) ? null : row.GetString(0),
            row.IsDBNull(1) ? null : row.GetString(1),
            row.GetInt64(2),
            [.. Vitals.Select((_, i) => SpreadOf(row, firstSpread + (2 * i)))])), cancellationToken);
        return rows;
    }

    private static Spread? SpreadOf(NpgsqlDataReader row, int column) =>
        row.IsDBNull(column) || row.GetInt64(column + 1) == 0 ? null
        : row.GetFieldValue<double[]>(column) is var p ? new Spread(p[0], p[1], p[2], row.GetInt64(column + 1)) : null;
}

/// <summary>Which measurements: of a window's events, of one page or all, on one kind of device or all.</summary>
internal sealed record VitalsQuery(string PropertyId, DayRange Window, string? Path, string? Device)
{
    public const int UsualLimit = 100;
    private static readonly string[] Devices = ["desktop", "mobile", "tablet", "unknown"];

    public int Limit { get; init; }

    public Position? After { get; init; }

    public string Fingerprint() => Convert.ToHexStringLower(
        SHA256.HashData(JsonSerializer.SerializeToUtf8Bytes(new object?[] { "vitals", PropertyId, Window.From.DayNumber, Window.To.DayNumber, Path, Device })).AsSpan(0, 8));

    public static VitalsQuery Read(ParameterReader reader, string propertyId, DateOnly today)
    {
        var window = reader.Window(today);
        var path = reader.Text("path");
        var device = reader.Text("device");
        if (device is not null && !Devices.Contains(device)) reader.Refuse("device", $"device must be one of {string.Join(", ", Devices)}.");
        var query = new VitalsQuery(propertyId, window, path, device) { Limit = reader.Whole("limit", 1, QueryReader.MaxLimit) ?? UsualLimit };
        if (reader.Text("cursor") is { Length: > 0 } cursor && reader.Error is null)
        {
            query = query with { After = Position.Decode(cursor, query.Fingerprint()) };
            if (query.After is null) reader.Refuse("cursor", "cursor must be the nextCursor of an answer to the same question: same property, window, path and device. Leave it out to begin anew.");
        }
        return query;
    }
}
