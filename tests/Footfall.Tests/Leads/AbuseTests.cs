using System.Net;
using System.Text.Json;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>What keeps programs out: each is off or loose unless asked for, each refusal is counted by its reason.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class AbuseTests
{
    private static Task<ApiServer> StartAsync(params string[] configuration) => ApiServer.StartNewAsync([$"--Access:AdminKey={ApiServer.AdminKey}", .. configuration]);

    [Theory]
    [InlineData("Turnstile", "cf-turnstile-response")]
    [InlineData("HCaptcha", "h-captcha-response")]
    [InlineData("ReCaptcha", "g-recaptcha-response")]
    public async Task A_captcha_is_asked_for_its_verdict_and_for_nothing_else(string provider, string field)
    {
        await using var captcha = await HttpStandIn.StartAsync();
        captcha.Answer = body => (200, body.Contains("response=good", StringComparison.Ordinal) ? """{"success":true,"score":0.9}""" : """{"success":false,"error-codes":["invalid-input-response"]}""");
        await using var server = await StartAsync($"--Leads:Captcha:Provider={provider}", "--Leads:Captcha:Secret=the-secret", $"--Leads:Captcha:VerifyUrl={captcha.Address}/siteverify");
        await server.TakenAsync(new Dictionary<string, object> { ["email"] = "person@example.org", [field] = "good" });
        Assert.Equal("secret=the-secret&response=good", Assert.Single(captcha.Heard).Body);
        await server.TakenAsync(new { email = "person2@example.org", captcha = "good" });
        using (var form = await server.SubmitAsync(new() { ["email"] = "person3@example.org", [field] = "good" })) Assert.Equal("/v1/leads/thanks", form.Headers.Location!.OriginalString);
        Assert.Equal((400, "captcha_failed"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "robot@example.org", captcha = "bad" })));
        Assert.Equal((400, "captcha_failed"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "robot@example.org" })));
        await server.TakenAsync(new { email = "server@example.org" }, ("x-admin-key", ApiServer.AdminKey));
        await server.SettleAsync();
        Assert.Equal(4, await server.Database.ScalarAsync<long>("select count(*) from leads"));
        Assert.Equal(["captcha_failed|2"], await server.Database.RowsAsync("select reason, events from ingest_counts where outcome = 'lead_rejected'"));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from form_submissions where payload is not null"));
    }

    [Theory]
    [InlineData(200, """{"success":true,"score":0.1}""", 400, "captcha_failed")]
    [InlineData(500, "", 503, "captcha_unavailable")]
    [InlineData(200, "no json", 503, "captcha_unavailable")]
    [InlineData(200, "{}", 503, "captcha_unavailable")]
    [InlineData(200, """{"success":false,"error-codes":["invalid-input-secret"]}""", 400, "captcha_failed")]
    public async Task A_captcha_that_says_anything_else_lets_nobody_in(int status, string body, int answered, string error)
    {
        await using var captcha = await HttpStandIn.StartAsync();
        captcha.Answer = _ => (status, body);
        await using var server = await StartAsync("--Leads:Captcha:Provider=recaptcha", "--Leads:Captcha:Secret=s", $"--Leads:Captcha:VerifyUrl={captcha.Address}");
        Assert.Equal((answered, error), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "ann@example.org", captcha = "x" })));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from leads"));
    }

    [Fact]
    public async Task A_mail_host_is_looked_for_where_that_is_asked()
    {
        await using var dns = new DnsStandIn();
        dns.Answer = (name, type) => (name, type) switch
        {
            ("mx.example", 15) => (0, [[0, 10, 1, (byte)'m', 0]]),
            ("null.example", 15) => (0, [[0, 0, 0]]),
            ("address.example", 15) => (0, []),
            ("address.example", 1) => (0, [[192, 0, 2, 1]]),
            ("six.example", 15 or 1) => (0, []),
            ("six.example", 28) => (0, [[0x20, 1, 0xd, 0xb8, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 0, 1]]),
            ("empty.example", _) => (0, []),
            ("broken.example", _) => (2, []),
            ("silent.example", _) => null,
            _ => (3, []),
        };
        await using var server = await StartAsync("--Leads:CheckMailHost=true", $"--Leads:DnsServer={dns.Address}");
        foreach (var domain in new[] { "mx.example", "address.example", "six.example", "broken.example", "silent.example" }) await server.TakenAsync(new { email = $"ann@{domain}" });
        foreach (var domain in new[] { "null.example", "empty.example", "none.example" }) Assert.Equal((400, "mail_host_missing"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = $"ann@{domain}" })));
        Assert.Equal(["address.example|valid", "broken.example|mail_host_unknown", "mx.example|valid", "silent.example|mail_host_unknown", "six.example|valid"], await server.Database.RowsAsync(
            "select l.email_domain, s.validation_status from leads l join form_submissions s on s.lead_id = l.id order by 1"));
        var asked = dns.Questions;
        await server.TakenAsync(new { email = "lee@mx.example" });
        Assert.Equal(asked, dns.Questions);
    }

    [Fact]
    public async Task Throw_away_mail_hosts_are_refused_where_that_is_asked()
    {
        await using var server = await StartAsync("--Leads:RejectDisposable=true");
        foreach (var domain in new[] { "mailinator.com", "sub.mailinator.com" }) Assert.Equal((400, "disposable_domain"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = $"ann@{domain}" })));
        await server.TakenAsync(new { email = "ann@gmail.com" });
        await server.TakenAsync(new { email = "ann@mailinator.com.example" });
        var domains = server.Services.GetRequiredService<MailDomains>();
        Assert.False(domains.IsDisposable("com"));
    }

    [Fact]
    public async Task A_form_must_have_been_looked_at()
    {
        await using var server = await StartAsync("--Leads:MinFillSeconds=30", "--Leads:RequireFormToken=true");
        var links = server.Services.GetRequiredService<SignedLinks>();
        var now = TimeProvider.System.GetUtcNow();
        var fresh = JsonDocument.Parse(await server.Client.GetStringAsync("/v1/leads/form-token")).RootElement;
        Assert.Equal(30, fresh.GetProperty("minFillSeconds").GetInt32());
        await IsAsync("too_fast", fresh.GetProperty("formToken").GetString());
        await IsAsync("form_token_required", null);
        await IsAsync("form_token_invalid", links.Form(now.AddDays(-2)));
        await IsAsync("form_token_invalid", links.Form(now.AddHours(1)));
        await IsAsync("form_token_invalid", links.Unsubscribe(Guid.NewGuid()));
        await server.TakenAsync(new { email = "ann@example.org", formToken = links.Form(now.AddSeconds(-40)) });
        await server.SettleAsync();
        Assert.Equal(["form_token_invalid|3", "form_token_required|1", "too_fast|1"], await server.Database.RowsAsync("select reason, events from ingest_counts where outcome = 'lead_rejected' order by 1"));

        async Task IsAsync(string error, string? formToken) => Assert.Equal((400, error), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "ann@example.org", formToken })));
    }

    [Fact]
    public async Task One_network_address_may_send_so_many_and_others_are_not_held_up()
    {
        await using var server = await StartAsync("--TrustedProxies=127.0.0.1,::1", "--Leads:RateLimit:PerAddressPerMinute=3");
        for (var i = 0; i < 3; i++) await server.TakenAsync(new { email = $"limit{i}@example.org" }, ("X-Forwarded-For", "203.0.113.9"));
        using (var refused = await server.CaptureAsync(new { email = "limit@example.org" }, ("X-Forwarded-For", "203.0.113.9")))
        {
            Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
            Assert.True(refused.Headers.RetryAfter!.Delta > TimeSpan.Zero);
        }
        await server.TakenAsync(new { email = "limit@example.org" }, ("X-Forwarded-For", "203.0.113.10"));
        for (var i = 0; i < 3; i++) await server.TakenAsync(new { email = $"six{i}@example.org" }, ("X-Forwarded-For", $"2001:db8:1:2::{i}"));
        Assert.Equal((429, "rate_limited"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "six@example.org" }, ("X-Forwarded-For", "2001:db8:1:2:ffff::1"))));
    }

    [Fact]
    public async Task One_mail_address_may_be_sent_so_often_from_wherever()
    {
        await using var server = await StartAsync("--Leads:RateLimit:PerEmailPerHour=4");
        for (var i = 0; i < 4; i++) await server.TakenAsync(new { email = i % 2 == 0 ? "Same@example.org" : "same@EXAMPLE.org" });
        Assert.Equal((429, "rate_limited"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "same@example.org" })));
        await server.TakenAsync(new { email = "other@example.org" });
    }

    [Fact]
    public async Task Pages_of_other_origins_are_refused_where_origins_are_named()
    {
        await using var server = await StartAsync("--Capture:CorsAllowedOrigins=https://shop.example");
        Assert.Equal((403, "origin_not_allowed"), await LeadServer.RefusedAsync(await server.CaptureAsync(new { email = "ann@example.org" }, ("Origin", "https://evil.example"))));
        using var taken = await server.CaptureAsync(new { email = "ann@example.org" }, ("Origin", "https://shop.example"));
        Assert.Equal("https://shop.example", taken.Headers.GetValues("Access-Control-Allow-Origin").Single());
    }

    [Fact]
    public async Task Crawlers_make_no_leads_where_they_are_dropped_and_who_opts_out_is_a_lead_without_an_event()
    {
        await using var server = await StartAsync("--Capture:Bots=drop", "--Capture:Gpc=drop");
        const string crawler = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        using (var request = new HttpRequestMessage(HttpMethod.Post, "/v1/leads/capture") { Content = System.Net.Http.Json.JsonContent.Create(new { email = "bot@example.org" }) })
        {
            request.Headers.TryAddWithoutValidation("User-Agent", crawler);
            Assert.Equal((400, "bot"), await LeadServer.RefusedAsync(await server.Client.SendAsync(request)));
        }
        var lead = await server.TakenAsync(LeadServer.Express("private@example.org", "visitor-private"), ("Sec-GPC", "1"));
        await server.SettleAsync();
        Assert.Equal(["|||"], await server.Database.RowsAsync("select visitor_id, session_id, ip_hash, ua_hash from form_submissions where lead_id = @id", ("id", lead)));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select (select count(*) from events) + (select count(*) from lead_identities)"));
        Assert.Equal(1, await server.Database.ScalarAsync<long>("select events from ingest_counts where outcome = 'lead_accepted'"));
    }
}
