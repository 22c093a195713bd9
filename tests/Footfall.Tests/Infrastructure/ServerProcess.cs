using System.Diagnostics;
using System.Text;
using Footfall.Hosting;

namespace Footfall.Tests.Infrastructure;

/// <summary>The real server in a process of its own, to be killed in the middle of things.</summary>
internal sealed class ServerProcess : IAsyncDisposable
{
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly StringBuilder said = new();

    private ServerProcess(Process process)
    {
        this.process = process;
        process.OutputDataReceived += (_, line) => Hear(line.Data);
        process.ErrorDataReceived += (_, line) => Hear(line.Data);
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Id => process.Id;

    public bool HasExited => process.HasExited;

    public int ExitCode => process.ExitCode;

    /// <summary>What the server has written to its console.</summary>
    public string Output
    {
        get
        {
            lock (said)
                return said.ToString();
        }
    }

    /// <summary>Starts the server that this test run was built with. Configuration as on a command line; the port is any free one unless given.</summary>
    public static ServerProcess Start(string dataFolder, params string[] arguments)
    {
        var start = new ProcessStartInfo("dotnet", [Path.Combine(AppContext.BaseDirectory, "footfall.dll"), "--DataDir", dataFolder, "--urls", "http://127.0.0.1:0", .. arguments])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = dataFolder,
        };
        start.Environment["Postgres__Binaries"] = TestPostgres.Binaries.ToString();
        start.Environment["DOTNET_ENVIRONMENT"] = "Production";
        return new ServerProcess(Process.Start(start)!);
    }

    /// <summary>Waits until the console shows the text; fails with what it showed instead.</summary>
    public async Task SaysAsync(string text, CancellationToken ct)
    {
        var watch = Stopwatch.StartNew();
        while (!Output.Contains(text, StringComparison.Ordinal))
        {
            if (process.HasExited || watch.Elapsed > Patience)
            {
                await Task.Delay(200, ct);   // the last lines are on their way
                if (Output.Contains(text, StringComparison.Ordinal))
                    return;
                throw new InvalidOperationException($"The server {(process.HasExited ? "ended" : "did not say")} before \"{text}\":\n{Output}");
            }
            await Task.Delay(20, ct);
        }
    }

    /// <summary>SIGKILL: the server gets no chance to do anything.</summary>
    public async Task KillAsync(CancellationToken ct)
    {
        process.Kill();
        await process.WaitForExitAsync(ct);
    }

    /// <summary>SIGINT, as Ctrl-C does, and waits for the end.</summary>
    public async Task InterruptAsync(CancellationToken ct)
    {
        Unix.Signal(process.Id, Unix.SigInt);
        await WaitForExitAsync(ct);
    }

    public async Task WaitForExitAsync(CancellationToken ct) => await process.WaitForExitAsync(ct).WaitAsync(Patience, ct);

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited)
        {
            process.Kill();
            await process.WaitForExitAsync();
        }
        process.Dispose();
    }

    private void Hear(string? line)
    {
        if (line is null)
            return;
        lock (said)
            said.AppendLine(line);
    }
}
