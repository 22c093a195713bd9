using System.Net;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

public sealed class FailedJobTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_job_that_failed_is_told_by_readiness_and_tried_again_before_its_schedule()
    {
        await using var database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("""
            insert into dirty_days values ('shop', '2026-03-01', 1, '2026-03-02');
            alter table daily_metric_rollups rename to taken_away;
            """);
        await using var server = await TestServer.StartAsync(TestFolder.New("job"), null, "--Postgres:ConnectionString", database.ConnectionString, "--Rollups:DirtySchedule", "0 0 0 1 1 ? 2099");
        await Eventually.HoldsAsync(async () =>
        {
            var (status, body) = await server.Client.AskAsync("/v1/readyz");
            return status == HttpStatusCode.ServiceUnavailable && body.Contains("job dirty-days: failing since", StringComparison.Ordinal) && body.Contains("shop 2026-03-01", StringComparison.Ordinal) ? null : body;
        }, Ct);

        await database.ExecuteAsync("alter table taken_away rename to daily_metric_rollups");
        await Eventually.HoldsAsync(async () => await server.Client.AskAsync("/v1/readyz") is var (status, body) && status == HttpStatusCode.OK ? null : body, Ct);
        Assert.Empty(await database.RowsAsync("select * from dirty_days"));
        // Every model of the day is a run of its own: each has failed with the day, and succeeded with it.
        Assert.Empty(await database.RowsAsync("select job from rollup_runs where job in ('daily', 'ingest', 'hourly', 'product', 'experiment', 'funnel', 'visitors') group by job having array_agg(distinct status order by status) <> array['failed', 'succeeded']"));
        Assert.Contains("daily", await database.RowsAsync("select distinct job from rollup_runs"));
    }
}
