using System.Net.Http.Json;
using System.Text.Json;
using Footfall.Leads;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Npgsql;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What the scrub does beside rewriting files, which <see cref="ErasureProofTests"/> looks at.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ErasureScrubTests(ApiServer server) : IClassFixture<ApiServer>
{
    private async Task EraseAsync(string email)
    {
        using var answer = await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { email }), ("x-admin-key", ApiServer.AdminKey));
        Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
    }

    private Task<ScrubReport> ScrubAsync() => server.Services.GetRequiredService<ErasureScrub>().RunAsync(wholly: true, default);

    [Fact]
    public async Task Mentions_of_the_address_are_blotted_out_and_those_of_similar_ones_stay()
    {
        const string quoted = "\"o'ddly \\\"put\\\"\"@example.org";
        await server.StoreAsync(
            Told.Event("m1", "2026-02-01T10:00:00", property: "mentions", props: """{"to":"Ann+tag.x@Example.ORG","cc":"joann+tag.x@example.org, ann+tag.x@example.org.uk, ann+tag.x@example.orgs","in":"?mail=ann%2Btag.x@example.org&to=ann+tag.x%40example.org","n":1}"""),
            Told.Event("m2", "2026-02-01T10:00:00", property: "mentions", props: JsonSerializer.Serialize(new { said = quoted })) with { AccountId = "ann+tag.x@example.org", AccountUsername = "ann+tag.x@example.org" },
            Told.Event("m3", "2026-02-01T10:00:00", property: "mentions") with { AccountId = "[erased]", AccountUsername = "a coincidence" });
        await server.Database.ExecuteAsync("insert into properties (id, name, hosts) values ('mentioning', 'of ann+tag.x@example.org', '{ann+tag.x@example.org,plain.example}')");
        await server.TakenAsync(LeadServer.Express("ann+tag.x@example.org"));
        await server.TakenAsync(LeadServer.Express(quoted));
        await server.TakenAsync(LeadServer.Express("joann+tag.x@example.org"));
        await EraseAsync("ann+tag.x@example.org");
        await EraseAsync(quoted);
        var report = await ScrubAsync();
        Assert.Null(report.Waiting);
        Assert.Equal(
            ["""{"n": 1, "cc": "joann+tag.x@example.org, ann+tag.x@example.org.uk, ann+tag.x@example.orgs", "in": "?mail=[erased]&to=[erased]", "to": "[erased]"}""", """{"said": "[erased]"}""", ""],
            await server.Database.RowsAsync("select props::text from events where property_id = 'mentions' and event_type = 'page_view' order by props is null, props::text"));
        Assert.Equal(["of [erased]|{[erased],plain.example}"], await server.Database.RowsAsync("select name, hosts::text from properties where id = 'mentioning'"));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from accounts where id like '%@%' or username like '%@%'"));   // two keys would have become one
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select count(*) from leads where email_normalized = 'joann+tag.x@example.org'"));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from erasures where scrubbed_at is null or work is not null"));
        Assert.Contains("mentions|2026-02-01", await server.Database.RowsAsync("select property_id, day::text from dirty_days"));
        Assert.Equal((0, 0), await ScrubAsync() is { } again ? (again.Done, again.Left) : default);
    }

    [Fact]
    public async Task While_somebody_still_sees_the_old_rows_the_scrub_is_not_done()
    {
        await server.TakenAsync(LeadServer.Express("seen@example.org"));
        await using var reader = await server.Database.Source.OpenConnectionAsync();
        await using var reading = await reader.BeginTransactionAsync(System.Data.IsolationLevel.RepeatableRead);
        await using (var look = new NpgsqlCommand("select count(*) from properties", reader)) await look.ExecuteScalarAsync();
        await EraseAsync("seen@example.org");
        await using var connection = await server.Database.Source.OpenConnectionAsync();
        var since = await ScrubStore.PresentAsync(connection, default);
        Assert.True(await ScrubStore.SomebodySeesOldRowsAsync(connection, since, default));
        await reading.CommitAsync();
        // The server's own jobs may be reading at this very moment.
        await Eventually.IsTrueAsync("nobody sees them", async () => !await ScrubStore.SomebodySeesOldRowsAsync(connection, since, default), TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task The_work_of_another_server_cannot_be_read_and_waits_for_it()
    {
        var work = new ScrubWork(["ann@example.org"], ["account"], [1], [2], ["events_2026w05"]);
        var (ours, theirs) = (new byte[32], Enumerable.Range(0, 32).Select(i => (byte)i).ToArray());
        var kept = work.Encrypt(ours);
        Assert.DoesNotContain("ann@", System.Text.Encoding.Latin1.GetString(kept));
        Assert.Equal(JsonSerializer.Serialize(work), JsonSerializer.Serialize(ScrubWork.Decrypt(kept, ours)));
        Assert.Null(ScrubWork.Decrypt(kept, theirs));
        Assert.Null(ScrubWork.Decrypt([1, 2, 3], ours));

        var id = Guid.NewGuid();
        await server.Database.ExecuteAsync("insert into erasures (id, receipt, erased_at, work) values (@id, '{}', now(), @work)", ("id", id), ("work", work.Encrypt(theirs)));
        Assert.Equal(1, (await ScrubAsync()).Left);
        await server.Database.ExecuteAsync("update erasures set erased_at = now() - interval '2 hours' where id = @id", ("id", id));
        Assert.Null((await ScrubAsync()).Waiting);   // that server is gone: what needs no reading is done
    }

    [Fact]
    public async Task Without_the_right_to_it_the_log_is_left_alone_and_with_it_scrubbed()
    {
        await TestPostgres.NeedsSuperuserAsync();
        var role = $"plain_{Guid.NewGuid():N}";
        await server.Database.ExecuteAsync($"create role {role} login");
        try
        {
            await using var source = NpgsqlDataSource.Create(new NpgsqlConnectionStringBuilder(server.Database.ConnectionString) { Pooling = false });
            await using var connection = await source.OpenConnectionAsync();
            await RunAsync($"set role {role}");
            Assert.Equal(PostgresErrorCodes.InsufficientPrivilege, (await Assert.ThrowsAsync<PostgresException>(() => WriteAheadLog.ScrubAsync(connection, default))).SqlState);
            await RunAsync("reset role");
            await RunAsync($"grant pg_checkpoint, pg_monitor to {role}; grant execute on function pg_switch_wal() to {role}");   // as docs/leads.md says
            await RunAsync($"set role {role}");
            await WriteAheadLog.ScrubAsync(connection, default);

            async Task RunAsync(string sql)
            {
                await using var command = new NpgsqlCommand(sql, connection);
                await command.ExecuteNonQueryAsync();
            }
        }
        finally
        {
            await server.Database.ExecuteAsync($"drop owned by {role}; drop role {role}");
        }
    }
}
