namespace Footfall.Access;

/// <summary>Neither keys nor addresses: an address is a person's, and a key would be as good as published.</summary>
internal static partial class AccessLog
{
    [LoggerMessage(1100, LogLevel.Warning, "A request for {Path} carried a wrong key.")]
    public static partial void WrongKey(this ILogger log, string path);

    [LoggerMessage(1101, LogLevel.Warning, "An address has sent too many wrong keys and is refused for up to a minute.")]
    public static partial void AddressBlocked(this ILogger log);

    [LoggerMessage(1102, LogLevel.Warning, "When access tokens were last used could not be written ({Reason}); it is tried again.")]
    public static partial void UseNotWritten(this ILogger log, string reason);

    [LoggerMessage(1103, LogLevel.Warning, "An access token could not be looked up ({Reason}); the request was answered with 503.")]
    public static partial void LookupFailed(this ILogger log, string reason);
}
