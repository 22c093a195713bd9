using Footfall.Explore;
using Footfall.Leads;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Leads;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Postgres;

/// <summary>
/// On a cluster, what a statement needs of a distributed table is looked up where it lies. A statement that is written so that Citus cannot do that
/// still gives the right answer, by fetching the whole table: here the fetch is forbidden, with tables far larger than what is asked for.
/// </summary>
[Trait("Category", TestCluster.Category)]
public sealed class DistributedReachTests : IAsyncLifetime
{
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;

    /// <summary>Kilobytes that one part of a statement may send: the portions of 5,000 ids in which retention goes, and not the tables below.</summary>
    private const int Most = 400;

    private ApiServer server = null!;

    public async ValueTask InitializeAsync()
    {
        TestCluster.Require();
        server = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", $"--Access:DashboardToken={ApiServer.DashboardToken}");
        await server.Database.ExecuteAsync("""
            insert into properties (id, name) values ('crowd', 'Crowd');
            insert into visitors (id, anon_id, kind, number, first_seen_at, last_seen_at, first_property_id, last_ip_hash, last_ua_hash, account_id)
            select md5('v' || n)::uuid, 'crowd-' || n, 'anon_id', nextval('visitor_numbers'), '2026-02-01T10:00:00Z', '2026-02-01T10:00:00Z', 'crowd', sha256(('a' || n)::bytea), sha256(('u' || n)::bytea), 'account-' || n
            from generate_series(1, 20000) n;
            insert into sessions (visitor_id, id, property_id, started_at, ended_at, first_event_id, traffic_source, device_type, page_views, events, engaged_ms, has_conversion, is_bounce, sealed)
            select md5('v' || n)::uuid, md5('s' || n)::uuid, 'crowd', '2026-02-01T10:00:00Z', '2026-02-01T10:00:00Z', md5('e' || n)::uuid, 'direct', 'desktop', 1, 1, 0, false, true, true
            from generate_series(1, 20000) n;
            insert into events (visitor_id, id, occurred_at, received_at, session_id, dedupe_key, property_id, event_type, path, traffic_source, device_type, is_entrance, is_exit, is_conversion, account_id)
            select md5('v' || n)::uuid, md5('e' || n)::uuid, '2026-02-01T10:00:00Z', '2026-02-01T10:00:00Z', md5('s' || n)::uuid, md5('k' || n)::uuid, 'crowd', 'page_view', '/', 'direct', 'desktop', true, true, false, 'account-' || n
            from generate_series(1, 20000) n;
            insert into event_keys (visitor_id, dedupe_key, occurred_at)
            select md5('v' || n)::uuid, md5('k' || n)::uuid, '2026-02-01T10:00:00Z' from generate_series(1, 20000) n
            """);
        await server.Database.ExecuteAsync("analyze visitors, sessions, events, event_keys");
        await using (var connection = new NpgsqlConnection(server.Database.ConnectionString))
        {
            await connection.OpenAsync(Ct);
            await using var limit = new NpgsqlCommand($"alter database {server.Database.Name} set citus.max_intermediate_result_size = {Most}", connection);
            await limit.ExecuteNonQueryAsync(Ct);
        }
        // Connections that are open have the old limit.
        foreach (var source in new[] { server.Database.Source, server.Services.GetRequiredService<NpgsqlDataSource>() })
        {
            source.Clear();
            await using var command = source.CreateCommand("show citus.max_intermediate_result_size");
            Assert.Equal($"{Most}kB", await command.ExecuteScalarAsync(Ct));
        }
    }

    public async ValueTask DisposeAsync()
    {
        if (server is not null) await server.DisposeAsync();
    }

    [Fact]
    public async Task The_limit_that_these_tests_rely_on_does_forbid_fetching_a_table()
    {
        var refusal = await Assert.ThrowsAsync<PostgresException>(() => server.Database.RowsAsync("select count(v.id) from properties p left join visitors v on v.first_property_id = p.id"));
        Assert.Contains("citus.max_intermediate_result_size", refusal.MessageText + refusal.Hint, StringComparison.Ordinal);
    }

