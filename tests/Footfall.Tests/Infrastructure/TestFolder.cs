using System.Security.Cryptography;
using Footfall.Hosting;
using Footfall.Postgres;

namespace Footfall.Tests.Infrastructure;

/// <summary>
/// Folders of this test run, under /tmp/footfall-tests/(run), which every user may pass through. The run's lock is held while the run lives:
/// the next run takes away what an aborted one left, its PostgreSQL included.
/// </summary>
internal static class TestFolder
{
    private static readonly string Parent = Path.Combine(Path.GetTempPath(), $"footfall-tests-{Unix.GetEffectiveUserId()}");
    private static readonly Lazy<(string Path, FileLock Lock)> Run = new(Begin);

    /// <summary>A new folder; the run's end removes it, after stopping what runs in it.</summary>
    public static string New(string name = "t")
    {
        var path = Path.Combine(Run.Value.Path, $"{name}-{RandomNumberGenerator.GetHexString(6, lowercase: true)}");
        Directory.CreateDirectory(path);
        Open(path);
        return path;
    }

    /// <summary>At the end of the run.</summary>
    public static void RemoveAll()
    {
        if (!Run.IsValueCreated)
            return;
        Remove(Run.Value.Path);
        Run.Value.Lock.Dispose();
        File.Delete(Run.Value.Path + ".lock");
    }

    private static (string Path, FileLock Lock) Begin()
    {
        Directory.CreateDirectory(Parent);
        Open(Parent);
        foreach (var left in Directory.EnumerateDirectories(Parent))
        {
            using var dead = FileLock.TryExclusive(left + ".lock");
            if (dead is null)
                continue;
            Remove(left);
            File.Delete(left + ".lock");
        }

        while (true)
        {
            var path = Path.Combine(Parent, RandomNumberGenerator.GetHexString(4, lowercase: true));
            // The lock comes before the folder, so that no other run takes the folder for a dead one's.
            if (!Directory.Exists(path) && FileLock.TryExclusive(path + ".lock") is { } held)
            {
                Directory.CreateDirectory(path);
                Open(path);
                return (path, held);
            }
        }
    }

    private static void Remove(string folder)
    {
        foreach (var file in Directory.EnumerateFiles(folder, "postmaster.pid", new EnumerationOptions { RecurseSubdirectories = true, IgnoreInaccessible = true }))
        {
            var cluster = Path.GetDirectoryName(file)!;
            if (Postmaster.Read(cluster) is not { } postmaster || !postmaster.IsAliveIn(cluster))
                continue;
            Unix.Signal(postmaster.Pid, Unix.SigQuit);
            for (var i = 0; i < 250 && Unix.IsRunning(postmaster.Pid); i++)
                Thread.Sleep(20);
        }
        foreach (var closed in Directory.EnumerateDirectories(folder, "*", SearchOption.TopDirectoryOnly).Append(folder))
            File.SetUnixFileMode(closed, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute);
        Directory.Delete(folder, recursive: true);
    }

    private static void Open(string path) =>
        File.SetUnixFileMode(path, UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute | UnixFileMode.GroupRead | UnixFileMode.OtherRead);
}
