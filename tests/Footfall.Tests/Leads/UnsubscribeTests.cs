using System.Net;
using System.Net.Http.Json;
using Footfall.Leads;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Withdrawing consent: by link, by one click of a mail program, by address; at once, and as often as one likes.</summary>
[Trait("Category", TestCluster.Category)]
public sealed class UnsubscribeTests(ApiServer server) : IClassFixture<ApiServer>
{
    private const string Path = "/v1/leads/unsubscribe";

    private async Task<(Guid Lead, string Token)> LeadAsync(string email)
    {
        var lead = await server.TakenAsync(LeadServer.Express(email));
        var url = (await server.ConsentAsync(lead)).GetProperty("unsubscribeUrl").GetString()!;
        Assert.DoesNotContain(email[..email.IndexOf('@')], url, StringComparison.Ordinal);
        return (lead, url[(url.IndexOf("token=", StringComparison.Ordinal) + 6)..]);
    }

    [Fact]
    public async Task Looking_at_the_link_changes_nothing_and_its_button_does()
    {
        var (lead, token) = await LeadAsync("link@example.org");
        using var page = await server.Client.GetAsync($"{Path}?token={token}");
        var html = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Contains("<form method=\"post\"", html, StringComparison.Ordinal);
        Assert.Equal("no-referrer", page.Headers.GetValues("Referrer-Policy").Single());
        using var head = await server.Client.SendAsync(new HttpRequestMessage(HttpMethod.Head, $"{Path}?token={token}"));
        Assert.Equal(["express form"], await server.HistoryAsync(lead));

        using var done = await server.PostAsync(Path, new FormUrlEncodedContent([new("token", token)]));
        Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        Assert.Equal("text/html", done.Content.Headers.ContentType!.MediaType);
        Assert.Equal(["express form", "withdrawn unsubscribe_link"], await server.HistoryAsync(lead));
        Assert.False((await server.ConsentAsync(lead)).GetProperty("mayBeMailed").GetBoolean());
    }

    [Fact]
    public async Task One_click_of_a_mail_program_is_enough_and_twice_is_the_same()
    {
        var (lead, token) = await LeadAsync("oneclick@example.org");
        for (var i = 0; i < 2; i++)
        {
            using var done = await server.PostAsync($"{Path}?token={token}", new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]));
            Assert.Equal(HttpStatusCode.OK, done.StatusCode);
        }
        Assert.Equal(["express form", "withdrawn unsubscribe_link"], await server.HistoryAsync(lead));
    }

    [Fact]
    public async Task By_address_the_answer_is_the_same_whether_it_is_known_or_not()
    {
        var (lead, _) = await LeadAsync("known@example.org");
        using var known = await server.PostAsync(Path, JsonContent.Create(new { email = "KNOWN@example.org" }));
        using var unknown = await server.PostAsync(Path, JsonContent.Create(new { email = "unknown@example.org" }));
        Assert.Equal(known.StatusCode, unknown.StatusCode);
        Assert.Equal(await known.Content.ReadAsStringAsync(), await unknown.Content.ReadAsStringAsync());
        Assert.Equal(["express form", "withdrawn unsubscribe_form"], await server.HistoryAsync(lead));
        Assert.Equal(0, await server.Database.ScalarAsync<long>("select count(*) from leads where email_normalized = 'unknown@example.org'"));
    }

    [Fact]
    public async Task Fifty_at_once_write_one_row()
    {
        var (lead, token) = await LeadAsync("rush@example.org");
        var answers = await Task.WhenAll(Enumerable.Range(0, 50).Select(_ => server.PostAsync(Path, JsonContent.Create(new { token }))));
        Assert.All(answers, a => Assert.Equal(HttpStatusCode.OK, a.StatusCode));
        Assert.Equal(["express form", "withdrawn unsubscribe_link"], await server.HistoryAsync(lead));
    }

    [Fact]
    public async Task Only_express_consent_given_anew_brings_a_person_back()
    {
        var (lead, token) = await LeadAsync("back@example.org");
        using (await server.PostAsync(Path, JsonContent.Create(new { token })))
        {
        }
        await server.TakenAsync(new { email = "back@example.org", consent = new { status = "implied", basis = "business_relationship" } });
        await server.TakenAsync(new { email = "back@example.org" });
        Assert.Equal("withdrawn", (await server.ConsentAsync(lead)).GetProperty("status").GetString());
        await server.TakenAsync(LeadServer.Express("back@example.org"));
        Assert.Equal(["express form", "withdrawn unsubscribe_link", "express form"], await server.HistoryAsync(lead));
        Assert.True((await server.ConsentAsync(lead)).GetProperty("mayBeMailed").GetBoolean());
    }

    [Fact]
    public async Task A_token_that_was_changed_opens_nothing()
    {
        var (lead, token) = await LeadAsync("forged@example.org");
        var links = server.Services.GetRequiredService<SignedLinks>();
        var other = links.Confirm(lead, DateTimeOffset.MaxValue);
        foreach (var forged in new[] { token[..^2], token[..^1] + (token[^1] == 'A' ? 'B' : 'A'), "B" + token[1..], other, "x", new string('A', token.Length), token + "A", token.Replace(token[30], token[30] == 'x' ? 'y' : 'x') })
        {
            using var page = await server.Client.GetAsync($"{Path}?token={forged}");
            Assert.Equal(HttpStatusCode.BadRequest, page.StatusCode);
            Assert.Equal((400, "invalid_token"), await LeadServer.RefusedAsync(await server.PostAsync(Path, JsonContent.Create(new { token = forged }))));
        }
        Assert.Equal(["express form"], await server.HistoryAsync(lead));
    }

    [Fact]
    public async Task A_link_of_a_lead_that_is_gone_still_says_done()
    {
        var token = server.Services.GetRequiredService<SignedLinks>().Unsubscribe(Guid.NewGuid());
        using var done = await server.PostAsync(Path, JsonContent.Create(new { token }));
        Assert.Equal("""{"ok":true}""", await done.Content.ReadAsStringAsync());
    }

    [Theory]
    [InlineData("{}", "validation_failed")]
    [InlineData("{\"email\":\"no\"}", "validation_failed")]
    [InlineData("[]", "invalid_json")]
    [InlineData("{\"token\":\"\\ud800\"}", "invalid_json")]
    [InlineData("x", "invalid_json")]
    public async Task Requests_that_say_nothing(string json, string error) =>
        Assert.Equal((400, error), await LeadServer.RefusedAsync(await server.PostAsync(Path, new StringContent(json, System.Text.Encoding.UTF8, "application/json"))));

    [Fact]
    public async Task The_page_without_a_token_asks_for_the_address()
    {
        var (lead, _) = await LeadAsync("page@example.org");
        Assert.Contains("name=\"email\"", await server.Client.GetStringAsync(Path), StringComparison.Ordinal);
        using var done = await server.PostAsync(Path, new FormUrlEncodedContent([new("email", "page@example.org")]));
        Assert.Contains("Done", await done.Content.ReadAsStringAsync(), StringComparison.Ordinal);
        Assert.Equal("withdrawn", (await server.ConsentAsync(lead)).GetProperty("status").GetString());
        using var wrong = await server.PostAsync(Path, new FormUrlEncodedContent([new("email", "<script>")]));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.DoesNotContain("script", await wrong.Content.ReadAsStringAsync(), StringComparison.Ordinal);
    }
}
