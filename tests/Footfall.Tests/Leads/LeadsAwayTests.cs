using System.Net;
using System.Net.Http.Json;
using Footfall.Access;
using Footfall.Leads;
using Footfall.Postgres;
using Footfall.Tests.Failure;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>While the database is away no form is taken by half, and who may look at consent is asked for a key.</summary>
public sealed class LeadsAwayTests
{
    [Fact]
    public async Task While_the_database_is_away_forms_are_sent_back_with_a_time_to_try_again()
    {
        await using var database = await TestDatabase.CreateAsync();
        await using var server = await TestServer.StartAsync(TestFolder.New("away"), null, "--Postgres:ConnectionString", database.ConnectionString, "--Rollups:Enabled", "false", "--Access:AdminKey", ApiServer.AdminKey);
        await server.Services.GetRequiredService<DatabaseGate>().WaitAsync(default);
        using (var first = await server.Client.PostAsJsonAsync("/v1/leads/capture", LeadServer.Express("before@example.org"))) Assert.Equal(HttpStatusCode.Created, first.StatusCode);

        // Nobody may connect any more, and who is connected is sent away in the middle of what it does.
        var rush = Enumerable.Range(0, 60).Select(i => server.Client.PostAsJsonAsync("/v1/leads/capture", LeadServer.Express($"during{i}@example.org", $"visitor-during-{i}"))).ToList();
        await using (var admin = new Npgsql.NpgsqlConnection((await TestPostgres.AdministratorAsync()).ConnectionString))
        {
            await admin.OpenAsync();
            await RunAsync($"alter database {database.Name} with allow_connections false");
            await RunAsync($"select pg_terminate_backend(pid) from pg_stat_activity where datname = '{database.Name}'");
            var answers = await Task.WhenAll(rush);
            Assert.All(answers, a => Assert.True(a.StatusCode is HttpStatusCode.Created or HttpStatusCode.ServiceUnavailable, $"{(int)a.StatusCode}"));
            foreach (var refused in answers.Where(a => a.StatusCode == HttpStatusCode.ServiceUnavailable)) Assert.NotNull(refused.Headers.RetryAfter);

            using var away = await server.Client.PostAsJsonAsync("/v1/leads/capture", LeadServer.Express("away@example.org"));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, away.StatusCode);
            Assert.NotNull(away.Headers.RetryAfter);
            using var form = await server.Client.PostAsync("/v1/leads/unsubscribe", JsonContent.Create(new { email = "before@example.org" }));
            Assert.Equal(HttpStatusCode.ServiceUnavailable, form.StatusCode);
            await RunAsync($"alter database {database.Name} with allow_connections true");

            async Task RunAsync(string sql)
            {
                await using var command = new Npgsql.NpgsqlCommand(sql, admin);
                await command.ExecuteNonQueryAsync();
            }
        }
        Npgsql.NpgsqlConnection.ClearAllPools();
        // Whoever is there is there whole.
        Assert.Empty(await database.RowsAsync("""
            select l.id from leads l
            where (select count(*) from form_submissions s where s.lead_id = l.id) <> 1
               or (select count(*) from consent_events c where c.lead_id = l.id) <> 1
               or l.consent_status <> 'express'
            """));
        Assert.True((await new ConsentLedger(database.Source).VerifyAsync(default)).IsWhole);
        Assert.DoesNotContain(server.Log.Errors, e => e.Contains("example.org", StringComparison.Ordinal));
    }

    [Fact]
    public async Task Consent_is_shown_to_admins_only()
    {
        await using var server = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", $"--Access:DashboardToken={ApiServer.DashboardToken}");
        var lead = await server.TakenAsync(LeadServer.Express("admin@example.org"));
        var (status, _) = await server.ErrorAsync($"/v1/leads/{lead}/consent");
        Assert.Equal(403, status);
        Assert.Equal(401, (await server.ErrorAsync($"/v1/leads/{lead}/consent", ("x-admin-key", "wrong"))).Status);
        var other = await server.NewTokenAsync(AccessRole.Admin, property: "other");
        Assert.Equal(404, (await server.ErrorAsync($"/v1/leads/{lead}/consent", ("x-admin-key", other))).Status);
        Assert.Equal(404, (await server.ErrorAsync($"/v1/leads/{Guid.NewGuid()}/consent", ("x-admin-key", ApiServer.AdminKey))).Status);
    }

    [Fact]
    public async Task Expiry_is_noted_once_and_mail_ends_before_it_is()
    {
        await using var server = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}");
        Guid[] leads = await Task.WhenAll(Enumerable.Range(0, 1200).Select(i => i).Chunk(100).SelectMany(c => c.Select(i => server.TakenAsync(
            new { email = $"implied{i}@example.org", consent = new { status = "implied", basis = i % 2 == 0 ? "inquiry" : "business_relationship" } }))));
        Assert.Equal(["6|600", "24|600"], await server.Database.RowsAsync("select extract(year from age(expires_at, occurred_at)) * 12 + extract(month from age(expires_at, occurred_at)), count(*) from consent_events group by 1 order by 1"));
        await server.Database.ExecuteAsync("update leads set consent_expires_at = now() - interval '1 second' where id in (select lead_id from consent_events where basis = 'inquiry')");
        Assert.False((await server.ConsentAsync(leads[0])).GetProperty("mayBeMailed").GetBoolean());
        Assert.True((await server.ConsentAsync(leads[1])).GetProperty("mayBeMailed").GetBoolean());
        var expiry = server.Services.GetRequiredService<ConsentExpiry>();
        Assert.Equal(600, (await Task.WhenAll(Enumerable.Range(0, 3).Select(_ => expiry.RunAsync(default)))).Sum());
        Assert.Equal(0, await expiry.RunAsync(default));
        Assert.Equal(["implied form", "pending expiry"], await server.HistoryAsync(leads[0]));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from leads l join consent_events c on c.id = l.consent_event_id where c.lead_id <> l.id or c.status <> l.consent_status"));
        Assert.True((await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default)).IsWhole);
        Assert.Contains(server.Services.GetRequiredService<Footfall.Rollups.Jobs>().All, j => j.Name == "consent-expiry");
    }
}
