using System.Net;
using System.Text;
using System.Text.Json;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>POST /v1/leads/capture on the real database: what is stored, what is answered, and that it happens once.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class LeadCaptureTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Form = "/v1/leads/capture";

    [Fact]
    public async Task A_form_becomes_a_lead_with_its_submission_consent_link_and_event()
    {
        using var answer = await server.CaptureAsync(new
        {
            email = " Ann.Lee+Letters@Example.ORG ",
            anonId = "visitor-whole",
            propertyId = "shop",
            formName = "letters",
            path = "/letters?utm_source=x",
            consent = new { status = "express", method = "checkbox", purpose = "monthly letter" },
            utm = new { source = "spring", medium = "email" },
            payload = new { level = "new", title = "Dr", nested = new { a = 1 } },
        }, ("Origin", "https://shop.example"));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal("no-store", answer.Headers.CacheControl?.ToString());
        var reply = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.True(reply.GetProperty("ok").GetBoolean());
        var id = reply.GetProperty("leadId").GetGuid();

        Assert.Equal(["ann.lee+letters@example.org|Ann.Lee+Letters@example.org|example.org|express|form|email|shop"], await server.Database.RowsAsync(
            "select email_normalized, email, email_domain, consent_status, consent_method, source_channel, property_id from leads where id = @id", ("id", id)));
        Assert.Equal(["letters|shop.example/letters|valid|{\"level\": \"new\", \"title\": \"Dr\", \"nested\": {\"a\": 1}}|{\"method\": \"checkbox\", \"status\": \"express\", \"purpose\": \"monthly letter\"}|True"], await server.Database.RowsAsync(
            "select form_name, source, validation_status, payload, consent, ip_hash is not null and ua_hash is not null from form_submissions where lead_id = @id", ("id", id)));
        Assert.Equal(["express|form|monthly letter|shop.example/letters|shop"], await server.Database.RowsAsync("select status, method, purpose, source, property_id from consent_events where lead_id = @id", ("id", id)));

        await server.SettleAsync();
        Assert.Equal(["form_submit|1"], await server.Database.RowsAsync("select i.link_source, i.confidence from lead_identities i join visitors v on v.id = i.visitor_id where i.lead_id = @id and v.anon_id = 'visitor-whole'", ("id", id)));
        Assert.Equal(["form_submit|/letters?utm_source=x|shop|True|letters"], await server.Database.RowsAsync("""
            select e.event_type, e.path, e.property_id, e.is_conversion, e.props ->> 'form'
            from events e join visitors v on v.id = e.visitor_id where v.anon_id = 'visitor-whole'
            """));
    }

    [Fact]
    public async Task Fifty_at_once_make_one_lead_and_one_row_of_consent()
    {
        var lead = LeadServer.Express("burst@example.org", "visitor-burst");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => server.CaptureAsync(lead)));
        Assert.All(answers, a => Assert.True(a.IsSuccessStatusCode));
        Assert.Single(answers, a => a.StatusCode == HttpStatusCode.Created);
        Assert.Single((await Task.WhenAll(answers.Select(a => a.Content.ReadAsStringAsync()))).Distinct());
        Assert.Equal(["1|1|1|50"], await server.Database.RowsAsync("""
            select (select count(*) from leads where email_normalized = 'burst@example.org'),
                   (select count(*) from consent_events c join leads l on l.id = c.lead_id where l.email_normalized = 'burst@example.org'),
                   (select count(*) from lead_identities i join leads l on l.id = i.lead_id where l.email_normalized = 'burst@example.org' and i.link_source = 'form_submit'),
                   (select count(*) from form_submissions s join leads l on l.id = s.lead_id where l.email_normalized = 'burst@example.org')
            """));
        Assert.True((await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default)).IsWhole);
    }

    [Fact]
    public async Task Fifty_addresses_at_once_leave_a_whole_ledger()
    {
        await Task.WhenAll(Enumerable.Range(0, 50).Select(i => server.TakenAsync(LeadServer.Express($"many{i}@example.org", $"visitor-many-{i % 5}"))));
        var report = await server.Services.GetRequiredService<ConsentLedger>().VerifyAsync(default);
        Assert.True(report.IsWhole, string.Join('\n', report.Faults));
        Assert.Equal(50, await server.Database.ScalarAsync<long>("select count(distinct c.id) from consent_events c join leads l on l.id = c.lead_id where l.email_normalized like 'many%'"));
    }

    [Fact]
    public async Task The_same_form_sent_again_is_one_submission_and_one_event_also_when_the_tracker_tells_of_it()
    {
        var lead = new { email = "twice@example.org", anonId = "visitor-twice", eventId = "event-twice", propertyId = "shop", path = "/letters", consent = new { status = "express" } };
        var first = await server.TakenAsync(lead);
        Assert.Equal(first, await server.TakenAsync(lead));
        using var told = await server.PostAsync("/v1/events", new StringContent("""{"eventType":"form_submit","anonId":"visitor-twice","eventId":"event-twice","path":"/letters","traffic":{"propertyId":"shop"}}""", Encoding.UTF8, "application/json"));
        Assert.Equal(HttpStatusCode.Accepted, told.StatusCode);
        await server.SettleAsync();
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select count(*) from form_submissions where lead_id = @id", ("id", first)));
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select count(*) from events e join visitors v on v.id = e.visitor_id where v.anon_id = 'visitor-twice'"));
    }

    [Fact]
    public async Task An_event_that_was_taken_to_the_journal_by_a_server_that_died_then_counts_once()
    {
        var id = await server.TakenAsync(LeadServer.Express("died@example.org", "visitor-died"));
        await server.SettleAsync();
        // As if the server had died between the journal and crossing it off.
        await server.Database.ExecuteAsync("""
            insert into form_submit_events (submission_id, property_id, day, record, created_at)
            select s.id, s.property_id, current_date, decode('', 'hex'), now() from form_submissions s where s.lead_id = @id
            """, ("id", id));
        var accepted = await server.Database.ScalarAsync<long>("select sum(events)::bigint from ingest_counts where outcome = 'lead_accepted'");
        await server.SettleAsync();
        Assert.Equal(accepted + 1, await server.Database.ScalarAsync<long>("select sum(events)::bigint from ingest_counts where outcome = 'lead_accepted'"));
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select count(*) from events e join visitors v on v.id = e.visitor_id where v.anon_id = 'visitor-died'"));
    }

    [Fact]
    public async Task Captured_again_the_last_time_moves_and_the_first_stays()
    {
        var id = await server.TakenAsync(LeadServer.Express("again@example.org"));
        await server.Database.ExecuteAsync("update leads set first_captured_at = '2026-01-01', last_captured_at = '2026-01-01' where id = @id", ("id", id));
        using var answer = await server.CaptureAsync(LeadServer.Express("AGAIN@example.org"));
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal(["2026-01-01|True"], await server.Database.RowsAsync("select first_captured_at::date::text, last_captured_at > now() - interval '1 minute' from leads where id = @id", ("id", id)));
        Assert.Equal(["express form"], await server.HistoryAsync(id));
    }

    [Theory]
    [InlineData("dots.and.plus@gmail.com", "dotsandplus@gmail.com")]
    [InlineData("a+one@example.org", "a+two@example.org")]
    public async Task Dots_and_plus_tags_make_different_people(string one, string other) =>
        Assert.NotEqual(await server.TakenAsync(LeadServer.Express(one)), await server.TakenAsync(LeadServer.Express(other)));

    [Fact]
    public async Task A_server_with_a_key_says_what_a_person_told_it()
    {
        var token = await server.NewTokenAsync(Footfall.Access.AccessRole.Ingest, property: "shop");
        var id = await server.TakenAsync(new { email = "api@example.org", consent = new { status = "implied", basis = "business_relationship", purpose = "orders" } }, ("Authorization", $"Bearer {token}"));
        Assert.Equal(["implied|api|business_relationship|shop|True"], await server.Database.RowsAsync(
            "select status, method, basis, property_id, ip_hash is null and expires_at = occurred_at + interval '24 months' from consent_events where lead_id = @id", ("id", id)));
        Assert.Equal((401, "unauthorized"), await LeadServer.RefusedAsync(await server.CaptureAsync(LeadServer.Express("x@example.org"), ("Authorization", "Bearer wrong"))));
        Assert.Equal((403, "property_not_allowed"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "x@example.org", propertyId = "other" }, ("Authorization", $"Bearer {token}"))));
    }

    [Fact]
    public async Task A_posted_form_leads_to_the_page_it_names()
    {
        await server.Database.ExecuteAsync("insert into properties (id, name, hosts) values ('formshop', 'Form shop', '{shop.example}')");
        server.Services.GetRequiredService<Footfall.Capture.PropertyRegistry>().Refresh([new Footfall.Capture.Property("formshop", ["shop.example"], []) { ThanksUrl = "https://shop.example/configured" }]);
        Dictionary<string, string> form = new()
        {
            ["email"] = "form@example.org",
            ["propertyId"] = "formshop",
            ["consent.status"] = "express",
            ["consent.purpose"] = "letter",
            ["anonId"] = "visitor-form",
            ["payload.level"] = "new",
            ["age"] = "41",
            ["thanks"] = "/demo/thanks.html",
            ["error"] = "/demo/sorry.html",
            ["website"] = "",
        };
        using var taken = await server.SubmitAsync(form);
        Assert.Equal(HttpStatusCode.SeeOther, taken.StatusCode);
        Assert.Equal("/demo/thanks.html", taken.Headers.Location!.OriginalString);
        Assert.Equal("{\"age\": \"41\", \"level\": \"new\"}", await server.Database.ScalarAsync<string>("select payload::text from form_submissions s join leads l on l.id = s.lead_id where l.email_normalized = 'form@example.org'"));

        Assert.Equal("https://shop.example/demo/thanks.html", await LocationAsync(form, ("Origin", "https://shop.example")));
        Assert.Equal("https://shop.example/x?y=1", await LocationAsync(With("thanks", "https://shop.example/x?y=1")));
        Assert.Equal("https://shop.example/configured", await LocationAsync(Without("thanks")));
        Assert.Equal("/demo/sorry.html?error=validation_failed", await LocationAsync(With("email", "none")));
        Assert.Equal("/v1/leads/sorry?error=honeypot", await LocationAsync(new(Without("error")) { ["website"] = "http://spam.example" }));

        async Task<string> LocationAsync(Dictionary<string, string> f, params (string, string)[] headers)
        {
            using var answer = await server.SubmitAsync(f, headers);
            Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
            return answer.Headers.Location!.OriginalString;
        }

        Dictionary<string, string> With(string name, string value) => new(form) { [name] = value };
        Dictionary<string, string> Without(string name) => form.Where(f => f.Key != name).ToDictionary();
    }

    [Theory]
    [InlineData("https://evil.example/")]
    [InlineData("//evil.example/")]
    [InlineData("/\\evil.example")]
    [InlineData("\\\\evil.example")]
    [InlineData("/\t/evil.example")]
    [InlineData("/\n/evil.example")]
    [InlineData(" https://evil.example")]
    [InlineData("https:evil.example")]
    [InlineData("javascript:alert(1)")]
    [InlineData("data:text/html,x")]
    [InlineData("https://127.0.0.1@evil.example/")]
    [InlineData("https://evil.example#@127.0.0.1")]
    [InlineData("https://127.0.0.1.evil.example/")]
    [InlineData("/x\r\nSet-Cookie: a=b")]
    [InlineData("evil.example")]
    public async Task No_form_leads_elsewhere(string thanks)
    {
        using var answer = await server.SubmitAsync(new() { ["email"] = "lead.elsewhere@example.org", ["thanks"] = thanks }, ("Origin", "https://evil.example"), ("Referer", "https://evil.example/"));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        Assert.Equal("/v1/leads/thanks", answer.Headers.Location!.OriginalString);
        Assert.False(answer.Headers.Contains("Set-Cookie"));
    }

    [Fact]
    public async Task A_multipart_form_is_read_and_its_files_are_not()
    {
        using var body = new MultipartFormDataContent
        {
            { new StringContent("multi@example.org"), "email" },
            { new StringContent("express"), "consent" },
            { new ByteArrayContent([1, 2, 3]), "upload", "x.bin" },
        };
        using var answer = await server.PostAsync(Form, body, ("Accept", "application/json"));
        Assert.Equal(HttpStatusCode.Created, answer.StatusCode);
        Assert.Equal(["express|"], await server.Database.RowsAsync("select l.consent_status, s.payload from leads l join form_submissions s on s.lead_id = l.id where email_normalized = 'multi@example.org'"));
    }

    [Fact]
    public async Task The_pages_of_this_server_say_what_happened_and_load_nothing()
    {
        using var thanks = await server.Client.GetAsync("/v1/leads/thanks");
        Assert.Contains("Thank you", await thanks.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Contains("default-src 'none'", thanks.Headers.GetValues("Content-Security-Policy").Single(), StringComparison.Ordinal);
        using var sorry = await server.Client.GetAsync("/v1/leads/sorry?error=%3Cscript%3E");
        Assert.DoesNotContain("script", await sorry.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
