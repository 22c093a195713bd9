using System.Net.Http.Json;
using Footfall.Capture;
using Footfall.Postgres;
using Footfall.Rollups;
using Footfall.Segments;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>A rollup that is at work on a day while somebody of that day is erased: what it stores in the end has nothing of them.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ErasureFenceTests(ApiServer server) : IClassFixture<ApiServer>
{
    // As PostgreSQL shows a lock of one number.
    private static readonly string OfLock = $"locktype = 'advisory' and database = (select oid from pg_database where datname = current_database()) and classid::bigint << 32 | objid::bigint = {Locks.Erasures}";

    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    [Theory]
    [InlineData(true)]
    [InlineData(false)]
    public async Task A_rollup_that_saw_the_rows_of_somebody_who_is_erased_meanwhile_begins_anew(bool hasWritten)
    {
        var property = hasWritten ? "fence-written" : "fence-read";
        var (lead, number) = await StoredAsync(property);
        Task erased = Task.CompletedTask;
        var between = new Between(async () =>
        {
            erased = EraseAsync(lead);
            // Where rows of the day are written already the erasure waits for them, and has the lock.
            if (hasWritten) await Eventually.IsTrueAsync("the erasure has the lock", () => server.Database.ScalarAsync<bool>($"select exists (select from pg_locks where {OfLock} and granted and mode = 'ExclusiveLock')"), Ct);
            else await erased;
        });
        var report = await RollAsync(property, between, first: !hasWritten);
        await erased;
        Assert.Equal((0, null), (report.Failed, report.Error));
        Assert.Equal(2, between.Times);
        var left = SegmentCodec.Decode(await server.Database.ScalarAsync<byte[]>("select payload from day_segments where property_id = @property", ("property", property)));
        Assert.DoesNotContain(number, left.Visitor);
        Assert.Single(left.Visitor);
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select page_views from daily_metric_rollups where property_id = @property", ("property", property)));
    }

    [Fact]
    public async Task An_erasure_under_way_is_waited_for_and_never_twice()
    {
        await StoredAsync("underway");
        await using var erasing = await server.Database.Source.OpenConnectionAsync(Ct);
        await using var transaction = await erasing.BeginTransactionAsync(Ct);
        var between = new Between(() => LockAsync(erasing, $"select pg_advisory_xact_lock({Locks.Erasures})"));
        var rolling = RollAsync("underway", between);
        await Eventually.IsTrueAsync("the rollup waits", () => server.Database.ScalarAsync<bool>($"select exists (select from pg_locks where {OfLock} and not granted and mode = 'ShareLock')"), Ct);
        Assert.Equal(1, between.Times);
        await transaction.CommitAsync(Ct);
        var report = await rolling;
        Assert.Equal((0, 2), (report.Failed, between.Times));
        // Nobody has the lock any more.
        Assert.True(await server.Database.ScalarAsync<bool>($"select pg_try_advisory_xact_lock({Locks.Erasures})"));
    }

    private async Task EraseAsync(Guid lead)
    {
        using var answer = await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { leadId = lead }), ("x-admin-key", ApiServer.AdminKey));
        Assert.True(answer.IsSuccessStatusCode);
    }

    /// <summary>Two visitors of one day, of whom one is a lead: its id, and the visitor's number.</summary>
    private async Task<(Guid Lead, int Number)> StoredAsync(string property)
    {
        await server.StoreAsync(
            Told.Event($"{property}-gone", "2026-02-08T10:00:00", property: property), Told.Event($"{property}-gone", "2026-02-08T10:01:00", property: property),
            Told.Event($"{property}-stays", "2026-02-08T11:00:00", property: property));
        var lead = await server.TakenAsync(LeadServer.Express($"{property}@example.org", $"visitor-{property}-gone"));
        await server.SettleAsync();
        return (lead, await server.Database.ScalarAsync<int>("select number from visitors where id = @id", ("id", VisitorIds.OfAnonId($"visitor-{property}-gone"))));
    }

    private async Task<RollupReport> RollAsync(string property, Between between, bool first = false)
    {
        var source = server.Database.Source;
        IDayModel[] writing = [new DailyMetrics(), new SegmentModel(SegmentLimits.Usual, NullLogger<SegmentModel>.Instance)];
        IDayModel[] models = first ? [between, .. writing] : [.. writing, between];
        var day = new DateOnly(2026, 2, 8);
        return await new RollupRunner(source, new RollupStore(source), models, TimeProvider.System, NullLogger<RollupRunner>.Instance).RunAsync(day, day, property, null, null, Ct);
    }

    private static async Task LockAsync(NpgsqlConnection connection, string sql)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(Ct);
    }

    /// <summary>Comes when the day has been read and is not stored yet; the first time something happens then.</summary>
    private sealed class Between(Func<Task> first) : IDayModel
    {
        public int Times { get; private set; }

        public string Job => "between";

        public async Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
        {
            await using (var look = new NpgsqlCommand("select count(*) from events", connection)) await look.ExecuteScalarAsync(cancellationToken);   // from here on it is this moment that it sees
            if (Times++ == 0) await first();
            return default;
        }
    }
}
