using System.Buffers;
using System.Security.Cryptography;
using System.Text;
using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>Where an embedded cluster keeps what. PostgreSQL's user owns <see cref="Clusters"/> and <see cref="Socket"/>; everything
/// that tells it what to do is the server's own, so that PostgreSQL's user cannot lead the server (root, perhaps) astray.</summary>
internal sealed class ClusterFolders
{
    // sun_path holds 104 bytes with its closing NUL on macOS, 108 on Linux: the smaller, so that a folder means the same everywhere.
    private const int LongestSocketPath = 103;
    private const string SocketFile = "/.s.PGSQL.5432";
    private const UnixFileMode Closed = UnixFileMode.UserRead | UnixFileMode.UserWrite | UnixFileMode.UserExecute;
    private const UnixFileMode Readable = Closed | UnixFileMode.GroupRead | UnixFileMode.GroupExecute | UnixFileMode.OtherRead | UnixFileMode.OtherExecute;
    private static readonly SearchValues<char> NotForShells = SearchValues.Create("\"$`\\'\n");
    private readonly DataFolder data;

    public ClusterFolders(DataFolder data)
    {
        this.data = data;
        Clusters = data.Postgres;
        Configuration = Path.Combine(data.Path, "postgres-config");
        UsersLock = Path.Combine(data.Path, "postgres-users.lock");
        StartLock = Path.Combine(data.Path, "postgres-start.lock");
        Socket = SocketFolder(data.Path);
    }

    /// <summary>Holds one folder per major version.</summary>
    public string Clusters { get; }

    public string Configuration { get; }

    /// <summary>Shared by every process that uses the cluster; who gets it alone is the last one.</summary>
    public string UsersLock { get; }

    /// <summary>Held while a process looks for, starts or stops the cluster.</summary>
    public string StartLock { get; }

    public string Socket { get; }

    public string StartLog => Path.Combine(Clusters, "start.log");

    public string Cluster(int major) => Path.Combine(Clusters, major.ToString());

    /// <summary>The version of the cluster in the folder, the highest if there are several; null when there is none.</summary>
    public int? ExistingMajor() => !Directory.Exists(Clusters)
        ? null
        : Directory.EnumerateDirectories(Clusters)
            .Select(d => int.TryParse(Path.GetFileName(d), out var major) && File.Exists(Path.Combine(d, "PG_VERSION")) ? major : (int?)null)
            .Max();

    /// <summary>Makes the folders with their owners.</summary>
    public void Create(UnixUser user)
    {
        if (data.Path.AsSpan().ContainsAny(NotForShells))
            throw new SetupException($"The path of the data folder {data.Path} holds a quote, a dollar sign, a backslash or a line break, which PostgreSQL's pg_ctl cannot take. Set DataDir to another folder.");
        data.Create();
        Unix.MakeFolder(Configuration, Readable);
        Directory.CreateDirectory(Clusters, Closed);
        MakeSocketFolder();
        if (Unix.IsRoot && user.Uid != 0)
        {
            Unix.GiveTo(Clusters, user);
            Unix.GiveTo(Socket, user);
        }
    }

    private void MakeSocketFolder()
    {
        Directory.CreateDirectory(Socket, Closed);
        if (new DirectoryInfo(Socket).LinkTarget is not null)
            throw new SetupException($"{Socket} is a link; the folder of PostgreSQL's socket must be a real one. Remove the link.");
        try
        {
            // Fails on a folder that somebody else made under this name in /tmp.
            File.SetUnixFileMode(Socket, Closed);
        }
        catch (UnauthorizedAccessException e)
        {
            throw new SetupException($"{Socket}, the folder for PostgreSQL's socket, belongs to another user. Remove it, or set DataDir to a folder with a shorter path.", e);
        }
    }

    private static string SocketFolder(string dataFolder)
    {
        var inside = Path.Combine(dataFolder, "run");
        if (Encoding.UTF8.GetByteCount(inside) + SocketFile.Length <= LongestSocketPath)
            return inside;
        var hash = Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(dataFolder)))[..12];
        return Unix.IsRoot
            ? $"{(Directory.Exists("/run") ? "/run" : "/var/run")}/footfall-{hash}"
            : $"/tmp/footfall-{Unix.GetEffectiveUserId()}-{hash}";   // not XDG_RUNTIME_DIR: it goes away when its user logs out
    }
}
