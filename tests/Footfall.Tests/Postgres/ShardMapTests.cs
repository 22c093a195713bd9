using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>Large batches ask each shard of a cluster about its own visitors; what comes out is what small ones, and a single PostgreSQL, come to.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ShardMapTests : IAsyncLifetime
{
    private const int Visitors = 2 * ShardMap.WorthSplitting;
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly List<TestDatabase> databases = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var database in databases) await database.DisposeAsync();
    }

    [Fact]
    public async Task Parts_are_shards_where_there_are_some_and_one_else()
    {
        var database = await NewAsync();
        Guid[] visitors = [.. Enumerable.Range(0, Visitors).Select(n => VisitorIds.OfAnonId($"visitor-{n}")).Order()];
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        List<IReadOnlyList<Guid>> parts = [.. (await ShardMap.OfAsync(connection, visitors, Ct)).Split(visitors, v => v)];
        Assert.Equal(visitors, parts.SelectMany(p => p).Order());
        Assert.All(parts, p => Assert.Equal(p.Order(), p));
        Assert.Equal(TestCluster.IsUsed ? TestCluster.Shards : 1, parts.Count);
        if (!TestCluster.IsUsed) return;
        List<string> shards = [];
        foreach (var part in parts) shards.Add(Assert.Single(await database.RowsAsync($"select distinct get_shard_id_for_distribution_column('visitors', v) from unnest('{{{string.Join(',', part)}}}'::uuid[]) v")));
        Assert.Equal(TestCluster.Shards, shards.Distinct().Count());
    }

    [Fact]
    public async Task Few_are_asked_about_at_once()
    {
        var database = await NewAsync();
        Guid[] visitors = [.. Enumerable.Range(0, ShardMap.WorthSplitting - 1).Select(n => VisitorIds.OfAnonId($"visitor-{n}"))];
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        Assert.Same(ShardMap.Whole, await ShardMap.OfAsync(connection, visitors, Ct));
    }

    [Fact]
    public async Task Large_batches_come_to_what_small_ones_come_to()
    {
        var (large, small) = (await NewAsync(), await NewAsync());
        CapturedEvent[][] rounds = [[.. Events(0)], [.. Events(1)], [.. Events(0), .. Events(2)]];   // the same session, then again what was there, and a later one
        foreach (var round in rounds)
        {
            Assert.Equal(Visitors, await StoreAsync(large, round, round.Length));
            Assert.Equal(Visitors, await StoreAsync(small, round, ShardMap.WorthSplitting - 1));
        }
        foreach (var table in new[] { "events", "event_keys", "sessions", "visitors" })
        {
            var sql = $"select (to_jsonb(t) - 'number')::text from {table} t";   // numbers are in the order of arrival
            var rows = (await large.RowsAsync(sql)).Order(StringComparer.Ordinal).ToList();
            Assert.Equal((table is "events" or "event_keys" ? 3 : table == "sessions" ? 2 : 1) * Visitors, rows.Count);
            Assert.Equal((await small.RowsAsync(sql)).Order(StringComparer.Ordinal), rows);
        }
    }

    private async Task<TestDatabase> NewAsync()
    {
        var database = await TestDatabase.CreateAsync();
        databases.Add(database);
        return database;
    }

    /// <summary>One event of each visitor: at noon, ten minutes later, an hour later.</summary>
    private static IEnumerable<CapturedEvent> Events(int round) => Enumerable.Range(0, Visitors).Select(n =>
    {
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, (round * Visitors) + n + 1);
        var at = Noon.AddSeconds(n).AddMinutes(round switch { 0 => 0, 1 => 10, _ => 70 });
        return Told.Event($"{n}", $"{at:O}", path: $"/{n % 4}", device: n % 50 == 0 ? DeviceType.Bot : DeviceType.Desktop) with { Id = new Guid(id, bigEndian: true), DedupeKey = new Guid(id, bigEndian: false) };
    });

    private static async Task<long> StoreAsync(TestDatabase database, CapturedEvent[] events, int most)
    {
        await using var writer = new BatchWriter(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        var stored = 0L;
        foreach (var chunk in events.Chunk(most))
        {
            var batch = new IngestBatch();
            foreach (var e in chunk) batch.Add(e);
            await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, Ct);
            stored += batch.Stored;
        }
        return stored;
    }
}
