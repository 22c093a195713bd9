using System.Security.Cryptography;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Ingestion;

namespace Footfall.Cli.Import;

/// <summary>
/// Reads events, one JSON object a line, in the form of POST /v1/events, through the same checks, enrichment and ingestion as live
/// ones. Beyond that form a line has <c>receivedAt</c> (required), and may have what an export writes: <c>visitorId</c> for a visitor without
/// anon id, <c>dedupeKey</c>, and a <c>traffic.countryCode</c> that counts, because the operator vouches for it.
/// </summary>
internal sealed class EventImport(CapturePipeline pipeline, ImportDayKeys keys, Func<BatchWriter> newWriter, ImportStore store, TimeProvider clock)
{
    private const int EventsPerBatch = 5_000;
    private const int LinesPerReport = 1_024;
    private static readonly TimeSpan Ahead = TimeSpan.FromMinutes(5);

    /// <param name="property">Of events that name none.</param>
    /// <exception cref="CommandException">The file cannot be read.</exception>
    public async Task<EventImportResult> RunAsync(string path, string property, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        var key = new ImportKey(await AccessLogImport.ChecksumAsync(path, report, cancellationToken), property, "events");
        await using var own = await store.LockAsync(key, report, cancellationToken);
        var state = await store.OpenAsync(key, cancellationToken);
        var result = new EventImportResult { State = state, ResumedAt = state.LinesDone, WasFinished = state.FinishedAt is not null };
        if (result.WasFinished) return result;

        using var lines = new LogLines(path);
        await using var writer = newWriter();
        var done = state.LinesDone;
        bool more;
        do
        {
            var batch = new IngestBatch();
            more = Fill(lines, property, state.LinesDone, batch, result, report, cancellationToken);
            var arrived = batch.Arrived.Values.Sum();
            if (arrived == 0 && more) continue;
            var (from, to) = (done, lines.LineNumber);
            await writer.WriteAsync(batch, (connection, ct) => store.AdvanceAsync(connection, key, from, to, arrived, batch.Stored, finished: !more, ct), cancellationToken);
            done = to;
        }
        while (more);
        result.State = await store.OpenAsync(key, cancellationToken);
        return result;
    }

    /// <summary>Reads on until the batch is full; false at the end of the file.</summary>
    private bool Fill(LogLines lines, string property, long skipTo, IngestBatch batch, EventImportResult result, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        while (batch.Events.Count < EventsPerBatch)
        {
            if (!lines.TryRead(out var line)) return false;
            result.Lines = lines.LineNumber;
            if (lines.LineNumber % LinesPerReport == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                report(new ImportProgress("lines", lines.Position, lines.Length, lines.LineNumber));
            }
            if (lines.LineNumber <= skipTo || line.Trim(" \t\r"u8).IsEmpty) continue;
            if (Read(line, property, batch, result) is { } problem) result.AddMalformed(lines.LineNumber, problem);
        }
        return true;
    }

    /// <summary>Adds the line's event; else says what is wrong with it, without repeating what it holds.</summary>
    private string? Read(ReadOnlySpan<byte> line, string property, IngestBatch batch, EventImportResult result)
    {
        if (line.Length > AccessLogParser.LongestLine) return $"longer than {AccessLogParser.LongestLine} bytes";
        if (line.TrimStart(" \t"u8) is not [(byte)'{', ..]) return "no JSON object";
        var read = EventReader.Read(line);
        if (read.Error is not null) return read.Issues is [var issue, ..] ? $"{issue.Field}: {issue.Message}" : read.Message ?? read.Error;
        Vouched vouched;
        try
        {
            (vouched, var problem) = Vouched.Read(line);
            if (problem is not null) return problem;
        }
        catch (InvalidOperationException)
        {
            return "half of a surrogate pair, which is no text";
        }

        if (vouched.ReceivedAt is not { } receivedAt) return "receivedAt: is required: an ISO 8601 instant with zone";
        if (receivedAt > clock.GetUtcNow() + Ahead) return "receivedAt: lies in the future";

        var request = read.Events[0];
        request.PropertyId ??= property;
        // Without anything else to tell it by, a line is the same event as one that reads the same.
        if (request.EventId is null && request.Timestamp is null && vouched.DedupeKey is null) request.EventId = $"line-{Convert.ToHexStringLower(SHA256.HashData(line)[..16])}";
        var outcome = pipeline.Run(request, new Sender(null, null, Sender.WholeMicroseconds(receivedAt), keys));
        if (outcome.Event is not { } e)
        {
            result.AddDropped(outcome.Dropped!.Value.Text());
            return null;
        }
        if (vouched.VisitorId is { } visitor && e.VisitorKind == VisitorKind.Cookieless) e = e with { VisitorId = visitor };
        batch.Add(e with { CountryCode = vouched.CountryCode ?? e.CountryCode, DedupeKey = vouched.DedupeKey ?? e.DedupeKey });
        return null;
    }

