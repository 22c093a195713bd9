using System.Diagnostics;
using System.Runtime.InteropServices;

namespace Footfall.Hosting;

/// <summary>The few calls of the operating system that .NET has no name for.</summary>
internal static partial class Unix
{
    public const int SigHup = 1;
    public const int SigInt = 2;
    public const int SigQuit = 3;
    public const int SigKill = 9;

    public static bool IsRoot => GetEffectiveUserId() == 0;

    [LibraryImport("libc", EntryPoint = "geteuid")]
    public static partial uint GetEffectiveUserId();

    [LibraryImport("libc", EntryPoint = "kill", SetLastError = true)]
    private static partial int Kill(int pid, int signal);

    [LibraryImport("libc", EntryPoint = "lchown", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial int ChangeOwner(string path, uint owner, uint group);

    [LibraryImport("libc", EntryPoint = "waitpid", SetLastError = true)]
    private static partial int WaitPid(int pid, out int status, int options);

    /// <summary>False when there is no such process, or it is not ours to signal.</summary>
    public static bool Signal(int pid, int signal) => pid > 1 && Kill(pid, signal) == 0;

    /// <summary>Gives the file or folder itself (never what a link points to) to the user.</summary>
    public static void GiveTo(string path, UnixUser user)
    {
        if (ChangeOwner(path, user.Uid, user.Gid) != 0)
            throw new IOException($"Cannot give {path} to the user {user.Name}: {Marshal.GetLastPInvokeErrorMessage()}");
    }

    /// <summary>Whether the process runs. A dead one that nobody has waited for yet counts as gone, and is waited for if it is our child:
    /// that happens when this server is process 1 of a container and inherits orphans.</summary>
    public static bool IsRunning(int pid)
    {
        const int NoHang = 1;
        const int NotPermitted = 1;   // EPERM: it runs, under another user
        if (pid <= 0)
            return false;
        if (Kill(pid, 0) != 0)
            return Marshal.GetLastPInvokeError() == NotPermitted;
        if (!OperatingSystem.IsLinux())
            return true;
        try
        {
            var stat = File.ReadAllText($"/proc/{pid}/stat");
            if (stat[(stat.LastIndexOf(')') + 2)..] is not ['Z' or 'X', ..])
                return true;
            _ = WaitPid(pid, out _, NoHang);
            return false;
        }
        catch (IOException)
        {
            return false;   // it went away while we looked
        }
    }

    /// <summary>Makes the folder and its parents with this mode, whatever the umask is; those that exist stay as they are.</summary>
    public static void MakeFolder(string path, UnixFileMode mode)
    {
        if (Directory.Exists(path))
            return;
        if (Path.GetDirectoryName(path) is { } parent)
            MakeFolder(parent, mode);
        Directory.CreateDirectory(path, mode);
        File.SetUnixFileMode(path, mode);
    }

    /// <summary>The owner's number, as <c>ls</c> tells it.</summary>
    public static uint OwnerOf(string path)
    {
        var start = new ProcessStartInfo("ls", ["-nd", path]) { UseShellExecute = false, RedirectStandardOutput = true, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        var fields = process.StandardOutput.ReadToEnd().Split(' ', StringSplitOptions.RemoveEmptyEntries);
        process.WaitForExit();
        return fields.Length > 2 && uint.TryParse(fields[2], out var uid)
            ? uid
            : throw new IOException($"Cannot find out who owns {path}.");
    }
}

/// <summary>A user of the operating system.</summary>
internal sealed record UnixUser(string Name, uint Uid, uint Gid)
{
    /// <summary>Null when there is no such user.</summary>
    public static UnixUser? Find(string name) => FromPasswd(f => f[0] == name) ?? FromId(name);

    /// <summary>Null when the number has no name.</summary>
    public static UnixUser? Find(uint uid) => FromPasswd(f => f[2] == uid.ToString()) ?? FromId(uid.ToString());

    /// <summary>Whether the user may enter the folder. A folder that does not exist yet counts as its nearest parent that does.</summary>
    public bool CanEnter(string folder)
    {
        var existing = new DirectoryInfo(folder);
        while (!existing.Exists && existing.Parent is { } parent)
            existing = parent;
        var open = true;
        for (var d = existing; d is not null && open; d = d.Parent)
            open = d.UnixFileMode.HasFlag(UnixFileMode.OtherExecute);
        if (open)
            return true;

        // Owner, group and access lists may still let the user in: ask the system, as that user.
        var start = new ProcessStartInfo("/bin/sh", ["-c", "cd \"$1\"", "sh", existing.FullName])
        {
            UserName = Name,
            WorkingDirectory = "/",
            UseShellExecute = false,
            RedirectStandardError = true,
        };
        start.Environment.Clear();
        using var process = Process.Start(start)!;
        process.StandardError.ReadToEnd();
        process.WaitForExit();
        return process.ExitCode == 0;
    }

    private static UnixUser? FromPasswd(Predicate<string[]> match)
    {
        if (!File.Exists("/etc/passwd"))
            return null;
        foreach (var line in File.ReadLines("/etc/passwd"))
        {
            if (line.Split(':') is { Length: >= 4 } f && match(f) && uint.TryParse(f[2], out var uid) && uint.TryParse(f[3], out var gid))
                return new UnixUser(f[0], uid, gid);
        }
        return null;
    }

    /// <summary>Directory services (macOS, LDAP) hold users that /etc/passwd does not.</summary>
    private static UnixUser? FromId(string nameOrUid)
    {
        if (nameOrUid.StartsWith('-'))
            return null;
        return Id("-nu", nameOrUid) is { } name && uint.TryParse(Id("-u", nameOrUid), out var uid) && uint.TryParse(Id("-g", nameOrUid), out var gid)
            ? new UnixUser(name, uid, gid)
            : null;
    }

    private static string? Id(string what, string nameOrUid)
    {
        var start = new ProcessStartInfo("id", [what, nameOrUid]) { UseShellExecute = false, RedirectStandardOutput = true, RedirectStandardError = true, WorkingDirectory = "/" };
        using var process = Process.Start(start)!;
        process.ErrorDataReceived += (_, _) => { };
        process.BeginErrorReadLine();
        var answer = process.StandardOutput.ReadToEnd().Trim();
        process.WaitForExit();
        return process.ExitCode == 0 && answer.Length > 0 ? answer : null;
    }
}
