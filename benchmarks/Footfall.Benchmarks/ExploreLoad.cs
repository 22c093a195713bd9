using System.Buffers.Binary;
using System.Diagnostics;
using System.Globalization;
using System.Text;
using Footfall.Postgres;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Benchmarks;

/// <summary>The traffic as rows: of PostgreSQL's tables as ingestion leaves them, and of two tables for the ClickHouse engine. Both are kept, so that they are filled once.</summary>
internal static class ExploreLoad
{
    public const string Property = "explore";

    private const string Hits = """
        create table hits (day Date, at DateTime64(3, 'UTC'), visitor UInt32, path LowCardinality(String), source LowCardinality(String), device LowCardinality(String), country LowCardinality(String))
        engine = MergeTree order by (day, visitor, at)
        """;

    private const string Sessions = """
        create table sessions (day Date, visitor UInt32, page_views UInt16, bounce UInt8, source LowCardinality(String), device LowCardinality(String), country LowCardinality(String))
        engine = MergeTree order by (day, visitor)
        """;

    private static readonly string?[] TrafficSources = ["direct", "organic_search", "email", "social", "organic_search", "referral"];

    public static async Task FillAsync(BenchDatabase database, ClickHouse house, double scale)
    {
        await database.RunAsync("create table if not exists benchmark_explore (events bigint not null)");
        if (await database.NumberAsync("select count(*) from benchmark_explore") > 0) return;
        await database.RunAsync($"truncate visitors, sessions, events, dirty_days; insert into properties (id, name) values ('{Property}', 'Explore') on conflict (id) do nothing");
        await house.QueryAsync("create database if not exists explore");
        foreach (var (name, create) in new[] { ("hits", Hits), ("sessions", Sessions) })
        {
            await house.QueryAsync($"drop table if exists explore.{name}");
            await house.QueryAsync(create.Replace($"create table {name}", $"create table explore.{name}", StringComparison.Ordinal));
        }

        var watch = Stopwatch.StartNew();
        var traffic = new ExploreTraffic(scale);
        List<(long First, long Last)> seen = [];
        long events = 0;
        await using (var connection = await database.Source.OpenConnectionAsync())
        {
            await new EventPartitions(TimeProvider.System).EnsureAsync(connection, Enumerable.Range(0, ExploreTraffic.Days).Select(d => Instant(d * ExploreTraffic.DayMs)), CancellationToken.None);
            for (var day = 0; day < ExploreTraffic.Days; day++)
            {
                events += await DayAsync(connection, database, traffic, day, seen, house);
                if (day % 5 == 4) Console.WriteLine($"  making the data set: {events:N0} page views, {events / watch.Elapsed.TotalSeconds:N0}/s");
            }
            await VisitorsAsync(connection, seen);
        }
        await house.QueryAsync("optimize table explore.hits final");
        await house.QueryAsync("optimize table explore.sessions final");
        await database.RunAsync($"""
            insert into dirty_days (property_id, day, marks, marked_at)
            select '{Property}', d::date, 1, timestamptz '2026-03-01' from generate_series('{ExploreTraffic.From:yyyy-MM-dd}'::timestamp, '{ExploreTraffic.To:yyyy-MM-dd}'::timestamp, interval '1 day') d
            """);
        await database.RunAsync("vacuum analyze");
        await database.CheckpointAsync();
        await database.RunAsync($"insert into benchmark_explore values ({events})");
        Console.WriteLine($"  made {events:N0} page views, {seen.Count:N0} visitors in {watch.Elapsed.TotalSeconds:N0} s");
    }

    public static DateTimeOffset Instant(long ms) => new DateTimeOffset(ExploreTraffic.From.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero).AddMilliseconds(ms);

