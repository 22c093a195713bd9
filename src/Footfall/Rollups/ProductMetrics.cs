using Npgsql;

namespace Footfall.Rollups;

/// <summary>Active and new users, submits, logging rate, lag, volume: formulas in docs/definitions.md. "Within 24 h" includes the instant exactly 24 hours later.</summary>
internal sealed class ProductMetrics(UserFacts users) : IDayModel
{
    public string Job => "product";

    /// <summary>Of the two counts the rate is the quotient; a window's rate is that of their sums.</summary>
    public const string LoggingOpeners = "logging_openers";
    public const string LoggingSubmitters = "logging_submitters";

    private const string Volumes = """
        select event_type, count(*)
        from events
        where property_id = @property
          and occurred_at >= @day_start and occurred_at < @day_end
          and session_id is not null and device_type <> 'bot'
        group by event_type
        order by 2 desc, event_type collate "C"
        """;

    private const string Lag = """
        select counted.percentiles, out_of_range.events
        from (select percentile_cont(array[0.5, 0.95]) within group (order by greatest(extract(epoch from received_at - occurred_at) * 1000, 0)::float8) as percentiles
              from events
              where property_id = @property
                and occurred_at >= @day_start and occurred_at < @day_end
                and session_id is not null and device_type <> 'bot') counted
        cross join (select count(*) as events
                    from events
                    where property_id = @property
                      and occurred_at >= @day_start and occurred_at < @day_end
                      and session_id is null) out_of_range
        """;

    /// <summary>Users who no longer have an event on what was their first day: to be moved to their next.</summary>
    private const string Gone = """
        select user_number
        from product_users
        where property_id = @property and first_day = @day and user_number <> all (@users)
        """;

    /// <summary>First days of users that turn out to have been here earlier.</summary>
    private const string MovedFrom = """
        select distinct first_day
        from product_users
        where property_id = @property and user_number = any (@users) and first_day > @day
        """;

    private const string Move = """
        delete from product_users
        where property_id = @property and user_number = any (@gone);

        insert into product_users (property_id, user_number, first_day)
        select @property, user_number, first_day
        from unnest(@next_users, @next_days) as t (user_number, first_day);

        update product_users
        set first_day = @day
        where property_id = @property and user_number = any (@users) and first_day > @day;

        insert into product_users (property_id, user_number, first_day)
        select @property, user_number, @day
        from unnest(@users) as t (user_number)
        where not exists (select from product_users p where p.property_id = @property and p.user_number = t.user_number)
        """;

    private const string Recount = """
        update daily_product_metrics m
        set value = n.users, generated_at = @now
        from (select d.day, (select count(*) from product_users p where p.property_id = @property and p.first_day = d.day) as users
              from unnest(@days) as d (day)) n
        where m.property_id = @property and m.day = n.day and m.metric_name = 'new_users' and m.dimension_key = ''
          and m.value <> n.users
        """;

    private const string CountNew = "select count(*) from product_users where property_id = @property and first_day = @day";

    public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        var day = await users.OfAsync(connection, scope, cancellationToken);
        await MoveFirstDaysAsync(connection, scope, day.Users, cancellationToken);

