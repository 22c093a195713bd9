using System.Net;
using System.Text.Json;
using System.Text.RegularExpressions;
using Footfall.Access;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Leads;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Leads as the server shows them, without a script.</summary>
public sealed partial class LeadPagesTests(PeopleServer server) : IClassFixture<PeopleServer>
{
    [Fact]
    public async Task The_list_is_narrowed_by_its_address_and_told_by_its_counts()
    {
        using var client = await server.Dashboard.SignedInAsync();
        var all = await PageAsync(client, "/p/shop/leads");
        Assert.Matches(@"6\d leads", all);
        Assert.DoesNotContain("ben@gmail.com", all);
        Assert.Contains("/pricing", all);   // the page on which the first visit began
        Assert.Contains("Ann.Smith@bakery.example", await PageAsync(client, "/p/shop/leads?status=express"));
        Assert.DoesNotContain("Ann.Smith", await PageAsync(client, "/p/shop/leads?status=implied"));
        Assert.DoesNotContain("person1@", await PageAsync(client, "/p/shop/leads?domain=business"));
        Assert.Contains("60 leads", await PageAsync(client, "/p/shop/leads?source=social"));
        Assert.DoesNotContain("person", await PageAsync(client, "/p/shop/leads?mailable=true"));
        Assert.Contains("ben@gmail.com", await PageAsync(client, "/p/shop/leads?everywhere=true"));
        Assert.Contains("1 lead<", await PageAsync(client, $"/p/shop/leads?from={DashboardServer.Yesterday:yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}"));
    }

    [Fact]
    public async Task Pages_of_the_list_follow_each_other_to_the_last()
    {
        using var client = await server.Dashboard.SignedInAsync();
        var (path, seen) = ("/p/shop/leads?source=social", new List<string>());
        while (true)
        {
            var page = await PageAsync(client, path);
            seen.AddRange(Person().Matches(page).Select(m => m.Value).Distinct());
            if (Next().Match(page) is not { Success: true } next) break;
            path = next.Groups[1].Value;
        }
        Assert.Equal(Enumerable.Range(1, 60).Select(n => $"person{n}@gmail.com"), seen);
    }

    [Fact]
    public async Task A_search_stays_in_the_address_and_no_address_is_in_it()
    {
        using var client = await server.Dashboard.SignedInAsync();
        using var answer = await PeopleServer.PostAsync(client, "/p/shop/leads", "/p/shop/leads/search?status=express", ("q", " ann.smith@BAKERY "));
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        var to = answer.Headers.Location!.ToString();
        Assert.StartsWith("/p/shop/leads?status=express&search=", to);
        Assert.DoesNotContain("ann", to.Replace("search=", "", StringComparison.Ordinal), StringComparison.OrdinalIgnoreCase);
        var page = await PageAsync(client, to);
        Assert.Contains("1 lead<", page);
        Assert.Contains("value=\"ann.smith@bakery\"", page);
        using var cleared = await PeopleServer.PostAsync(client, "/p/shop/leads", to.Replace("/leads?", "/leads/search?", StringComparison.Ordinal), ("q", ""));
        Assert.Equal("/p/shop/leads?status=express", cleared.Headers.Location!.ToString());
        Assert.Contains("cannot be read any more", await PageAsync(client, "/p/shop/leads?search=ann.smith@bakery.example"));
    }

    [Fact]
    public async Task What_the_filter_form_leaves_open_is_not_in_the_address()
    {
        using var client = await server.Dashboard.SignedInAsync();
        using var answer = await client.GetAsync("/p/shop/leads?status=&source=social&domain=&mailable=");
        Assert.Equal("/p/shop/leads?source=social", answer.Headers.Location!.ToString());
    }

