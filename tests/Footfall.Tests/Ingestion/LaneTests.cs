using System.Buffers;
using System.Diagnostics.Metrics;
using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Journal;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Ingestion;

/// <summary>A journal that is drained by several writers at once, on the real database.</summary>
public sealed class LaneTests : IAsyncLifetime
{
    private const int Events = 3_000;
    private const int InRecord = 20;
    private static readonly DateTimeOffset Epoch = new(2026, 3, 2, 22, 0, 0, TimeSpan.Zero);
    private static readonly DayOutcome[] Dropped = [new("shop", 0), new("app", 1), new("unseen", 2)];

    private TestDatabase one = null!, several = null!;

    public async ValueTask InitializeAsync() => (one, several) = (await TestDatabase.CreateAsync(), await TestDatabase.CreateAsync());

    public async ValueTask DisposeAsync()
    {
        await one.DisposeAsync();
        await several.DisposeAsync();
    }

    [Fact]
    public void Every_visitor_is_in_one_lane_and_every_lane_of_one_writer()
    {
        var lanes = Enumerable.Range(0, 2_000).GroupBy(i => Lanes.Of(VisitorIds.OfAnonId($"visitor-{i}"))).ToDictionary(g => g.Key, g => g.Count());
        Assert.Equal(Lanes.All, lanes.Keys.Order());
        Assert.All(lanes.Values, n => Assert.InRange(n, 400, 600));
        for (var writers = 1; writers <= Lanes.Count; writers++) Assert.Equal(Lanes.All, Enumerable.Range(0, writers).SelectMany(w => Lanes.Of(w, writers)).Order());
    }

    [Fact]
    public async Task Several_writers_store_what_one_does()
    {
        await DrainAsync(one, writers: 1);
        await DrainAsync(several, writers: 3);
        Assert.Equal(Events, await several.ScalarAsync<long>("select count(*) from events"));
        foreach (var rows in (string[])
                 [
                     "select * from events order by visitor_id, occurred_at, id",
                     "select * from sessions order by visitor_id, id",
                     "select id, anon_id, first_seen_at, last_seen_at, account_id from visitors order by id",
                     "select id, username from accounts order by id",
                     "select id from properties order by id",
                     "select * from ingest_counts order by property_id, day, outcome, reason",
                     "select property_id, day from dirty_days order by property_id, day",
                 ])
            Assert.Equal(await one.RowsAsync(rows), await several.RowsAsync(rows));
        Assert.Equal(["True"], await several.RowsAsync("select count(distinct number) = count(*) and max(number) = count(*) from visitors"));
    }

    [Fact]
    public async Task A_lane_that_was_ahead_when_the_server_died_stores_nothing_twice()
    {
        var folder = Journal(out var journal);
        await using (var blocker = await several.Source.OpenConnectionAsync())
        {
            // Who holds a lane's key holds up its writer, and no other.
            await using var hold = new NpgsqlCommand("select pg_advisory_lock(@key)", blocker);
            hold.Parameters.AddWithValue("key", BatchWriter.LockKey + 2);
            await hold.ExecuteNonQueryAsync();
            using var death = new CancellationTokenSource();
            await using var writers = Writers(several, 2);
            var draining = Drain(several, journal, writers, folder).DrainOnceAsync(death.Token);
            await Eventually.IsTrueAsync("the other writer has stored its lanes", async () => await several.ScalarAsync<long>("select count(*) from journal_lanes") == 2, default);
            await death.CancelAsync();
            await Assert.ThrowsAnyAsync<OperationCanceledException>(() => draining);
        }
        NpgsqlConnection.ClearAllPools();
        Assert.InRange(await several.ScalarAsync<long>("select count(*) from events"), 1, Events - 1);
        var at = await new JournalPositions(several.Source, TimeProvider.System).ReadAsync(journal.Id, default);
        Assert.True(at.Through < at.Furthest, "One lane is ahead.");
        await journal.DisposeAsync();

        // Another number of writers takes it up.
        await using var again = EventJournal.Open(folder.Journal, new JournalOptions(), TimeProvider.System, NullLogger<EventJournal>.Instance);
        await using (var writers = Writers(several, 3)) await Drain(several, again, writers, folder).DrainOnceAsync(default);
        Assert.Equal(Events, await several.ScalarAsync<long>("select count(*) from events"));
        Assert.Equal(Events, await several.ScalarAsync<long>("select sum(events) from ingest_counts where outcome = 'accepted'"));
        Assert.Equal(Dropped.Length * 5, await several.ScalarAsync<long>("select sum(events) from ingest_counts where outcome = 'dropped'"));
        at = await new JournalPositions(several.Source, TimeProvider.System).ReadAsync(again.Id, default);
        Assert.Equal(at.Through, at.Furthest);
    }

