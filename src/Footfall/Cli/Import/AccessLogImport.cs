using System.Globalization;
using System.Security.Cryptography;
using System.Text;
using Footfall.Capture;
using Footfall.Ingestion;

namespace Footfall.Cli.Import;

/// <summary>One file to import.</summary>
/// <param name="Path">Plain or gzip.</param>
/// <param name="Format">Null: told from the first line.</param>
internal sealed record ImportRequest(string Path, string PropertyId, AccessLogFormat? Format, bool ShiftToYesterday);

/// <param name="State">As it is in the database now, earlier runs included.</param>
/// <param name="WasFinished">It was imported before: nothing was read but its checksum.</param>
/// <param name="ResumedAt">The line behind which this run went on; 0 for a new import.</param>
internal sealed record ImportResult(ImportTally Tally, ImportState State, bool WasFinished, long ResumedAt);

/// <summary>How far an import is, in bytes of its file.</summary>
internal readonly record struct ImportProgress(string Doing, long BytesDone, long BytesTotal, long Lines);

/// <summary>
/// Reads page views from an access log through the same enrichment and ingestion as live events. Where it is stands in
/// the transaction that stores the rows; after an interruption the file is read anew up to there, which costs seconds.
/// </summary>
internal sealed class AccessLogImport(CapturePipeline pipeline, ImportDayKeys keys, Func<BatchWriter> newWriter, ImportStore store, TimeProvider clock)
{
    private const int EventsPerBatch = 5_000;
    private const int LinesPerReport = 4_096;
    private const int LongestPath = 2_048;

    /// <exception cref="CommandException">The file cannot be read, or is no access log.</exception>
    public async Task<ImportResult> RunAsync(ImportRequest request, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        var format = request.Format ?? DetectFormat(request.Path);
        var key = new ImportKey(
            await ChecksumAsync(request.Path, report, cancellationToken),
            request.PropertyId,
            $"access-log {format}{(request.ShiftToYesterday ? " shift-to-yesterday" : "")}");
        await using var own = await store.LockAsync(key, report, cancellationToken);
        var state = await store.OpenAsync(key, cancellationToken);
        if (state.FinishedAt is not null) return new ImportResult(new ImportTally(), state, WasFinished: true, 0);

        var shift = state.ShiftDays ?? await DecideShiftAsync(request, format, key, report, cancellationToken);
        var tally = new ImportTally();
        using var lines = new LogLines(request.Path);
        await using var writer = newWriter();
        var reading = new Reading(lines, format, request.PropertyId, shift, state.LinesDone, tally);
        var done = state.LinesDone;
        bool more;
        do
        {
            var batch = new IngestBatch();
            more = Fill(reading, batch, report, cancellationToken);
            var arrived = batch.Arrived.Values.Sum();
            if (arrived == 0 && more) continue;
            var (from, to) = (done, lines.LineNumber);
            await writer.WriteAsync(batch, (connection, ct) => store.AdvanceAsync(connection, key, from, to, arrived, batch.Stored, finished: !more, ct), cancellationToken);
            done = to;
        }
        while (more);
        return new ImportResult(tally, await store.OpenAsync(key, cancellationToken), WasFinished: false, state.LinesDone);
    }

    /// <summary>What is the same for all lines of a run.</summary>
    private sealed record Reading(LogLines Lines, AccessLogFormat Format, string PropertyId, int ShiftDays, long SkipTo, ImportTally Tally)
    {
        public AccessLogParser Parser { get; } = new(Format);
        public LineIdentity Identity { get; } = new();
    }

    /// <summary>Reads on until the batch is full; false at the end of the file.</summary>
    private bool Fill(Reading reading, IngestBatch batch, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        var (lines, tally) = (reading.Lines, reading.Tally);
        while (batch.Events.Count < EventsPerBatch)
        {
            if (!lines.TryRead(out var text)) return false;
            tally.Lines = lines.LineNumber;
            if (lines.LineNumber % LinesPerReport == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                report(new ImportProgress("lines", lines.Position, lines.Length, lines.LineNumber));
            }
            if (text.TrimEnd(" \r"u8).IsEmpty)
            {
                tally.Blank++;
                continue;
            }
            if (reading.Parser.TryParse(text, out var line) is { } problem)
            {
                tally.AddMalformed(lines.LineNumber, problem);
                continue;
            }
            var why = PageViews.Judge(line);
            if (why != Skip.None)
            {
                tally.AddSkipped(why);
                continue;
            }
            Take(reading, line, batch);
        }
        return true;
    }

