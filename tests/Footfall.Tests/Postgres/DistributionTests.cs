using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Ingestion;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Tests.Cli;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Model;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>The step from one machine to a cluster. What needs one is skipped without CITUS_URL.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class DistributionTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly TimeSpan LongerThanDeadlocksAreLookedFor = TimeSpan.FromSeconds(1.5);   // deadlock_timeout is 1 s
    private static readonly DateTimeOffset Noon = new(2026, 3, 2, 12, 0, 0, TimeSpan.Zero);

    private readonly List<TestDatabase> databases = [];

    public ValueTask InitializeAsync() => ValueTask.CompletedTask;

    public async ValueTask DisposeAsync()
    {
        foreach (var database in databases) await database.DisposeAsync();
    }

    [Fact]
    public async Task A_server_without_Citus_is_refused_and_told_what_it_lacks()
    {
        Assert.SkipWhen(TestCluster.IsUsed, "This server has Citus.");
        var database = await NewAsync(migrated: true);
        var refusal = await Assert.ThrowsAsync<SetupException>(() => Distribution.RunAsync(database.Source, 4, dryRun: false, Ct));
        Assert.Contains("citus", refusal.Message, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("docs/cluster.md", refusal.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task An_empty_database_is_distributed_once()
    {
        var database = await NewMigratedAsync();
        var first = await Distribution.RunAsync(database.Source, 4, dryRun: false, Ct);
        Assert.Equal(4, first.Shards);
        Assert.NotEmpty(first.Workers);
        Assert.Equal(["visitors by id 0", "sessions by visitor_id 0", "events by visitor_id 0", "event_keys by visitor_id 0", "account_numbers whole on every node 0"], first.Tables.Select(t => $"{t.Table} {t.How} {t.Rows}"));

        var again = await Distribution.RunAsync(database.Source, 8, dryRun: false, Ct);
        Assert.All(again.Tables, t => Assert.Null(t.Rows));
        Assert.Equal(4, again.Shards);
        Assert.Single(await database.RowsAsync("select distinct colocationid from pg_dist_partition where partmethod = 'h'"));
    }

    [Fact]
    public async Task A_filled_database_is_distributed_row_for_row_and_goes_on()
    {
        var database = await NewMigratedAsync();
        await StoreAsync(database, Events(0, 400));
        await RollUpAsync(database);
        var before = await AllRowsAsync(database);

        var tried = await Distribution.RunAsync(database.Source, 4, dryRun: true, Ct);
        Assert.Equal(400, tried.Tables.Single(t => t.Table == "events").Rows);
        await using (var connection = await database.Source.OpenConnectionAsync(Ct)) Assert.False(await Distribution.IsOnAsync(connection, Ct));

        var report = await Distribution.RunAsync(database.Source, 4, dryRun: false, Ct);
        Assert.Equal(400, report.Tables.Single(t => t.Table == "events").Rows);
        Assert.Equal(before, await AllRowsAsync(database));
        // Nothing stays on the coordinator, where nobody would see or erase it any more.
        Assert.Equal("0", await database.ScalarAsync<string>("""
            select sum(pg_relation_size(c.oid))::text
            from pg_class c
            where c.oid in (select logicalrelid from pg_dist_partition where partmethod = 'h') and c.relkind = 'r'
            """));

        // The same events again are duplicates, later ones go on with their visitors' sessions.
        await StoreAsync(database, Events(0, 400));
        Assert.Equal("400", await database.ScalarAsync<string>("select count(*)::text from events"));
        await StoreAsync(database, Events(400, 100));
        await RollUpAsync(database);
        Assert.Equal("500", await database.ScalarAsync<string>("select count(*)::text from events"));
        Assert.Equal("500", await database.ScalarAsync<string>("select sum(events)::text from daily_metric_rollups"));
        Assert.Empty(await new Discrepancy(database.Source).FindAsync(new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 10), null, Ct));
    }

    [Fact]
    public async Task What_is_ingested_and_rolled_up_while_tables_are_distributed_is_neither_lost_nor_doubled()
    {
        var database = await NewMigratedAsync();
        await StoreAsync(database, Events(0, 200));
        var writing = Task.Run(async () =>
        {
            for (var n = 200; n < 400; n += 10) await StoreAsync(database, Events(n, 10));
        }, Ct);
        var rolling = Task.Run(async () =>
        {
            for (var n = 0; n < 5; n++) await RollUpAsync(database);
        }, Ct);
        await Distribution.RunAsync(database.Source, 4, dryRun: false, Ct);
        await Task.WhenAll(writing, rolling);
        await RollUpAsync(database);
        Assert.Equal("400", await database.ScalarAsync<string>("select count(*)::text from events"));
        Assert.Equal("400", await database.ScalarAsync<string>("select sum(events)::text from daily_metric_rollups"));
        Assert.Empty(await new Discrepancy(database.Source).FindAsync(new DateOnly(2026, 3, 1), new DateOnly(2026, 3, 10), null, Ct));
    }

    [Fact]
    public async Task A_rollup_under_way_is_waited_for_and_not_broken_off()
    {
        var database = await NewMigratedAsync();
        await StoreAsync(database, Events(0, 50));
        var inTheMiddle = new TaskCompletionSource(TaskCreationOptions.RunContinuationsAsynchronously);
        var goOn = new TaskCompletionSource();
        var model = new TwoReads(inTheMiddle, goOn.Task);
        var runner = new RollupRunner(database.Source, new RollupStore(database.Source), [model], TimeProvider.System, NullLogger<RollupRunner>.Instance);
        var rolling = runner.RunDirtyAsync(null, wait: true, Ct);
        await inTheMiddle.Task.WaitAsync(Ct);

        var waits = new List<string>();
        var distributing = Distribution.RunAsync(database.Source, 4, dryRun: false, Ct, new Told(waits));
        await Task.Delay(LongerThanDeadlocksAreLookedFor, Ct);
        Assert.False(distributing.IsCompleted);
        goOn.SetResult();
        Assert.Null((await rolling).Error);
        Assert.Equal(1, model.Begun);   // and not tried again either
        Assert.Equal(50, (await distributing).Tables.Single(t => t.Table == "events").Rows);
        Assert.Contains("rollup", Assert.Single(waits), StringComparison.Ordinal);
    }

    [Fact]
    public async Task Who_reads_the_tables_in_another_order_is_waited_for_and_not_broken_off()
    {
        var database = await NewMigratedAsync();
        await StoreAsync(database, Events(0, 50));
        await using var reader = await database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await reader.BeginTransactionAsync(Ct);
        Assert.Equal(50L, await CountAsync(reader, "events"));

        var waits = new List<string>();
        var distributing = Distribution.RunAsync(database.Source, 4, dryRun: false, Ct, new Told(waits));
        // Whoever comes second to wait in a circle finds it, and is broken off.
        await Task.Delay(LongerThanDeadlocksAreLookedFor, Ct);
        Assert.Equal(30L, await CountAsync(reader, "visitors"));
        await StoreAsync(database, Events(50, 10));   // events come in all the same
        Assert.False(distributing.IsCompleted);
        await transaction.CommitAsync(Ct);
        Assert.Equal(60, (await distributing).Tables.Single(t => t.Table == "events").Rows);
        Assert.Contains("reads the tables", Assert.Single(waits), StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_new_week_is_distributed_with_its_rows_and_an_old_one_goes_from_every_node()
    {
        var database = await NewMigratedAsync();
        await Distribution.RunAsync(database.Source, 4, dryRun: false, Ct);
        var partitions = new EventPartitions(TimeProvider.System);
        await database.ExecuteAsync("""
            insert into events (visitor_id, id, occurred_at, received_at, property_id, event_type, traffic_source, device_type, is_entrance, is_exit, is_conversion)
            select gen_random_uuid(), gen_random_uuid(), '2025-03-02T23:00:00Z'::timestamptz + n * interval '1 hour', now(), 'p', 'page_view', 'direct', 'desktop', false, false, false
            from generate_series(0, 9) n
            """);
        await using var connection = await database.Source.OpenConnectionAsync(Ct);
        Assert.True(await partitions.EnsureAsync(connection, [new DateTimeOffset(2025, 3, 3, 0, 0, 0, TimeSpan.Zero)], Ct));
        Assert.Equal("h", await database.ScalarAsync<string>("select partmethod::text from pg_dist_partition where logicalrelid = 'events_2025w10'::regclass"));
        Assert.Equal(["9|1"], await database.RowsAsync("select (select count(*) from events_2025w10), (select count(*) from events_default)"));

        Assert.True(await partitions.DropAsync(connection, new DateOnly(2025, 3, 3), Ct));
        Assert.Equal("1", await database.ScalarAsync<string>("select count(*)::text from events"));
        Assert.Equal("0", await database.ScalarAsync<string>("""
            select sum(result::int)::text from run_command_on_workers($$ select count(*) from pg_class where relname like 'events_2025w10%' $$)
            """));
    }

    [Fact]
    public async Task What_was_distributed_otherwise_is_refused_with_the_way_out()
    {
        var database = await NewMigratedAsync();
        await database.ExecuteAsync("select create_distributed_table('sessions', 'id')");
        var refusal = await Assert.ThrowsAsync<SetupException>(() => Distribution.RunAsync(database.Source, 4, dryRun: false, Ct));
        Assert.Contains("undistribute_table('sessions')", refusal.Message, StringComparison.Ordinal);
        Assert.Equal(["sessions"], await database.RowsAsync("select logicalrelid::text from pg_dist_partition"));

        await database.ExecuteAsync("select undistribute_table('sessions')");
        await database.ExecuteAsync("create table stray (id uuid primary key references visitors)");
        refusal = await Assert.ThrowsAsync<SetupException>(() => Distribution.RunAsync(database.Source, 4, dryRun: false, Ct));
        Assert.Contains("stray", refusal.Message, StringComparison.Ordinal);
        await database.ExecuteAsync("drop table stray");
        await Distribution.RunAsync(database.Source, 4, dryRun: false, Ct);
    }

    [Fact]
    public async Task A_coordinator_without_workers_and_a_worker_are_refused()
    {
        TestCluster.Require();
        var database = Keep(await TestDatabase.CreateAsync(migrated: false));
        await Migrator.RunAsync(database.Source, Ct);
        await using (var worker = NpgsqlDataSource.Create(TestCluster.OnWorker(database.ConnectionString)))
        {
            var refusal = await Assert.ThrowsAsync<SetupException>(() => Distribution.RunAsync(worker, 4, dryRun: false, Ct));
            Assert.Contains("coordinator", refusal.Message, StringComparison.Ordinal);
        }
        await database.ExecuteAsync("select citus_remove_node(nodename, nodeport) from pg_dist_node where groupid <> 0");
        await database.ExecuteAsync("select citus_set_node_property(nodename, nodeport, 'shouldhaveshards', false) from pg_dist_node");
        var none = await Assert.ThrowsAsync<SetupException>(() => Distribution.RunAsync(database.Source, 4, dryRun: false, Ct));
        Assert.Contains("citus_add_node", none.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_rollup_leaves_the_mark_while_a_worker_has_not_committed_what_it_stands_for()
    {
        TestCluster.Require();
        var database = Keep(await TestDatabase.CreateAsync());
        await StoreAsync(database, Events(0, 50));
        // As a worker has it that was cut off between the two phases of a commit.
        await using (var worker = NpgsqlDataSource.Create(TestCluster.OnWorker(database.ConnectionString)))
        {
            await RunAsync(worker, "begin; create table unfinished (n integer); prepare transaction 'citus_0_1_999999_1'");
            Assert.Empty(await new RollupStore(database.Source).DirtyDaysAsync(null, Ct));
            await RunAsync(worker, "rollback prepared 'citus_0_1_999999_1'");
        }
        Assert.NotEmpty(await new RollupStore(database.Source).DirtyDaysAsync(null, Ct));
    }

    [Fact]
    public async Task A_rollup_waits_for_the_batch_that_is_being_committed()
    {
        TestCluster.Require();
        var database = Keep(await TestDatabase.CreateAsync());
        await StoreAsync(database, Events(0, 50));
        await using var committing = await database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await committing.BeginTransactionAsync(Ct);
        await BatchWriter.LockAsync(committing, Ct);
        var reading = new RollupStore(database.Source).DirtyDaysAsync(null, Ct);
        await Task.Delay(300, Ct);
        Assert.False(reading.IsCompleted);
        await transaction.CommitAsync(Ct);
        Assert.NotEmpty(await reading);
    }

    [Fact]
    public async Task A_migration_may_change_the_rows_and_the_form_of_a_distributed_table()
    {
        TestCluster.Require();
        var database = Keep(await TestDatabase.CreateAsync());
        await StoreAsync(database, Events(0, 50));
        var next = new Migration(Migration.OfThisProgram.Count + 1, "next", """
            update events set path = '/' where path is null;
            alter table events add column referrer_path text;
            create index events_referrer on events (property_id, referrer_path);
            update events set referrer_path = path;
            alter table visitors add column note text not null default '';
            """);
        await Migrator.RunAsync(database.Source, [.. Migration.OfThisProgram, next], NullLogger.Instance, TimeProvider.System, Ct);
        Assert.Equal("50", await database.ScalarAsync<string>("select count(*)::text from events where referrer_path is not null"));
    }

    [Fact]
    public async Task The_command_distributes_tells_what_it_did_and_does_it_once()
    {
        TestCluster.Require();
        var cli = new CommandLineFixture();
        await cli.InitializeAsync(migrated: false);
        Keep(cli.Database);
        var (exit, output, error) = await cli.RunAsync("migrate", "--cluster", "--shards", "4");
        Assert.True(exit == 0, error);
        Assert.Contains("visitors", output, StringComparison.Ordinal);
        Assert.Contains("4 shards", output, StringComparison.Ordinal);
        (exit, output, _) = await cli.RunAsync("migrate", "--cluster");
        Assert.Equal(0, exit);
        Assert.Contains("nothing was changed", output, StringComparison.Ordinal);
    }

    private async Task<TestDatabase> NewAsync(bool migrated) => Keep(await TestDatabase.CreateAsync(migrated));

    private async Task<TestDatabase> NewMigratedAsync()
    {
        TestCluster.Require();
        var database = await NewAsync(migrated: false);
        await Migrator.RunAsync(database.Source, Ct);
        return database;
    }

    private TestDatabase Keep(TestDatabase database)
    {
        databases.Add(database);
        return database;
    }

    /// <summary>Thirty visitors, every seventh event a conversion, an account on every fifth.</summary>
    private static IEnumerable<CapturedEvent> Events(int from, int count) => Enumerable.Range(from, count).Select(n =>
    {
        Span<byte> id = stackalloc byte[16];
        System.Buffers.Binary.BinaryPrimitives.WriteInt32BigEndian(id, n + 1);
        return new CapturedEvent
        {
            Id = new Guid(id, bigEndian: true),
            VisitorId = VisitorIds.OfAnonId($"visitor-{n % 30}"),
            VisitorKind = VisitorKind.AnonId,
            AnonId = $"visitor-{n % 30}",
            DedupeKey = new Guid(id, bigEndian: false),
            PropertyId = "shop",
            EventType = n % 7 == 0 ? "signup" : "page_view",
            Path = $"/{n % 4}",
            OccurredAt = Noon.AddMinutes(n),
            ReceivedAt = Noon.AddMinutes(n),
            AccountId = n % 5 == 0 ? $"account-{n % 30}" : null,
            DeviceType = DeviceType.Desktop,
            TrafficSource = TrafficSource.Direct,
            IsConversion = n % 7 == 0,
        };
    });

    private static async Task StoreAsync(TestDatabase database, IEnumerable<CapturedEvent> events)
    {
        var batch = new IngestBatch();
        foreach (var e in events) batch.Add(e);
        await using var writer = new BatchWriter(database.Source, new EventPartitions(TimeProvider.System), Options.Create(new SessionsOptions()), TimeProvider.System);
        await writer.WriteAsync(batch, (_, _) => Task.CompletedTask, Ct);
    }

    private static async Task RollUpAsync(TestDatabase database)
    {
        await new SessionSealer(database.Source, Options.Create(new SessionsOptions()), TimeProvider.System).SealAsync(Ct);
        var runner = AllModels.Runner(database.Source, AllModels.Funnels(database.Source), TimeProvider.System);
        Assert.Null((await runner.RunDirtyAsync(null, wait: true, Ct)).Error);
    }

    private static async Task<long> CountAsync(NpgsqlConnection connection, string table)
    {
        await using var command = new NpgsqlCommand($"select count(*) from {table}", connection);
        return (long)(await command.ExecuteScalarAsync(Ct))!;
    }

    /// <summary>Every row of every table, in an order of its own.</summary>
    private static async Task<List<string>> AllRowsAsync(TestDatabase database)
    {
        List<string> rows = [];
        foreach (var table in await database.RowsAsync("select c.oid::regclass::text from pg_class c where c.relkind in ('r', 'p') and not c.relispartition and c.relnamespace = 'public'::regnamespace and c.relname not like 'citus%' order by 1"))
            rows.AddRange((await database.RowsAsync($"select to_jsonb(t)::text from {table} t")).Select(r => $"{table} {r}").Order(StringComparer.Ordinal));
        return rows;
    }

    private static async Task RunAsync(NpgsqlDataSource source, string sql)
    {
        await using var connection = await source.OpenConnectionAsync(Ct);
        foreach (var statement in sql.Split("; "))
        {
            await using var command = new NpgsqlCommand(statement, connection);
            await command.ExecuteNonQueryAsync(Ct);
        }
    }

    private sealed class Told(List<string> lines) : IProgress<string>
    {
        public void Report(string value) => lines.Add(value);
    }

    /// <summary>Reads events and, when it may go on, visitors.</summary>
    private sealed class TwoReads(TaskCompletionSource inTheMiddle, Task goOn) : IDayModel
    {
        public string Job => "two-reads";

        public int Begun { get; private set; }

        public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
        {
            Begun++;
            var events = await CountAsync(connection, "events");
            inTheMiddle.TrySetResult();
            await goOn.WaitAsync(cancellationToken);
            return new DayOutcome((int)(events + await CountAsync(connection, "visitors")), 0);
        }
    }
}
