using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

[Trait("Category", TestCluster.Category)]
public sealed class EventPartitionsTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private const string Insert = """
        insert into events (visitor_id, id, occurred_at, received_at, property_id, event_type, traffic_source, device_type, is_entrance, is_exit, is_conversion)
        values (gen_random_uuid(), gen_random_uuid(), @at, @at, 'p', 'page_view', 'direct', 'desktop', false, false, false)
        """;

    private readonly EventPartitions partitions = new(TimeProvider.System);
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Theory]
    [InlineData("2026-01-26T00:00:00Z", "2026-01-26", "events_2026w05")]
    [InlineData("2026-02-01T23:59:59.999Z", "2026-01-26", "events_2026w05")]
    [InlineData("2026-02-02T00:00:00Z", "2026-02-02", "events_2026w06")]
    [InlineData("2026-02-02T00:30:00+01:00", "2026-01-26", "events_2026w05")]
    [InlineData("2027-01-01T00:00:00Z", "2026-12-28", "events_2026w53")]
    [InlineData("2024-12-31T12:00:00Z", "2024-12-30", "events_2025w01")]
    [InlineData("2021-01-03T12:00:00Z", "2020-12-28", "events_2020w53")]
    public void A_week_is_the_ISO_week_in_UTC(string instant, string monday, string name)
    {
        var week = EventPartitions.WeekOf(DateTimeOffset.Parse(instant));
        Assert.Equal(DateOnly.Parse(monday), week);
        Assert.Equal(name, EventPartitions.NameOf(week));
    }

    [Fact]
    public async Task Rows_that_lie_in_the_default_partition_move_to_their_week()
    {
        DateTimeOffset[] at = [Utc("2025-03-02T23:59:59.999999Z"), Utc("2025-03-03T00:00:00Z"), Utc("2025-03-09T23:59:59.999999Z"), Utc("2025-03-10T00:00:00Z")];
        foreach (var instant in at)
            await InsertAsync(instant);
        Assert.Equal(4, await database.ScalarAsync<long>("select count(*) from events_default"));

        Assert.True(await EnsureAsync(at[1]));
        Assert.Equal(["events_2025w10|2", "events_default|2"], await ByPartitionAsync());
        Assert.Equal("0", await database.ScalarAsync<string>("select count(*)::text from pg_constraint where conrelid = 'events_2025w10'::regclass and contype = 'c'"));

        // Every index of the parent has its part in the new partition.
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from pg_index p where p.indrelid = 'events'::regclass and not exists (select from pg_inherits i join pg_index c on c.indexrelid = i.inhrelid where i.inhparent = p.indexrelid and c.indrelid = 'events_2025w10'::regclass)"));
        await InsertAsync(at[2]);
        Assert.Equal(["events_2025w10|3", "events_default|2"], await ByPartitionAsync());
    }

    [Fact]
    public async Task Making_a_week_again_changes_nothing_also_from_several_at_once()
    {
        DateTimeOffset[] at = [Utc("2025-03-03T00:00:00Z"), Utc("2025-03-05T00:00:00Z"), Utc("2025-03-12T00:00:00Z")];
        await Task.WhenAll(Enumerable.Range(0, 6).Select(async _ =>
        {
            var fresh = new EventPartitions(TimeProvider.System);
            await using var connection = await database.Source.OpenConnectionAsync(Ct);
            for (var n = 0; n < 2; n++)
                Assert.True(await fresh.EnsureAsync(connection, at, Ct));
        }));
        Assert.Equal(["events_2025w10", "events_2025w11", "events_default"], await PartitionsAsync());
    }

    [Fact]
    public async Task This_week_and_the_next_two_are_made_ahead()
    {
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        Assert.True(await partitions.EnsureUpcomingAsync(connection, Ct));
        var now = TimeProvider.System.GetUtcNow();
        Assert.Equal(
            Enumerable.Range(0, 3).Select(n => EventPartitions.NameOf(EventPartitions.WeekOf(now.AddDays(7 * n)))).Append("events_default").Order(StringComparer.Ordinal),
            await PartitionsAsync());
    }

    [Fact]
    public async Task Instants_far_outside_get_no_week()
    {
        Assert.True(await EnsureAsync(Utc("1970-01-01T00:00:00Z"), Utc("2999-01-01T00:00:00Z"), DateTimeOffset.MinValue, DateTimeOffset.MaxValue));
        Assert.Equal(["events_default"], await PartitionsAsync());
    }

    [Fact]
    public async Task Weeks_are_made_while_others_write_and_read_without_a_deadlock_or_a_lost_row()
    {
        var start = Utc("2025-01-06T00:00:00Z");
        using var stop = CancellationTokenSource.CreateLinkedTokenSource(Ct);
        var written = 0;
        var writers = Enumerable.Range(0, 4).Select(n => Task.Run(async () =>
        {
            var random = new Random(n);
            while (!stop.IsCancellationRequested)
            {
                await using var connection = await database.Source.OpenConnectionAsync(Ct);
                await using var transaction = await connection.BeginTransactionAsync(Ct);
                for (var i = 0; i < 5; i++)
                {
                    await using var insert = new NpgsqlCommand(Insert, connection, transaction);
                    insert.Parameters.AddWithValue("at", start.AddHours(random.Next(24 * 7 * 12)));
                    await insert.ExecuteNonQueryAsync(Ct);
                    await using var read = new NpgsqlCommand("select count(*) from events", connection, transaction);
                    await read.ExecuteScalarAsync(Ct);
                }
                await transaction.CommitAsync(Ct);
                Interlocked.Add(ref written, 5);
            }
        }, Ct)).ToList();

        await Task.Delay(100, Ct);
        for (var week = 0; week < 12; week++)
            Assert.True(await EnsureAsync(start.AddDays(7 * week)));
        await stop.CancelAsync();
        await Task.WhenAll(writers);

        Assert.Equal(written, await database.ScalarAsync<long>("select count(*) from events"));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from events_default"));
        Assert.Equal(0, await database.ScalarAsync<long>("select deadlocks from pg_stat_database where datname = current_database()"));
    }

    [Fact]
    public async Task A_long_read_puts_a_week_off_but_loses_nothing_and_blocks_nobody_for_long()
    {
        var at = Utc("2025-03-05T00:00:00Z");
        await using var reader = await database.Source.OpenConnectionAsync(Ct);
        await using (var transaction = await reader.BeginTransactionAsync(Ct))
        {
            await using var read = new NpgsqlCommand("select count(*) from events", reader, transaction);
            await read.ExecuteScalarAsync(Ct);
            var ensure = EnsureAsync(at);
            while (!ensure.IsCompleted)
            {
                var began = TimeProvider.System.GetTimestamp();
                await InsertAsync(at);
                Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0, 4.5);
                await Task.Delay(100, Ct);
            }
            Assert.False(await ensure);
            Assert.Equal(["events_default"], await PartitionsAsync());
        }
        Assert.True(await EnsureAsync(at));
        Assert.Equal(0, await database.ScalarAsync<long>("select count(*) from events_default"));
    }

    [Fact]
    public async Task A_dropped_week_that_is_forgotten_is_made_again()
    {
        var at = Utc("2025-03-05T00:00:00Z");
        Assert.True(await EnsureAsync(at));
        await database.ExecuteAsync("drop table events_2025w10");
        partitions.Forget(EventPartitions.WeekOf(at));
        Assert.True(await EnsureAsync(at));
        Assert.Equal(["events_2025w10", "events_default"], await PartitionsAsync());
    }

    private async Task<bool> EnsureAsync(params DateTimeOffset[] instants)
    {
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        return await partitions.EnsureAsync(connection, instants, Ct);
    }

    private Task<int> InsertAsync(DateTimeOffset at) => database.ExecuteAsync(Insert, ("at", at));

    private Task<List<string>> PartitionsAsync() =>
        database.RowsAsync("select inhrelid::regclass::text from pg_inherits where inhparent = 'events'::regclass order by 1");

    private Task<List<string>> ByPartitionAsync() =>
        database.RowsAsync("select name, count(*) from (select substring(tableoid::regclass::text from '^events_(?:default|[0-9]+w[0-9]+)') as name from events offset 0) named group by 1 order by 1");   // a shard has a number behind

    private static DateTimeOffset Utc(string text) => DateTimeOffset.Parse(text);
}
