using System.CommandLine;
using System.Runtime.InteropServices;
using Footfall.Postgres;
using Microsoft.Extensions.Options;

namespace Footfall.Cli;

/// <summary>What a command works with.</summary>
internal sealed record CommandContext(IServiceProvider Services, TextWriter Output, TextWriter Error, bool IsTerminal)
{
    public T Get<T>() where T : notnull => Services.GetRequiredService<T>();

    public ProgressLine Progress() => new(Error, IsTerminal, Get<TimeProvider>());
}

/// <summary>Runs commands: services up, database reached (a running server's, or its own for as long as the command lasts), failures told, Ctrl-C obeyed.</summary>
internal sealed class CommandRun(string[] configuration, Option<bool> verboseOption)
{
    /// <summary>With the database open and migrated.</summary>
    public Task<int> WithDatabaseAsync(ParseResult parsed, Func<CommandContext, CancellationToken, Task<int>> work, CancellationToken stop) =>
        RunAsync(parsed, async (context, cancelled) =>
        {
            await using var database = await context.Services.OpenDatabaseForCommandAsync(cancelled);
            return await work(context, cancelled);
        }, stop);

    /// <summary>With services, but without touching the database.</summary>
    public async Task<int> RunAsync(ParseResult parsed, Func<CommandContext, CancellationToken, Task<int>> work, CancellationToken stop)
    {
        var (output, error) = (parsed.InvocationConfiguration.Output, parsed.InvocationConfiguration.Error);
        var verbose = parsed.GetValue(verboseOption);
        using var cancel = CancellationTokenSource.CreateLinkedTokenSource(stop);
        using var interrupt = PosixSignalRegistration.Create(PosixSignal.SIGINT, Cancel);
        using var terminate = PosixSignalRegistration.Create(PosixSignal.SIGTERM, Cancel);
        try
        {
            await using var host = FootfallHost.BuildForCommands(configuration, verbose);
            host.Services.GetService<IStartupValidator>()?.Validate();   // what a started server does: all mistakes at once
            var terminal = ReferenceEquals(error, Console.Error) && !Console.IsErrorRedirected;
            return await work(new CommandContext(host.Services, output, error, terminal), cancel.Token);
        }
        catch (Exception e) when (cancel.IsCancellationRequested)
        {
            await error.WriteLineAsync("Stopped. Nothing is left half done; the same command goes on or starts again.");
            if (verbose) await error.WriteLineAsync(e.ToString());
            return ExitCodes.Interrupted;
        }
        catch (Exception e)
        {
            return CommandFailure.Report(e, error, verbose);
        }

        void Cancel(PosixSignalContext signal)
        {
            signal.Cancel = true;   // the command ends by itself, and says so
            cancel.Cancel();
        }
    }
}
