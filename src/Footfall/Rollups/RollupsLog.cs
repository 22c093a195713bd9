namespace Footfall.Rollups;

internal static partial class RollupsLog
{
    [LoggerMessage(5001, LogLevel.Error, "Rolling up {Property} {Day:yyyy-MM-dd} failed; the day stays marked and is tried again.")]
    public static partial void DayFailed(this ILogger log, Exception e, string property, DateOnly day);

    [LoggerMessage(5002, LogLevel.Warning, "The end of a rollup run could not be written to rollup_runs; the next run marks it as failed.")]
    public static partial void RunNotRecorded(this ILogger log, Exception e);

    [LoggerMessage(5003, LogLevel.Error, "The job {Job} failed; it runs again on its schedule.")]
    public static partial void JobFailed(this ILogger log, Exception e, string job);

    [LoggerMessage(5004, LogLevel.Information, "The job {Job} works again.")]
    public static partial void JobRecovered(this ILogger log, string job);
}
