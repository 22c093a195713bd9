namespace Footfall.Leads;

/// <summary>Receipts and counts; nothing by which anyone could be told.</summary>
internal static partial class ErasureLog
{
    [LoggerMessage(8100, LogLevel.Information, "A person was erased, receipt {Receipt}: {Leads} leads, {Visitors} visitors, {Events} events. Hash {Hash}.")]
    public static partial void PersonErased(this ILogger log, Guid receipt, long leads, long visitors, long events, string hash);

    [LoggerMessage(8101, LogLevel.Information, "Nothing is left on the disk of {Erasures} erasures.")]
    public static partial void Scrubbed(this ILogger log, int erasures);

    [LoggerMessage(8102, LogLevel.Warning, "The database's user may not scrub the write-ahead log: what was erased is in it until PostgreSQL uses it again. docs/leads.md says what to grant.")]
    public static partial void LogNotScrubbed(this ILogger log);

    [LoggerMessage(8103, LogLevel.Warning, "What erasures left on the disk could not be removed ({Reason}); it is tried again.")]
    public static partial void ScrubFailed(this ILogger log, string reason);

    [LoggerMessage(8104, LogLevel.Information, "{File}, which nobody reads any more, held a record of somebody who was erased and was deleted.")]
    public static partial void FileDeleted(this ILogger log, string file);
}
