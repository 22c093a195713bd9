using System.Net;
using System.Net.Http.Json;
using System.Security.Cryptography;
using System.Text;
using System.Text.Json;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Configuration;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Properties that ask people to confirm: nobody is mailed before they did, and the link reaches nobody else.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class DoubleOptInTests
{
    private const string Key = ApiServer.AdminKey;

    private static async Task<ApiServer> StartAsync(params string[] configuration)
    {
        var server = await ApiServer.StartNewAsync([$"--Access:AdminKey={Key}", "--Leads:PublicUrl=https://stats.example.com", .. configuration]);
        await server.Database.ExecuteAsync("insert into properties (id, name, double_opt_in) values ('shop', 'Halda', true)");
        return server;
    }

    private static string TokenOf(string url) => url[(url.IndexOf("token=", StringComparison.Ordinal) + 6)..];

    [Fact]
    public async Task Without_a_way_to_send_the_link_is_told_to_admins_only()
    {
        await using var server = await StartAsync();
        using var answer = await server.CaptureAsync(LeadServer.Express("doi@example.org"));
        var reply = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotContain("token", reply, StringComparison.Ordinal);
        Assert.True(JsonDocument.Parse(reply).RootElement.GetProperty("mustConfirm").GetBoolean());
        var lead = JsonDocument.Parse(reply).RootElement.GetProperty("leadId").GetGuid();

        var consent = await server.ConsentAsync(lead);
        Assert.Equal("pending", consent.GetProperty("status").GetString());
        Assert.False(consent.GetProperty("mayBeMailed").GetBoolean());
        var url = consent.GetProperty("confirmations")[0].GetProperty("confirmUrl").GetString()!;
        Assert.StartsWith("https://stats.example.com/v1/leads/confirm?token=", url, StringComparison.Ordinal);

        var token = TokenOf(url);
        Assert.Contains("<button>", await server.Client.GetStringAsync($"/v1/leads/confirm?token={token}"), StringComparison.Ordinal);
        Assert.Equal(["pending form"], await server.HistoryAsync(lead));
        var answers = await Task.WhenAll(Enumerable.Range(0, 20).Select(_ => server.PostAsync("/v1/leads/confirm", JsonContent.Create(new { token }))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(["pending form", "express double_opt_in"], await server.HistoryAsync(lead));
        consent = await server.ConsentAsync(lead);
        Assert.Equal("confirmed", consent.GetProperty("confirmations")[0].GetProperty("state").GetString());
        Assert.False(consent.GetProperty("confirmations")[0].TryGetProperty("confirmUrl", out _));
        Assert.Equal("letter", consent.GetProperty("purposes")[0].GetString());
    }

    [Fact]
    public async Task Fifty_at_once_ask_once_and_a_withdrawal_closes_the_link()
    {
        await using var server = await StartAsync();
        await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => server.TakenAsync(LeadServer.Express("rush@example.org"))));
        var lead = await server.Database.ScalarAsync<Guid>("select id from leads");
        var confirmations = (await server.ConsentAsync(lead)).GetProperty("confirmations");
        Assert.Equal(1, confirmations.GetArrayLength());
        var token = TokenOf(confirmations[0].GetProperty("confirmUrl").GetString()!);
        using (await server.PostAsync("/v1/leads/unsubscribe", JsonContent.Create(new { email = "rush@example.org" })))
        {
        }
        Assert.Equal((400, "invalid_token"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/confirm", JsonContent.Create(new { token }))));
        Assert.Equal(["pending form", "withdrawn unsubscribe_form"], await server.HistoryAsync(lead));
        Assert.Equal("void", (await server.ConsentAsync(lead)).GetProperty("confirmations")[0].GetProperty("state").GetString());
    }

    [Fact]
    public async Task A_link_that_has_expired_or_is_of_another_kind_confirms_nothing()
    {
        await using var server = await StartAsync();
        var lead = await server.TakenAsync(LeadServer.Express("late@example.org"));
        var request = await server.Database.ScalarAsync<Guid>("select id from consent_requests");
        var links = server.Services.GetRequiredService<SignedLinks>();
        foreach (var token in new[] { links.Confirm(request, TimeProvider.System.GetUtcNow().AddSeconds(-1)), links.Unsubscribe(request), links.Confirm(Guid.NewGuid(), DateTimeOffset.MaxValue), "" })
        {
            Assert.Equal((400, "invalid_token"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/confirm", JsonContent.Create(new { token }))));
        }
        using var page = await server.Client.GetAsync("/v1/leads/confirm?token=x");
        Assert.Equal(HttpStatusCode.BadRequest, page.StatusCode);
        Assert.Equal(["pending form"], await server.HistoryAsync(lead));
    }

    [Fact]
    public async Task The_webhook_gets_the_link_signed_and_again_until_it_takes_it()
    {
        await using var hook = await HttpStandIn.StartAsync();
        var failures = 2;
        hook.Answer = _ => (Interlocked.Decrement(ref failures) >= 0 ? 500 : 204, "");
        await using var server = await StartAsync($"--Leads:Webhook:Url={hook.Address}/confirm", "--Leads:Webhook:Secret=a-secret-of-the-operator");
        var lead = await server.TakenAsync(LeadServer.Express("hook@example.org"));
        // Not half a minute each time: the next attempt is due now.
        await Eventually.IsTrueAsync("the confirmation is sent", async () =>
        {
            await server.Database.ExecuteAsync("update consent_requests set next_attempt_at = '2000-01-01' where next_attempt_at is not null and attempts > 0");
            await server.Services.GetRequiredService<ConfirmationSender>().SendNextAsync(default);
            return await server.Database.ScalarAsync<bool>("select sent_at is not null from consent_requests");
        }, default);
        Assert.Equal(3, hook.Heard.Count);
        var (headers, body) = hook.Heard.Last();
        Assert.Equal("sha256=" + Convert.ToHexStringLower(HMACSHA256.HashData("a-secret-of-the-operator"u8, Encoding.UTF8.GetBytes(body))), headers["x-footfall-signature"]);
        var call = JsonDocument.Parse(body).RootElement;
        Assert.Equal("hook@example.org", call.GetProperty("email").GetString());
        Assert.Equal("consent.confirm", call.GetProperty("type").GetString());
        Assert.Equal("Halda", call.GetProperty("propertyName").GetString());
        Assert.False((await server.ConsentAsync(lead)).GetProperty("confirmations")[0].TryGetProperty("confirmUrl", out _));
        using var done = await server.PostAsync("/v1/leads/confirm?token=" + TokenOf(call.GetProperty("confirmUrl").GetString()!), new StringContent(""));
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        using var confirmed = await server.PostAsync("/v1/leads/confirm", new FormUrlEncodedContent([new("token", TokenOf(call.GetProperty("confirmUrl").GetString()!))]));
        Assert.Equal(HttpStatusCode.OK, confirmed.StatusCode);
        Assert.Equal(["pending form", "express double_opt_in"], await server.HistoryAsync(lead));
    }

    [Fact]
    public async Task Mail_goes_out_with_headers_that_nobody_can_write_into()
    {
        await using var smtp = new SmtpStandIn();
        await using var server = await StartAsync(
            "--Leads:Smtp:Host=127.0.0.1", $"--Leads:Smtp:Port={smtp.Port}", "--Leads:Smtp:Security=none", "--Leads:Smtp:User=letters", "--Leads:Smtp:Password=secret",
            "--Leads:Smtp:From=letters@halda.example", "--Leads:Smtp:FromName=Halda – letters");
        await server.Database.ExecuteAsync("update properties set name = E'Halda\r\nBcc: everyone@example.org'");
        await server.TakenAsync(LeadServer.Express("\"Ann Lee\"@example.org", purpose: "visit http://spam.example now"));
        await Eventually.IsTrueAsync("the mail is sent", async () => await server.Database.ScalarAsync<bool>("select sent_at is not null from consent_requests"), default);
        var mail = Assert.Single(smtp.Mails).ReplaceLineEndings("\r\n");
        var (head, body) = (mail[..mail.IndexOf("\r\n\r\n", StringComparison.Ordinal)], Encoding.UTF8.GetString(Convert.FromBase64String(mail[mail.IndexOf("\r\n\r\n", StringComparison.Ordinal)..])));
        Assert.DoesNotContain("Bcc", head, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("To: <\"Ann Lee\"@example.org>", head, StringComparison.Ordinal);
        Assert.Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click", head, StringComparison.Ordinal);
        Assert.Contains("https://stats.example.com/v1/leads/confirm?token=", body, StringComparison.Ordinal);
        Assert.DoesNotContain("spam.example", body, StringComparison.Ordinal);
        Assert.Equal(["EHLO stats.example.com", "AUTH PLAIN " + Convert.ToBase64String("\0letters\0secret"u8), "MAIL FROM:<letters@halda.example>", "RCPT TO:<\"Ann Lee\"@example.org>", "DATA", "QUIT"], smtp.Commands);
    }

    [Fact]
    public async Task Nothing_is_said_to_a_mail_host_whose_certificate_is_not_trusted()
    {
        await using var smtp = new SmtpStandIn();
        await using var server = await StartAsync("--Leads:Smtp:Host=127.0.0.1", $"--Leads:Smtp:Port={smtp.Port}", "--Leads:Smtp:User=letters", "--Leads:Smtp:Password=secret", "--Leads:Smtp:From=letters@halda.example");
        await server.TakenAsync(LeadServer.Express("tls@example.org"));
        await Eventually.IsTrueAsync("an attempt was made", () => Task.FromResult(smtp.Commands.Contains("STARTTLS")), default);
        await Task.Delay(300);
        Assert.Equal(["EHLO stats.example.com", "STARTTLS"], smtp.Commands.Distinct());
        Assert.Empty(smtp.Mails);
        Assert.False(await server.Database.ScalarAsync<bool>("select sent_at is not null from consent_requests"));
    }

    [Fact]
    public async Task A_mailbox_that_refuses_is_given_up_in_the_end()
    {
        await using var smtp = new SmtpStandIn { Recipient = () => 550 };
        await using var server = await StartAsync("--Leads:Smtp:Host=127.0.0.1", $"--Leads:Smtp:Port={smtp.Port}", "--Leads:Smtp:Security=none", "--Leads:Smtp:From=letters@halda.example");
        await server.TakenAsync(LeadServer.Express("nobody@example.org"));
        await Eventually.IsTrueAsync("it is given up", async () =>
        {
            await server.Database.ExecuteAsync("update consent_requests set next_attempt_at = '2000-01-01' where next_attempt_at is not null and attempts > 0");
            await server.Services.GetRequiredService<ConfirmationSender>().SendNextAsync(default);
            return await server.Database.ScalarAsync<bool>("select next_attempt_at is null and sent_at is null from consent_requests");
        }, default);
        Assert.Equal(ConfirmationSender.MostAttempts, await server.Database.ScalarAsync<int>("select attempts from consent_requests"));
    }

    [Theory]
    [InlineData("Leads:Webhook:Url", "https://hook.example", "Leads:PublicUrl")]
    [InlineData("Leads:Webhook:Url", "ftp://hook.example", "Leads:Webhook:Url")]
    [InlineData("Leads:PublicUrl", "stats.example.com", "Leads:PublicUrl")]
    [InlineData("Leads:LinkKey", "short", "Leads:LinkKey")]
    [InlineData("Leads:Captcha:Provider", "turnstile", "Leads:Captcha:Secret")]
    [InlineData("Leads:DnsServer", "dns.example", "Leads:DnsServer")]
    [InlineData("Leads:RedirectHosts", "https://a.example", "Leads:RedirectHosts")]
    [InlineData("Leads:MinFillSeconds", "-1", "Leads:MinFillSeconds")]
    [InlineData("Leads:Smtp:Host", "mail.example", "Leads:Smtp:From")]
    public void A_configuration_that_cannot_be_is_refused_by_name(string key, string value, string named)
    {
        var options = new LeadsOptions();
        new ConfigurationBuilder().AddInMemoryCollection([new(key, value)]).Build().GetSection(LeadsOptions.Section).Bind(options);
        var result = new LeadsOptionsValidator().Validate(null, options);
        Assert.True(result.Failed);
        Assert.Contains(result.Failures!, f => f.StartsWith(named, StringComparison.Ordinal));
    }
}
