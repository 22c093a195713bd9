using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Postgres;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>The server is killed at random moments under load, and its PostgreSQL with it: what got its 202 is there once.</summary>
public sealed class CrashTests(ITestOutputHelper output)
{
    private const int Kills = 20;
    private static readonly string[] Unlimited = ["--Capture:RateLimit:Enabled", "false", "--Journal:SegmentBytes", "65536", "--Ingestion:BatchBytes", "65536", "--Ingestion:GatherMilliseconds", "0"];
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task What_was_acknowledged_before_any_of_twenty_kills_is_stored_once()
    {
        var folder = TestFolder.New("crash");
        var seed = Environment.TickCount;
        output.WriteLine($"seed {seed}");   // of the moments; they fall differently on every machine all the same
        var random = new Random(seed);
        await using var load = Load.Start(seed: seed);
        for (var kill = 0; kill < Kills; kill++)
        {
            await using var server = await ServerProcess.StartListeningAsync(folder, Ct, Unlimited);
            load.SendTo(server.Address);
            // Every other kill falls into ingestion at work, the others mostly into the start: journal recovery, adoption, migrations.
            if (kill % 2 == 1) await StoredFacts.DrainedAsync(server.Client, folder, Ct);
            if (kill == Kills / 2) Unix.Signal(PostmasterIn(folder), Unix.SigKill);   // both at once, as when a machine runs out of memory
            await Task.Delay(random.Next(20, 900), Ct);
            await server.KillAsync(Ct);
            load.SendTo();
        }

        await using var last = await ServerProcess.StartListeningAsync(folder, Ct, Unlimited);
        load.SendTo(last.Address);
        await last.ReadyAsync(Ct);
        await load.StopAsync();
        output.WriteLine($"{load.AcknowledgedCount} events acknowledged");
        await CheckAsync(last, folder, load);
        Assert.Empty(load.Oddities);
        Assert.DoesNotContain("damaged", last.Output, StringComparison.Ordinal);
        await last.InterruptAsync(Ct);
        Assert.Equal(0, last.ExitCode);
    }

    [Fact]
    public async Task Capture_goes_on_while_its_postgres_is_killed_again_and_again()
    {
        var folder = TestFolder.New("crash");
        await using var load = Load.Start(senders: 4);
        await using var server = await ServerProcess.StartListeningAsync(folder, Ct, Unlimited);
        await server.ReadyAsync(Ct);
        load.SendTo(server.Address);
        for (var kill = 0; kill < 3; kill++)
        {
            await StoredFacts.DrainedAsync(server.Client, folder, Ct);
            Unix.Signal(PostmasterIn(folder), Unix.SigKill);
        }
        await StoredFacts.DrainedAsync(server.Client, folder, Ct);
        await load.StopAsync();
        await CheckAsync(server, folder, load);
        Assert.Empty(load.Oddities);   // no 5xx, and nothing half taken
        await server.InterruptAsync(Ct);
    }

    private static async Task CheckAsync(ServerProcess server, string folder, Load load)
    {
        await using var database = StoredFacts.Embedded(folder);
        await StoredFacts.DrainAsync(server.Client, database, Ct);
        await StoredFacts.AreStoredOnceAsync(database, load.Acknowledged);
        await StoredFacts.HoldAsync(database);
    }

    private static int PostmasterIn(string folder) => Postmaster.Read(EmbeddedPostgresTests.ClusterIn(folder))?.Pid ?? 0;
}