    private static async Task<long> DayAsync(NpgsqlConnection connection, BenchDatabase database, ExploreTraffic traffic, int day, List<(long First, long Last)> seen, ClickHouse house)
    {
        long events = 0;
        var folder = Path.Combine(database.Folder, "made");
        Directory.CreateDirectory(folder);
        var (hitsFile, sessionsFile) = (Path.Combine(folder, "hits.tsv"), Path.Combine(folder, "sessions.tsv"));
        await using var second = await database.Source.OpenConnectionAsync();
        await using (var hits = new StreamWriter(hitsFile, append: false, new UTF8Encoding(false), 1 << 20))
        await using (var visits = new StreamWriter(sessionsFile, append: false, new UTF8Encoding(false), 1 << 20))
        await using (var sessionRows = await connection.BeginBinaryImportAsync("""
            copy sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, entry_at, entry_event_id, exit_at, exit_event_id, later_exit_day, landing_path, exit_path,
                           referrer_host, utm_source, traffic_source, device_type, browser, os, country_code, page_views, events, engaged_ms, has_conversion, is_bounce, sealed) from stdin (format binary)
            """))
        await using (var eventRows = await second.BeginBinaryImportAsync("""
            copy events (visitor_id, id, occurred_at, received_at, session_id, property_id, event_type, path, traffic_source, device_type, is_entrance, is_exit, is_conversion, country_code) from stdin (format binary)
            """))
        {
            foreach (var made in traffic.Day(day))
            {
                var (visitor, session) = (Id('v', made.Visitor), Id('s', made.Number));
                var (start, end) = (Instant(made.Start).UtcDateTime, Instant(made.End).UtcDateTime);
                var (first, last) = (EventId(made.Start, made.Number, 0), EventId(made.End, made.Number, made.Views.Count - 1));
                var source = ExploreTraffic.Sources[made.Source];
                var (traffics, device, country) = (TrafficSources[made.Source]!, ExploreTraffic.Devices[made.Device], ExploreTraffic.Countries[made.Country]);
                var engaged = made.Views.Count * 6_000L + (made.Number % 7 * 1_000);
                var bounce = made.Views.Count == 1 && engaged < 10_000;

                await sessionRows.StartRowAsync();
                await sessionRows.WriteAsync(visitor);
                await sessionRows.WriteAsync(session);
                await sessionRows.WriteAsync(Property);
                await sessionRows.WriteAsync(start, NpgsqlDbType.TimestampTz);
                await sessionRows.WriteAsync(end, NpgsqlDbType.TimestampTz);
                await sessionRows.WriteAsync(first);
                await sessionRows.WriteAsync(start, NpgsqlDbType.TimestampTz);
                await sessionRows.WriteAsync(first);
                await sessionRows.WriteAsync(end, NpgsqlDbType.TimestampTz);
                await sessionRows.WriteAsync(last);
                if (end.Date > start.Date) await sessionRows.WriteAsync(DateOnly.FromDateTime(end), NpgsqlDbType.Date);
                else await sessionRows.WriteNullAsync();
                await sessionRows.WriteAsync(ExploreTraffic.Paths[made.Views[0].Path]);
                await sessionRows.WriteAsync(ExploreTraffic.Paths[made.Views[^1].Path]);
                if (made.Source is 0 or 2) await sessionRows.WriteNullAsync();
                else await sessionRows.WriteAsync(source!);
                if (made.Source == 2) await sessionRows.WriteAsync(source!);
                else await sessionRows.WriteNullAsync();
                await sessionRows.WriteAsync(traffics, "traffic_source");
                await sessionRows.WriteAsync(device, "device_type");
                await sessionRows.WriteAsync(made.Visitor % 3 == 0 ? "Safari" : "Chrome");
                await sessionRows.WriteAsync(made.Device == 0 ? "Windows" : "Android");
                await sessionRows.WriteAsync(country);
                await sessionRows.WriteAsync(made.Views.Count);
                await sessionRows.WriteAsync(made.Views.Count);
                await sessionRows.WriteAsync(engaged);
                await sessionRows.WriteAsync(false);
                await sessionRows.WriteAsync(bounce);
                await sessionRows.WriteAsync(true);
                visits.Write(string.Create(CultureInfo.InvariantCulture, $"{start:yyyy-MM-dd}\t{made.Visitor}\t{made.Views.Count}\t{(bounce ? 1 : 0)}\t{source}\t{device}\t{country}\n"));

                for (var i = 0; i < made.Views.Count; i++)
                {
                    var (at, path) = (Instant(made.Views[i].At).UtcDateTime, ExploreTraffic.Paths[made.Views[i].Path]);
                    await eventRows.StartRowAsync();
                    await eventRows.WriteAsync(visitor);
                    await eventRows.WriteAsync(EventId(made.Views[i].At, made.Number, i));
                    await eventRows.WriteAsync(at, NpgsqlDbType.TimestampTz);
                    await eventRows.WriteAsync(at.AddMilliseconds(80), NpgsqlDbType.TimestampTz);
                    await eventRows.WriteAsync(session);
                    await eventRows.WriteAsync(Property);
                    await eventRows.WriteAsync("page_view");
                    await eventRows.WriteAsync(path);
                    await eventRows.WriteAsync(traffics, "traffic_source");
                    await eventRows.WriteAsync(device, "device_type");
                    await eventRows.WriteAsync(i == 0);
                    await eventRows.WriteAsync(i == made.Views.Count - 1);
                    await eventRows.WriteAsync(false);
                    await eventRows.WriteAsync(country);
                    hits.Write(string.Create(CultureInfo.InvariantCulture, $"{at:yyyy-MM-dd}\t{at:yyyy-MM-dd HH:mm:ss.fff}\t{made.Visitor}\t{path}\t{source}\t{device}\t{country}\n"));
                }
                events += made.Views.Count;
                if (made.Visitor == seen.Count) seen.Add((made.Start, made.End));
                else seen[made.Visitor] = (seen[made.Visitor].First, Math.Max(seen[made.Visitor].Last, made.End));
            }
            await sessionRows.CompleteAsync();
            await eventRows.CompleteAsync();
        }
        await house.QueryAsync($"insert into explore.hits select * from file('{hitsFile}', TabSeparated, 'day Date, at DateTime64(3, ''UTC''), visitor UInt32, path String, source String, device String, country String')");
        await house.QueryAsync($"insert into explore.sessions select * from file('{sessionsFile}', TabSeparated, 'day Date, visitor UInt32, page_views UInt16, bounce UInt8, source String, device String, country String')");
        Directory.Delete(folder, recursive: true);
        return events;
    }

