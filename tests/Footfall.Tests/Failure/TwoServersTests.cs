using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>Two servers, each with its own data folder, on one database, with the same visitors going to both.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class TwoServersTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task Two_servers_on_one_database_keep_sessions_right_and_one_goes_on_when_the_other_is_killed()
    {
        var folder = TestFolder.New("two");
        // Jobs as often as can be, on both: they get in each other's way, or not.
        string[] arguments =
        [
            "--Postgres:ConnectionString", database.ConnectionString, "--Capture:RateLimit:Enabled", "false", "--Ingestion:GatherMilliseconds", "0",
            "--Rollups:DirtySchedule", "* * * * * ?", "--Rollups:SealSchedule", "* * * * * ?", "--Rollups:NightlySchedule", "0/5 * * * * ?",
        ];
        await using var load = Load.Start(visitors: 25);
        await using var first = await ServerProcess.StartListeningAsync(folder, Ct, arguments);
        await using var second = await ServerProcess.StartListeningAsync(TestFolder.New("two"), Ct, arguments);
        load.SendTo(first.Address, second.Address);
        await AcknowledgedAsync(load, 5_000);

        await first.KillAsync(Ct);
        load.SendTo(second.Address);
        var died = await database.ScalarAsync<DateTimeOffset>("select clock_timestamp()");
        var takeover = System.Diagnostics.Stopwatch.StartNew();
        // Ingestion, sealing and rollups: whatever lock the killed one held is free, and the other does the work.
        foreach (var work in new[] { "select exists (select 1 from events where received_at > @died)", "select exists (select from rollup_runs where job = 'daily' and status = 'succeeded' and started_at > @died)", "select exists (select from rollup_runs where job = 'seal-sessions' and status = 'succeeded' and started_at > @died)" })
            await Eventually.IsTrueAsync(work, () => database.ScalarAsync<bool>(work, ("died", died)), Ct);
        Assert.InRange(takeover.Elapsed, TimeSpan.Zero, TimeSpan.FromMinutes(1));
        await AcknowledgedAsync(load, load.AcknowledgedCount + 1_000);
        await second.ReadyAsync(Ct);

        // What the killed one still had in its journal comes with its return.
        await using var again = await ServerProcess.StartListeningAsync(folder, Ct, arguments);
        load.SendTo(again.Address, second.Address);
        await AcknowledgedAsync(load, load.AcknowledgedCount + 1_000);
        await load.StopAsync();
        await StoredFacts.DrainAsync(again.Client, database.Source, Ct);
        await StoredFacts.DrainAsync(second.Client, database.Source, Ct);
        await again.ReadyAsync(Ct);
        await second.ReadyAsync(Ct);
        await again.InterruptAsync(Ct);
        await second.InterruptAsync(Ct);

        Assert.Empty(load.Oddities);
        await StoredFacts.AreStoredOnceAsync(database.Source, load.Acknowledged);
        await StoredFacts.HoldAsync(database.Source);
        foreach (var server in new[] { first, second, again })
        {
            Assert.DoesNotContain("fail:", server.Output, StringComparison.Ordinal);   // no error was logged
            Assert.DoesNotContain("deadlock", server.Output, StringComparison.OrdinalIgnoreCase);
        }
        Assert.True(await database.ScalarAsync<long>("select count(*) from rollup_runs where status = 'succeeded'") >= 4);
        Assert.Empty(await database.RowsAsync("select job, error from rollup_runs where status <> 'succeeded' and error not in ('The process ended before the run did.', 'Cancelled.')"));
        // No run of a job began while another was at it. A killed one is closed when the next begins.
        Assert.Empty(await database.RowsAsync("""
            select a.job, a.started_at, a.finished_at, b.started_at
            from rollup_runs a
            join rollup_runs b on b.job = a.job and b.id > a.id
            where b.started_at < a.finished_at
            """));
    }

    private static Task AcknowledgedAsync(Load load, int count) =>
        Eventually.HoldsAsync(() => Task.FromResult(load.AcknowledgedCount >= count ? null : $"{load.AcknowledgedCount} of {count} events are acknowledged"), Ct);
}
