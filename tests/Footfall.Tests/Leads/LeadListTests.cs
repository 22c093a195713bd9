using System.Net;
using System.Net.Http.Json;
using System.Text;
using System.Text.Json;
using Footfall.Access;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Leads;

[Trait("Category", TestCluster.Category)]
public sealed class LeadListTests(ApiServer server) : IClassFixture<ApiServer>
{
    private static readonly (string, string) Admin = ("x-admin-key", ApiServer.AdminKey);

    private async Task<JsonElement> ListAsync(string query, string? key = null)
    {
        using var answer = await server.GetAsync($"/v1/leads?{query}", ("x-admin-key", key ?? ApiServer.AdminKey));
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.IsSuccessStatusCode, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private static List<string> Emails(JsonElement page) => [.. page.GetProperty("leads").EnumerateArray().Select(l => l.GetProperty("email").GetString()!)];

    private Task<Guid> TakenAsync(string email, string property, string status = "express") =>
        server.TakenAsync(new { email, propertyId = property, consent = new { status, purpose = "letter" } });

    [Fact]
    public async Task Pages_follow_each_other_without_gap_or_repeat_while_leads_come()
    {
        for (var i = 0; i < 7; i++) await TakenAsync($"page{i}@example.org", "pages");
        List<string> seen = [];
        var cursor = "";
        for (var n = 0; n < 10; n++)
        {
            var page = await ListAsync($"property=pages&limit=3{cursor}");
            seen.AddRange(Emails(page));
            if (n == 0) await TakenAsync("between@example.org", "pages");
            if (page.GetProperty("nextCursor").ValueKind == JsonValueKind.Null) break;
            cursor = $"&cursor={page.GetProperty("nextCursor").GetString()}";
        }
        Assert.Equal(Enumerable.Range(0, 7).Reverse().Select(i => $"page{i}@example.org"), seen);
        Assert.Equal((400, "invalid_parameter"), await LeadServer.RefusedAsync(await server.GetAsync($"/v1/leads?property=other{cursor}", Admin)));   // of another question
    }

    [Fact]
    public async Task Filters_keep_what_they_say()
    {
        await TakenAsync("ann@gmail.com", "filters");
        await TakenAsync("ben@bakery.example", "filters", "implied");
        await TakenAsync("cy@bakery.example", "filters", "pending");
        await TakenAsync("dee@bakery.example", "filters");
        using (await server.PostAsync("/v1/leads/unsubscribe", JsonContent.Create(new { email = "dee@bakery.example" }))) { }
        await server.Database.ExecuteAsync("update leads set first_captured_at = '2026-01-05T12:00:00Z', source_channel = 'social' where email_normalized = 'ben@bakery.example'");

        Assert.Equal(["ann@gmail.com"], Emails(await ListAsync("property=filters&domainKind=free")));
        Assert.Equal(3, Emails(await ListAsync("property=filters&domainKind=business")).Count);
        Assert.Equal(["dee@bakery.example"], Emails(await ListAsync("property=filters&status=withdrawn")));
        Assert.Equal(["ben@bakery.example"], Emails(await ListAsync("property=filters&source=social")));
        Assert.Equal(["ben@bakery.example"], Emails(await ListAsync("property=filters&from=2026-01-05&to=2026-01-05")));
        Assert.Equal(["dee@bakery.example", "cy@bakery.example", "ben@bakery.example"], Emails(await ListAsync("property=filters&search=BAKERY")).OrderDescending());
        Assert.Empty(Emails(await ListAsync("property=filters&search=%25")));   // no pattern
        Assert.Equal(["ann@gmail.com", "ben@bakery.example"], Emails(await ListAsync("property=filters&mailable=true")).Order());
        // Implied consent that has ended is no consent, also before the job has said so.
        await server.Database.ExecuteAsync("update leads set consent_expires_at = '2026-01-01' where email_normalized = 'ben@bakery.example'");
        Assert.Equal(["ann@gmail.com"], Emails(await ListAsync("property=filters&mailable=true")));
    }

    [Fact]
    public async Task An_address_is_searched_for_in_a_body_and_refused_in_a_url()
    {
        await TakenAsync("whole@example.org", "whole");
        var (status, error) = await LeadServer.RefusedAsync(await server.GetAsync("/v1/leads?search=whole%40example.org", Admin));
        Assert.Equal((400, "invalid_parameter"), (status, error));
        using var answer = await server.PostAsync("/v1/leads/search", JsonContent.Create(new { search = "Whole@Example.org", property = "whole" }), Admin);
        Assert.Equal(["whole@example.org"], Emails(JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement));
    }

    [Fact]
    public async Task A_spreadsheet_gets_no_formula_and_all_of_the_consent()
    {
        await server.TakenAsync(new { email = "=cmd|calc!a1@example.org", propertyId = "csv", consent = new { status = "express", purpose = "+1, \"quoted\"" } });
        using var answer = await server.GetAsync("/v1/leads?property=csv&format=csv&bom=true", Admin);
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        Assert.Contains("leads.csv", answer.Content.Headers.ContentDisposition!.ToString());
        var bytes = await answer.Content.ReadAsByteArrayAsync();
        Assert.Equal([0xEF, 0xBB, 0xBF], bytes[..3]);
        var lines = Encoding.UTF8.GetString(bytes[3..]).Split("\r\n");
        Assert.Equal("id,email,domain,domainKind,consentStatus,mailable,consentMethod,consentPurposes,consentChangedAt,consentExpiresAt,source,firstPage,propertyId,firstCapturedAt,lastCapturedAt,mergedInto,unsubscribeUrl", lines[0]);
        Assert.Contains(",\"'=cmd|calc!a1@example.org\",example.org,business,express,true,form,\"'+1, \"\"quoted\"\"\",", lines[1]);
        Assert.Matches(@",http://127\.0\.0\.1:\d+/v1/leads/unsubscribe\?token=[\w-]+$", lines[1]);
    }

    [Fact]
    public async Task A_token_for_one_property_sees_that_one_only()
    {
        await TakenAsync("here@example.org", "here");
        await TakenAsync("there@example.org", "there");
        var scoped = await server.NewTokenAsync(AccessRole.Admin, property: "here");
        Assert.Equal(["here@example.org"], Emails(await ListAsync("", scoped)));
        Assert.Equal((403, "property_not_allowed"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/leads?property=there", ("x-admin-key", scoped))));
        Assert.Equal((403, "role_required"), await LeadServer.RefusedAsync(await server.GetAsync("/v1/leads", ("x-admin-key", ApiServer.DashboardToken))));
        Assert.Equal((401, "unauthorized"), await LeadServer.RefusedAsync(await server.Client.GetAsync("/v1/leads")));
    }

    [Theory]
    [InlineData("limit=0", "limit")]
    [InlineData("limit=1001", "limit")]
    [InlineData("limit=x", "limit")]
    [InlineData("limit=99999999999", "limit")]
    [InlineData("status=maybe", "status")]
    [InlineData("status=0", "status")]
    [InlineData("domainKind=paid", "domainKind")]
    [InlineData("from=yesterday", "from")]
    [InlineData("from=2026-02-30", "from")]
    [InlineData("from=2026-02-02&to=2026-02-01", "from")]
    [InlineData("to=9999-12-31", "to")]
    [InlineData("mailable=yes", "mailable")]
    [InlineData("property=..%2Fx", "property")]
    [InlineData("cursor=x", "cursor")]
    [InlineData("cursor=AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA", "cursor")]
    [InlineData("search=%00", "search")]
    [InlineData("search=a&search=b", "search")]
    [InlineData("format=xml", "format")]
    [InlineData("bom=1", "bom")]
    [InlineData("stauts=express", "query")]
    public async Task A_parameter_that_cannot_be_is_named(string query, string parameter)
    {
        var (status, body) = await server.ErrorAsync($"/v1/leads?{query}", Admin);
        Assert.Equal((400, "invalid_parameter", parameter), (status, body.GetProperty("error").GetString(), body.GetProperty("parameter").GetString()));
    }

    [Fact]
    public async Task A_merge_links_the_other_s_visitors_and_is_undone_without_a_trace()
    {
        var home = await server.TakenAsync(LeadServer.Express("m-home@example.org", "visitor-m-home"));
        var work = await server.TakenAsync(LeadServer.Express("m-work@example.org", "visitor-m-work"));
        var club = await server.TakenAsync(LeadServer.Express("m-club@example.org", "visitor-m-club"));
        var before = await LinksAsync();
        var first = await MergeAsync(work, home);
        Assert.Equal(1, first.GetProperty("links").GetInt32());
        Assert.Equal((409, "already_merged"), await RefusedAsync(work, club));
        Assert.Equal((409, "merge_circle"), await RefusedAsync(home, work));
        // Chains: what joins below reaches the top.
        var second = await MergeAsync(club, work);
        Assert.Equal(3, (await LinksAsync()).Count(l => l.StartsWith($"{home}", StringComparison.Ordinal)));
        Assert.Equal($"{home}", (await ListAsync("search=m-work")).GetProperty("leads")[0].GetProperty("mergedInto").GetString());
        await UndoAsync(second);
        Assert.Equal(2, (await LinksAsync()).Count(l => l.StartsWith($"{home}", StringComparison.Ordinal)));
        var undone = await UndoAsync(first);
        Assert.Equal(before, await LinksAsync());
        Assert.Equal(undone.GetRawText(), (await UndoAsync(first)).GetRawText());
        Assert.Equal(["express", "express", "express"], await server.Database.RowsAsync("select consent_status::text from leads where id in (@a, @b, @c)", ("a", home), ("b", work), ("c", club)));
        await MergeAsync(work, home);   // and again
        Assert.Equal((400, "validation_failed"), await RefusedAsync(work, work));
        Assert.Equal((404, "lead_not_found"), await RefusedAsync(work, Guid.NewGuid()));
        Assert.Equal((404, "merge_not_found"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/merge/undo", JsonContent.Create(new { mergeId = Guid.NewGuid() }), Admin)));
        Assert.Equal((400, "validation_failed"), await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/merge", JsonContent.Create(new { from = "x" }), Admin)));

        Task<List<string>> LinksAsync() => server.Database.RowsAsync("select lead_id, visitor_id, link_source::text, confidence from lead_identities where lead_id in (@a, @b, @c) and link_source <> 'same_ip_ua_window' order by 1, 2, 3", ("a", home), ("b", work), ("c", club));
    }

    private async Task<JsonElement> MergeAsync(Guid from, Guid into)
    {
        using var answer = await server.PostAsync("/v1/leads/merge", JsonContent.Create(new { from, into }), Admin);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, text);
        return JsonDocument.Parse(text).RootElement;
    }

    private async Task<JsonElement> UndoAsync(JsonElement merge)
    {
        using var answer = await server.PostAsync("/v1/leads/merge/undo", JsonContent.Create(new { mergeId = merge.GetProperty("mergeId").GetString() }), Admin);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        return JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
    }

    private async Task<(int, string)> RefusedAsync(Guid from, Guid into) => await LeadServer.RefusedAsync(await server.PostAsync("/v1/leads/merge", JsonContent.Create(new { from, into }), Admin));
}
