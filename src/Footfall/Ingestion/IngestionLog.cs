namespace Footfall.Ingestion;

internal static partial class IngestionLog
{
    [LoggerMessage(4001, LogLevel.Error, "Ingestion is held up; events wait in the journal and go in when this is mended.")]
    public static partial void Held(this ILogger log, Exception e);

    [LoggerMessage(4002, LogLevel.Information, "Ingestion works again.")]
    public static partial void Recovered(this ILogger log);

    [LoggerMessage(4004, LogLevel.Error, "PostgreSQL refuses a journal record for what is in it; it is set aside in {File} and left out. Please report it.")]
    public static partial void RecordSetAside(this ILogger log, Exception e, string file);

    [LoggerMessage(4003, LogLevel.Error, "The journal record that ends at segment {Segment}, offset {Offset} is intact but not readable by this version; it is left out.")]
    public static partial void UnreadableRecord(this ILogger log, Exception e, long segment, long offset);
}
