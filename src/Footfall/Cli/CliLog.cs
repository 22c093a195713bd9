namespace Footfall.Cli;

/// <summary>The program's own log lines: event ids 7000 to 7999.</summary>
internal static partial class CliLog
{
    [LoggerMessage(7001, LogLevel.Information, "Footfall {Version} serves at {Address}. Data: {Folder}. Admin key: {AdminKey}.")]
    public static partial void Serving(this ILogger log, string version, string address, string folder, string adminKey);
}
