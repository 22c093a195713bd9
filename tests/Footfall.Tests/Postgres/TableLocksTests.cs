using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

public sealed class TableLocksTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private static readonly string[] Tables = ["visitors", "sessions", "events"];

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Fact]
    public async Task Free_tables_are_taken_with_their_partitions_and_nothing_limits_what_is_done_then()
    {
        await using var taker = await OpenAsync();
        await RunAsync(taker, "set statement_timeout = '5s'");
        await using var transaction = await taker.BeginTransactionAsync(Ct);
        Assert.True(await TableLocks.TakeAllAsync(taker, Tables, Ct));
        Assert.Equal("4", await ScalarAsync(taker, "select count(*)::text from pg_locks where pid = pg_backend_pid() and mode = 'AccessExclusiveLock' and relation in ('visitors'::regclass, 'sessions'::regclass, 'events'::regclass, 'events_default'::regclass)"));
        Assert.Equal("0", await ScalarAsync(taker, "show statement_timeout"));
        await transaction.CommitAsync(Ct);
        Assert.Equal("5s", await ScalarAsync(taker, "show statement_timeout"));
    }

    [Fact]
    public async Task Who_holds_one_of_the_tables_and_asks_for_another_goes_on_and_the_taker_steps_back()
    {
        await using var reader = await OpenAsync();
        await using var reading = await reader.BeginTransactionAsync(Ct);
        await ScalarAsync(reader, "select count(*)::text from events");
        await using var taker = await OpenAsync();
        for (var n = 0; n < 3; n++)
        {
            await using var transaction = await taker.BeginTransactionAsync(Ct);
            var taking = TableLocks.TakeAllAsync(taker, Tables, Ct);
            await Task.Delay(100 * n, Ct);
            await using var other = await OpenAsync();   // waits behind the taker, and no longer than that one
            await Task.WhenAll(ScalarAsync(reader, "select count(*)::text from visitors"), ScalarAsync(other, "select count(*)::text from visitors"));
            Assert.False(await taking);
            await transaction.RollbackAsync(Ct);
        }
        await reading.CommitAsync(Ct);
        await using var last = await taker.BeginTransactionAsync(Ct);
        Assert.True(await TableLocks.TakeAllAsync(taker, Tables, Ct));
    }

    [Fact]
    public async Task No_waiting_lasts_as_long_as_the_servers_own_search_for_deadlocks()
    {
        await using var reader = await OpenAsync();
        await using var reading = await reader.BeginTransactionAsync(Ct);
        await ScalarAsync(reader, "select count(*)::text from visitors");
        await using var taker = await OpenAsync();
        foreach (var (setting, most) in new[] { ("100ms", 0.6), ("10s", 1.8) })
        {
            await RunAsync(taker, $"set deadlock_timeout = '{setting}'");
            await using var transaction = await taker.BeginTransactionAsync(Ct);
            var began = TimeProvider.System.GetTimestamp();
            Assert.False(await TableLocks.TakeAllAsync(taker, Tables, Ct));
            Assert.InRange(TimeProvider.System.GetElapsedTime(began).TotalSeconds, 0.05, most);
        }
    }

    private async Task<NpgsqlConnection> OpenAsync() => await database.Source.OpenConnectionAsync(Ct);

    private static async Task RunAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    private static async Task<string?> ScalarAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        return (string?)await command.ExecuteScalarAsync(Ct);
    }
}