    [Fact]
    public async Task Ingestion_rollups_leads_and_questions_about_a_day_fetch_no_table()
    {
        await server.StoreAsync(
            Told.Event("ada", "2026-03-02T10:00:00Z", path: "/"), Told.Event("ada", "2026-03-02T10:05:00Z", path: "/pricing") with { AccountId = "ada", AccountUsername = "Ada" },
            Told.Event("bob", "2026-03-02T11:00:00Z", path: "/", props: """{"lcpMs":1800}"""), Told.Event("bob", "2026-03-02T11:10:00Z", type: "signup", conversion: true),
            Told.Event("eve", "2026-03-02T12:00:00Z", path: "/", props: """{"engagedTimeMs":900}""") with { EntityType = "profile", EntityId = "7" });
        await server.StoreAsync(Told.Event("ada", "2026-03-01T10:00:00Z", path: "/"), Told.Event("bob", "2026-03-02T11:20:00Z", path: "/late"));   // moves first visits, goes on with sessions
        Assert.Equal(3, await server.Database.ScalarAsync<int>("select unique_visitors from daily_metric_rollups where property_id = 'shop' and day = '2026-03-02'"));

        var lead = await server.TakenAsync(new { email = "ada@example.org", anonId = "visitor-ada", propertyId = "shop", consent = new { status = "express" } });
        Assert.Equal(0, await server.Services.GetRequiredService<LikelyLinks>().RunAsync(Ct));
        await server.RollUpAsync();

        await using (var snapshot = await server.Services.GetRequiredService<Snapshots>().OpenAsync(Ct))
        {
            var realtime = await RealtimeSql.ReadAsync(snapshot, "shop", new DateTimeOffset(2026, 3, 2, 11, 20, 30, TimeSpan.Zero), Ct);
            Assert.Equal(1, realtime.Visitors);
        }
        foreach (var question in new[] { "dimension=path&metrics=visitors,events", "dimension=channel&metrics=visitors,sessions,leads", "dimension=entry_path&metrics=sessions,bounce_rate" })
            Assert.True((await server.JsonAsync($"/v1/metrics/breakdown?property=shop&from=2026-03-01&to=2026-03-02&{question}")).GetProperty("ok").GetBoolean());

        var today = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime);
        Assert.Empty(await new Discrepancy(server.Database.Source).FindAsync(new DateOnly(2026, 3, 1), today, "shop", Ct));

        var erased = await server.Services.GetRequiredService<Erasure>().EraseAsync(new ErasureSubject(lead, null), dryRun: false, "test", Ct);
        Assert.Equal(1, erased!.Counts.Visitors);
        Assert.Equal(["1"], await server.Database.RowsAsync("select count(*)::text from erased_visitors"));
    }

    [Fact]
    public async Task A_day_s_rollup_sees_what_it_wrote_however_many_connections_a_node_is_asked_over()
    {
        // As on a node that is slow to answer: a connection for each shard at once.
        await server.Database.ExecuteAsync($"alter database {server.Database.Name} set citus.executor_slow_start_interval = 0");
        foreach (var source in new[] { server.Database.Source, server.Services.GetRequiredService<NpgsqlDataSource>() }) source.Clear();
        // Entities and product metrics each ask for the accounts' numbers, in one transaction.
        await server.StoreAsync(Enumerable.Range(0, 60).Select(n => Told.Event($"of-{n}", $"2026-03-02T10:{n:00}:00Z", path: "/") with { AccountId = $"new-{n}", EntityType = "profile", EntityId = "7" }));
        Assert.Equal(60, await server.Database.ScalarAsync<long>("select count(*) from account_numbers where account_id like 'new-%'"));
        Assert.Equal("60", await server.Database.ScalarAsync<string>("select value::text from daily_product_metrics where property_id = 'shop' and day = '2026-03-02' and metric_name = 'dau'"));
    }

    [Fact]
    public async Task Retention_fetches_no_table()
    {
        var report = await server.Services.GetRequiredService<Retention>().RunAsync(dryRun: true, Ct);
        Assert.Equal(20_000, report.Properties.Single(p => p.Plan.PropertyId == "crowd").Events);
        report = await server.Services.GetRequiredService<Retention>().RunAsync(dryRun: false, Ct);
        Assert.Equal(20_000, report.Keys);
        Assert.Equal(20_000, report.Visitors);
        Assert.Equal("0", await server.Database.ScalarAsync<string>("select count(*)::text from events"));
    }
}
