namespace Footfall.Backups;

/// <summary>Events 9000 to 9099.</summary>
internal static partial class BackupLog
{
    [LoggerMessage(9001, LogLevel.Information, "Backup {File} written in {Milliseconds} ms: {Bytes} bytes, {Rows} rows, {Segments} pieces of the journal. {Verified}")]
    public static partial void Written(this ILogger logger, string file, long milliseconds, long bytes, long rows, int segments, string verified);

    [LoggerMessage(9002, LogLevel.Information, "Backup {File} was removed: newer ones are kept (Backup:KeepDays, KeepWeeks, KeepMonths).")]
    public static partial void Removed(this ILogger logger, string file);

    [LoggerMessage(9003, LogLevel.Warning, "Backups are not encrypted, and so the data folder's keys are not in them: set Backup:KeyFile, or keep a copy of the folder keys elsewhere.")]
    public static partial void NotEncrypted(this ILogger logger);

    [LoggerMessage(9004, LogLevel.Error, "The list of erasures and withdrawals beside the database is not kept up: {Problem} A restore of a backup would not know of them; trying again.")]
    public static partial void RequestsNotKept(this ILogger logger, string problem);
}
