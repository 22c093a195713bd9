namespace Footfall.Cli;

/// <summary>What a command tells its user instead of a result: one or two sentences that say what is wrong and what to do.</summary>
internal sealed class CommandException(string message, Exception? cause = null, int exitCode = ExitCodes.Failed) : Exception(message, cause)
{
    public int ExitCode { get; } = exitCode;
}

/// <summary>What a command's exit code says.</summary>
internal static class ExitCodes
{
    public const int Ok = 0;

    /// <summary>It failed, or it found what it looked for (a discrepancy).</summary>
    public const int Failed = 1;

    public const int Usage = 2;

    /// <summary>Ctrl-C: 128 and the number of SIGINT.</summary>
    public const int Interrupted = 130;
}
