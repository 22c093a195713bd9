using System.Diagnostics;
using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>What postmaster.pid in a cluster's folder says. Lines: process, folder, start time, port, socket folder, address, shared memory key, status.</summary>
internal sealed record Postmaster(int Pid, string Folder, string SocketFolder, string Status)
{
    public const string Ready = "ready";
    public const string Stopping = "stopping";

    /// <summary>Null when there is no such file, or it is being written.</summary>
    public static Postmaster? Read(string clusterFolder)
    {
        try
        {
            var lines = File.ReadAllLines(FileIn(clusterFolder));
            return lines.Length > 0 && int.TryParse(lines[0], out var pid)
                ? new Postmaster(Math.Abs(pid), lines.ElementAtOrDefault(1)?.Trim() ?? "", lines.ElementAtOrDefault(4)?.Trim() ?? "", lines.ElementAtOrDefault(7)?.Trim() ?? "")
                : null;
        }
        catch (Exception e) when (e is FileNotFoundException or DirectoryNotFoundException)
        {
            return null;
        }
    }

    public static string FileIn(string clusterFolder) => Path.Combine(clusterFolder, "postmaster.pid");

    /// <summary>Whether the process lives and is PostgreSQL on this very folder: after a reboot or in a new container another process may have got the number.</summary>
    public bool IsAliveIn(string clusterFolder)
    {
        if (!Unix.IsRunning(Pid))
            return false;
        try
        {
            if (OperatingSystem.IsLinux())
            {
                // A postmaster works in its data folder. The file is compared, not the path: the folder may be reached by another name.
                return File.ReadAllText($"/proc/{Pid}/cwd/postmaster.pid") == File.ReadAllText(FileIn(clusterFolder)) && IsProgram(Pid);
            }
            var start = new ProcessStartInfo("ps", ["-ww", "-o", "command=", "-p", Pid.ToString()]) { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = "/" };
            using var ps = Process.Start(start)!;
            var command = ps.StandardOutput.ReadToEnd();
            ps.WaitForExit();
            return command.Contains("postgres", StringComparison.Ordinal) && command.Contains(Path.GetFileName(Path.GetDirectoryName(clusterFolder))!, StringComparison.Ordinal);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            return false;   // gone, or another user's
        }
    }

    private static bool IsProgram(int pid) => File.ReadAllText($"/proc/{pid}/comm").Trim() is "postgres" or "postmaster";
}
