using System.ComponentModel;
using System.Diagnostics;
using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>Runs one of PostgreSQL's (or npm's) programs to its end.</summary>
internal sealed record Command(string Program, IReadOnlyList<string> Arguments)
{
    private static readonly TimeSpan LastWords = TimeSpan.FromSeconds(1);

    /// <summary>Runs as this user; only root may ask for another one.</summary>
    public UnixUser? User { get; init; }

    /// <summary>The environment stays as it is; else it is emptied, so that PostgreSQL's processes do not carry this server's secrets.</summary>
    public bool KeepEnvironment { get; init; }

    public string WorkingDirectory { get; init; } = "/";

    /// <summary>Null when there is no such program.</summary>
    public async Task<CommandResult?> RunAsync(CancellationToken ct)
    {
        var start = new ProcessStartInfo(Program, Arguments)
        {
            UseShellExecute = false,
            RedirectStandardInput = true,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = WorkingDirectory,
        };
        if (!KeepEnvironment)
        {
            start.Environment.Clear();
            start.Environment["PATH"] = "/usr/local/bin:/usr/bin:/bin:/usr/sbin:/sbin";
            start.Environment["LC_ALL"] = "C";
            start.Environment["TZ"] = "UTC";
        }
        if (User is not null && Unix.IsRoot && User.Uid != 0)
            start.UserName = User.Name;

        Process process;
        try
        {
            process = Process.Start(start)!;
        }
        catch (Win32Exception e) when (e.NativeErrorCode == 2)
        {
            return null;
        }

        using (process)
        {
            process.StandardInput.Close();
            var output = process.StandardOutput.ReadToEndAsync(ct);
            var error = process.StandardError.ReadToEndAsync(ct);
            try
            {
                await process.WaitForExitAsync(ct);
            }
            catch (OperationCanceledException)
            {
                if (!process.HasExited)
                    process.Kill(entireProcessTree: true);
                throw;
            }

            // A grandchild that keeps the pipe open must not hold us up: what was said by now is enough.
            await Task.WhenAny(Task.WhenAll(output, error), Task.Delay(LastWords, ct));
            return new CommandResult(process.ExitCode, Said(output), Said(error));
        }
    }

    private static string Said(Task<string> stream) => stream.IsCompletedSuccessfully ? stream.Result.Trim() : "";
}

internal sealed record CommandResult(int ExitCode, string Output, string Error)
{
    /// <summary>The last lines of what was said, for an error message.</summary>
    public string Tail(int lines = 8) => string.Join('\n', $"{Output}\n{Error}".Trim().Split('\n').TakeLast(lines));
}
