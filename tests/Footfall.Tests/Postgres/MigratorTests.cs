using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class MigratorTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private static readonly Migration[] Three =
    [
        new(1, "first", "create table steps (name text); insert into steps values ('first');"),
        new(2, "second", "insert into steps values ('second');\n"),
        new(3, "third", "insert into steps select 'third after ' || string_agg(name, ',') from steps;"),
    ];

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync(migrated: false);

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task The_programs_own_migrations_bring_an_empty_database_up_once()
    {
        Assert.Equal(Migration.OfThisProgram, await Migrator.PendingAsync(database.Source, Ct));
        Assert.Equal(Migration.OfThisProgram, await Migrator.RunAsync(database.Source, Ct));
        Assert.Empty(await Migrator.PendingAsync(database.Source, Ct));
        Assert.Empty(await Migrator.RunAsync(database.Source, Ct));
        Assert.Equal("0", await database.ScalarAsync<string>("select count(*)::text from events"));
    }

    [Fact]
    public async Task Migrations_run_in_order_and_only_the_missing_ones()
    {
        Assert.Equal([Three[0]], await RunAsync(Three[..1]));
        Assert.Equal(Three[1..], await Migrator.PendingAsync(database.Source, Three, Ct));
        Assert.Equal(Three[1..], await RunAsync(Three));
        Assert.Empty(await RunAsync(Three));
        Assert.Equal(["first", "second", "third after first,second"], await database.RowsAsync("select name from steps"));
        Assert.Equal(["1|first", "2|second", "3|third"], await database.RowsAsync("select number, name from schema_migrations order by 1"));
    }

    [Fact]
    public async Task Migrations_that_run_at_the_same_time_are_applied_once()
    {
        var slow = Three.Append(new Migration(4, "slow", "select pg_sleep(0.3); insert into steps values ('slow');")).ToArray();
        var sources = Enumerable.Range(0, 6).Select(_ => NpgsqlDataSource.Create(database.ConnectionString)).ToList();
        var applied = await Task.WhenAll(sources.Select(s => Task.Run(() => Migrator.RunAsync(s, slow, NullLogger.Instance, TimeProvider.System, Ct), Ct)));
        foreach (var source in sources)
            await source.DisposeAsync();
        Assert.Equal(4, applied.Sum(a => a.Count));
        Assert.Equal(4, await database.ScalarAsync<long>("select count(*) from steps"));
    }

    [Fact]
    public async Task A_changed_old_migration_is_refused_and_nothing_runs()
    {
        await RunAsync(Three[..2]);
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync([Three[0] with { Sql = "create table other ()" }, Three[1], Three[2]]));
        Assert.Contains("0001_first.sql", refused.Message, StringComparison.Ordinal);
        Assert.Contains("new migration", refused.Message, StringComparison.Ordinal);
        Assert.Equal(2, await database.ScalarAsync<long>("select count(*) from steps"));
    }

    [Fact]
    public async Task A_checkout_with_other_line_ends_is_the_same_migration()
    {
        Migration Ended(string end) => new(1, "ends", $"create table a (n int);{end}create table b (n int);{end}");
        await RunAsync([Ended("\n")]);
        Assert.Empty(await RunAsync([Ended("\r\n")]));
    }

    [Fact]
    public async Task A_gap_in_the_files_is_refused()
    {
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync([Three[0], Three[2]]));
        Assert.Contains("0002", refused.Message, StringComparison.Ordinal);
        Assert.Contains("0003_third.sql", refused.Message, StringComparison.Ordinal);
        Assert.Null(await database.ScalarAsync<string>("select to_regclass('steps')::text"));
    }

    [Fact]
    public async Task Two_files_with_one_number_are_refused()
    {
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync([Three[0], Three[1], Three[1] with { Name = "also" }]));
        Assert.Contains("0002_also.sql", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_gap_in_the_database_is_refused()
    {
        await RunAsync(Three);
        await database.ExecuteAsync("delete from schema_migrations where number = 2");
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync(Three));
        Assert.Contains("0002_second.sql", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_newer_than_the_program_is_refused()
    {
        await RunAsync([.. Three[..2], Three[2] with { Sql = "alter table steps rename name to title" }]);
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync(Three[..2]));
        Assert.Contains("newer than this program", refused.Message, StringComparison.Ordinal);
        Assert.Contains("0003_third.sql", refused.Message, StringComparison.Ordinal);
    }

    [Fact]
    public async Task A_database_to_which_a_newer_program_only_added_goes_on_being_used()
    {
        await RunAsync(Three);
        Assert.Empty(await RunAsync(Three[..2]));
        Assert.Empty(await Migrator.PendingAsync(database.Source, Three[..2], Ct));
        // And one whose table of migrations is from before they were told apart.
        await database.ExecuteAsync("alter table schema_migrations drop column expands");
        await Assert.ThrowsAsync<SetupException>(() => RunAsync(Three[..2]));
        Assert.Single(await RunAsync([.. Three, new(4, "fourth", "select 1")]));
    }

    [Fact]
    public async Task A_migration_that_waits_for_a_table_in_use_lets_others_use_it_meanwhile()
    {
        await RunAsync(Three);
        await using var reader = await database.Source.OpenConnectionAsync(Ct);
        await using var reading = await reader.BeginTransactionAsync(Ct);
        await using (var look = new NpgsqlCommand("select * from steps", reader)) await look.ExecuteNonQueryAsync(Ct);
        var migrating = RunAsync([.. Three, new(4, "wider", "alter table steps add column more text")]);
        var watch = System.Diagnostics.Stopwatch.StartNew();
        var longest = TimeSpan.Zero;
        while (watch.Elapsed < TimeSpan.FromSeconds(5))
        {
            var began = watch.Elapsed;
            Assert.True(await database.ScalarAsync<long>("select count(*) from steps") > 0);
            if (watch.Elapsed - began > longest) longest = watch.Elapsed - began;
            await Task.Delay(20, Ct);
        }
        Assert.False(migrating.IsCompleted);
        Assert.InRange(longest, TimeSpan.Zero, TimeSpan.FromSeconds(4));   // 2 s of waiting behind it, on a slow machine
        await reading.CommitAsync(Ct);
        Assert.Single(await migrating);
        Assert.Equal(0, await database.ScalarAsync<long>("select count(more) from steps"));
    }

    [Fact]
    public async Task A_failing_migration_leaves_nothing_of_itself_and_says_why()
    {
        Migration broken = new(2, "broken", "insert into steps values ('half');\n\nselect no_such_column from steps;");
        var refused = await Assert.ThrowsAsync<SetupException>(() => RunAsync([Three[0], broken]));
        Assert.Contains("0002_broken.sql", refused.Message, StringComparison.Ordinal);
        Assert.Contains("no_such_column", refused.Message, StringComparison.Ordinal);
        Assert.Equal(["first"], await database.RowsAsync("select name from steps"));

        // The lock is free again, and the mended file goes in.
        Assert.Single(await RunAsync([Three[0], broken with { Sql = "select 1" }]));
    }

    private Task<IReadOnlyList<Migration>> RunAsync(Migration[] migrations) =>
        Migrator.RunAsync(database.Source, migrations, NullLogger.Instance, TimeProvider.System, Ct);
}
