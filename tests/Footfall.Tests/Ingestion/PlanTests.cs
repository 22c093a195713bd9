using Footfall.Ingestion;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Ingestion;

/// <summary>How PostgreSQL finds what a batch has to do with, when it knows nothing yet of tables that have just been filled.</summary>
public sealed class PlanTests
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(0)]
    [InlineData(500)]
    [InlineData(50_000)]
    public async Task Sessions_are_looked_up_by_their_visitors_however_little_the_planner_knows(int stored)
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        await using (var fill = new NpgsqlCommand("""
            alter table sessions set (autovacuum_enabled = off);
            insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, traffic_source, device_type, page_views, events, engaged_ms, has_conversion, is_bounce)
            select gen_random_uuid(), gen_random_uuid(), 'shop', now() - n * interval '1 second', now(), gen_random_uuid(), 'direct', 'desktop', 1, 1, 0, false, true
            from generate_series(1, $1) as n;
            """.Replace("$1", $"{stored}", StringComparison.Ordinal), connection)) await fill.ExecuteNonQueryAsync(Ct);
        await using (var setUp = new NpgsqlCommand(BatchWriter.SetUp, connection)) await setUp.ExecuteNonQueryAsync(Ct);

        const int visitors = 20_000;
        var now = TimeProvider.System.GetUtcNow();
        await using var explain = new NpgsqlCommand($"explain {BatchReads.Near}", connection);
        explain.Parameters.AddWithValue("visitors", Enumerable.Range(0, visitors).Select(_ => Guid.NewGuid()).Order().ToArray());
        explain.Parameters.AddWithValue("properties", Enumerable.Repeat("shop", visitors).ToArray());
        explain.Parameters.AddWithValue("bots", new bool[visitors]);
        explain.Parameters.AddWithValue("from", Enumerable.Repeat(now.AddMinutes(-30), visitors).ToArray());
        explain.Parameters.AddWithValue("to", Enumerable.Repeat(now.AddMinutes(30), visitors).ToArray());
        List<string> plan = [];
        await using var rows = await explain.ExecuteReaderAsync(Ct);
        while (await rows.ReadAsync(Ct)) plan.Add(rows.GetString(0));
        Assert.DoesNotContain(plan, line => line.Contains("sessions_started", StringComparison.Ordinal) || line.Contains("sessions_open", StringComparison.Ordinal));
        if (stored > 10_000) Assert.Contains(plan, line => line.Contains("Index Cond: (visitor_id = b.visitor_id)", StringComparison.Ordinal));
    }
}
