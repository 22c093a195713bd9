using System.Net.Sockets;

namespace Footfall.Benchmarks.Load;

/// <param name="Name">As it is asked for on the command line.</param>
/// <param name="What">One line for people.</param>
internal sealed record Scenario(string Name, string What)
{
    private const long Many = 200_000;

    /// <summary>Events a second; 0: closed, as many as are answered.</summary>
    public double Rate { get; init; } = 500;

    public double Seconds { get; init; } = 60;

    public int Connections { get; init; } = 128;

    /// <summary>Events in a request.</summary>
    public int Batch { get; init; } = 1;

    /// <summary>However long it takes.</summary>
    public long Most { get; init; } = long.MaxValue;

    /// <summary>The middle third has so many times the rate.</summary>
    public double Burst { get; init; } = 1;

    public EventOf Of { get; init; } = static n => ($"visitor-{n * 7919 % Many:000000}", $"/section-{n % 20}/page-{n % 500}");

    /// <summary>PostgreSQL stands apart, behind a proxy.</summary>
    public bool IsApart { get; init; }

    public int DiskMegabytes { get; init; }

    public string[] Configuration { get; init; } = [];

    /// <summary>What happens meanwhile; given how many seconds the run takes.</summary>
    public Func<Rig, double, CancellationToken, Task>? Meanwhile { get; init; }

    /// <summary>Looks once more when all is stored. Returns whether it held.</summary>
    public Func<Rig, Task<bool>>? After { get; init; }

    public bool IsSoak { get; init; }

    /// <summary>Every one, in the order in which `all` runs them; the soak is asked for by its name.</summary>
    public static readonly Scenario[] All =
    [
        new("steady", "500 events a second"),
        new("closed", "as many as 128 connections get answered") { Rate = 0, Seconds = 30 },
        new("burst", "200 events a second, ten times as many in the middle third") { Rate = 200, Burst = 10 },
        new("slow-database", "each answer of PostgreSQL comes 50 ms late in the middle third") { IsApart = true, Meanwhile = SlowAsync },
        new("database-restart", "PostgreSQL is stopped for a sixth of the time, and cut off for another") { IsApart = true, Meanwhile = RestartAsync },
        new("disk-full", "the data folder has no room left while the database is away") { IsApart = true, DiskMegabytes = 64, Rate = 1000, Configuration = ["--Health:MinFreeMegabytes", "0"], Meanwhile = FillAsync },
        new("idle", "10,000 open connections that say nothing") { Meanwhile = IdleAsync },
        new("hot-visitor", "one visitor does everything") { Of = static n => ("visitor-of-all", $"/page-{n % 500}") },
        new("hot-page", "everybody is at one page") { Of = static n => ($"visitor-{n * 7919 % Many:000000}", "/the-page") },
        new("paths", "a million distinct paths in a day, as fast as they are taken") { Rate = 0, Seconds = 600, Most = 1_000_000, Batch = 50, Connections = 16, After = DistinctPaths.LookAsync, Of = static n => ($"visitor-{n * 7919 % Many:000000}", $"/path-{n}") },
        new("soak", "15 minutes of 300 events a second") { Rate = 300, Seconds = 900, IsSoak = true },
    ];

    /// <summary>When the n-th event is due; null: when the one before it is answered.</summary>
    public Func<long, double>? Due()
    {
        if (Rate == 0) return null;
        if (Burst == 1) return n => n / Rate;
        var third = Seconds / 3;
        var (calm, high) = (Rate * third, Rate * Burst * third);
        return n => n <= calm ? n / Rate : n <= calm + high ? third + ((n - calm) / (Rate * Burst)) : (2 * third) + ((n - calm - high) / Rate);
    }

    private static async Task SlowAsync(Rig rig, double seconds, CancellationToken stop)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds / 3), stop);
        rig.Proxy.Delay = TimeSpan.FromMilliseconds(50);
        await Task.Delay(TimeSpan.FromSeconds(seconds / 3), stop);
        rig.Proxy.Delay = TimeSpan.Zero;
    }

    private static async Task RestartAsync(Rig rig, double seconds, CancellationToken stop)
    {
        await Task.Delay(TimeSpan.FromSeconds(seconds / 6), stop);
        await rig.Database.Embedded.StopAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(seconds / 6), stop);
        await rig.Database.Embedded.StartAsync(stop);
        await Task.Delay(TimeSpan.FromSeconds(seconds / 6), stop);
        rig.Proxy.Cut();
        await Task.Delay(TimeSpan.FromSeconds(seconds / 6), stop);
        rig.Proxy.Mend();
    }

    private static async Task FillAsync(Rig rig, double seconds, CancellationToken stop)
    {
        const int Left = 1 << 20;
        var ballast = Path.Combine(rig.DataFolder, "ballast");
        await Task.Delay(TimeSpan.FromSeconds(seconds / 6), stop);
        rig.Proxy.Cut();
        await using (var file = File.Create(ballast))
        {
            var block = new byte[1 << 20];
            while (new DriveInfo(rig.DataFolder).AvailableFreeSpace > Left + block.Length) await file.WriteAsync(block, stop);
        }
        await Task.Delay(TimeSpan.FromSeconds(seconds / 3), stop);
        File.Delete(ballast);
        rig.Proxy.Mend();
    }

    private static async Task IdleAsync(Rig rig, double seconds, CancellationToken stop)
    {
        List<Socket> idle = [];
        try
        {
            for (var i = 0; i < 10_000; i++) idle.Add(await EventConnection.ConnectAsync(rig.Server.Port, stop));
            Figures.Line("idle connections", $"{idle.Count:N0} open, server {rig.Server.Memory("VmRSS"):N0} MB");
            await Task.Delay(TimeSpan.FromSeconds(seconds), stop);
        }
        finally
        {
            foreach (var socket in idle) socket.Dispose();
        }
    }
}