    [Fact]
    public async Task A_journal_goes_on_from_where_a_server_without_lanes_left_it()
    {
        var folder = Journal(out var journal);
        await using var writers = Writers(several, 2);
        await several.ExecuteAsync("""insert into journal_positions (journal_id, segment, "offset", updated_at) values (@id, @segment, @offset, now())""",
            ("id", journal.Id), ("segment", journal.End.Segment), ("offset", journal.End.Offset));
        await Drain(several, journal, writers, folder).DrainOnceAsync(default);
        Assert.Equal(0, await several.ScalarAsync<long>("select count(*) from events"));
        await journal.DisposeAsync();
    }

    private async Task DrainAsync(TestDatabase database, int writers)
    {
        var folder = Journal(out var journal);
        await using (journal)
        await using (var lanes = Writers(database, writers))
            await Drain(database, journal, lanes, folder).DrainOnceAsync(default);
    }

    /// <summary>Sessions over midnight, late events, accounts that visitors of several lanes share, none with a key; counts of what was turned away between them.</summary>
    private static DataFolder Journal(out EventJournal journal)
    {
        var folder = new DataFolder(TestFolder.New("lanes"));
        Directory.CreateDirectory(folder.SetAside);
        journal = EventJournal.Open(folder.Journal, new JournalOptions(), TimeProvider.System, NullLogger<EventJournal>.Instance);
        var random = new Random(7);
        var events = Enumerable.Range(0, Events).Select(i =>
        {
            Span<byte> id = stackalloc byte[16];
            System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, i);
            var visitor = random.Next(150);
            return Told.Event($"lane-{visitor}", Epoch.AddSeconds(random.Next(6 * 3600)).ToString("O"), path: $"/{random.Next(9)}", property: random.Next(3) == 0 ? "app" : "shop", engagedMs: random.Next(9_000), received: Epoch.AddHours(7).ToString("O")) with
            {
                Id = new Guid(id, bigEndian: true),
                AccountId = visitor % 3 == 0 ? $"account-{visitor % 7}" : null,
                AccountUsername = visitor % 3 == 0 ? $"name-{visitor % 7}" : null,
            };
        }).ToArray();
        foreach (var (record, n) in events.Chunk(InRecord).Select((r, n) => (r, n)))
        {
            var bytes = new ArrayBufferWriter<byte>();
            CaptureRecord.WriteEvents(bytes, record);
            Assert.Equal(AppendResult.Durable, journal.AppendAsync(bytes.WrittenMemory, default).AsTask().GetAwaiter().GetResult());
            if (n % 30 != 0) continue;
            bytes.Clear();
            CaptureRecord.WriteCounts(bytes, [.. Dropped.Select(d => new OutcomeCount(d.Property, DateOnly.FromDateTime(Epoch.UtcDateTime).AddDays(d.Days), "dropped", "opted_out", 1))]);
            Assert.Equal(AppendResult.Durable, journal.AppendAsync(bytes.WrittenMemory, default).AsTask().GetAwaiter().GetResult());
        }
        return folder;
    }

    private static LaneWriters Writers(TestDatabase database, int writers) => new(
        () => new BatchWriter(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System),
        Options.Create(new IngestionOptions { Writers = writers }));

    private static JournalDrain Drain(TestDatabase database, EventJournal journal, LaneWriters writers, DataFolder folder) => new(
        journal, writers, new JournalPositions(database.Source, TimeProvider.System), new DatabaseGate(TimeProvider.System), folder,
        Options.Create(new IngestionOptions()), new IngestionMeter(new ServiceCollection().AddMetrics().BuildServiceProvider().GetRequiredService<IMeterFactory>()), TimeProvider.System, NullLogger<JournalDrain>.Instance);

    private sealed record DayOutcome(string Property, int Days);
}
