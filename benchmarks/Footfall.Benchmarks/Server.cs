using System.Diagnostics;
using System.Globalization;
using System.Net;
using System.Net.Sockets;
using Footfall.Hosting;
using Footfall.Journal;
using Footfall.Postgres;
using Npgsql;

namespace Footfall.Benchmarks;

/// <summary>A server in a process of its own: the product itself, or the same with yardsticks (<see cref="ServeChild"/>), under the product's runtime configuration.</summary>
internal sealed class Server : IAsyncDisposable
{
    public const string AdminKey = "an-admin-key-for-benchmarks";
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(60);
    private readonly Process process;
    private readonly DataFolder data;
    private readonly long started;

    private Server(Process process, long started, string folder, int port)
    {
        (this.process, this.started, data, Port) = (process, started, new DataFolder(folder), port);
        // Read and dropped: a full pipe would hold the server up.
        process.OutputDataReceived += (_, _) => { };
        process.ErrorDataReceived += (_, line) => { if (!string.IsNullOrWhiteSpace(line.Data)) Console.Error.WriteLine(line.Data); };
        process.BeginOutputReadLine();
        process.BeginErrorReadLine();
    }

    public int Port { get; }

    /// <summary>Since just before the process was started.</summary>
    public TimeSpan Age => Stopwatch.GetElapsedTime(started);

    public int ProcessId => process.Id;

    /// <summary>footfall.dll as an operator starts it. Returns at once.</summary>
    public static Server StartProduct(string folder, params string[] configuration) => Start(folder, [Assembly("footfall.dll")], configuration);

    /// <summary>The same rooms with the yardsticks. Returns at once.</summary>
    public static Server StartWithYardsticks(string folder, params string[] configuration) =>
        Start(folder, ["exec", "--runtimeconfig", Assembly("footfall.runtimeconfig.json"), Assembly("Footfall.Benchmarks.dll"), ServeChild.Command], configuration);

    /// <summary>User and system time of the server so far.</summary>
    public TimeSpan Cpu
    {
        get
        {
            process.Refresh();
            return process.TotalProcessorTime;
        }
    }

    /// <summary>The same of its PostgreSQL, ended backends included.</summary>
    public TimeSpan PostgresCpu
    {
        get
        {
            var main = Postmaster();
            var ticks = 0L;
            foreach (var folder in Directory.EnumerateDirectories("/proc"))
            {
                if (!int.TryParse(Path.GetFileName(folder), out var pid) || Stat(pid) is not { } stat) continue;
                if (pid == main) ticks += stat[11] + stat[12] + stat[13] + stat[14];
                else if (stat[1] == main) ticks += stat[11] + stat[12];
            }
            return TimeSpan.FromSeconds(ticks / 100.0);   // USER_HZ
        }
    }