    private void Take(Reading reading, in AccessLogLine line, IngestBatch batch)
    {
        var eventId = reading.Identity.Of(line);   // also of lines that are done: those after them are counted on from there
        var at = line.Time.AddDays(reading.ShiftDays);
        var target = PageViews.Target(line.Target);
        var request = new EventRequest
        {
            EventType = "page_view",
            EventId = eventId,
            PropertyId = reading.PropertyId,
            Path = target.Length <= LongestPath ? target : target[..LongestPath],
            Referrer = line.Referrer.IsEmpty ? null : PageViews.Url(line.Referrer),
        };
        var userAgent = line.UserAgent.IsEmpty ? null : Encoding.UTF8.GetString(line.UserAgent);
        var sender = new Sender(PageViews.Address(line.Address), userAgent, Sender.WholeMicroseconds(at), keys);
        var outcome = pipeline.Run(request, sender);
        if (outcome.Event is not { } e)
        {
            reading.Tally.AddDropped(outcome.Dropped!.Value.Text());
            return;
        }
        reading.Tally.AddPageView(sender.Day, e.ReferrerHost, e.TrafficSource == TrafficSource.Internal);
        if (reading.Lines.LineNumber > reading.SkipTo) batch.Add(e);
    }

    private async Task<int> DecideShiftAsync(ImportRequest request, AccessLogFormat format, ImportKey key, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        var shift = 0;
        if (request.ShiftToYesterday && LastDay(request.Path, format, report, cancellationToken) is { } last)
        {
            var yesterday = DateOnly.FromDateTime(clock.GetUtcNow().UtcDateTime).AddDays(-1);
            shift = yesterday.DayNumber - last.DayNumber;
        }
        await store.SetShiftAsync(key, shift, cancellationToken);
        return shift;
    }

    private static DateOnly? LastDay(string path, AccessLogFormat format, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        using var lines = new LogLines(path);
        var parser = new AccessLogParser(format);
        DateTimeOffset? last = null;
        while (lines.TryRead(out var text))
        {
            if (lines.LineNumber % LinesPerReport == 0)
            {
                cancellationToken.ThrowIfCancellationRequested();
                report(new ImportProgress("lines looked at for the last day", lines.Position, lines.Length, lines.LineNumber));
            }
            if (parser.TryParse(text, out var line) is null && (last is null || line.Time > last)) last = line.Time;
        }
        return last is { } at ? DateOnly.FromDateTime(at.UtcDateTime) : null;
    }

    private static AccessLogFormat DetectFormat(string path)
    {
        const int attempts = 100;
        using var lines = new LogLines(path);
        for (var i = 0; i < attempts && lines.TryRead(out var line); i++)
        {
            if (AccessLogParser.Detect(line) is { } format) return format;
        }
        throw new CommandException(lines.LineNumber == 0
            ? $"{path} is empty: there is nothing to import."
            : string.Create(CultureInfo.InvariantCulture, $"None of the first {lines.LineNumber} lines of {path} is in the combined, common or nginx-json format. docs/import.md shows what they look like."));
    }

    internal static async Task<byte[]> ChecksumAsync(string path, Action<ImportProgress> report, CancellationToken cancellationToken)
    {
        await using var file = LogLines.Open(path);
        using var hash = IncrementalHash.CreateHash(HashAlgorithmName.SHA256);
        var buffer = new byte[1 << 20];
        while (await file.ReadAsync(buffer, cancellationToken) is > 0 and var read)
        {
            hash.AppendData(buffer.AsSpan(0, read));
            report(new ImportProgress("checksum", file.Position, file.Length, 0));
        }
        return hash.GetHashAndReset();
    }
}
