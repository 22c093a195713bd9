namespace Footfall.Capture;

/// <summary>Capture's log lines: event ids 2000 to 2999.</summary>
internal static partial class CaptureMessages
{
    [LoggerMessage(2001, LogLevel.Error, "Events have no country: the database {File} cannot be read ({Problem}). Put a country or city .mmdb file there, or leave GeoIp:DatabasePath out.")]
    public static partial void CountryDatabaseUnreadable(this ILogger logger, string file, string problem);

    [LoggerMessage(2002, LogLevel.Warning, "The country database {File} has changed, and cannot be read ({Problem}). The one read before stays in use.")]
    public static partial void CountryDatabaseKept(this ILogger logger, string file, string problem);

    [LoggerMessage(2003, LogLevel.Information, "The country database {File} has changed and was read again.")]
    public static partial void CountryDatabaseReread(this ILogger logger, string file);

    [LoggerMessage(2004, LogLevel.Error, "The country database {File} is broken ({Problem}): some events have no country. Replace the file.")]
    public static partial void CountryDatabaseBroken(this ILogger logger, string file, string problem);

    [LoggerMessage(2010, LogLevel.Information, "Took over the visitor key of {Day} that another server made first.")]
    public static partial void DayKeyAdopted(this ILogger logger, DateOnly day);

    [LoggerMessage(2011, LogLevel.Warning, "The visitor keys could not be shared or cleaned up, and will be in a minute: {Problem}")]
    public static partial void DayKeysNotKept(this ILogger logger, string problem);

    [LoggerMessage(2012, LogLevel.Warning, "The properties could not be read again; those known stay in use: {Problem}")]
    public static partial void PropertiesNotRead(this ILogger logger, string problem);

    [LoggerMessage(2020, LogLevel.Warning, "Counts of refused events wait in memory: the journal says {Result}.")]
    public static partial void CountsWait(this ILogger logger, AppendResult result);

    [LoggerMessage(2021, LogLevel.Error, "Events cannot be taken, and are answered with 503: {Problem}")]
    public static partial void CannotTake(this ILogger logger, string problem);
}
