using Footfall.Capture;
using Footfall.Journal;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Ingestion;

/// <summary>Moves what the journal holds into the database, in order, and lets the journal forget what is in.</summary>
internal sealed class JournalDrain(
    EventJournal journal, BatchWriter writer, JournalPositions positions, DatabaseGate gate,
    IOptions<IngestionOptions> options, TimeProvider clock, ILogger<JournalDrain> log) : BackgroundService
{
    private static readonly TimeSpan FirstPause = TimeSpan.FromMilliseconds(250);
    private static readonly TimeSpan LongestPause = TimeSpan.FromSeconds(10);

    /// <summary>What holds ingestion up, and since when; null while it works.</summary>
    public (DateTimeOffset Since, string Error)? Trouble { get; private set; }

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
                    journal.EnsureAfter(position);
                    journal.Release(position);
                    while (true)
                    {
                        await journal.WaitForMoreAsync(position, stoppingToken);
                        if (options.Value.GatherMilliseconds > 0) await Task.Delay(options.Value.GatherMilliseconds, clock, stoppingToken);
                        position = await DrainAsync(position, stoppingToken);
                        if (Trouble is not null) log.Recovered();
                        Trouble = null;
                        pause = FirstPause;
                    }
                }
                catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException)
                {
                    if (Trouble is null) log.Held(e);
                    Trouble = (Trouble?.Since ?? clock.GetUtcNow(), e.Message);
                    await Task.Delay(pause, clock, stoppingToken);
                    pause = pause * 2 < LongestPause ? pause * 2 : LongestPause;
                }
            }
        }
        catch (OperationCanceledException) when (stoppingToken.IsCancellationRequested)
        {
        }
    }

    /// <summary>Batch after batch until the journal's end.</summary>
    private async Task<JournalPosition> DrainAsync(JournalPosition position, CancellationToken cancellationToken)
    {
        List<JournalEntry> entries = [];
        List<CapturedEvent> events = [];
        List<OutcomeCount> counts = [];
        while (true)
        {
            entries.Clear();
            if (journal.Read(position, options.Value.BatchBytes, entries) == 0) return position;
            var end = entries[^1].End;
            var batch = new IngestBatch();
            foreach (var entry in entries)
            {
                events.Clear();
                counts.Clear();
                try
                {
                    CaptureRecord.Read(entry.Payload.Span, events, counts);
                }
                catch (InvalidDataException e)
                {
                    // Its checksum was right, so it was written so: by a newer version, or by a defect. The others go on.
                    log.UnreadableRecord(e, entry.End.Segment, entry.End.Offset);
                    continue;
                }
                foreach (var e in events) batch.Add(e);
                foreach (var c in counts) batch.Add(c);
            }
            await writer.WriteAsync(batch, (connection, stop) => positions.WriteAsync(connection, journal.Id, end, stop), cancellationToken);
            position = end;
            journal.Release(position);
        }
    }
}
