using System.Security.Cryptography;
using Footfall.Hosting;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>What an embedded cluster needs to know.</summary>
internal sealed record EmbeddedSettings(DataFolder Data, UnixUser User, UnixUser Server, PostgresBinaries Binaries)
{
    /// <summary>postgresql.conf settings beyond our own.</summary>
    public IReadOnlyDictionary<string, string> Extra { get; init; } = new Dictionary<string, string>();
}

/// <summary>
/// PostgreSQL as a child of this server, on a Unix socket in the data folder. Several processes (a server, commands) may use one cluster:
/// the first starts it, the last stops it, and one that was killed leaves it running for the next.
/// </summary>
internal sealed class EmbeddedPostgres : IAsyncDisposable
{
    public const string Role = "footfall";
    public const string SuperRole = "postgres";
    private static readonly TimeSpan Look = TimeSpan.FromMilliseconds(20);
    private static readonly TimeSpan StartPatience = TimeSpan.FromSeconds(90);
    private static readonly TimeSpan FastStopPatience = TimeSpan.FromSeconds(20);
    private static readonly TimeSpan ImmediateStopPatience = TimeSpan.FromSeconds(10);

    private readonly EmbeddedSettings settings;
    private readonly ClusterFolders folders;
    private readonly TimeProvider time;
    private readonly ILogger log;
    private readonly SemaphoreSlim oneAtATime = new(1, 1);
    private FileLock? use;
    private string? cluster;
    private int pid;

    public EmbeddedPostgres(EmbeddedSettings settings, TimeProvider time, ILogger? logger = null)
    {
        this.settings = settings;
        this.time = time;
        folders = new ClusterFolders(settings.Data);
        log = logger ?? NullLogger.Instance;
    }

    /// <summary>The running postmaster's process; null when there is none.</summary>
    public int? ProcessId => cluster is not null && Postmaster.Read(cluster) is { } p && p.IsAliveIn(cluster) ? p.Pid : null;

    /// <summary>Whether the postmaster lives and its socket is there (a cleaner of /tmp may take it away). Cheap: asked twice a second.</summary>
    public bool IsHealthy => cluster is not null && Unix.IsRunning(pid) && Postmaster.Read(cluster)?.Pid == pid && File.Exists(SocketFile);

    private string SocketFile => Path.Combine(folders.Socket, ".s.PGSQL.5432");

    /// <summary>Known before anything runs.</summary>
    public static NpgsqlConnectionStringBuilder Connection(DataFolder data, string role = Role, string database = Role) => new()
    {
        Host = new ClusterFolders(data).Socket,
        Port = 5432,
        Username = role,
        Database = database,
    };