    private static async Task VisitorsAsync(NpgsqlConnection connection, List<(long First, long Last)> seen)
    {
        await using var rows = await connection.BeginBinaryImportAsync("copy visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id) from stdin (format binary)");
        for (var number = 0; number < seen.Count; number++)
        {
            await rows.StartRowAsync();
            await rows.WriteAsync(Id('v', number));
            await rows.WriteAsync($"explore-{number}");
            await rows.WriteAsync("anon_id", "visitor_kind");
            await rows.WriteAsync(number + 1);   // as the sequence gives them
            await rows.WriteAsync(Instant(seen[number].First).UtcDateTime, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Instant(seen[number].Last).UtcDateTime, NpgsqlDbType.TimestampTz);
            await rows.WriteAsync(Property);
        }
        await rows.CompleteAsync();
    }

    /// <summary>Looks as random as a hash does, and is the same each time.</summary>
    private static Guid Id(char kind, int number)
    {
        var high = Mixed(((ulong)kind << 32) | (uint)number);
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteUInt64BigEndian(bytes, high);
        BinaryPrimitives.WriteUInt64BigEndian(bytes[8..], Mixed(high));
        return new Guid(bytes, bigEndian: true);
    }

    /// <summary>Ordered by arrival, as ingestion's are.</summary>
    private static Guid EventId(long at, int session, int index)
    {
        Span<byte> bytes = stackalloc byte[16];
        BinaryPrimitives.WriteInt64BigEndian(bytes, at);
        BinaryPrimitives.WriteInt32BigEndian(bytes[8..], session);
        BinaryPrimitives.WriteInt32BigEndian(bytes[12..], index);
        return new Guid(bytes, bigEndian: true);
    }

    private static ulong Mixed(ulong z)
    {
        z += 0x9E37_79B9_7F4A_7C15;
        z = (z ^ (z >> 30)) * 0xBF58_476D_1CE4_E5B9;
        z = (z ^ (z >> 27)) * 0x94D0_49BB_1331_11EB;
        return z ^ (z >> 31);
    }
}
