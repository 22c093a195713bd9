using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Journal;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>Moves what the journal holds into the database, in order, and lets the journal forget what is in.</summary>
internal sealed class JournalDrain(
    EventJournal journal, BatchWriter writer, JournalPositions positions, DatabaseGate gate, DataFolder folder,
    IOptions<IngestionOptions> options, TimeProvider clock, ILogger<JournalDrain> log) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

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
                    var position = await positions.ReadAsync(journal.Id, stoppingToken);
                    journal.TakeBack(position);
                    journal.EnsureAfter(position);
                    journal.Release(position);
                    while (true)
                    {
                        await journal.WaitForMoreAsync(position, stoppingToken);
                        if (options.Value.GatherMilliseconds > 0) await Task.Delay(TimeSpan.FromMilliseconds(options.Value.GatherMilliseconds), clock, stoppingToken);
                        position = await DrainAsync(position, stoppingToken);
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
    public async Task DrainOnceAsync(CancellationToken cancellationToken)
    {
        var position = await positions.ReadAsync(journal.Id, cancellationToken);
        journal.TakeBack(position);
        journal.EnsureAfter(position);
        journal.Release(position);
        await DrainAsync(position, cancellationToken);
    }

    /// <summary>Batch after batch until the journal's end.</summary>
    private async Task<JournalPosition> DrainAsync(JournalPosition position, CancellationToken cancellationToken)
    {
        List<JournalEntry> entries = [];
        while (true)
        {
            entries.Clear();
            if (journal.Read(position, options.Value.BatchBytes, entries) == 0) return position;
            await StoreAsync(entries, cancellationToken);
            position = entries[^1].End;
            journal.Release(position);
        }
    }

    /// <summary>
    /// In one transaction. What PostgreSQL refuses for its content is narrowed down to the record at fault, which is set
    /// aside in the data folder: one bad record must not hold up all that come after it.
    /// </summary>
    private async Task StoreAsync(List<JournalEntry> entries, CancellationToken cancellationToken)
    {
        var batch = new IngestBatch();
        foreach (var entry in entries) Add(entry, batch);
        var end = entries[^1].End;
        try
        {
            await writer.WriteAsync(batch, (connection, stop) => positions.WriteAsync(connection, journal.Id, end, stop), cancellationToken);
        }
        catch (PostgresException e) when (IsAboutContent(e) && entries.Count > 1)
        {
            var half = entries.Count / 2;
            await StoreAsync(entries[..half], cancellationToken);
            await StoreAsync(entries[half..], cancellationToken);
        }
        catch (PostgresException e) when (IsAboutContent(e))
        {
            var file = Path.Combine(folder.SetAside, $"{journal.Id:N}-{end.Segment}-{end.Offset}.record");
            await File.WriteAllBytesAsync(file, entries[0].Payload, cancellationToken);
            log.RecordSetAside(e, file);
            await writer.WriteAsync(new IngestBatch(), (connection, stop) => positions.WriteAsync(connection, journal.Id, end, stop), cancellationToken);
        }
    }

    private void Add(JournalEntry entry, IngestBatch batch)
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
            return;
        }
        foreach (var e in events) batch.Add(e);
        foreach (var c in counts) batch.Add(c);
    }

    /// <summary>Class 22 (data exception), 23 (constraint), 54 (program limit): the same statement fails again with the same rows.</summary>
    private static bool IsAboutContent(PostgresException e) => e.SqlState[..2] is "22" or "23" or "54";
}

/// <summary>What holds ingestion up, and since when.</summary>
internal sealed record IngestionTrouble(DateTimeOffset Since, string Error);