    /// <summary>Starts or adopts the cluster, making it first when there is none, and returns when it takes connections.</summary>
    public async Task StartAsync(CancellationToken ct)
    {
        await oneAtATime.WaitAsync(ct);
        try
        {
            await StartAloneAsync(ct);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private async Task StartAloneAsync(CancellationToken ct)
    {
        folders.Create(settings.User);
        use ??= await FileLock.WaitAsync(() => FileLock.TryShared(folders.UsersLock), folders.UsersLock, StartPatience, time, ct);
        using var starting = await FileLock.WaitAsync(() => FileLock.TryExclusive(folders.StartLock), folders.StartLock, StartPatience, time, ct);

        var binaries = new Lazy<Task<BinaryFolder>>(() => settings.Binaries.LocateAsync(folders.ExistingMajor(), ct));
        if (folders.ExistingMajor() is { } major)
            cluster = folders.Cluster(major);
        else
            cluster = await InitialiseAsync(await binaries.Value, ct);

        var changed = ClusterConfiguration.Write(folders, settings.Server, settings.Extra);
        if (!await AdoptAsync(changed, ct))
            await LaunchAsync(await binaries.Value, ct);
        await EnsureDatabaseAsync(ct);
    }

    /// <summary>Lets go of the cluster, and stops it if nobody else uses it.</summary>
    public async Task StopAsync(CancellationToken ct)
    {
        await oneAtATime.WaitAsync(ct);
        try
        {
            await StopAloneAsync(ct);
        }
        finally
        {
            oneAtATime.Release();
        }
    }

    private async Task StopAloneAsync(CancellationToken ct)
    {
        if (use is null)
            return;
        use.Dispose();
        use = null;
        if (!Directory.Exists(folders.Clusters))
            return;   // the data folder was moved or removed under us: what runs there is for who uses it there
        using var alone = FileLock.TryExclusive(folders.UsersLock);
        if (alone is null)
        {
            PostgresLog.LeftRunning(log);
            return;
        }
        if (cluster is not null && Postmaster.Read(cluster) is { } running && running.IsAliveIn(cluster))
            await StopAsync(running, Unix.SigInt, ct);
    }

    public async ValueTask DisposeAsync() => await StopAsync(CancellationToken.None);

    private async Task<string> InitialiseAsync(BinaryFolder binaries, CancellationToken ct)
    {
        var home = folders.Cluster(binaries.Major);
        if (Directory.Exists(home) && Directory.EnumerateFileSystemEntries(home).Any())
            throw new SetupException($"{home} is not empty and holds no PostgreSQL cluster (PG_VERSION is missing). Restore it from a backup, or move it away to begin anew.");
        PostgresLog.Initialising(log, home, binaries.Version);
        foreach (var left in Directory.EnumerateDirectories(folders.Clusters, "new-*"))
            Directory.Delete(left, recursive: true);   // of an initdb that was killed

        // Under another name until it is whole: a killed initdb must not be taken for a cluster.
        var making = Path.Combine(folders.Clusters, $"new-{RandomNumberGenerator.GetHexString(8, lowercase: true)}");
        string[] locale = binaries.Major >= 17 ? ["--locale=C", "--locale-provider=builtin", "--builtin-locale=C.UTF-8"]
            : OperatingSystem.IsMacOS() ? ["--locale=C"]
            : ["--locale=C.UTF-8"];
        var made = await new Command(binaries.InitDb, ["-D", making, "-U", SuperRole, "-A", "peer", "-E", "UTF8", "--data-checksums", "--no-instructions", .. locale]) { User = settings.User }.RunAsync(ct);
        if (made is not { ExitCode: 0 })
            throw new SetupException($"initdb could not make a cluster in {folders.Clusters} as the user {settings.User.Name}: {made?.Tail() ?? "the program is missing"}");
        Directory.Move(making, home);
        return home;
    }

    /// <summary>True when the cluster runs already and takes connections where we look for it.</summary>
    private async Task<bool> AdoptAsync(bool configurationChanged, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (Postmaster.Read(cluster!) is { } found)
        {
            if (!found.IsAliveIn(cluster!))
            {
                // PostgreSQL takes any living process of its own user for a running postmaster, and would refuse for ever.
                if (Unix.IsRunning(found.Pid))
                {
                    PostgresLog.StaleFile(log, Postmaster.FileIn(cluster!), found.Pid);
                    File.Delete(Postmaster.FileIn(cluster!));
                }
                return false;
            }
            if (found.Status == Postmaster.Ready)
            {
                if (found.Folder != cluster)
                {
                    // The data folder was moved while it ran. It still writes pg_control by the old path, where another cluster may be by now:
                    // it must not write any more, and the start recovers from the write-ahead log.
                    await StopAsync(found, Unix.SigQuit, ct);
                    return false;
                }
                if (found.SocketFolder != folders.Socket || !File.Exists(SocketFile))
                {
                    await StopAsync(found, Unix.SigInt, ct);   // a cleaner of /tmp took the socket
                    return false;
                }
                if (configurationChanged)
                    Unix.Signal(found.Pid, Unix.SigHup);
                pid = found.Pid;
                PostgresLog.Adopted(log, found.Pid, cluster!);
                return true;
            }
            if (time.GetElapsedTime(began) > StartPatience)
                throw new SetupException($"PostgreSQL (process {found.Pid}) on {cluster} has been \"{found.Status}\" for {StartPatience.TotalSeconds:0} s. Its log is in {cluster}/log.");
            await Task.Delay(Look, time, ct);
        }
        return false;
    }

    private async Task LaunchAsync(BinaryFolder binaries, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        for (var pause = Look; ; pause = TimeSpan.FromSeconds(Math.Min(1, pause.TotalSeconds * 2)))
        {
            File.Delete(folders.StartLog);
            var command = new Command(binaries.PgCtl, ["start", "-w", "-s", "-t", $"{StartPatience.TotalSeconds:0}", "-D", cluster!, "-l", folders.StartLog, "-o", $"-c config_file='{ClusterConfiguration.MainFile(folders)}'"]) { User = settings.User };
            var said = await command.RunAsync(ct);
            if (said is { ExitCode: 0 } && Postmaster.Read(cluster!) is { } running)
            {
                pid = running.Pid;
                PostgresLog.Started(log, binaries.Version, (long)time.GetElapsedTime(began).TotalMilliseconds, running.Pid, cluster!);
                return;
            }

            // Processes of a killed postmaster hold its shared memory until they notice, a few seconds at most.
            var why = StartLogTail();
            var passing = why.Contains("pre-existing shared memory block", StringComparison.Ordinal) || why.Contains("lock file", StringComparison.Ordinal);
            if (!passing || time.GetElapsedTime(began) > StartPatience)
                throw new SetupException($"PostgreSQL {binaries.Version} does not start on {cluster} as the user {settings.User.Name}: {said?.Tail()}\n{why}\nIts log is in {cluster}/log.");
            await Task.Delay(pause, time, ct);
        }
    }

    /// <summary>The first lines of a start go to start.log, those after them to the newest file in the cluster's own log folder.</summary>
    private string StartLogTail()
    {
        var logs = new DirectoryInfo(Path.Combine(cluster!, "log"));
        FileInfo?[] files = [new FileInfo(folders.StartLog), logs.Exists ? logs.EnumerateFiles().MaxBy(f => f.LastWriteTimeUtc) : null];
        return string.Join('\n', files.Where(f => f is { Exists: true, LinkTarget: null }).SelectMany(f => File.ReadLines(f!.FullName).TakeLast(5)));
    }

    /// <summary>A new cluster has neither the role nor its database; nor has one whose first start was cut short.</summary>
    private async Task EnsureDatabaseAsync(CancellationToken ct)
    {
        try
        {
            await UseFastCompressionAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.InvalidCatalogName or PostgresErrorCodes.InvalidAuthorizationSpecification)
        {
            await using var connection = new NpgsqlConnection(Unpooled(SuperRole, "postgres"));
            await connection.OpenAsync(ct);
            await ExecuteUnlessThereAsync(connection, "create role footfall login", PostgresErrorCodes.DuplicateObject, ct);
            await ExecuteUnlessThereAsync(connection, "create database footfall owner footfall", PostgresErrorCodes.DuplicateDatabase, ct);
            await UseFastCompressionAsync(ct);
        }
    }

    /// <summary>For what only the cluster's owner may do; a connection of its own.</summary>
    public async Task<NpgsqlConnection> OpenAsSuperuserAsync(CancellationToken ct)
    {
        var connection = new NpgsqlConnection(Unpooled(SuperRole, "postgres"));
        try
        {
            await connection.OpenAsync(ct);
            return connection;
        }
        catch
        {
            await connection.DisposeAsync();
            throw;
        }
    }

    /// <summary>
    /// Right after a checkpoint most of what ingestion writes to the log are whole pages, and packing them the way that
    /// every build of PostgreSQL can takes longer than the rest. The configuration file cannot name one that a build
    /// may lack: the server would not start.
    /// </summary>
    private async Task UseFastCompressionAsync(CancellationToken ct)
    {
        await using var connection = new NpgsqlConnection(Unpooled(Role, Role));
        await connection.OpenAsync(ct);
        await using var ask = new NpgsqlCommand("select setting <> 'lz4' and 'lz4' = any(enumvals) from pg_settings where name = 'wal_compression'", connection);
        if (await ask.ExecuteScalarAsync(ct) is not true) return;
        await using var super = new NpgsqlConnection(Unpooled(SuperRole, "postgres"));
        await super.OpenAsync(ct);
        await using var set = new NpgsqlCommand("alter role footfall set wal_compression = 'lz4'", super);
        await set.ExecuteNonQueryAsync(ct);
    }

    private string Unpooled(string role, string database)
    {
        var connection = Connection(settings.Data, role, database);
        connection.Pooling = false;
        return connection.ConnectionString;
    }

    private static async Task ExecuteUnlessThereAsync(NpgsqlConnection connection, string sql, string thereAlready, CancellationToken ct)
    {
        try
        {
            await using var command = new NpgsqlCommand(sql, connection);
            await command.ExecuteNonQueryAsync(ct);
        }
        catch (PostgresException e) when (e.SqlState == thereAlready)
        {
            // Made by the start that was cut short.
        }
    }

    private async Task StopAsync(Postmaster running, int signal, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        Unix.Signal(running.Pid, signal);   // SIGINT is the fast stop: sessions are ended, everything is written
        if (!await GoneAsync(running, FastStopPatience, ct))
        {
            PostgresLog.StopSlow(log, running.Pid, FastStopPatience.TotalSeconds);
            Unix.Signal(running.Pid, Unix.SigQuit);   // immediate: the next start recovers from the write-ahead log
            if (!await GoneAsync(running, ImmediateStopPatience, ct))
                throw new IOException($"PostgreSQL (process {running.Pid}) on {cluster} does not stop. End it with `kill -9 {running.Pid}`; nothing is lost, the next start recovers.");
        }
        PostgresLog.Stopped(log, (long)time.GetElapsedTime(began).TotalMilliseconds);
    }

    private async Task<bool> GoneAsync(Postmaster running, TimeSpan patience, CancellationToken ct)
    {
        var began = time.GetTimestamp();
        while (Unix.IsRunning(running.Pid))
        {
            if (time.GetElapsedTime(began) > patience)
                return false;
            await Task.Delay(Look, time, ct);
        }
        return true;
    }
}
