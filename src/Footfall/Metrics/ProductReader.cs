using Footfall.Rollups;
using Npgsql;

namespace Footfall.Metrics;

/// <param name="LoggingRate24h">Null when nobody opened.</param>
/// <param name="IngestionLagP50Ms">Null on a day without events.</param>
internal sealed record ProductDay(
    DateOnly Day, long Dau, long NewUsers, long SessionsSubmitted, double? LoggingRate24h, double? IngestionLagP50Ms, double? IngestionLagP95Ms,
    IReadOnlyDictionary<string, long> EventVolumeByName);

/// <param name="ActiveUsers">Users with an event in the window, each once.</param>
/// <param name="LoggingRate24h">The ratio of the window's sums; null when nobody opened.</param>
internal sealed record ProductWindow(int ActiveUsers, long NewUsers, long SessionsSubmitted, double? LoggingRate24h, DateTimeOffset? GeneratedAt);

/// <param name="Days">One entry per day of the window, zeros included, ascending.</param>
internal sealed record ProductMetricsAnswer(IReadOnlyList<ProductDay> Days, ProductWindow Window);

/// <summary>Answers product metrics from day rows.</summary>
internal sealed class ProductReader(NpgsqlDataSource database)
{
    private const string Rows = """
        select day, metric_name, dimension_key, value, generated_at
        from daily_product_metrics
        where property_id = @property and day between @from and @to
        """;

    private const string Users = """
        select payload
        from user_facts
        where property_id = @property and day between @from and @to and fact = 'users'
        """;

    public async Task<ProductMetricsAnswer> ReadAsync(string property, Window window, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        var days = new Dictionary<DateOnly, Dictionary<(string Name, string Key), double>>();
        DateTimeOffset? generated = null;
        await using (var command = WindowCommand.Of(connection, Rows, property, window))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken))
            {
                var day = rows.GetFieldValue<DateOnly>(0);
                if (!days.TryGetValue(day, out var values)) days[day] = values = [];
                values[(rows.GetString(1), rows.GetString(2))] = rows.GetDouble(3);
                var at = rows.GetFieldValue<DateTimeOffset>(4);
                if (generated is null || at > generated) generated = at;
            }
        }
        var active = new VisitorUnion();
        await using (var command = WindowCommand.Of(connection, Users, property, window))
        await using (var rows = await command.ExecuteReaderAsync(cancellationToken))
        {
            while (await rows.ReadAsync(cancellationToken)) active.Add(rows.GetFieldValue<byte[]>(0));
        }
        var list = Enumerable.Range(0, window.Days).Select(n => DayOf(window.From.AddDays(n), days.GetValueOrDefault(window.From.AddDays(n)))).ToList();
        return new ProductMetricsAnswer(list, new ProductWindow(
            active.Count, list.Sum(d => d.NewUsers), list.Sum(d => d.SessionsSubmitted),
            WindowTotals.Ratio(Sum(ProductMetrics.LoggingSubmitters), Sum(ProductMetrics.LoggingOpeners)), generated));

        long Sum(string name) => days.Values.Sum(d => (long)d.GetValueOrDefault((name, "")));
    }

    private static ProductDay DayOf(DateOnly day, Dictionary<(string Name, string Key), double>? values)
    {
        if (values is null) return new ProductDay(day, 0, 0, 0, null, null, null, new Dictionary<string, long>());
        return new ProductDay(
            day, (long)values.GetValueOrDefault(("dau", "")), (long)values.GetValueOrDefault(("new_users", "")), (long)values.GetValueOrDefault(("sessions_submitted", "")),
            Of("logging_rate_24h"), Of("ingestion_lag_p50"), Of("ingestion_lag_p95"),
            new SortedDictionary<string, long>(values.Where(v => v.Key.Name == "event_volume_by_name").ToDictionary(v => v.Key.Key, v => (long)v.Value), StringComparer.Ordinal));

        double? Of(string name) => values.TryGetValue((name, ""), out var value) ? value : null;
    }
}

/// <summary>Commands with the parameters @property, @from and @to.</summary>
internal static class WindowCommand
{
    public static NpgsqlCommand Of(NpgsqlConnection connection, string sql, string property, Window window)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", window.From);
        command.Parameters.AddWithValue("to", window.To);
        return command;
    }
}
