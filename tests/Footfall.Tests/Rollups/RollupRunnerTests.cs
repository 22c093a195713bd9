using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Rollups;

/// <summary>What the runner makes of a day that the database did not let through.</summary>
public sealed class RollupRunnerTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    private TestDatabase database = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        await database.ExecuteAsync("insert into dirty_days (property_id, day, marks, marked_at) values ('shop', '2026-03-02', 1, now())");
    }

    public async ValueTask DisposeAsync() => await database.DisposeAsync();

    [Theory]
    [InlineData("40P01")]   // the victim of a deadlock
    [InlineData("40001")]   // somebody changed a row that the day changes too
    public async Task A_day_that_another_transaction_was_in_the_way_of_is_tried_again_at_once_and_written_once(string state)
    {
        var model = new Refused(state, times: 2);
        var report = await RunAsync(model);
        Assert.Equal((3, 1, 1, 0, null), (model.Tries, report.Days, report.Rows, report.Failed, report.Error));
        Assert.Empty(await database.RowsAsync("select day from dirty_days"));
        Assert.Equal(["1"], await database.RowsAsync("select version::text from rollup_versions where property_id = 'shop'"));
    }

    [Theory]
    [InlineData("40P01", 3)]
    [InlineData("22003", 1)]   // the same rows would fail again
    public async Task A_day_that_is_refused_for_good_fails_and_stays_marked(string state, int tries)
    {
        var model = new Refused(state, times: int.MaxValue);
        var report = await RunAsync(model);
        Assert.Equal((tries, 1), (model.Tries, report.Failed));
        Assert.Contains("shop 2026-03-02", report.Error, StringComparison.Ordinal);
        Assert.Single(await database.RowsAsync("select day from dirty_days"));
    }

    private async Task<RollupReport> RunAsync(Refused model) =>
        await new RollupRunner(database.Source, new RollupStore(database.Source), [model], TimeProvider.System, NullLogger<RollupRunner>.Instance).RunDirtyAsync(null, wait: true, Ct);

    /// <summary>Is broken off by the server so many times.</summary>
    private sealed class Refused(string state, int times) : IDayModel
    {
        public int Tries { get; private set; }

        public string Job => "refused";

        public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
        {
            if (Tries++ >= times) return new DayOutcome(1, 0);
            await using var command = new NpgsqlCommand($"do $$ begin raise exception 'in the way' using errcode = '{state}'; end $$", connection);
            await command.ExecuteNonQueryAsync(cancellationToken);
            return default;
        }
    }
}
