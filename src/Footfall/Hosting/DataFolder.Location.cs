using System.Security.Cryptography;
using System.Text;

namespace Footfall.Hosting;

public sealed partial class DataFolder
{
    private const string ForEveryUser = "/var/lib/footfall";

    /// <summary>
    /// The folder to use: <paramref name="configured"/> (the key <c>DataDir</c>), else <c>data</c> in <paramref name="workingDirectory"/>,
    /// but never inside a build's output. When <paramref name="tenant"/>, the user that PostgreSQL runs as, cannot get there
    /// (a checkout under root's own home), a folder of this name under /var/lib/footfall.
    /// </summary>
    internal static DataFolder Locate(string? configured, string workingDirectory, UnixUser? tenant, string forEveryUser = ForEveryUser)
    {
        var wanted = string.IsNullOrWhiteSpace(configured)
            ? System.IO.Path.Combine(OutsideBuildOutput(workingDirectory), "data")
            : System.IO.Path.GetFullPath(configured, workingDirectory);
        wanted = System.IO.Path.TrimEndingDirectorySeparator(wanted);
        if (System.IO.Path.GetDirectoryName(wanted) is null)
            throw new SetupException($"DataDir is {wanted}: the root of the file system cannot be the data folder. Name a folder of its own, such as /srv/footfall.");

        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(wanted)))[..8];
        var reachable = System.IO.Path.Combine(forEveryUser, $"{System.IO.Path.GetFileName(wanted)}-{hash}");
        if (tenant is not null && !tenant.CanEnter(wanted))
        {
            return new DataFolder(reachable)
            {
                Notice = $"PostgreSQL does not run as root but as the user {tenant.Name}, who cannot enter {wanted}. The data folder is therefore {reachable}. Set DataDir to a folder that this user can enter to choose another.",
            };
        }

        // Without an embedded PostgreSQL anything is reachable; journal and keys stay where they were made.
        return tenant is null && Unix.IsRoot && !Directory.Exists(wanted) && Directory.Exists(reachable)
            ? new DataFolder(reachable) { Notice = $"The data folder is {reachable}, where this server's journal and keys already are." }
            : new DataFolder(wanted);
    }

    /// <summary>Makes the folder, which other users may pass through but not list; what is secret in it is closed on its own.</summary>
    internal void Create()
    {
        try
        {
            Unix.MakeFolder(Path, Passable);
        }
        catch (Exception e) when (e is UnauthorizedAccessException or IOException)
        {
            throw new SetupException($"The data folder {Path} cannot be made: {e.Message} Set DataDir to a folder that this user may write to.", e);
        }
    }

    private const UnixFileMode Passable = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;

    /// <summary>A build may empty its output folder, so <c>bin/Release/net10.0</c> counts as the folder that holds <c>bin</c>.</summary>
    private static string OutsideBuildOutput(string folder)
    {
        for (var d = new DirectoryInfo(folder); d is { Parent: not null }; d = d.Parent)
        {
            if (d.Name is "Debug" or "Release" && d.Parent is { Name: "bin", Parent: { } project })
                return project.FullName;
            if (d.Name is "bin" && d.EnumerateFiles("footfall.dll").Any())
                return d.Parent.FullName;
        }
        return folder;
    }
}
