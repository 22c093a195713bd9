using System.Buffers;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Leads;

/// <summary>
/// Takes the events of stored submissions to the journal, where they go the way of all events, and counts the leads as
/// accepted. An event that a dying server has taken there and not crossed off is taken again; its key lets it count once.
/// </summary>
internal sealed class SubmissionRecorder(NpgsqlDataSource database, DatabaseGate gate, ICaptureLog journal, TimeProvider time, ILogger<SubmissionRecorder> log) : BackgroundService
{
    private const int Batch = 500;
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(2);

    // A burst of forms waits for the disk together, and not against those that are still being stored.
    private static readonly TimeSpan Gather = TimeSpan.FromMilliseconds(100);

    // Skipped are those that another server is taking; nothing waits for them.
    private const string Take = """
        select submission_id, property_id, day, record
        from form_submit_events
        order by created_at
        limit @most
        for update skip locked
        """;

    private const string CrossOff = "delete from form_submit_events where submission_id = any(@ids)";

    private readonly SemaphoreSlim wake = new(0, 1);
    private bool complained;

    /// <summary>There is something to take.</summary>
    public void Wake()
    {
        try
        {
            wake.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake, or about to be.
        }
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            await gate.WaitAsync(stoppingToken);
            var more = false;
            try
            {
                more = await RecordAsync(stoppingToken) == Batch;
                complained = false;
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException or UnauthorizedAccessException)
            {
                if (!complained) log.EventsWait(Database.Describe(e));
                complained = true;
            }
            if (!more && await wake.WaitAsync(Interval, stoppingToken)) await Task.Delay(Gather, time, stoppingToken);
        }
    }

    /// <summary>How many were taken.</summary>
    internal async Task<int> RecordAsync(CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var transaction = await connection.BeginTransactionAsync(cancellationToken);
        List<Guid> taken = [];
        Dictionary<(string Property, DateOnly Day), long> accepted = [];
        List<byte[]> records = [];
        await using (var take = new NpgsqlCommand(Take, connection))
        {
            take.Parameters.AddWithValue("most", Batch);
            await using var rows = await take.ExecuteReaderAsync(cancellationToken);
            while (await rows.ReadAsync(cancellationToken))
            {
                taken.Add(rows.GetGuid(0));
                var key = (rows.GetString(1), rows.GetFieldValue<DateOnly>(2));
                accepted[key] = accepted.GetValueOrDefault(key) + 1;
                if (rows.GetFieldValue<byte[]>(3) is { Length: > 0 } record) records.Add(record);
            }
        }
        if (taken.Count == 0) return 0;
        if (records.Count > 0 && await journal.AppendAsync(Joined(records), cancellationToken) is var result and not AppendResult.Durable) throw new IOException(result == AppendResult.Full ? "the journal is full" : "the journal's disk refuses");
        await using (var crossOff = new NpgsqlCommand(CrossOff, connection))
        {
            crossOff.Parameters.AddWithValue("ids", taken);
            await crossOff.ExecuteNonQueryAsync(cancellationToken);
        }
        await DayMarks.CountAsync(connection, [.. accepted.Select(a => new OutcomeCount(a.Key.Property, a.Key.Day, "lead_accepted", "", a.Value))], time.GetUtcNow(), cancellationToken);
        await transaction.CommitAsync(cancellationToken);
        return taken.Count;
    }

    public override void Dispose()
    {
        wake.Dispose();
        base.Dispose();
    }

    /// <summary>One journal record for all of them, so that the disk is waited for once.</summary>
    private static ReadOnlyMemory<byte> Joined(List<byte[]> records)
    {
        List<CapturedEvent> events = [];
        foreach (var record in records) CaptureRecord.Read(record, events, []);
        var joined = new ArrayBufferWriter<byte>(records.Count * 512);
        CaptureRecord.WriteEvents(joined, System.Runtime.InteropServices.CollectionsMarshal.AsSpan(events));
        return joined.WrittenMemory;
    }
}
