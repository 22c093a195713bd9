using System.Buffers.Binary;
using Footfall.Capture;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Ingestion;

/// <summary>All lanes at once, each changing whatever a batch can change: on a cluster such a change locks parts of tables, not only its rows.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LanesAtOnceTests : IAsyncLifetime
{
    private const int Visitors = 1_200;   // so that a lane's batch is asked about shard by shard
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    /// <summary>Minutes at which everybody looks at a page, in the order of arrival: two sessions; one that bridges them; an earlier entrance; the bridge again, which is a duplicate; a new session.</summary>
    private static readonly int[] Rounds = [0, 50, 25, -10, 25, 200];

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public ValueTask DisposeAsync() => database.DisposeAsync();

    [Fact]
    public async Task They_do_not_wait_for_each_other_in_a_circle()
    {
        await Task.WhenAll(Lanes.All.Select(WriteAsync)).WaitAsync(TimeSpan.FromMinutes(2), Ct);
        Assert.Equal([$"{5 * Visitors}|{2 * Visitors}"], await database.RowsAsync("select count(*), count(*) filter (where is_entrance) from events"));
        Assert.Equal([$"{2 * Visitors}|{Visitors}|{5 * Visitors}"], await database.RowsAsync("select count(*), count(*) filter (where page_views = 4), sum(events) from sessions"));
        Assert.Equal([$"{Visitors}|{Noon.AddMinutes(-10):yyyy-MM-dd HH:mm}"], await database.RowsAsync("select count(*), to_char(min(first_seen_at) at time zone 'UTC', 'YYYY-MM-DD HH24:MI') from visitors where first_seen_at < '2026-03-02T12:00:00Z'"));
    }

    [Fact]
    public async Task No_statement_of_a_batch_is_compiled_first_whatever_the_server_is_set_to()
    {
        await using var source = new Npgsql.NpgsqlDataSourceBuilder(new Npgsql.NpgsqlConnectionStringBuilder(database.ConnectionString) { Options = "-c jit=on" }.ConnectionString).Build();
        await using var writer = new BatchWriter(source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        var batch = new IngestBatch();
        foreach (var e in Events(0).Take(10)) batch.Add(e);
        string? compiles = null;
        await writer.WriteAsync(batch, async (connection, stop) =>
        {
            await using var show = new Npgsql.NpgsqlCommand("show jit", connection);
            compiles = (string?)await show.ExecuteScalarAsync(stop);
        }, Ct);
        Assert.Equal("off", compiles);
    }

    private async Task WriteAsync(int lane)
    {
        await Task.Yield();
        await using var writer = new BatchWriter(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        foreach (var minute in Rounds)
        {
            var batch = new IngestBatch();
            foreach (var e in Events(minute).Where(e => Lanes.Of(e.VisitorId) == lane)) batch.Add(e);
            await writer.WriteAsync(batch, [lane], (_, _) => Task.CompletedTask, Ct);
        }
    }

    private static IEnumerable<CapturedEvent> Events(int minute) => Enumerable.Range(0, Visitors).Select(n =>
    {
        Span<byte> id = stackalloc byte[16];
        BinaryPrimitives.WriteInt32BigEndian(id, n + 1);
        BinaryPrimitives.WriteInt32BigEndian(id[4..], minute + 100);
        return Told.Event($"{n}", $"{Noon.AddMinutes(minute):O}") with { Id = new Guid(id, bigEndian: true), DedupeKey = new Guid(id, bigEndian: false) };
    });
}