    /// <summary>What only an import may say. The line is known to be a valid event.</summary>
    private readonly record struct Vouched(DateTimeOffset? ReceivedAt, Guid? VisitorId, Guid? DedupeKey, string? CountryCode)
    {
        public static (Vouched Vouched, string? Problem) Read(ReadOnlySpan<byte> line)
        {
            using var document = JsonDocument.Parse(line.ToArray(), new JsonDocumentOptions { MaxDepth = EventReader.MaxDepth });
            var root = document.RootElement;
            DateTimeOffset? receivedAt = null;
            if (root.TryGetProperty("receivedAt", out var at))
            {
                if (at.ValueKind != JsonValueKind.String || !IsoInstant.TryParse(at.GetString(), out var instant)) return (default, "receivedAt: must be an ISO 8601 instant with zone");
                receivedAt = instant;
            }
            if (!TryId("visitorId", out var visitor)) return (default, "visitorId: must be a UUID");
            if (!TryId("dedupeKey", out var dedupe)) return (default, "dedupeKey: must be a UUID");
            var country = root.TryGetProperty("traffic", out var traffic) && traffic.ValueKind == JsonValueKind.Object && traffic.TryGetProperty("countryCode", out var code) && code.ValueKind == JsonValueKind.String
                ? code.GetString()!.ToUpperInvariant() : null;
            return (new Vouched(receivedAt, visitor, dedupe, country is { Length: 2 } ? country : null), null);

            bool TryId(string name, out Guid? id)
            {
                id = null;
                if (!root.TryGetProperty(name, out var value) || value.ValueKind == JsonValueKind.Null) return true;
                if (value.ValueKind != JsonValueKind.String || !value.TryGetGuid(out var parsed)) return false;
                id = parsed;
                return true;
            }
        }
    }
}

/// <summary>What an import of events did.</summary>
internal sealed class EventImportResult
{
    private const int Named = 20;
    private readonly List<(long Line, string Problem)> malformed = [];
    private readonly SortedDictionary<string, long> dropped = new(StringComparer.Ordinal);
    private long malformedCount;

    public required ImportState State { get; set; }

    /// <summary>The line behind which this run went on; 0 for a new import.</summary>
    public required long ResumedAt { get; init; }

    /// <summary>It was imported before: nothing was read but its checksum.</summary>
    public required bool WasFinished { get; init; }

    public long Lines { get; set; }

    public void AddMalformed(long line, string problem)
    {
        malformedCount++;
        if (malformed.Count < Named) malformed.Add((line, problem));
    }

    public void AddDropped(string reason) => dropped[reason] = dropped.GetValueOrDefault(reason) + 1;

    public void Write(TextWriter output, string file, TimeSpan took)
    {
        if (WasFinished)
        {
            output.WriteLine($"{file}: imported before ({State.FinishedAt!.Value.UtcDateTime:yyyy-MM-dd HH:mm} UTC, {State.Imported:N0} events). Nothing changed.");
            return;
        }
        output.WriteLine($"{file}: {Lines:N0} lines in {ProgressLine.Duration(took)}{(ResumedAt > 0 ? $", gone on after line {ResumedAt:N0}" : "")}");
        output.WriteLine($"  {"imported",-14}{State.Imported,12:N0}  events");
        if (State.Duplicates > 0) output.WriteLine($"  {"already there",-14}{State.Duplicates,12:N0}");
        foreach (var (reason, events) in dropped) output.WriteLine($"  {"dropped",-14}{events,12:N0}  {reason}, as configured");
        output.WriteLine($"  {"malformed",-14}{malformedCount,12:N0}{(malformedCount > malformed.Count ? $"  the first {malformed.Count}:" : "")}");
        foreach (var (line, problem) in malformed) output.WriteLine($"{"",28}line {line,-9:N0}  {problem}");
    }
}
