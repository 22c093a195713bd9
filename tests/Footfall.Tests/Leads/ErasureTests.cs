using System.Net;
using System.Net.Http.Json;
using System.Text.Json;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Who and what an erasure takes, and what it leaves.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class ErasureTests(ApiServer server) : IClassFixture<ApiServer>
{
    private static readonly (string, string) Admin = ("x-admin-key", ApiServer.AdminKey);

    private async Task<JsonElement> EraseAsync(object whom)
    {
        using var answer = await server.PostAsync("/v1/leads/delete", JsonContent.Create(whom), Admin);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, $"{(int)answer.StatusCode} {text}");
        return JsonDocument.Parse(text).RootElement;
    }

    private static long Count(JsonElement answer, string what) => answer.GetProperty("counts").GetProperty(what).GetInt64();

    private Task<long> RowsAsync(string table, string where, params (string, object?)[] parameters) => server.Database.ScalarAsync<long>($"select count(*) from {table} where {where}", parameters);

    private static Guid Visitor(string name) => VisitorIds.OfAnonId($"visitor-{name}");

    [Fact]
    public async Task A_dry_run_tells_exactly_what_then_goes()
    {
        await server.StoreAsync(Told.Event("dry", "2026-02-01T10:00:00", property: "dry"), Told.Event("dry", "2026-02-01T10:01:00", property: "dry"));
        var lead = await server.TakenAsync(LeadServer.Express("dry@example.org", "visitor-dry"));
        await server.SettleAsync();
        var would = await EraseAsync(new { leadId = lead, dryRun = true });
        Assert.True(would.GetProperty("dryRun").GetBoolean());
        Assert.Equal(JsonValueKind.Null, would.GetProperty("receipt").ValueKind);
        Assert.Equal((1, 3), (Count(would, "leads"), Count(would, "events")));
        Assert.Equal(1, await RowsAsync("leads", "id = @id", ("id", lead)));
        var did = await EraseAsync(new { leadId = lead });
        Assert.Equal(would.GetProperty("counts").GetRawText(), did.GetProperty("counts").GetRawText());
        Assert.Equal(0, await RowsAsync("leads", "id = @id", ("id", lead)));
        var stored = JsonSerializer.Deserialize<ErasureReceipt>(did.GetProperty("receipt"), JsonSerializerOptions.Web)!;
        Assert.True(stored.IsWhole());
        Assert.False((stored with { Counts = stored.Counts with { Events = 2 } }).IsWhole());
    }

    [Fact]
    public async Task Nobody_else_s_rows_are_touched()
    {
        await server.StoreAsync(Told.Event("mine", "2026-02-02T10:00:00", property: "own"), Told.Event("hers", "2026-02-02T10:00:00", property: "own"), Told.Event("hers", "2026-02-02T11:00:00", property: "own"));
        var mine = await server.TakenAsync(LeadServer.Express("mine@example.org", "visitor-mine"));
        var hers = await server.TakenAsync(LeadServer.Express("hers@example.org", "visitor-hers"));
        await server.SettleAsync();
        var before = await RowsAsync("events", "visitor_id = @v", ("v", Visitor("hers")));
        await EraseAsync(new { leadId = mine });
        Assert.Equal(0, await RowsAsync("events", "visitor_id = @v", ("v", Visitor("mine"))));
        Assert.Equal(before, await RowsAsync("events", "visitor_id = @v", ("v", Visitor("hers"))));
        Assert.Equal(1, await RowsAsync("leads", "id = @id", ("id", hers)));
        Assert.Equal(1, await RowsAsync("consent_events", "lead_id = @id", ("id", hers)));
        Assert.Equal(1, await RowsAsync("form_submissions", "lead_id = @id", ("id", hers)));
    }

    [Fact]
    public async Task Visitors_that_are_only_likely_the_person_stay()
    {
        await server.StoreAsync(Told.Event("likely", "2026-02-03T10:00:00", property: "likely"));
        var lead = await server.TakenAsync(LeadServer.Express("likely@example.org", "visitor-certain"));
        await server.Database.ExecuteAsync(
            "insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at) values (gen_random_uuid(), @lead, @visitor, 'same_ip_ua_window', 0.6, now())", ("lead", lead), ("visitor", Visitor("likely")));
        await EraseAsync(new { leadId = lead });
        Assert.Equal(1, await RowsAsync("events", "visitor_id = @v", ("v", Visitor("likely"))));
        Assert.Equal(0, await RowsAsync("lead_identities", "lead_id = @id", ("id", lead)));
    }

    [Fact]
    public async Task The_ledger_keeps_its_rows_without_the_person_and_still_verifies()
    {
        var lead = await server.TakenAsync(LeadServer.Express("ledger@example.org"));
        using (await server.PostAsync("/v1/leads/unsubscribe", JsonContent.Create(new { email = "ledger@example.org" }))) { }
        var ids = await server.Database.RowsAsync("select id from consent_events where lead_id = @id order by id", ("id", lead));
        Assert.Equal(2, ids.Count);
        var erased = await EraseAsync(new { email = "ledger@example.org" });
        Assert.Equal(2, Count(erased, "consentEvents"));
        Assert.Equal(["express|form||||", "withdrawn|unsubscribe_form||||"], await server.Database.RowsAsync(
            $"select status::text, method, lead_id, source, salt, ip_hash from consent_events where id in ({string.Join(", ", ids)}) order by id"));
        var report = await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default);
        Assert.True(report.IsWhole, string.Join(' ', report.Faults.Select(f => f.What)));
    }

    [Fact]
    public async Task Figures_of_the_person_s_days_are_computed_anew()
    {
        await server.StoreAsync(
            Told.Event("gone", "2026-02-04T10:00:00", property: "figures", props: "{}"), Told.Event("stays", "2026-02-04T10:00:00", property: "figures"),
            Told.Event("gone", "2026-02-05T23:50:00", property: "figures"), Told.Event("gone", "2026-02-06T00:05:00", property: "figures"));
        Assert.Equal(["2", "1", "1"], await server.Database.RowsAsync("select unique_visitors from daily_metric_rollups where property_id = 'figures' order by day"));
        var lead = await server.TakenAsync(new { email = "figures@example.org", anonId = "visitor-gone", propertyId = "figures", consent = new { status = "express", purpose = "x" } });
        await server.SettleAsync();
        await server.RollUpAsync();
        Assert.Equal("1", (await server.Database.RowsAsync("select sum(new_leads) from daily_metric_rollups where property_id = 'figures'"))[0]);
        await EraseAsync(new { leadId = lead });
        await server.RollUpAsync();
        Assert.Equal(["1|1"], await server.Database.RowsAsync("select unique_visitors, page_views from daily_metric_rollups where property_id = 'figures' order by day"));
        Assert.Equal("0", (await server.Database.RowsAsync("select coalesce(sum(new_leads), 0) from daily_metric_rollups where property_id = 'figures'"))[0]);
        Assert.Equal(["1"], await server.Database.RowsAsync("select count(*) from product_users where property_id = 'figures'"));
    }

    [Fact]
    public async Task Days_past_retention_keep_their_counts_and_lose_the_lead()
    {
        var lead = await server.TakenAsync(new { email = "old@example.org", anonId = "visitor-old", propertyId = "old", consent = new { status = "express", purpose = "x" } });
        await server.SettleAsync();
        await server.RollUpAsync();
        var before = await server.Database.RowsAsync("select unique_visitors, events from daily_metric_rollups where property_id = 'old'");
        await server.Database.ExecuteAsync("insert into purged_days (property_id, through) values ('old', '2999-01-01')");
        await EraseAsync(new { leadId = lead });
        await server.RollUpAsync();
        Assert.Equal(before, await server.Database.RowsAsync("select unique_visitors, events from daily_metric_rollups where property_id = 'old'"));
        Assert.Equal(["0"], await server.Database.RowsAsync("select new_leads from daily_metric_rollups where property_id = 'old'"));
    }

    [Fact]
    public async Task An_account_goes_and_its_other_browsers_become_unknown()
    {
        await server.StoreAsync(
            Told.Event("laptop", "2026-02-07T10:00:00", property: "accounts") with { AccountId = "acc-1", AccountUsername = "annie", EntityType = "page", EntityId = "7" },
            Told.Event("phone", "2026-02-07T11:00:00", property: "accounts") with { AccountId = "acc-1", EntityType = "page", EntityId = "7" });
        Assert.Equal(["1"], await server.Database.RowsAsync("select count(*) from entity_visitors where property_id = 'accounts'"));
        var lead = await server.TakenAsync(LeadServer.Express("accounts@example.org", "visitor-laptop"));
        var erased = await EraseAsync(new { leadId = lead });
        Assert.Equal(1, Count(erased, "accounts"));
        Assert.Equal(0, await RowsAsync("accounts", "id = 'acc-1'"));
        Assert.Equal(0, await RowsAsync("account_numbers", "account_id = 'acc-1'"));
        Assert.Equal(["|"], await server.Database.RowsAsync("select e.account_id, v.account_id from events e join visitors v on v.id = e.visitor_id where e.visitor_id = @v", ("v", Visitor("phone"))));
        Assert.Equal(0, await RowsAsync("entity_visitors", "property_id = 'accounts'"));
        await server.RollUpAsync();
        Assert.Equal(["1|0|1"], await server.Database.RowsAsync("select unique_visitors, unique_accounts, anonymous_visitors from analytics_aggregates where property_id = 'accounts' and hour = -1"));
    }

    [Fact]
    public async Task An_account_that_another_person_uses_stays_theirs()
    {
        await server.StoreAsync(
            Told.Event("half", "2026-02-08T10:00:00", property: "shared") with { AccountId = "acc-shared" },
            Told.Event("other-half", "2026-02-08T11:00:00", property: "shared") with { AccountId = "acc-shared", AccountUsername = "us" });
        var lead = await server.TakenAsync(LeadServer.Express("half@example.org", "visitor-half"));
        await server.TakenAsync(LeadServer.Express("other-half@example.org", "visitor-other-half"));
        Assert.Equal(0, Count(await EraseAsync(new { leadId = lead }), "accounts"));
        Assert.Equal(1, await RowsAsync("accounts", "id = 'acc-shared'"));
    }

    [Fact]
    public async Task What_was_under_way_does_not_come_in_afterwards_and_what_comes_later_does()
    {
        var lead = await server.TakenAsync(LeadServer.Express("late@example.org", "visitor-late"));
        await server.SettleAsync();
        await EraseAsync(new { leadId = lead });
        // From a journal of another server, or a file: it arrived before the erasure, and is stored after it.
        await server.StoreAsync(Told.Event("late", "2026-02-09T10:00:00", property: "late") with { DedupeKey = Guid.NewGuid() }, Told.Event("late-other", "2026-02-09T10:00:00", property: "late"));
        Assert.Equal(0, await RowsAsync("events", "visitor_id = @v", ("v", Visitor("late"))));
        Assert.Equal(0, await RowsAsync("visitors", "id = @v", ("v", Visitor("late"))));
        Assert.Equal(["accepted||1", "dropped|erased|1"], await server.Database.RowsAsync("select outcome, reason, events from ingest_counts where property_id = 'late' and events <> 0 order by 1"));
        // The same browser, another day: somebody new.
        var now = TimeProvider.System.GetUtcNow().AddSeconds(1);
        await server.StoreAsync(Told.Event("late", now.ToString("O"), property: "late"));
        Assert.Equal(1, await RowsAsync("events", "visitor_id = @v", ("v", Visitor("late"))));
    }

    [Fact]
    public async Task Who_comes_back_is_erased_anew_with_a_receipt_of_its_own()
    {
        var first = await server.TakenAsync(LeadServer.Express("back@example.org"));
        var one = (await EraseAsync(new { leadId = first })).GetProperty("receipt").GetRawText();
        var second = await server.TakenAsync(LeadServer.Express("back@example.org"));
        Assert.NotEqual(first, second);
        var two = (await EraseAsync(new { email = "back@example.org" })).GetProperty("receipt").GetRawText();
        Assert.NotEqual(one, two);
        Assert.Equal(two, (await EraseAsync(new { email = "BACK@example.org" })).GetProperty("receipt").GetRawText());
        Assert.Equal(one, (await EraseAsync(new { leadId = first })).GetProperty("receipt").GetRawText());
    }

    [Fact]
    public async Task Merged_addresses_are_erased_together()
    {
        var home = await server.TakenAsync(LeadServer.Express("home@example.org", "visitor-home"));
        var work = await server.TakenAsync(LeadServer.Express("work@example.org", "visitor-work"));
        using (var merged = await server.PostAsync("/v1/leads/merge", JsonContent.Create(new { from = work, into = home }), Admin)) Assert.Equal(HttpStatusCode.OK, merged.StatusCode);
        var erased = await EraseAsync(new { email = "work@example.org" });
        Assert.Equal(2, Count(erased, "leads"));
        Assert.Equal(0, await RowsAsync("leads", "id in (@a, @b)", ("a", home), ("b", work)));
        Assert.Equal(erased.GetProperty("receipt").GetRawText(), (await EraseAsync(new { email = "home@example.org" })).GetProperty("receipt").GetRawText());
    }

    [Fact]
    public async Task Captures_and_erasures_of_one_person_at_once_leave_all_or_nothing()
    {
        for (var round = 0; round < 4; round++)
        {
            var email = $"race{round}@example.org";
            await server.TakenAsync(LeadServer.Express(email, $"visitor-race{round}"));
            await Task.WhenAll(Enumerable.Range(0, 12).Select(async i =>
            {
                using var answer = i % 3 == 0
                    ? await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { email }), Admin)
                    : await server.CaptureAsync(LeadServer.Express(email, $"visitor-race{round}", $"purpose {i}"));
                Assert.True(answer.IsSuccessStatusCode, await answer.Content.ReadAsStringAsync());
            }));
            await EraseAsync(new { email });
            Assert.Equal(0, await RowsAsync("leads", "email_normalized = @e", ("e", email)));
            Assert.Equal(0, await RowsAsync("form_submissions", "lead_id not in (select id from leads)"));
            Assert.Equal(0, await RowsAsync("consent_events", "lead_id is not null and lead_id not in (select id from leads)"));
        }
        Assert.True((await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default)).IsWhole);
    }

    [Fact]
    public async Task An_export_holds_all_that_an_erasure_takes()
    {
        await server.StoreAsync(Told.Event("export", "2026-02-10T10:00:00", property: "export", props: """{"plan":"pro"}""") with { AccountId = "acc-export", AccountUsername = "exporter" });
        var lead = await server.TakenAsync(new { email = "export@example.org", anonId = "visitor-export", propertyId = "export", consent = new { status = "express", purpose = "letter" }, payload = new { message = "hello \"you\"" } });
        await server.SettleAsync();
        using var answer = await server.GetAsync($"/v1/leads/{lead}/export", Admin);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.True(answer.Headers.CacheControl!.NoStore);
        var data = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        var would = await EraseAsync(new { leadId = lead, dryRun = true });
        foreach (var (part, counted) in new[] { ("leads", "leads"), ("submissions", "submissions"), ("consent", "consentEvents"), ("links", "links"), ("visitors", "visitors"), ("sessions", "sessions"), ("events", "events"), ("accounts", "accounts") })
            Assert.Equal((part, Count(would, counted)), (part, data.GetProperty(part).GetArrayLength()));
        Assert.Equal("export@example.org", data.GetProperty("leads")[0].GetProperty("emailNormalized").GetString());
        Assert.Equal("hello \"you\"", data.GetProperty("submissions")[0].GetProperty("payload").GetProperty("message").GetString());
        Assert.Equal("visitor-export", data.GetProperty("visitors")[0].GetProperty("anonId").GetString());
        Assert.Equal("pro", data.GetProperty("events")[0].GetProperty("props").GetProperty("plan").GetString());
        Assert.Contains(data.GetProperty("links").EnumerateArray(), l => l.GetProperty("linkSource").GetString() == "form_submit");   // other tests' visitors may be likely ones
    }

    [Theory]
    [InlineData("{}", 400, "validation_failed")]
    [InlineData("""{"leadId":"x"}""", 400, "validation_failed")]
    [InlineData("""{"leadId":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e","email":"a@b.ca"}""", 400, "validation_failed")]
    [InlineData("""{"leadId":"019c5b2e-7d1a-7c8e-9b2f-7c1e5d1a4c8e"}""", 404, "lead_not_found")]
    [InlineData("""{"email":"nobody-ever@example.org"}""", 404, "lead_not_found")]
    [InlineData("""{"email":"no address"}""", 400, "validation_failed")]
    [InlineData("""{"email":"a\u0000@example.org"}""", 400, "validation_failed")]
    [InlineData("""{"email":7}""", 400, "invalid_json")]
    [InlineData("[]", 400, "invalid_json")]
    [InlineData("null", 400, "invalid_json")]
    [InlineData("", 400, "invalid_json")]
    [InlineData("{\"email\":\"\uFFFF", 400, "invalid_json")]
    public async Task Bad_requests_get_a_clear_no_that_repeats_nothing(string body, int status, string error)
    {
        using var content = new StringContent(body, System.Text.Encoding.UTF8, "application/json");
        using var answer = await server.PostAsync("/v1/leads/delete", content, Admin);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Equal((status, error), ((int)answer.StatusCode, JsonDocument.Parse(text).RootElement.GetProperty("error").GetString()));
        Assert.DoesNotContain("nobody-ever", text);
        Assert.DoesNotContain("no address", text);
    }

    [Fact]
    public async Task Only_an_admin_of_everything_may_see_or_erase_a_person()
    {
        var lead = await server.TakenAsync(LeadServer.Express("guarded@example.org"));
        var scoped = await server.NewTokenAsync(AccessRole.Admin, property: "shop");
        Assert.Equal((403, "property_not_allowed"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { leadId = lead }), ("x-admin-key", scoped))));
        Assert.Equal((403, "property_not_allowed"), await LeadServer.RefusedAsync(await server.GetAsync($"/v1/leads/{lead}/export", ("x-admin-key", scoped))));
        Assert.Equal((403, "role_required"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { leadId = lead }), ("x-admin-key", ApiServer.DashboardToken))));
        Assert.Equal((401, "unauthorized"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/delete", JsonContent.Create(new { leadId = lead }))));
        Assert.Equal((404, "lead_not_found"), await LeadServer.RefusedAsync(await server.GetAsync($"/v1/leads/{Guid.NewGuid()}/export", Admin)));
        Assert.Equal((404, "lead_not_found"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/leads/nobody/export", Admin)));
        Assert.Equal((404, "erasure_not_found"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/leads/erasures/x", Admin)));
        Assert.Equal(1, await RowsAsync("leads", "id = @id", ("id", lead)));
    }

    [Fact]
    public async Task The_audit_log_says_who_did_what_and_nothing_about_the_person()
    {
        var token = await server.NewTokenAsync(AccessRole.Admin);
        var lead = await server.TakenAsync(LeadServer.Express("audited@example.org", "visitor-audited"));
        using (await server.GetAsync($"/v1/leads/{lead}/consent", ("x-admin-key", token))) { }
        using (await server.GetAsync($"/v1/leads/{lead}/export", ("x-admin-key", token))) { }
        await EraseAsync(new { leadId = lead, dryRun = true });
        await EraseAsync(new { leadId = lead });
        using var answer = await server.GetAsync($"/v1/audit?leadId={lead}", Admin);
        var text = await answer.Content.ReadAsStringAsync();
        var entries = JsonDocument.Parse(text).RootElement.GetProperty("entries").EnumerateArray().Reverse().ToList();
        Assert.Equal(["consent_shown", "person_exported", "erasure_tried", "person_erased"], entries.Select(e => e.GetProperty("action").GetString()));
        Assert.Equal([true, true, false, false], entries.Select(e => e.GetProperty("actor").GetString()!.StartsWith("token ", StringComparison.Ordinal)));
        Assert.DoesNotContain("audited", text);
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => server.Database.ExecuteAsync("delete from audit_log"));
        await Assert.ThrowsAsync<Npgsql.PostgresException>(() => server.Database.ExecuteAsync("update audit_log set actor = 'nobody'"));
        Assert.Equal((400, "invalid_parameter"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/audit?limit=0", Admin)));
        Assert.Equal((400, "invalid_parameter"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/audit?who=me", Admin)));
    }
}
