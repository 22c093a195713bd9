using System.Net;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>The same batch again and again: at once, one after the other, and after a restart.</summary>
public sealed class RetryTests : IAsyncLifetime
{
    private const int Batch = 20;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Theory]
    [InlineData("eventId", 1, 19)]
    [InlineData("timestamp", 1, 19)]
    [InlineData("neither", 20, 0)]
    public async Task A_batch_sent_twenty_times_is_counted_once_where_it_has_a_key(string key, int counted, int duplicates)
    {
        var folder = TestFolder.New("retry");
        var at = TimeProvider.System.GetUtcNow();
        var events = Enumerable.Range(0, Batch).Select(n => key switch
        {
            "eventId" => $$$"""{"eventType":"page_view","anonId":"retrying-{{{n % 3}}}","path":"/{{{n}}}","eventId":"id-{{{n}}}"}""",
            "timestamp" => $$$"""{"eventType":"page_view","anonId":"retrying-{{{n % 3}}}","path":"/{{{n}}}","timestamp":"{{{at.AddSeconds(-n):O}}}","props":{"b":1,"a":[1,2]}}""",
            _ => $$$"""{"eventType":"page_view","anonId":"retrying-{{{n % 3}}}","path":"/{{{n}}}"}""",
        });
        var body = $"[{string.Join(',', events)}]";

        foreach (var restart in new[] { false, true })
        {
            await using var server = await ServerProcess.StartListeningAsync(folder, Ct, "--Postgres:ConnectionString", database.ConnectionString, "--Capture:RateLimit:Enabled", "false");
            await Task.WhenAll(Enumerable.Range(0, 10).Select(async _ =>
            {
                // A duplicate is answered like the original.
                using var answer = await server.Client.PostAsync(body);
                Assert.Equal(HttpStatusCode.Accepted, answer.StatusCode);
                Assert.Equal(Batch, JsonDocument.Parse(await answer.Content.ReadAsStringAsync(Ct)).RootElement.GetProperty("accepted").GetInt32());
            }));
            await StoredFacts.DrainAsync(server.Client, database.Source, Ct);
            if (restart) await server.InterruptAsync(Ct);
            else await server.KillAsync(Ct);
        }

        await StoredFacts.RollUpAsync(database.Source);
        // Summed up: the test may run across midnight.
        Assert.Equal([$"{counted * Batch}|{duplicates * Batch}|0"], await database.RowsAsync("""
            select sum(events_accepted), sum(events_duplicate), sum(events_rejected) from daily_ingest_rollups where property_id = 'default'
            """));
        Assert.Equal([$"{counted * Batch}|{counted * Batch}"], await database.RowsAsync("""
            select (select count(*) from events where property_id = 'default'), (select sum(page_views) from daily_metric_rollups where property_id = 'default')
            """));
        await StoredFacts.HoldAsync(database.Source);
    }
}
