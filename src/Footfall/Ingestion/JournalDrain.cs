using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Journal;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>Moves what the journal holds into the database, each lane in order, and lets the journal forget what is in.</summary>
internal sealed class JournalDrain(
    EventJournal journal, LaneWriters writers, JournalPositions positions, DatabaseGate gate, DataFolder folder,
    IOptions<IngestionOptions> options, IngestionMeter meter, TimeProvider clock, ILogger<JournalDrain> log) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>Capture is busy when so many bytes a second come into the journal: some thousand events.</summary>
    private const double BusyBytesPerSecond = 1024 * 1024;

    /// <summary>While capture is busy, ingestion rests so many times as long as it has worked.</summary>
    private const int RestWhileBusy = 3;

    private const int Tries = 3;

    private volatile IngestionTrouble? trouble;   // one reference, so that who reads it from another thread gets one moment's

    /// <summary>What holds ingestion up; null while it works.</summary>
    public IngestionTrouble? Trouble => trouble;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        var pause = FirstPause;
        try
        {
            while (true)
            {
                try
                {
                    await gate.WaitAsync(stoppingToken);
                    // The database knows best how far it is, also after a commit whose answer was lost.
                    var at = await BeginAsync(stoppingToken);
                    while (true)
                    {
                        await journal.WaitForMoreAsync(at.Through, stoppingToken);
                        if (options.Value.GatherMilliseconds > 0) await Task.Delay(TimeSpan.FromMilliseconds(options.Value.GatherMilliseconds), clock, stoppingToken);
                        await DrainAsync(at, stoppingToken);
                        if (trouble is not null) log.Recovered();
                        trouble = null;
                        pause = FirstPause;
                    }
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
                {
                    if (trouble is null) log.Held(e);
                    trouble = new IngestionTrouble(trouble?.Since ?? clock.GetUtcNow(), Database.Describe(e));
                    await Task.Delay(pause, clock, stoppingToken);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Stores what the journal holds now, and returns: for a command, where no server does it.</summary>
    public async Task DrainOnceAsync(CancellationToken cancellationToken) => await DrainAsync(await BeginAsync(cancellationToken), cancellationToken);

    private async Task<LanePositions> BeginAsync(CancellationToken cancellationToken)
    {
        var at = await positions.ReadAsync(journal.Id, cancellationToken);
        journal.EnsureAfter(at.Furthest);
        journal.Release(at.Through);
        return at;
    }

    /// <summary>Batch after batch until the journal's end.</summary>
    private async Task DrainAsync(LanePositions at, CancellationToken cancellationToken)
    {
        List<JournalEntry> entries = [];
        while (true)
        {
            var (began, held) = (clock.GetTimestamp(), journal.Status.BytesHeld);
            entries.Clear();
            if (journal.Read(at.Through, options.Value.BatchBytes, entries) == 0) return;
            var records = entries.ConvertAll(Decode);
            await writers.WriteAsync(records.Sum(r => r.Events.Count), (writer, lanes) => StoreAsync(writer, lanes, records, at, cancellationToken));
            at.Move(Lanes.All.Where(lane => at[lane] < entries[^1].End), entries[^1].End);
            journal.Release(at.Through);
            await YieldAsync(held - entries.Sum(e => (long)e.Payload.Length), clock.GetElapsedTime(began), cancellationToken);
        }
    }

    /// <summary>What is captured waits safely in the journal; who captures waits for an answer. So while much comes in, capture has the machine first, until too much waits.</summary>
    /// <param name="left">What the journal would hold by now if nothing had come.</param>
    private async Task YieldAsync(long left, TimeSpan worked, CancellationToken cancellationToken)
    {
        var held = journal.Status.BytesHeld;
        if (held > options.Value.YieldMegabytes * 1024L * 1024L || (held - left) / worked.TotalSeconds < BusyBytesPerSecond) return;
        await Task.Delay(worked * RestWhileBusy, clock, cancellationToken);
    }

    /// <summary>
    /// What is of the lanes, and not stored yet, in one transaction. What PostgreSQL refuses for its content is narrowed down to the
    /// record at fault, which is set aside in the data folder: one bad record must not hold up all that come after it.
    /// </summary>
    private async Task StoreAsync(BatchWriter writer, IReadOnlyList<int> lanes, List<Record> records, LanePositions at, CancellationToken cancellationToken)
    {
        var end = records[^1].Entry.End;
        var behind = lanes.Where(lane => at[lane] < end).ToArray();
        if (behind.Length == 0) return;
        try
        {
            await WriteAsync(writer, Batch(records, behind, at), lanes, behind, end, cancellationToken);
        }
        catch (PostgresException e) when (IsAboutContent(e) && records.Count > 1)
        {
            var half = records.Count / 2;
            await StoreAsync(writer, lanes, records[..half], at, cancellationToken);
            await StoreAsync(writer, lanes, records[half..], at, cancellationToken);
        }
        catch (PostgresException e) when (IsAboutContent(e))
        {
            var file = Path.Combine(folder.SetAside, $"{journal.Id:N}-{end.Segment}-{end.Offset}.record");
            await File.WriteAllBytesAsync(file, records[0].Entry.Payload, cancellationToken);
            log.RecordSetAside(e, file);
            meter.LeftOut();
            await WriteAsync(writer, new IngestBatch(), lanes, behind, end, cancellationToken);
        }
    }

    private async Task WriteAsync(BatchWriter writer, IngestBatch batch, IReadOnlyList<int> lanes, int[] behind, JournalPosition end, CancellationToken cancellationToken)
    {
        using var span = IngestionMeter.Span();
        var started = clock.GetTimestamp();
        for (var i = 1; ; i++)
        {
            try
            {
                await writer.WriteAsync(batch, lanes, (connection, stop) => positions.WriteAsync(connection, journal.Id, behind, end, stop), cancellationToken);
                meter.Stored(batch.Arrived.Values.Sum(), clock.GetElapsedTime(started), batch.Oldest is { } oldest ? clock.GetUtcNow() - oldest : null);
                return;
            }
            catch (PostgresException e) when (i < Tries && e.SqlState is PostgresErrorCodes.DeadlockDetected or PostgresErrorCodes.SerializationFailure)
            {
                // Another transaction was in the way; nothing was stored.
            }
        }
    }

    private static IngestBatch Batch(List<Record> records, int[] lanes, LanePositions at)
    {
        var batch = new IngestBatch();
        foreach (var record in records)
        {
            foreach (var e in record.Events)
            {
                var lane = Lanes.Of(e.VisitorId);
                if (lanes.Contains(lane) && at[lane] < record.Entry.End) batch.Add(e);
            }
            if (!lanes.Contains(Lanes.OfCounts) || at[Lanes.OfCounts] >= record.Entry.End) continue;
            foreach (var c in record.Counts) batch.Add(c);
        }
        return batch;
    }

    private Record Decode(JournalEntry entry)
    {
        List<CapturedEvent> events = [];
        List<OutcomeCount> counts = [];
        try
        {
            CaptureRecord.Read(entry.Payload.Span, events, counts);
        }
        catch (InvalidDataException e)
        {
            // Its checksum was right, so it was written so: by a newer version, or by a defect. The others go on.
            log.UnreadableRecord(e, entry.End.Segment, entry.End.Offset);
            meter.LeftOut();
            return new Record(entry, [], []);
        }
        return new Record(entry, events, counts);
    }

    /// <summary>Class 22 (data exception), 23 (constraint), 54 (program limit): the same statement fails again with the same rows.</summary>
    private static bool IsAboutContent(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";

    /// <summary>A journal record with what is in it.</summary>
    private sealed record Record(JournalEntry Entry, List<CapturedEvent> Events, List<OutcomeCount> Counts);
}

/// <summary>What holds ingestion up, and since when.</summary>
internal sealed record IngestionTrouble(DateTimeOffset Since, string Error);