    /// <summary>A line of /proc/PID/status in MB: VmRSS, VmHWM.</summary>
    public double Memory(string line) =>
        double.Parse(File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith(line + ":", StringComparison.Ordinal)).Split((char[]?)null, StringSplitOptions.RemoveEmptyEntries)[1], CultureInfo.InvariantCulture) / 1024;

    public int Threads => int.Parse(File.ReadLines($"/proc/{process.Id}/status").First(l => l.StartsWith("Threads:", StringComparison.Ordinal))[8..], NumberStyles.AllowLeadingWhite, CultureInfo.InvariantCulture);

    public NpgsqlDataSource OpenDatabase() => NpgsqlDataSource.Create(EmbeddedPostgres.Connection(data));

    /// <summary>Waits until everything works, the database included.</summary>
    public async Task ReadyAsync()
    {
        using var client = new HttpClient { BaseAddress = new Uri($"http://127.0.0.1:{Port}") };
        await UntilAsync(async () =>
        {
            try
            {
                return (await client.GetAsync(new Uri("/v1/readyz", UriKind.Relative))).StatusCode == HttpStatusCode.OK;
            }
            catch (HttpRequestException)
            {
                return false;
            }
        }, Patience);
    }

    /// <summary>Waits until the database has everything that the journal holds. Returns how long that took.</summary>
    public async Task<TimeSpan> DrainedAsync()
    {
        var watch = Stopwatch.StartNew();
        await using var database = OpenDatabase();
        await UntilAsync(async () =>
        {
            var newest = new DirectoryInfo(data.Journal).EnumerateFiles("*.*")
                .Select(f => (Number: long.TryParse(f.Name.Split('.')[0], NumberStyles.None, CultureInfo.InvariantCulture, out var n) ? n : 0, f.Length))
                .Where(f => f.Number > 0 && f.Length > JournalFormat.HeaderBytes)
                .OrderByDescending(f => f.Number).FirstOrDefault();
            if (newest.Number == 0) return true;
            await using var command = database.CreateCommand("""select count(*) / 4 from journal_lanes where segment = @segment and "offset" >= @length""");
            command.Parameters.AddWithValue("segment", newest.Number);
            command.Parameters.AddWithValue("length", newest.Length);
            return (long)(await command.ExecuteScalarAsync())! > 0;
        }, TimeSpan.FromMinutes(10));
        return watch.Elapsed;
    }

    /// <summary>SIGTERM: a child of a shell's background job inherits that SIGINT is ignored.</summary>
    public async Task StopAsync()
    {
        const int SigTerm = 15;
        Unix.Signal(process.Id, SigTerm);
        await process.WaitForExitAsync();
    }

    /// <summary>SIGKILL: its PostgreSQL lives on.</summary>
    public async Task KillAsync()
    {
        process.Kill();
        await process.WaitForExitAsync();
    }

    public async ValueTask DisposeAsync()
    {
        if (!process.HasExited) await StopAsync();
        process.Dispose();
    }

    private static Server Start(string folder, string[] program, string[] configuration)
    {
        Directory.CreateDirectory(folder);
        var port = FreePort();
        var start = new ProcessStartInfo("dotnet", [.. program, "--DataDir", folder, "--urls", $"http://127.0.0.1:{port}", "--Capture:RateLimit:Enabled", "false", .. configuration])
        {
            UseShellExecute = false,
            RedirectStandardOutput = true,
            RedirectStandardError = true,
            WorkingDirectory = folder,
        };
        start.Environment["ADMIN_API_KEY"] = AdminKey;
        start.Environment["DOTNET_ENVIRONMENT"] = "Production";
        var now = Stopwatch.GetTimestamp();
        return new Server(Process.Start(start)!, now, folder, port);
    }

    private static async Task UntilAsync(Func<Task<bool>> reached, TimeSpan patience)
    {
        var watch = Stopwatch.StartNew();
        while (!await reached())
        {
            if (watch.Elapsed > patience) throw new TimeoutException($"Not reached within {patience.TotalSeconds:N0} s.");
            await Task.Delay(50);
        }
    }

    private static string Assembly(string name) => Path.Combine(AppContext.BaseDirectory, name);

    private static int FreePort()
    {
        using var socket = new Socket(AddressFamily.InterNetwork, SocketType.Stream, ProtocolType.Tcp);
        socket.Bind(new IPEndPoint(IPAddress.Loopback, 0));
        return ((IPEndPoint)socket.LocalEndPoint!).Port;
    }

    private int Postmaster() =>
        int.Parse(File.ReadLines(Directory.EnumerateFiles(data.Postgres, "postmaster.pid", SearchOption.AllDirectories).First()).First(), CultureInfo.InvariantCulture);

    /// <summary>The numbers of /proc/PID/stat from the state on; null when the process has gone.</summary>
    private static long[]? Stat(int pid)
    {
        try
        {
            var text = File.ReadAllText($"/proc/{pid}/stat");
            return [0, .. text[(text.LastIndexOf(')') + 4)..].Split(' ').Take(20).Select(n => long.TryParse(n, out var value) ? value : 0)];
        }
        catch (IOException)
        {
            return null;
        }
    }
}
