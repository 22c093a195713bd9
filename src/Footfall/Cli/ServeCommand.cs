namespace Footfall.Cli;

/// <summary>The server itself, until it is told to stop.</summary>
internal static class ServeCommand
{
    public static async Task<int> RunAsync(string[] configuration, TextWriter output, TextWriter error, bool verbose, CancellationToken stop)
    {
        try
        {
            await using var app = FootfallHost.Build(configuration);
            await StartAsync(app, stop);
            await StartBanner.WriteAsync(app, output);
            await app.WaitForShutdownAsync(stop);
            return ExitCodes.Ok;
        }
        catch (OperationCanceledException) when (stop.IsCancellationRequested)
        {
            return ExitCodes.Interrupted;
        }
        catch (Exception e) when (e is not HostAbortedException)   // thrown by tools that only want the built host
        {
            return CommandFailure.Report(e, error, verbose);
        }
    }

    // What did start (the embedded PostgreSQL, before the port turned out to be taken) must not outlive a failed start.
    private static async Task StartAsync(WebApplication app, CancellationToken stop)
    {
        try
        {
            await app.StartAsync(stop);
        }
        catch
        {
            await app.StopAsync(CancellationToken.None);
            throw;
        }
    }
}
