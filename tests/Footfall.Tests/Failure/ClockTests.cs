using System.Net;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>The machine's clock is set forward and back while the server runs.</summary>
public sealed class ClockTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task A_clock_that_jumps_an_hour_loses_no_event_keeps_their_order_and_stops_no_job()
    {
        const int Events = 400;
        var time = new ShiftedTime();
        await using var server = await TestServer.StartAsync(
            TestFolder.New("clock"), services => services.AddSingleton<TimeProvider>(time),
            "--Postgres:ConnectionString", database.ConnectionString, "--Capture:RateLimit:Enabled", "false",
            "--Rollups:DirtySchedule", "* * * * * ?", "--Rollups:SealSchedule", "* * * * * ?", "--Rollups:PartitionsSchedule", "* * * * * ?", "--Journal:SegmentBytes", "8192");

        // One sender, so that the order of arrival is known; no time of the client's, so that all times are the server's.
        for (var n = 0; n < Events; n++)
        {
            if (n % 20 == 0) time.Shift((n / 20 % 3) switch { 0 => TimeSpan.Zero, 1 => TimeSpan.FromHours(1), _ => TimeSpan.FromHours(-1) });
            await server.Client.TakenAsync($$$"""{"eventType":"page_view","eventId":"{{{n}}}","anonId":"visitor-of-{{{n % 7}}}","path":"/","props":{"k":"{{{n}}}"}}""");
        }
        await StoredFacts.DrainAsync(server.Client, database.Source, Ct);
        await StoredFacts.AreStoredOnceAsync(database.Source, [.. Enumerable.Range(0, Events).Select(n => $"{n}")]);
        Assert.Equal(
            Enumerable.Range(0, Events).Select(n => $"{n}"),
            await database.RowsAsync("select props ->> 'k' from events where property_id = 'default' order by id"));

        // Back by an hour for good: everything that was planned by the old clock would be an hour away.
        time.Shift(TimeSpan.FromHours(-1));
        var runs = await database.ScalarAsync<long>("select coalesce(max(id), 0) from rollup_runs");
        await server.Client.TakenAsync("""{"eventType":"page_view","eventId":"late","anonId":"visitor-of-the-end","path":"/","props":{"k":"late"}}""");
        await Eventually.IsTrueAsync("the job of changed days runs on", async () =>
            await database.ScalarAsync<long>($"select count(*) from rollup_runs where id > {runs} and status = 'succeeded'") > 0
            && await database.ScalarAsync<long>("select sum(page_views)::bigint from daily_metric_rollups where property_id = 'default'") == Events + 1, Ct);

        var (status, ready) = await server.Client.AskAsync("/v1/readyz");
        Assert.True(status == HttpStatusCode.OK, ready);
        Assert.Empty(server.Log.Errors);
        await StoredFacts.HoldAsync(database.Source);
    }
}
