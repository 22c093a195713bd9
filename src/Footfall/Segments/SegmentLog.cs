namespace Footfall.Segments;

internal static partial class SegmentLog
{
    [LoggerMessage(5501, LogLevel.Error, "The segment of {Property} {Day:yyyy-MM-dd} cannot be read and is built again; until then questions about that day are answered from raw rows.")]
    public static partial void SegmentUnreadable(this ILogger log, Exception e, string property, DateOnly day);

    [LoggerMessage(5502, LogLevel.Error, "The segment of {Property} {Day:yyyy-MM-dd} cannot be read, and its raw rows are past retention, so that it cannot be built again: questions about that day miss it. Restore the row of day_segments from a backup.")]
    public static partial void SegmentLost(this ILogger log, Exception e, string property, DateOnly day);

    [LoggerMessage(5503, LogLevel.Warning, "{Property} {Day:yyyy-MM-dd} is too large for a segment: at least {Hits} events, {Sessions} sessions, {Texts} different paths, referrers and other texts. Questions about that day are answered from raw rows. A larger Explore:MemoryMb makes room for larger days, up to 512.")]
    public static partial void DayTooLarge(this ILogger log, string property, DateOnly day, int hits, int sessions, int texts);

    [LoggerMessage(5504, LogLevel.Warning, "{Property} {Day:yyyy-MM-dd} has raw rows and no segment; it is rolled up again.")]
    public static partial void SegmentMissing(this ILogger log, string property, DateOnly day);

    [LoggerMessage(5505, LogLevel.Error, "The segment of {Property} {Day:yyyy-MM-dd} cannot be read, so that nothing could be taken out of it for an erasure.")]
    public static partial void SegmentNotRewritten(this ILogger log, Exception e, string property, DateOnly day);
}