    [Theory]
    [InlineData("/p/shop/leads?status=eager", HttpStatusCode.BadRequest, "status must be one of")]
    [InlineData("/p/shop/leads?domain=free&cursor=abc", HttpStatusCode.BadRequest, "cursor")]
    [InlineData("/p/shop/leads/0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f", HttpStatusCode.NotFound, "No such lead")]
    [InlineData("/p/shop/leads/erasures/0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f", HttpStatusCode.NotFound, "No such receipt")]
    [InlineData("/p/shop/leads/ann", HttpStatusCode.NotFound, "Nothing is here")]
    public async Task What_cannot_be_shown_is_told_with_what_to_do(string path, HttpStatusCode status, string said)
    {
        using var client = await server.Dashboard.SignedInAsync();
        using var answer = await client.GetAsync(path);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(said, DashboardServer.Read(await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task Readers_see_no_leads_at_all()
    {
        using var client = await server.Dashboard.SignedInAsync(await server.Dashboard.TokenAsync(AccessRole.Dashboard));
        Assert.DoesNotContain("/leads", await client.GetStringAsync("/p/shop"));
        foreach (var path in new[] { "/p/shop/leads", "/p/shop/leads.csv", $"/p/shop/leads/{server.AnnId}" })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
            Assert.DoesNotContain("bakery", await answer.Content.ReadAsStringAsync());
        }
        foreach (var act in new[] { "unsubscribe", "merge", "undo-merge", "export", "erase" })
        {
            using var answer = await PeopleServer.PostAsync(client, "/p/shop", $"/p/shop/leads/{server.AnnId}/{act}", ("typed", "stop"));
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
    }

    [Theory]
    [InlineData("unsubscribe")]
    [InlineData("merge")]
    [InlineData("undo-merge")]
    [InlineData("export")]
    [InlineData("erase")]
    [InlineData("../search")]
    public async Task A_form_of_another_site_does_nothing_to_a_lead(string act)
    {
        using var client = await server.Dashboard.SignedInAsync();
        using var answer = await client.PostAsync($"/p/shop/leads/{server.AnnId}/{act}", new FormUrlEncodedContent([new("typed", act == "erase" ? PeopleServer.Ann : "stop"), new("q", "ann")]));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("This form has expired", await answer.Content.ReadAsStringAsync());
        Assert.Equal(["express form"], await server.Api.HistoryAsync(server.AnnId));
    }

    [Fact]
    public async Task Who_has_shown_no_key_is_asked_for_one()
    {
        using var client = server.Dashboard.NewClient();
        foreach (var path in new[] { "/p/shop/leads", "/p/shop/leads.csv", $"/p/shop/leads/{server.AnnId}", "/p/shop/settings", "/p/shop/settings/tokens", "/p/shop/settings/links" })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
            Assert.StartsWith("/sign-in?return=", answer.Headers.Location!.ToString());
        }
    }

    [Fact]
    public async Task Consent_that_waits_for_a_click_is_told_with_its_link_where_no_mail_is_sent()
    {
        await server.Api.Database.ExecuteAsync("insert into properties (id, name, double_opt_in, created_at) values ('asks', 'asks', true, now())");
        var lead = await server.Api.TakenAsync(new { email = "asked@confirm.example", propertyId = "asks", consent = new { status = "express", purpose = "letter" } });
        using var client = await server.Dashboard.SignedInAsync();
        var page = await PageAsync(client, $"/p/shop/leads/{lead}");
        Assert.Contains("Nothing is mailed to them until they do", page);
        var link = Regex.Match(page, "http://[^<]+/v1/leads/confirm\\?token=[\\w-]+").Value;
        using var confirm = await client.GetAsync(link);
        Assert.Equal(HttpStatusCode.OK, confirm.StatusCode);
    }

    [Fact]
    public async Task An_admin_of_one_property_sees_its_list_and_nobodys_history()
    {
        using var client = await server.Dashboard.SignedInAsync(await server.Dashboard.TokenAsync(AccessRole.Admin, "blog"));
        var list = await PageAsync(client, "/p/blog/leads?everywhere=true");
        Assert.Contains("ben@gmail.com", list);
        Assert.DoesNotContain("Ann.Smith", list);
        Assert.DoesNotContain($"/leads/{server.OtherId}", list);
        foreach (var path in new[] { $"/p/blog/leads/{server.OtherId}", $"/p/blog/leads/{server.AnnId}" })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        }
        using var elsewhere = await client.GetAsync("/p/shop/leads");
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
    }

    [Fact]
    public async Task A_lead_is_told_from_before_the_form_to_after_it()
    {
        using var client = await server.Dashboard.SignedInAsync();
        var page = await PageAsync(client, $"/p/shop/leads/{server.AnnId}");
        var timeline = page[page.IndexOf("class=\"timeline\"", StringComparison.Ordinal)..];
        int[] order = [.. new[] { "/welcome-back", "First gave this address", "Sent the form", "/letters", "/pricing" }.Select(s => timeline.LastIndexOf(s, StringComparison.Ordinal))];
        Assert.All(order, i => Assert.True(i > 0));
        Assert.True(order[0] < order[1] && order[1] < order[2] && order[2] < order[4], string.Join(" ", order));
        Assert.Contains("Express consent</b> in a form", timeline);
        Assert.Contains("The monthly letter", timeline);
        Assert.Contains("a lot", timeline);
        Assert.Single(Tag("before").Matches(timeline));
        Assert.Equal(2, Tag("after").Count(timeline));   // the day's second visit, and the form's own
        Assert.Contains("Sent the form", page);
        Assert.Contains("person_shown by admin key", await server.AuditAsync(server.AnnId));
    }

    [Fact]
    public async Task A_long_history_comes_in_pages_without_gap_or_repeat()
    {
        var lead = await server.NewLeadAsync("long@history.example", "long");
        await server.Api.StoreAsync(Enumerable.Range(0, 120).Select(n => Told.Event("long", $"{DashboardServer.Yesterday.AddDays(-n / 20):yyyy-MM-dd}T{n % 20:00}:00:00Z", path: $"/visit-{n}-")));
        using var client = await server.Dashboard.SignedInAsync();
        var (path, seen, pages) = ($"/p/shop/leads/{lead}", new List<string>(), 0);
        while (true)
        {
            var page = await PageAsync(client, path);
            pages++;
            seen.AddRange(Visit().Matches(page[page.IndexOf("class=\"timeline\"", StringComparison.Ordinal)..]).Select(m => m.Value));
            if (Next().Match(page) is not { Success: true } next) break;
            path = next.Groups[1].Value;
        }
        Assert.Equal(3, pages);
        Assert.Equal(120, seen.Count);
        Assert.Equal(120, seen.Distinct().Count());
    }

    [Fact]
    public async Task Visits_of_a_visitor_who_is_only_likely_are_counted_and_not_shown()
    {
        var lead = await server.NewLeadAsync("likely@history.example", "likely");
        await server.Api.StoreAsync(Told.Event("stranger", $"{DashboardServer.Yesterday:yyyy-MM-dd}T07:00:00Z", path: "/a-strangers-page"));
        await server.Api.Database.ExecuteAsync($"insert into lead_identities (id, lead_id, visitor_id, link_source, confidence, linked_at) select gen_random_uuid(), '{lead}', id, 'same_ip_ua_window', 0.45, now() from visitors where anon_id = 'visitor-stranger'");
        using var client = await server.Dashboard.SignedInAsync();
        var page = await PageAsync(client, $"/p/shop/leads/{lead}");
        Assert.Contains("45\u00a0%", page);
        Assert.Contains("Same address and browser within 30 minutes", page);
        Assert.Contains("/first", page);
        Assert.DoesNotContain("/a-strangers-page", page);
    }

    [Fact]
    public async Task Mail_is_stopped_by_typing_and_written_down()
    {
        var lead = await server.NewLeadAsync("stop@acts.example", "stop");
        using var client = await server.Dashboard.SignedInAsync();
        var path = $"/p/shop/leads/{lead}";
        using var wrong = await PeopleServer.PostAsync(client, path, $"{path}/unsubscribe", ("typed", "go"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Contains("type the word stop", await wrong.Content.ReadAsStringAsync());
        Assert.Equal(["express form"], await server.Api.HistoryAsync(lead));
        using var done = await PeopleServer.PostAsync(client, path, $"{path}/unsubscribe", ("typed", "Stop"));
        Assert.Equal($"{path}?done=unsubscribed", done.Headers.Location!.ToString());
        Assert.Equal(["express form", "withdrawn api"], await server.Api.HistoryAsync(lead));
        var page = await PageAsync(client, done.Headers.Location!.ToString());
        Assert.Contains("gets no more mail", page);
        Assert.DoesNotContain("id=\"act-stop\"", page);
        Assert.Contains("consent_withdrawn by admin key", await server.AuditAsync(lead));
    }

    [Fact]
    public async Task Two_addresses_are_merged_by_typing_and_parted_again()
    {
        var one = await server.NewLeadAsync("one@merge.example", "one");
        var two = await server.NewLeadAsync("two@merge.example", "two");
        using var client = await server.Dashboard.SignedInAsync();
        var path = $"/p/shop/leads/{one}";
        foreach (var (other, typed, said) in new[] { ("two@merge.example", "", "type the word merge"), ("nobody@merge.example", "merge", "no lead with the other address"), ("nonsense", "merge", "has no @"), ("one@merge.example", "merge", "this address itself") })
        {
            using var refused = await PeopleServer.PostAsync(client, path, $"{path}/merge", ("other", other), ("typed", typed));
            Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
            Assert.Contains(said, DashboardServer.Read(await refused.Content.ReadAsStringAsync()));
        }
        using var done = await PeopleServer.PostAsync(client, path, $"{path}/merge", ("other", "Two@merge.example"), ("typed", "merge"));
        Assert.Equal($"{path}?done=merged", done.Headers.Location!.ToString());
        var into = await PageAsync(client, $"/p/shop/leads/{two}");
        Assert.Contains("Took the visits of", into);
        Assert.Contains("Merged by an admin", into);
        var merge = Regex.Match(into, "name=\"merge\" value=\"([^\"]+)\"").Groups[1].Value;
        using var undone = await PeopleServer.PostAsync(client, $"/p/shop/leads/{two}", $"/p/shop/leads/{two}/undo-merge", ("merge", merge));
        Assert.Equal($"/p/shop/leads/{two}?done=undone", undone.Headers.Location!.ToString());
        Assert.DoesNotContain("Merged by an admin", await PageAsync(client, $"/p/shop/leads/{two}"));
        Assert.Equal(["person_shown by admin key", "merge_undone by admin key", "person_shown by admin key", "person_shown by admin key", "leads_merged by admin key"], (await server.AuditAsync(two)).Take(5));
    }

    [Fact]
    public async Task All_that_is_held_is_a_file_and_a_plain_link_does_not_take_it()
    {
        using var client = await server.Dashboard.SignedInAsync();
        var path = $"/p/shop/leads/{server.AnnId}";
        using var answer = await PeopleServer.PostAsync(client, path, $"{path}/export");
        Assert.Equal($"lead-{server.AnnId}.json", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        var export = JsonDocument.Parse(await answer.Content.ReadAsStringAsync()).RootElement;
        Assert.Equal(PeopleServer.Ann, export.GetProperty("leads")[0].GetProperty("email").GetString());
        Assert.Contains("person_exported by admin key", await server.AuditAsync(server.AnnId));
        using var link = await client.GetAsync($"{path}/export");
        Assert.Equal(HttpStatusCode.MethodNotAllowed, link.StatusCode);
    }

    [Fact]
    public async Task Erasing_is_tried_first_then_typed_and_ends_with_a_receipt()
    {
        var lead = await server.NewLeadAsync("Gone@erase.example", "gone");
        using var client = await server.Dashboard.SignedInAsync();
        var path = $"/p/shop/leads/{lead}";
        using var tried = await PeopleServer.PostAsync(client, path, $"{path}/erase");
        var dry = DashboardServer.Read(await tried.Content.ReadAsStringAsync());
        Assert.Contains("Nothing is erased yet", dry);
        Assert.Matches(@"Visits</th><td class=""number"">2<", dry);
        using var wrong = await PeopleServer.PostAsync(client, path, $"{path}/erase", ("typed", "gone"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        Assert.Equal(1, await server.Api.Database.ScalarAsync<long>($"select count(*) from leads where id = '{lead}'"));
        using var done = await PeopleServer.PostAsync(client, path, $"{path}/erase", ("typed", "gone@erase.example"));
        var to = done.Headers.Location!.ToString();
        Assert.StartsWith("/p/shop/leads/erasures/", to);
        Assert.Equal(0, await server.Api.Database.ScalarAsync<long>("select count(*) from visitors where anon_id = 'visitor-gone'"));
        var receipt = await PageAsync(client, to);
        Assert.Contains("The person is erased", receipt);
        Assert.Matches(@"hash [0-9a-f]{64}", receipt);
        Assert.DoesNotContain("erase.example", receipt);
        using var after = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        Assert.Contains("person_erased by admin key", await server.AuditAsync(lead));
    }

    [Fact]
    public async Task The_file_has_every_lead_of_the_list_and_no_formula()
    {
        using var client = await server.Dashboard.SignedInAsync();
        using var answer = await client.GetAsync("/p/shop/leads.csv?source=social");
        var lines = (await answer.Content.ReadAsStringAsync()).Split("\r\n", StringSplitOptions.RemoveEmptyEntries);
        Assert.Equal(61, lines.Length);
        Assert.Contains("firstPage", lines[0]);
        Assert.EndsWith(".csv", answer.Content.Headers.ContentDisposition!.FileName!.Trim('"'));
        Assert.Equal("private, no-store", answer.Headers.CacheControl!.ToString().Replace("no-store, private", "private, no-store", StringComparison.Ordinal));
    }

    [Fact]
    public async Task What_forms_send_is_shown_as_harmless_text()
    {
        using var client = await server.Dashboard.SignedInAsync();
        foreach (var path in new[] { "/p/shop/leads", $"/p/shop/leads/{server.HostileId}" })
        {
            var page = await client.GetStringAsync(path);
            Assert.DoesNotContain("<script>window", page);
            Assert.DoesNotContain("<img src=x", page);
            Assert.DoesNotContain('\u202e', page);
        }
        var shown = await PageAsync(client, $"/p/shop/leads/{server.HostileId}");
        Assert.Contains(PeopleServer.HostileText, shown);
        Assert.Contains("\u2423gnp.exe", shown);
        Assert.Contains(PeopleServer.TooLong, shown);
    }

    private static async Task<string> PageAsync(HttpClient client, string path)
    {
        using var answer = await client.GetAsync(path);
        var page = DashboardServer.Read(await answer.Content.ReadAsStringAsync());
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{path}: {(int)answer.StatusCode} {page}");
        return page;
    }

    private static Regex Tag(string what) => new($"class=\"tag\">{what}<");

    [GeneratedRegex("person[0-9]+@gmail\\.com")]
    private static partial Regex Person();

    [GeneratedRegex("/visit-[0-9]+-")]
    private static partial Regex Visit();

    [GeneratedRegex("rel=\"next\" href=\"([^\"]+)\"")]
    private static partial Regex Next();
}
