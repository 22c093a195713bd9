namespace Footfall.Hosting;

/// <summary>A lock that the system lets go of when its holder ends, however it ends: an advisory lock on an open file.
/// The file itself means nothing and stays.</summary>
internal sealed class FileLock : IDisposable
{
    private static readonly TimeSpan LookAgain = TimeSpan.FromMilliseconds(25);
    private readonly FileStream stream;

    private FileLock(FileStream stream) => this.stream = stream;

    /// <summary>Null when anybody else holds the lock in either way.</summary>
    public static FileLock? TryExclusive(string file) => TryOpen(file, FileAccess.ReadWrite, FileShare.None);

    /// <summary>Null when somebody holds the lock exclusively.</summary>
    public static FileLock? TryShared(string file) => TryOpen(file, FileAccess.Read, FileShare.Read);

    /// <summary>Waits until <paramref name="take"/> gives the lock; a <see cref="SetupException"/> after <paramref name="patience"/>.</summary>
    public static async Task<FileLock> WaitAsync(Func<FileLock?> take, string what, TimeSpan patience, TimeProvider time, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (true)
        {
            if (take() is { } held)
                return held;
            if (time.GetElapsedTime(began) > patience)
                throw new SetupException($"{what} is still locked by another Footfall process after {patience.TotalSeconds:0} s. Look for it with `ps`, or try again when it is done.");
            await Task.Delay(LookAgain, time, ct);
        }
    }

    public void Dispose() => stream.Dispose();

    private static FileLock? TryOpen(string file, FileAccess access, FileShare share)
    {
        const int Locked = 11;      // EWOULDBLOCK on Linux
        const int LockedMac = 35;   // EWOULDBLOCK on macOS
        try
        {
            return new FileLock(new FileStream(file, new FileStreamOptions
            {
                Mode = FileMode.OpenOrCreate,
                Access = access,
                Share = share,
                BufferSize = 0,
                UnixCreateMode = UnixFileMode.UserRead | UnixFileMode.UserWrite,
            }));
        }
        catch (IOException e) when (e is not (FileNotFoundException or DirectoryNotFoundException) && (e.HResult & 0xFFFF) is Locked or LockedMac)
        {
            return null;
        }
    }
}
