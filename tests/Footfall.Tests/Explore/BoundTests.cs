using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>A question that takes too long ends, whoever waits for it. A locked table stands for one that is too large.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class BoundTests : IAsyncLifetime
{
    private const string Question = "/v1/metrics/breakdown?dimension=path&property=shop&from=2026-01-05&to=2026-01-05";

    private ApiServer server = null!;

    public async ValueTask InitializeAsync()
    {
        server = await ApiServer.StartNewAsync($"--Access:DashboardToken={ApiServer.DashboardToken}", "--Explore:StatementTimeoutSeconds=2", "--Explore:MaxConcurrentQueries=1", "--Explore:QueueSeconds=0");
        await server.StoreAsync(Told.Event("bound", "2026-01-05T10:00:00"));
    }

    public ValueTask DisposeAsync() => server.DisposeAsync();

    [Fact]
    public async Task It_is_broken_off_others_are_told_to_wait_and_a_client_that_goes_takes_it_along()
    {
        await using var connection = await server.Database.Source.OpenConnectionAsync();
        await using (var transaction = await connection.BeginTransactionAsync())
        {
            await using (var lockTable = new NpgsqlCommand("lock table events in access exclusive mode", connection)) await lockTable.ExecuteNonQueryAsync();

            var slow = server.ErrorAsync(Question);
            await WaitAsync(async () => await RunningAsync() > 0);
            Assert.Equal((503, "too_many_queries"), await CodeAsync(server.ErrorAsync(Question)));
            Assert.Equal((503, "query_timeout"), await CodeAsync(slow));

            using var impatient = new CancellationTokenSource();
            using var request = new HttpRequestMessage(HttpMethod.Get, Question);
            request.Headers.Add("x-dashboard-token", ApiServer.DashboardToken);
            var gone = server.Client.SendAsync(request, impatient.Token);
            await WaitAsync(async () => await RunningAsync() > 0);
            var since = System.Diagnostics.Stopwatch.StartNew();
            await impatient.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
            await WaitAsync(async () => await RunningAsync() == 0);
            Assert.True(since.Elapsed < TimeSpan.FromSeconds(1.8), $"It ended after {since.Elapsed}, by its own limit.");
        }
        await server.JsonAsync(Question);   // its turn was given back
    }

    [Theory]
    [InlineData("/api/analytics/visitors?entity_type=profile&entity_id=1&property=shop", "entity_visitor_days")]
    [InlineData("/api/analytics/time-series?entity_type=profile&entity_id=1&property=shop", "analytics_aggregates")]
    [InlineData("/v1/metrics/daily?property=shop", "daily_metric_rollups")]
    [InlineData("/v1/metrics/experiments?property=shop&experiment_id=x", "experiment_metric_rollups")]
    [InlineData("/v1/metrics/funnels?property=shop", "funnel_rollups")]
    [InlineData("/v1/metrics/realtime?property=shop", "events")]
    [InlineData("/v1/metrics/vitals?property=shop", "events")]
    [InlineData("/v1/metrics/timeseries?property=shop", "events")]
    public async Task Whatever_is_asked_ends_with_the_client_that_goes(string url, string table)
    {
        await using var connection = await server.Database.Source.OpenConnectionAsync();
        await using var transaction = await connection.BeginTransactionAsync();
        await using (var lockTable = new NpgsqlCommand($"lock table {table} in access exclusive mode", connection)) await lockTable.ExecuteNonQueryAsync();
        using var impatient = new CancellationTokenSource();
        using var request = new HttpRequestMessage(HttpMethod.Get, url);
        request.Headers.Add("x-dashboard-token", ApiServer.DashboardToken);
        var gone = server.Client.SendAsync(request, impatient.Token);
        await WaitAsync(async () => await HeldAsync() > 0);
        await impatient.CancelAsync();
        await Assert.ThrowsAnyAsync<OperationCanceledException>(() => gone);
        await WaitAsync(async () => await HeldAsync() == 0);
    }

    private async Task<long> HeldAsync() =>
        await server.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and wait_event_type = 'Lock' and pid <> pg_backend_pid()");

    private async Task<long> RunningAsync() =>
        await server.Database.ScalarAsync<long>("select count(*) from pg_stat_activity where datname = current_database() and state = 'active' and query like '%with kept as%' and pid <> pg_backend_pid()");

    private static async Task<(int, string?)> CodeAsync(Task<(int Status, System.Text.Json.JsonElement Body)> answer)
    {
        var (status, body) = await answer;
        return (status, body.GetProperty("error").GetString());
    }

    private static async Task WaitAsync(Func<Task<bool>> condition)
    {
        for (var i = 0; i < 1_000; i++)
        {
            if (await condition()) return;
            await Task.Delay(10);
        }
        Assert.Fail("It did not happen in ten seconds.");
    }
}
