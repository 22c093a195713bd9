using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>A server under load is backed up; then the machine is lost, once with everything on it and once with a journal that survives.</summary>
public sealed class LostMachineTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    // Small segments, so that the journal lets go of many between the backup and the loss.
    private static readonly string[] Server = ["--Capture:RateLimit:Enabled", "false", "--Journal:SegmentBytes", "65536"];

    [Fact]
    public async Task What_was_backed_up_comes_back_and_what_came_after_comes_from_the_journal_once()
    {
        var (folder, shelf, key) = (TestFolder.New("lost"), TestFolder.New("shelf"), Path.Combine(TestFolder.New("key"), "key"));
        File.WriteAllText(key, "a key that is kept somewhere else");
        await using var load = Load.Start(visitors: 30);
        var server = await ServerProcess.StartListeningAsync(folder, Ct, Server);
        load.SendTo(server.Address);
        await AcknowledgedAsync(load, 3_000);
        await server.ReadyAsync(Ct);

        var before = load.Acknowledged;
        await SucceedsAsync(folder, "rows are the same", "backup", "--to", shelf, "--key-file", key, "--verify");
        await AcknowledgedAsync(load, load.AcknowledgedCount + 3_000);
        var admin = File.ReadAllText(Path.Combine(folder, "keys", "admin-key"));
        await load.StopAsync();
        await LoseAsync(folder, server);

        // With nothing but the backup: all that was acknowledged before it began is there, what came later is not all.
        var anew = TestFolder.New("anew");
        await SucceedsAsync(anew, "Restored", "restore", "--from", shelf, "--key-file", key);
        Assert.Equal(admin, File.ReadAllText(Path.Combine(anew, "keys", "admin-key")));
        await using (var again = await ServerProcess.StartListeningAsync(anew, Ct, Server))
        {
            await using var database = StoredFacts.Embedded(anew);
            await StoredFacts.DrainAsync(again.Client, database, Ct);
            await StoredFacts.AreStoredOnceAsync(database, before);
            await StoredFacts.HoldAsync(database);
            Assert.NotEmpty(load.Acknowledged.Except((await StoredFacts.KeysAsync(database)).Keys));
            Assert.DoesNotContain("fail:", again.Output, StringComparison.Ordinal);
            await again.InterruptAsync(Ct);
        }

        // With the journal of the lost machine, on a disk of its own: everything.
        var saved = TestFolder.New("saved");
        Directory.Move(Path.Combine(folder, "journal"), Path.Combine(saved, "journal"));
        Assert.NotEmpty(Directory.GetFiles(Path.Combine(saved, "journal", "stored")));
        Directory.Delete(folder, recursive: true);
        await SucceedsAsync(saved, "Restored", "restore", "--from", shelf, "--key-file", key);
        await using (var again = await ServerProcess.StartListeningAsync(saved, Ct, Server))
        {
            await using var database = StoredFacts.Embedded(saved);
            await StoredFacts.DrainAsync(again.Client, database, Ct);
            await StoredFacts.AreStoredOnceAsync(database, load.Acknowledged);
            await StoredFacts.HoldAsync(database);
            Assert.Contains("kept segments with", again.Output, StringComparison.Ordinal);
            Assert.DoesNotContain("fail:", again.Output, StringComparison.Ordinal);
            await again.InterruptAsync(Ct);
        }
        Assert.Empty(load.Oddities);
    }

    [Fact]
    public async Task A_backup_can_be_piped_into_a_restore()
    {
        var (from, to) = (TestFolder.New("from"), TestFolder.New("to"));
        await using (var server = await ServerProcess.StartListeningAsync(from, Ct, Server))
        {
            await server.ReadyAsync(Ct);
            await server.Client.TakenAsync("""{"eventType":"page_view","eventId":"piped","anonId":"visitor-of-pipes","props":{"k":"piped"} }""");
            var program = $"dotnet {Path.Combine(AppContext.BaseDirectory, "footfall.dll")} --Postgres:Binaries {TestPostgres.Binaries}";
            var pipe = new Command("/bin/bash", ["-c", $"set -o pipefail; {program} --DataDir {from} backup --to - | {program} --DataDir {to} restore --from -"]) { KeepEnvironment = true };
            var ran = await pipe.RunAsync(Ct);
            Assert.True(ran!.ExitCode == 0, ran.Tail(30));
            await server.InterruptAsync(Ct);
        }
        await using (var server = await ServerProcess.StartListeningAsync(to, Ct, Server))
        {
            await using var database = StoredFacts.Embedded(to);
            await StoredFacts.DrainAsync(server.Client, database, Ct);
            Assert.Equal(1, (await StoredFacts.KeysAsync(database))["piped"]);
            await server.InterruptAsync(Ct);
        }
    }

    /// <summary>Server and database gone at the same instant, as with the machine.</summary>
    private static async Task LoseAsync(string folder, ServerProcess server)
    {
        var cluster = Directory.GetDirectories(Path.Combine(folder, "postgres"), "1*")[0];
        Unix.Signal(Postmaster.Read(cluster)!.Pid, 9);
        await server.KillAsync(Ct);
        await server.DisposeAsync();
    }

    private static async Task SucceedsAsync(string folder, string says, params string[] arguments)
    {
        var ran = await ServerProcess.CommandAsync(folder, Ct, arguments);
        Assert.True(ran.ExitCode == 0, $"exit code {ran.ExitCode}\n{ran.Output}\n{ran.Error}");
        Assert.Contains(says, ran.Output, StringComparison.Ordinal);
    }

    private static Task AcknowledgedAsync(Load load, int count) =>
        Eventually.HoldsAsync(() => Task.FromResult(load.AcknowledgedCount >= count ? null : $"{load.AcknowledgedCount} of {count} events are acknowledged"), Ct);
}
