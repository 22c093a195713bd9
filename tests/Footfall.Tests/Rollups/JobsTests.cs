using Footfall.Cli;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Rollups;

[Trait("Category", TestCluster.Category)]
public sealed class JobsTests(ApiServer server) : IClassFixture<ApiServer>
{
    private Jobs Jobs => server.Services.GetRequiredService<Jobs>();

    [Fact]
    public void The_list_of_jobs_is_the_one_that_people_are_told_of()
    {
        Assert.Equal(RollupsCommand.JobNames, Jobs.All.Select(j => j.Name));
        // A model that is not in the list would be rolled up by no schedule.
        Assert.Equal(server.Services.GetRequiredService<RollupRunner>().JobNames.Order(StringComparer.Ordinal), Jobs.All.Where(j => j.IsModel).Select(j => j.Name).Order(StringComparer.Ordinal));
        Assert.All(Jobs.All, j => Assert.False(string.IsNullOrWhiteSpace(j.What) || string.IsNullOrWhiteSpace(j.Lock)));
        Assert.Equal(["dirty-days", "nightly", .. Jobs.All.Where(j => !j.IsModel).Select(j => j.Name)], Jobs.Passes.Select(p => p.Name));
    }

    [Fact]
    public async Task A_model_may_have_a_schedule_of_its_own()
    {
        await using var other = await ApiServer.StartNewAsync("--Rollups:HourlySchedule=0 0 * * * ?", "--Rollups:VisitorsSchedule=0 0 * * * ?", "--Rollups:FunnelSchedule=0 30 2 * * ?");
        var jobs = other.Services.GetRequiredService<Jobs>();
        Assert.Equal([("dirty-days", "0/10 * * * * ?"), ("nightly", "0 0 4 * * ?"), ("hourly+visitors", "0 0 * * * ?"), ("funnel", "0 30 2 * * ?")], jobs.Passes.Take(4).Select(p => (p.Name, p.Schedule)));
        foreach (var pass in jobs.Passes) await pass.Run(default);
    }

    [Fact]
    public async Task Each_run_of_each_job_is_a_row()
    {
        await server.StoreAsync(Told.Event("a", "2026-03-02T10:00:00"));
        foreach (var job in Jobs.All)
        {
            var before = await RunsAsync(job.Name);
            Assert.True(await job.Run(default));
            Assert.Equal(before + 1, await RunsAsync(job.Name));
        }
        Assert.Empty(await server.Database.RowsAsync("select job, error from rollup_runs where status <> 'succeeded'"));

        Task<long> RunsAsync(string job) => server.Database.ScalarAsync<long>("select count(*) from rollup_runs where job = @job and finished_at is not null", ("job", job))!;
    }

    [Theory]
    [InlineData("seal-sessions")]
    [InlineData("retention")]
    [InlineData("partitions")]
    [InlineData("discrepancy")]
    public async Task Who_finds_the_lock_taken_does_nothing(string name)
    {
        var job = Jobs.All.Single(j => j.Name == name);
        await using (await JobLock.TakeAsync(server.Database.Source, JobLock.KeyOf(name), wait: false, default))
        {
            var runs = await server.Database.ScalarAsync<long>("select count(*) from rollup_runs");
            Assert.False(await job.Run(default));
            Assert.Equal(runs, await server.Database.ScalarAsync<long>("select count(*) from rollup_runs"));
        }
        Assert.True(await job.Run(default));
    }

    [Fact]
    public async Task Of_servers_that_come_at_the_same_time_one_recomputes_the_last_days()
    {
        await server.StoreAsync(Told.Event("nightly", "2026-03-02T10:00:00"));
        var nightly = Jobs.Passes.Single(p => p.Name == "nightly");
        await using (await JobLock.TakeAsync(server.Database.Source, JobLock.KeyOf("nightly"), wait: false, default))
        {
            var before = await RunsAsync();
            await nightly.Run(default);
            Assert.Equal(before, await RunsAsync());
        }
        var runs = await RunsAsync();
        await nightly.Run(default);
        Assert.Equal(runs + 7, await RunsAsync());   // one of each model

        Task<long> RunsAsync() => server.Database.ScalarAsync<long>("select count(*) from rollup_runs")!;
    }

    [Fact]
    public void Locks_of_jobs_are_all_different() =>
        Assert.Equal(Jobs.All.Count, Jobs.All.Select(j => JobLock.KeyOf(j.Name)).Append(RollupRunner.LockKey).Append(Footfall.Ingestion.BatchWriter.LockKey).Distinct().Count() - 2);
}
