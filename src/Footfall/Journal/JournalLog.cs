namespace Footfall.Journal;

internal static partial class JournalLog
{
    public const string DamagedExtension = ".damaged";

    [LoggerMessage(3001, LogLevel.Information, "Journal {JournalId} opened in {Folder}: {Segments} segments, {Bytes} bytes of records that may still have to go to the database.")]
    public static partial void Opened(this ILogger logger, Guid journalId, string folder, int segments, long bytes);

    [LoggerMessage(3002, LogLevel.Warning, "{File} ended in {Bytes} bytes that are no whole record, as a server killed while writing leaves them; they were cut at offset {Offset}. Nothing that was acknowledged is in them.")]
    public static partial void TailCut(this ILogger logger, string file, long offset, long bytes);

    [LoggerMessage(3003, LogLevel.Error, "{File} is damaged at offset {Offset}: {Bytes} bytes hold no readable record and are passed over. The records behind them are kept. Check the disk.")]
    public static partial void RecordsDamaged(this ILogger logger, string file, long offset, long bytes);

    [LoggerMessage(3004, LogLevel.Error, "The header of {File} was damaged and has been written anew; its records are kept. Check the disk.")]
    public static partial void HeaderRepaired(this ILogger logger, string file);

    [LoggerMessage(3005, LogLevel.Error, "{File} is no usable journal segment: {Why}. It was moved to {Aside} and is left out.")]
    public static partial void SegmentPutAside(this ILogger logger, string file, string why, string aside);

    [LoggerMessage(3006, LogLevel.Error, "{File} is missing from {Folder}: the records in it are lost unless the database has them. The records behind it are kept.")]
    public static partial void SegmentMissing(this ILogger logger, string file, string folder);

    [LoggerMessage(3007, LogLevel.Warning, "{File} was missing or unreadable; the journal's id {JournalId} was taken from its segments.")]
    public static partial void IdRestored(this ILogger logger, string file, Guid journalId);

    [LoggerMessage(3010, LogLevel.Error, "The journal cannot write {File}: {Fault} ({FreeBytes} bytes free). Events are answered 503 until it can.")]
    public static partial void WriteFailed(this ILogger logger, Exception exception, string file, string fault, long freeBytes);

    [LoggerMessage(3011, LogLevel.Information, "The journal writes again, to {File}.")]
    public static partial void WriteRecovered(this ILogger logger, string file);

    [LoggerMessage(3012, LogLevel.Error, "The journal is full: {Bytes} bytes wait for the database, Journal:MaxBytes is {MaxBytes}. Events are answered 503 until the database has taken some.")]
    public static partial void Full(this ILogger logger, long bytes, long maxBytes);

    [LoggerMessage(3013, LogLevel.Information, "The journal has room again.")]
    public static partial void NoLongerFull(this ILogger logger);

    [LoggerMessage(3014, LogLevel.Warning, "{File} is in the database but cannot be deleted: {Fault}. It takes room on the disk until the next start.")]
    public static partial void DeleteFailed(this ILogger logger, string file, string fault);

    [LoggerMessage(3015, LogLevel.Warning, "The database has journal {JournalId} up to segment {Segment}, offset {Offset}, but {Folder} ends before that: an older copy of the folder was restored, or files are missing. New segments are numbered from {Next}.")]
    public static partial void BehindDatabase(this ILogger logger, Guid journalId, long segment, long offset, string folder, long next);

    [LoggerMessage(3016, LogLevel.Error, "The journal's writer met an error it does not know. The events of this batch were answered 503.")]
    public static partial void Unexpected(this ILogger logger, Exception exception);

    [LoggerMessage(3017, LogLevel.Warning, "The database knows journal {JournalId} up to segment {Segment}, offset {Offset}, less than before: it was restored from a backup. {Segments} kept segments with {Bytes} bytes of records were taken back and are stored again.")]
    public static partial void TakenBack(this ILogger logger, Guid journalId, int segments, long bytes, long segment, long offset);
}
