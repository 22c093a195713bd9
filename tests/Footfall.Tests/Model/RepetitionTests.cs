using Footfall.Definitions;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Model;

/// <summary>Any job, any number of times, in any order, from two processes at once: the same rows.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class RepetitionTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly DateOnly First = ReferenceModel.Day(RandomTraffic.Epoch).AddDays(-1);
    private static readonly DateOnly Last = ReferenceModel.Day(RandomTraffic.Received).AddDays(1);

    private TestDatabase database = null!;
    private List<string> rows = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        var clock = TimeProvider.System;
        await new ExperimentStore(database.Source, clock).AddAsync(new("shop", "x1", "x1", [new("v0", 1), new("v1", 1), new("v2", 1)], "v0", "signup", 200, null, null), default);
        var sessions = Options.Create(new SessionsOptions());
        await using var writer = new BatchWriter(database.Source, new EventPartitions(clock), sessions, clock);
        var arrival = 0;
        var random = new Random(20260302);
        for (var n = 0; n < 30; n++)
        {
            var batch = new IngestBatch();
            var picked = Enumerable.Range(0, 15).Select(_ => new PickedEvent(random.Next(5), random.Next(2), random.Next(4 * 86_400), random.Next(13), random.Next(61), random.Next(20))).ToList();
            foreach (var e in RandomTraffic.Build(picked, ref arrival)) batch.Add(e);
            await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, default);
        }
        await new SessionSealer(database.Source, sessions, clock).SealAsync(default);
        Assert.Null((await Runner(database.Source).RunDirtyAsync(null, wait: true, default)).Error);
        rows = await RolledRows.ReadAsync(database);
        Assert.True(rows.Count > 200, $"{rows.Count} rows are too few to tell anything.");
        Assert.All(RolledRows.Tables, t => Assert.Contains(rows, r => r.StartsWith(t + " ", StringComparison.Ordinal)));
    }

    public ValueTask DisposeAsync() => database.DisposeAsync();

    private static RollupRunner Runner(NpgsqlDataSource source) => AllModels.Runner(source, AllModels.Funnels(source), TimeProvider.System);

    [Theory]
    [InlineData(1, false)]
    [InlineData(2, false)]
    [InlineData(3, true)]
    [InlineData(4, true)]
    [InlineData(5, true)]
    public async Task Jobs_alone_in_any_order_by_two_at_once_write_the_same_rows(int seed, bool fromNothing)
    {
        if (fromNothing) await database.ExecuteAsync($"truncate {string.Join(", ", RolledRows.Tables)}");
        await using var other = NpgsqlDataSource.Create(database.ConnectionString);
        await Task.WhenAll(WorkAsync(Runner(database.Source), seed), WorkAsync(Runner(other), seed + 100));
        // What a late look at an earlier day moved is marked, as always.
        Assert.Null((await Runner(other).RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal(rows, await RolledRows.ReadAsync(database));

        static async Task WorkAsync(RollupRunner runner, int seed)
        {
            var random = new Random(seed);
            (string Job, string Property)[] work = [.. from job in runner.JobNames from property in RandomTraffic.Properties select (job, property)];
            random.Shuffle(work);
            foreach (var (job, property) in work)
            {
                // The later half of the days first, then the earlier, then some of them again.
                var middle = First.AddDays(random.Next(Last.DayNumber - First.DayNumber));
                foreach (var (from, to) in new[] { (middle.AddDays(1), Last), (First, middle), (middle, middle.AddDays(1)) })
                {
                    Assert.Null((await runner.RunAsync(from, to, property, job, null, default)).Error);
                }
                if (random.Next(4) == 0) Assert.Null((await runner.RunDirtyAsync(property, wait: true, default)).Error);
            }
        }
    }

    [Fact]
    public async Task Two_processes_that_recompute_the_same_days_write_the_same_rows()
    {
        await database.ExecuteAsync($"truncate {string.Join(", ", RolledRows.Tables)}");
        // Other jobs in each, all of them in both, the same backfill, and what changed.
        string[][] one = [["run", "--job", "funnel"], ["run"], ["backfill"]], two = [["backfill"], ["run", "--job", "product"], ["run", "--job", "experiment"], ["run"]];
        await Task.WhenAll(WorkAsync(one), WorkAsync(two));
        Assert.Null((await Runner(database.Source).RunDirtyAsync(null, wait: true, default)).Error);
        Assert.Equal(rows, await RolledRows.ReadAsync(database));
        Assert.Empty(await database.RowsAsync("select job, error from rollup_runs where status <> 'succeeded'"));
        Assert.Empty(await database.RowsAsync("select * from backfill_days"));

        async Task WorkAsync(string[][] commands)
        {
            var folder = TestFolder.New("repeat");
            var days = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).DayNumber - First.DayNumber + 1;
            foreach (var command in commands)
            {
                string[] window = command[0] == "run" ? ["--window-days", $"{days}"] : ["--from", $"{First:yyyy-MM-dd}", "--to", $"{Last:yyyy-MM-dd}"];
                var (exit, _, error) = await ServerProcess.CommandAsync(folder, Ct, ["--Postgres:ConnectionString", database.ConnectionString, "rollups", .. command, .. window]);
                Assert.True(exit == 0, error);
            }
        }
    }
}
