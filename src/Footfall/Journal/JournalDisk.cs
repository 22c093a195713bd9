using System.Runtime.InteropServices;
using Microsoft.Win32.SafeHandles;

namespace Footfall.Journal;

/// <summary>The few things the journal asks of the disk when it writes. Tests put a failing one in its place.</summary>
internal partial class JournalDisk
{
    /// <summary>Makes the file, for the server's user only; it must not exist yet.</summary>
    public virtual SafeFileHandle Create(string file)
    {
        var handle = File.OpenHandle(file, FileMode.CreateNew, FileAccess.ReadWrite, FileShare.ReadWrite | FileShare.Delete);
        File.SetUnixFileMode(handle, UnixFileMode.UserRead | UnixFileMode.UserWrite);
        return handle;
    }

    public virtual void Write(SafeFileHandle file, ReadOnlySpan<byte> bytes, long offset) => RandomAccess.Write(file, bytes, offset);

    public virtual void Truncate(SafeFileHandle file, long length) => RandomAccess.SetLength(file, length);

    /// <summary>Returns when everything written to the file survives a lost machine, its length included.</summary>
    public virtual void Flush(SafeFileHandle file)
    {
        if (!OperatingSystem.IsLinux())
        {
            RandomAccess.FlushToDisk(file);   // F_FULLFSYNC on macOS, where fsync only reaches the drive's cache
            return;
        }
        // fdatasync leaves out the times of the inode: one write of the file system's own journal less.
        while (FDataSync(file) != 0) ThrowUnlessInterrupted("fdatasync");
    }

    /// <summary>Returns when the names in the folder survive a lost machine.</summary>
    public virtual void FlushFolder(string folder)
    {
        using var handle = new SafeFileHandle(OpenReadOnly(folder, CloseOnExec), ownsHandle: true);
        if (handle.IsInvalid) throw new IOException($"{folder} cannot be opened: {Marshal.GetLastPInvokeErrorMessage()}.");
        while (FSync(handle) != 0) ThrowUnlessInterrupted("fsync");
    }

    public virtual void Delete(string file) => File.Delete(file);

    public virtual void Move(string from, string to) => File.Move(from, to);

    public virtual long FreeBytes(string folder) => new DriveInfo(folder).AvailableFreeSpace;

    private static int CloseOnExec => OperatingSystem.IsLinux() ? 0x80000 : 0x1000000;

    private static void ThrowUnlessInterrupted(string call)
    {
        const int Eintr = 4;
        var errno = Marshal.GetLastPInvokeError();
        if (errno != Eintr) throw new IOException($"{call}: {Marshal.GetPInvokeErrorMessage(errno)}", errno);
    }

    [LibraryImport("libc", EntryPoint = "fdatasync", SetLastError = true)]
    private static partial int FDataSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "fsync", SetLastError = true)]
    private static partial int FSync(SafeFileHandle file);

    [LibraryImport("libc", EntryPoint = "open", SetLastError = true, StringMarshalling = StringMarshalling.Utf8)]
    private static partial nint OpenReadOnly(string path, int flags);
}
