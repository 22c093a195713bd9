using System.Diagnostics;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>
/// Days of traffic made by set-based SQL, where ingestion would take too long: the rows of visitors, sessions and events are
/// those that ingestion leaves of sessions of one to seven page views (dedupe keys apart: these events have neither id nor
/// client time; and a visitor's last times stay those of the first day). Every second session is of a new visitor.
/// </summary>
internal sealed class History(BenchDatabase database, string property, int firstNumber)
{
    private const string Day = """
        create temporary table if not exists made (
            n bigint, visitor_id uuid, session_id uuid, at timestamptz, pages int, source traffic_source, device device_type, country text, landing text
        );
        truncate made;

        insert into made
        select n, md5(@property || v)::uuid, md5(@property || @day || 's' || n)::uuid,
               @day + make_interval(secs => random() * 85000),
               1 + floor(random() * 7)::int,
               (array['direct', 'organic_search', 'social', 'referral', 'email', 'campaign'])[1 + floor(random() * 6)]::traffic_source,
               (array['desktop', 'mobile', 'tablet'])[1 + floor(random() * 3)]::device_type,
               (array['DE', 'FR', 'US', 'GB', 'IN', 'BR', 'JP', 'NL'])[1 + floor(random() * 8)],
               '/section-' || floor(random() * 20) || '/page-' || floor(500 * random() ^ 3)
        from (select n, case when n % 2 = 0 then @known + n / 2 else floor(random() * (@known + n / 2 + 1))::bigint end as v
              from generate_series(0, @sessions - 1) as n) picked;

        insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id)
        select md5(@property || (@known + k))::uuid, 'visitor-' || md5(@property || (@known + k)), 'anon_id', @first_number + @known + k, f.first_at, f.last_at, @property
        from generate_series(0, (@sessions - 1) / 2) as k
        join (select visitor_id, min(at) as first_at, max(at) as last_at from made group by visitor_id) f on f.visitor_id = md5(@property || (@known + k))::uuid;

        insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, entry_event_id, exit_at, exit_event_id,
                              later_exit_day, landing_path, exit_path, traffic_source, device_type, browser, os, country_code,
                              page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
        select visitor_id, session_id, @property, at, at + (pages - 1) * interval '40 seconds', md5(session_id || 'e1')::uuid,
               at, md5(session_id || 'e1')::uuid, at + (pages - 1) * interval '40 seconds', md5(session_id || 'e' || pages)::uuid,
               null, landing, landing, source, device, 'Chrome', 'Windows', country, pages, pages, pages * 8000, n % 25 = 0, pages = 1 and n % 25 <> 0, true
        from made;

        insert into events (visitor_id, id, occurred_at, received_at, session_id, property_id, event_type, path, ip_hash, ua_hash,
                            traffic_source, device_type, is_entrance, is_exit, is_conversion, country_code, props)
        select visitor_id, md5(session_id || 'e' || k)::uuid, at + (k - 1) * interval '40 seconds', at + (k - 1) * interval '40 seconds' + interval '80 milliseconds',
               session_id, @property, 'page_view', landing, sha256(uuid_send(visitor_id)), sha256(uuid_send(visitor_id)),
               source, device, k = 1, k = pages, n % 25 = 0 and k = pages, country,
               case when k % 4 = 1 then jsonb_build_object('ttfbMs', 20 + n % 400, 'lcpMs', 400 + n % 3000) else '{"plan": "free"}' end
        from made
        cross join lateral generate_series(1, pages) as k
        order by at + (k - 1) * interval '40 seconds';

        insert into ingest_counts (property_id, day, outcome, reason, events)
        select @property, (@day at time zone 'UTC')::date, 'accepted', '', sum(pages) from made
        on conflict (property_id, day, outcome, reason) do update set events = excluded.events
        """;

    private long known;   // visitors so far

    /// <summary>Makes the days, and leaves out those that are there already; events come in sessions of four on average.</summary>
    public async Task FillAsync(IEnumerable<(DateOnly Day, int Events)> days)
    {
        await database.RunAsync("create table if not exists benchmark_days (property_id text, day date, sessions bigint, primary key (property_id, day))");
        await using var connection = await database.Source.OpenConnectionAsync();
        await ExecuteAsync(connection, "set synchronous_commit = off; insert into properties (id, name) values (@property, @property) on conflict (id) do nothing");
        var partitions = new EventPartitions(TimeProvider.System);
        var watch = Stopwatch.StartNew();
        long made = 0;
        foreach (var (day, events) in days)
        {
            long sessions = events / 4;
            var start = new DateTimeOffset(day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);
            if (await database.NumberAsync($"select count(*) from benchmark_days where property_id = '{property}' and day = '{day:yyyy-MM-dd}'") == 0)
            {
                await partitions.EnsureAsync(connection, [start], CancellationToken.None);
                await using var transaction = await connection.BeginTransactionAsync();
                await ExecuteAsync(connection, Day, ("day", start), ("known", known), ("sessions", sessions), ("first_number", firstNumber));
                await ExecuteAsync(connection, "insert into benchmark_days values (@property, @the_day, @sessions)", ("the_day", day), ("sessions", sessions));
                await transaction.CommitAsync();
                made += events;
                if (made % 1_000_000 < events) Console.WriteLine($"  making {property}: {made:N0} events, {made / watch.Elapsed.TotalSeconds:N0}/s");
            }
            known += (sessions + 1) / 2;
        }
        if (made > 0)
        {
            await database.RunAsync("vacuum analyze");
            await database.CheckpointAsync();
        }
    }

    private async Task ExecuteAsync(NpgsqlConnection connection, string sql, params (string Name, object Value)[] values)
    {
        await using var command = new NpgsqlCommand(sql, connection) { CommandTimeout = 0 };
        command.Parameters.AddWithValue("property", property);
        foreach (var (name, value) in values) command.Parameters.AddWithValue(name, value);
        await command.ExecuteNonQueryAsync();
    }
}
