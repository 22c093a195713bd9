using System.Diagnostics;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using NpgsqlTypes;

namespace Footfall.Benchmarks;

/// <summary>Rows a second through the product's batches, beside COPY BINARY of the same rows into the same events table with its indexes. Both into a database that already holds a history.</summary>
internal static class IngestionBenchmark
{
    private static readonly DateTimeOffset Start = new(2026, 3, 2, 0, 0, 0, TimeSpan.Zero);

    public static async Task RunAsync(BenchDatabase database, int history, int rows, int batch)
    {
        await FillAsync(database, history, batch: 50_000);
        var there = await database.NumberAsync("select count(*) from events");
        await database.WarmAsync();
        Figures.Title($"Ingestion in batches of {batch:N0} into {there:N0} events");
        // In turn, first one then the other first: what a turn leaves in memory helps its successor, whichever it is.
        List<double> ours = [], theirs = [];
        bool[] turns = [true, false, false, true, true, false];
        for (var turn = 0; turn < turns.Length; turn++)
        {
            // A day of its own each time, after all that is there, as live traffic is; of the same kind: the same visitors, paths and times of day.
            var day = await NextDayAsync(database);
            var sample = new Traffic(seed: 99 + day.DayOfYear, "bench", 600_000).Between(day, day.AddDays(1), rows).ToList();
            await database.CheckpointAsync();
            var watch = Stopwatch.StartNew();
            if (turns[turn]) await IngestAsync(database, sample, batch);
            else await CopyAsync(database, sample, batch);
            (turns[turn] ? ours : theirs).Add(rows / watch.Elapsed.TotalSeconds);
        }
        Figures.Line($"ingestion, {ours.Count} x {rows:N0} rows (at least 25,000)", $"{Figures.Median(ours),8:N0} rows/s  ({string.Join(", ", ours.Select(r => r.ToString("N0", null)))})");
        Figures.Line("COPY BINARY into events and its indexes", $"{Figures.Median(theirs),8:N0} rows/s  ({string.Join(", ", theirs.Select(r => r.ToString("N0", null)))})");
        Figures.Line("ratio (at least 0.25)", $"{Figures.Median(ours) / Figures.Median(theirs),8:N2}");
    }

    /// <summary>Times each statement of one batch, into the same history.</summary>
    public static async Task ProfileAsync(BenchDatabase database, int history, int batch)
    {
        await FillAsync(database, history, batch: 50_000);
        await database.WarmAsync();
        List<IngestBatch> batches = [];
        var day = await NextDayAsync(database);
        foreach (var chunk in new Traffic(seed: 99 + day.DayOfYear, "bench", 600_000).Between(day, day.AddDays(1), 10 * batch).Chunk(batch))
        {
            batches.Add(new IngestBatch());
            foreach (var e in chunk) batches[^1].Add(e);
        }
        await using var writer = Writer(database);
        await StatementProfile.RunAsync(writer, batches);
    }

    /// <summary>Fills the database up to <paramref name="count"/> events over 14 days, through the product's own batches.</summary>
    public static async Task FillAsync(BenchDatabase database, int count, int batch)
    {
        var there = (int)await database.NumberAsync("select count(*) from events");
        if (there >= count) return;
        var watch = Stopwatch.StartNew();
        await using var writer = Writer(database);
        var done = 0;
        foreach (var chunk in new Traffic(seed: 1, "bench", 600_000).Between(Start, Start.AddDays(14), count).Chunk(batch))
        {
            done += chunk.Length;
            if (done <= there) continue;
            await WriteAsync(writer, Lanes.All, chunk);
            if (done % 500_000 < batch) Console.WriteLine($"filling: {done:N0} events, {done / watch.Elapsed.TotalSeconds:N0}/s");
        }
        await database.RunAsync("vacuum analyze");
    }

    private static async Task<DateTimeOffset> NextDayAsync(BenchDatabase database) =>
        Start.AddDays(1 + await database.NumberAsync("select (max(occurred_at) at time zone 'UTC')::date - '2026-03-02'::date from events"));

    private static BatchWriter Writer(BenchDatabase database) =>
        new(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);

    private static async Task IngestAsync(BenchDatabase database, List<CapturedEvent> rows, int batch)
    {
        await using var writers = new LaneWriters(() => Writer(database), Options.Create(new IngestionOptions()));
        foreach (var chunk in rows.Chunk(batch)) await writers.WriteAsync(chunk.Length, (writer, lanes) => WriteAsync(writer, lanes, chunk));
    }

    private static Task WriteAsync(BatchWriter writer, IReadOnlyList<int> lanes, CapturedEvent[] events)
    {
        var batch = new IngestBatch();
        foreach (var e in events)
        {
            if (lanes.Contains(Lanes.Of(e.VisitorId))) batch.Add(e);
        }
        return writer.WriteAsync(batch, lanes, (_, _) => Task.CompletedTask, CancellationToken.None);
    }

    private static async Task CopyAsync(BenchDatabase database, List<CapturedEvent> rows, int batch)
    {
        await using var connection = await database.Source.OpenConnectionAsync();
        foreach (var chunk in rows.Chunk(batch))
        {
            await using var copy = await connection.BeginBinaryImportAsync("""
                copy events (visitor_id, id, occurred_at, received_at, session_id, dedupe_key, property_id, event_type, path, ip_hash, ua_hash,
                             traffic_source, device_type, is_entrance, is_exit, is_conversion, country_code, props)
                from stdin (format binary)
                """);
            foreach (var e in chunk)
            {
                await copy.StartRowAsync();
                await copy.WriteAsync(e.VisitorId, NpgsqlDbType.Uuid);
                await copy.WriteAsync(e.Id, NpgsqlDbType.Uuid);
                await copy.WriteAsync(e.OccurredAt, NpgsqlDbType.TimestampTz);
                await copy.WriteAsync(e.ReceivedAt, NpgsqlDbType.TimestampTz);
                await copy.WriteAsync(e.VisitorId, NpgsqlDbType.Uuid);
                await copy.WriteAsync(e.DedupeKey!.Value, NpgsqlDbType.Uuid);
                await copy.WriteAsync(e.PropertyId, NpgsqlDbType.Text);
                await copy.WriteAsync(e.EventType, NpgsqlDbType.Text);
                await copy.WriteAsync(e.Path, NpgsqlDbType.Text);
                await copy.WriteAsync(e.IpHash!, NpgsqlDbType.Bytea);
                await copy.WriteAsync(e.UaHash!, NpgsqlDbType.Bytea);
                await copy.WriteAsync(Names.Of(e.TrafficSource), "traffic_source");
                await copy.WriteAsync(Names.Of(e.DeviceType), "device_type");
                await copy.WriteAsync(false, NpgsqlDbType.Boolean);
                await copy.WriteAsync(false, NpgsqlDbType.Boolean);
                await copy.WriteAsync(false, NpgsqlDbType.Boolean);
                await copy.WriteAsync(e.CountryCode!, NpgsqlDbType.Text);
                await copy.WriteAsync(e.Props!, NpgsqlDbType.Jsonb);
            }
            await copy.CompleteAsync();
        }
    }
}
