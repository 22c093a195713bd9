using System.Diagnostics;
using Footfall.Hosting;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Benchmarks.Load;

/// <summary>A server, with its own PostgreSQL, or on one that can be slowed down, stopped and cut off.</summary>
internal sealed class Rig : IAsyncDisposable
{
    private readonly BenchDatabase? apart;
    private readonly string? mounted;

    private readonly SlowProxy? between;

    private Rig(Server server, string folder, BenchDatabase? apart, SlowProxy? between, string? mounted) =>
        (Server, DataFolder, this.apart, this.between, this.mounted) = (server, folder, apart, between, mounted);

    public Server Server { get; }

    public string DataFolder { get; }

    public SlowProxy Proxy => between ?? throw new InvalidOperationException("The scenario has asked for no database of its own.");

    public BenchDatabase Database => apart ?? throw new InvalidOperationException("The scenario has asked for no database of its own.");

    /// <param name="diskMegabytes">Above 0: the data folder is a file system of that size. Takes root.</param>
    public static async Task<Rig> StartAsync(bool isApart, int diskMegabytes, params string[] configuration)
    {
        var folder = Folders.Fresh("load");
        if (!isApart)
        {
            var alone = Server.StartProduct(Path.Combine(folder, "data"), configuration);
            await alone.ReadyAsync();
            return new Rig(alone, Path.Combine(folder, "data"), null, null, null);
        }
        var database = await BenchDatabase.OpenAsync(Path.Combine(folder, "database"));
        var connection = EmbeddedPostgres.Connection(new DataFolder(database.Folder));
        var proxy = new SlowProxy(Path.Combine(connection.Host!, $".s.PGSQL.{connection.Port}"));
        var data = Path.Combine(folder, "data");
        Directory.CreateDirectory(data);
        if (diskMegabytes > 0) Run("mount", "-t", "tmpfs", "-o", $"size={diskMegabytes}m,mode=700", "none", data);
        var server = Server.StartProduct(data, ["--Postgres:ConnectionString", $"Host=127.0.0.1;Port={proxy.Port};Username={connection.Username};Database={connection.Database};SSL Mode=Disable;Timeout=5", .. configuration]);
        await server.ReadyAsync();
        return new Rig(server, data, database, proxy, diskMegabytes > 0 ? data : null);
    }

    /// <summary>Past the proxy.</summary>
    public NpgsqlDataSource OpenDatabase() => apart is null ? Server.OpenDatabase() : NpgsqlDataSource.Create(EmbeddedPostgres.Connection(new DataFolder(apart.Folder)));

    /// <summary>Waits until every acknowledged record is in the database: none waits any more, twice in a row.</summary>
    public async Task<TimeSpan> DrainedAsync()
    {
        var watch = Stopwatch.StartNew();
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Server.Port}") };
        client.DefaultRequestHeaders.Add("x-admin-key", Server.AdminKey);
        for (var empty = 0; empty < 2;)
        {
            if (watch.Elapsed > TimeSpan.FromMinutes(10)) throw new TimeoutException("The journal is not empty after ten minutes.");
            var metrics = await client.GetStringAsync(new Uri("/metrics", UriKind.Relative));
            empty = metrics.Contains("\nfootfall_journal_age_seconds 0\n", StringComparison.Ordinal) ? empty + 1 : 0;
            await Task.Delay(700);
        }
        return watch.Elapsed;
    }

    public async ValueTask DisposeAsync()
    {
        await Server.DisposeAsync();
        if (apart is not null)
        {
            await Proxy.DisposeAsync();
            await apart.DisposeAsync();
        }
        if (mounted is not null) Run("umount", mounted);
    }

    private static void Run(string program, params string[] arguments)
    {
        using var process = Process.Start(new ProcessStartInfo(program, arguments) { UseShellExecute = false })!;
        process.WaitForExit();
        if (process.ExitCode != 0) throw new InvalidOperationException($"{program} {string.Join(' ', arguments)} failed: a small disk takes root.");
    }
}