        List<MetricRow> rows = [];
        if (day.Users.Count > 0)
        {
            rows.Add(new("dau", "", day.Users.Count));
            rows.Add(new("new_users", "", await NewUsersAsync(connection, scope, cancellationToken)));
            rows.Add(new("sessions_submitted", "", day.Submits));
            rows.AddRange(await VolumesAsync(connection, scope, cancellationToken));
        }
        long ignored;
        await using (var lag = scope.Command(Lag, connection))
        await using (var reader = await lag.ExecuteReaderAsync(cancellationToken))
        {
            await reader.ReadAsync(cancellationToken);
            if (!reader.IsDBNull(0))
            {
                var percentiles = reader.GetFieldValue<double[]>(0);
                rows.Add(new("ingestion_lag_p50", "", percentiles[0]));
                rows.Add(new("ingestion_lag_p95", "", percentiles[1]));
            }
            ignored = reader.GetInt64(1);
        }
        var facts = await UserFactStore.ReadAsync(connection, scope.PropertyId, scope.Shift(-1), scope.Shift(1), [UserFactStore.Open, UserFactStore.Submit], cancellationToken);
        rows.AddRange(LoggingRate(facts, scope.Day));
        var written = await ProductStore.ReplaceAsync(connection, scope, scope.Day, rows, onlyLogging: false, cancellationToken);
        // The day before looks 24 hours ahead, into this one.
        written += await ProductStore.ReplaceAsync(connection, scope, scope.Shift(-1), LoggingRate(facts, scope.Shift(-1)), onlyLogging: true, cancellationToken);
        return new DayOutcome(written, ignored);
    }

    /// <summary>Of users with an open event in the day, those with a submit within 24 h after their first open of it.</summary>
    internal static List<MetricRow> LoggingRate(IReadOnlyDictionary<(DateOnly Day, string Fact), byte[]> facts, DateOnly day)
    {
        if (!facts.TryGetValue((day, UserFactStore.Open), out var payload)) return [];
        var opens = UserTimes.Decode(payload);
        var submits = UserFactStore.Timeline(facts, UserFactStore.Submit);
        int openers = 0, submitters = 0;
        foreach (var user in opens.Users)
        {
            openers++;
            var opened = UserTimeline.Start(day) + opens.Of(user)[0];
            if (submits.First(user, opened, opened + UserTimeline.DayMicros) is not null) submitters++;
        }
        return [new("logging_rate_24h", "", (double)submitters / openers), new(LoggingOpeners, "", openers), new(LoggingSubmitters, "", submitters)];
    }

    /// <summary>Anybody may send events of any type: the most frequent get rows.</summary>
    private static async Task<List<MetricRow>> VolumesAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Volumes, connection);
        await using var reader = await command.ExecuteReaderAsync(cancellationToken);
        List<MetricRow> rows = [];
        long left = 0;
        while (await reader.ReadAsync(cancellationToken))
        {
            if (rows.Count < scope.Limits.EventTypes) rows.Add(new("event_volume_by_name", reader.GetString(0), reader.GetInt64(1)));
            else left += reader.GetInt64(1);
        }
        if (left > 0) scope.LeftOut[("product", RollupLimits.EventTypeLimit)] = left;
        return rows;
    }

    private static async Task MoveFirstDaysAsync(NpgsqlConnection connection, DayScope scope, IReadOnlyList<int> present, CancellationToken cancellationToken)
    {
        var current = present.ToArray();
        List<int> gone = [];
        await using (var command = scope.Command(Gone, connection))
        {
            command.Parameters.AddWithValue("users", current);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) gone.Add(rows.GetInt32(0));
        }
        HashSet<DateOnly> days = [];
        await using (var command = scope.Command(MovedFrom, connection))
        {
            command.Parameters.AddWithValue("users", current);
            await using var rows = await command.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken)) days.Add(rows.GetFieldValue<DateOnly>(0));
        }
        var next = await UserFactStore.NextDaysAsync(connection, scope, gone, cancellationToken);
        days.UnionWith(next.Values);

        await using (var move = scope.Command(Move, connection))
        {
            move.Parameters.AddWithValue("users", current);
            move.Parameters.AddWithValue("gone", gone.ToArray());
            move.Parameters.AddWithValue("next_users", next.Keys.ToArray());
            move.Parameters.AddWithValue("next_days", next.Values.ToArray());
            await move.ExecuteNonQueryAsync(cancellationToken);
        }
        if (days.Count == 0) return;
        await using var recount = scope.Command(Recount, connection);
        recount.Parameters.AddWithValue("days", days.ToArray());
        await recount.ExecuteNonQueryAsync(cancellationToken);
    }

    private static async Task<long> NewUsersAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(CountNew, connection);
        return (long)(await command.ExecuteScalarAsync(cancellationToken))!;
    }
}

/// <param name="Key">The dimension's value; empty for a metric without dimension.</param>
internal sealed record MetricRow(string Name, string Key, double Value);

/// <summary>The rows of <c>daily_product_metrics</c>.</summary>
internal static class ProductStore
{
    private static readonly string[] Logging = ["logging_rate_24h", ProductMetrics.LoggingOpeners, ProductMetrics.LoggingSubmitters];

    private const string Replace = """
        delete from daily_product_metrics m
        where m.property_id = @property and m.day = @of_day
          and (@only::text[] is null or m.metric_name = any (@only))
          and not exists (select from unnest(@names, @keys) as t (metric_name, dimension_key)
                          where t.metric_name = m.metric_name and t.dimension_key = m.dimension_key);

        insert into daily_product_metrics as m (property_id, day, metric_name, dimension_key, value, generated_at)
        select @property, @of_day, metric_name, dimension_key, value, @now
        from unnest(@names, @keys, @values) as t (metric_name, dimension_key, value)
        on conflict (property_id, day, metric_name, dimension_key) do update set value = excluded.value, generated_at = excluded.generated_at
        """;

    /// <param name="onlyLogging">Other metrics of the day stay as they are.</param>
    public static async Task<int> ReplaceAsync(NpgsqlConnection connection, DayScope scope, DateOnly day, List<MetricRow> rows, bool onlyLogging, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Replace, connection);
        command.Parameters.AddWithValue("of_day", day);
        command.Parameters.Add(new NpgsqlParameter("only", NpgsqlTypes.NpgsqlDbType.Array | NpgsqlTypes.NpgsqlDbType.Text) { Value = onlyLogging ? Logging : DBNull.Value });
        command.Parameters.AddWithValue("names", rows.Select(r => r.Name).ToArray());
        command.Parameters.AddWithValue("keys", rows.Select(r => r.Key).ToArray());
        command.Parameters.AddWithValue("values", rows.Select(r => r.Value).ToArray());
        await command.ExecuteNonQueryAsync(cancellationToken);
        return rows.Count;
    }
}
