namespace Footfall.Dashboard;

internal static partial class DashboardLog
{
    // The route and not the address: that holds what somebody looked for.
    [LoggerMessage(9101, LogLevel.Error, "Request {Reference} to {Route} failed.")]
    public static partial void RequestFailed(this ILogger log, Exception error, string reference, string route);
}
