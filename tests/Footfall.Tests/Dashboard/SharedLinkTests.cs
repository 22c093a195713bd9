using System.Net;
using System.Text.RegularExpressions;
using Footfall.Access;
using Footfall.Dashboard.Sharing;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Figures for people without a key.</summary>
public sealed partial class SharedLinkTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday:yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    private async Task<string> NewAsync(string property = "shop", string? password = null, DateTimeOffset? expires = null, params string[] origins) =>
        (await server.Service<SharedLinkStore>().CreateAsync("a test", property, "The board", password, expires, origins, default)).Text;

    [Fact]
    public async Task A_link_is_made_shown_once_and_shows_the_figures_to_whoever_has_it()
    {
        using var admin = await server.SignedInAsync();
        using var made = await PeopleServer.PostAsync(admin, "/p/shop/settings/links", "/p/shop/settings/links", ("name", "<b>Board</b>"));
        var page = await made.Content.ReadAsStringAsync();
        var link = Link().Match(page).Value;
        Assert.DoesNotContain("<b>Board", page);
        Assert.DoesNotContain(link, await admin.GetStringAsync("/p/shop/settings/links"));
        Assert.Equal(0, await server.Api.Database.ScalarAsync<long>($"select count(*) from shared_links where encode(hash, 'escape') like '%{link[3..]}%' or name like '%{link[3..]}%'"));

        using var anyone = server.NewClient();
        var overview = await anyone.GetStringAsync($"{link}?{Days}");
        Assert.Contains("read only", overview);
        Assert.Matches("kpi-visitors[\\s\\S]{0,800}class=\"value\"[^>]*>14", overview);
        Assert.All(Href().Matches(overview).Select(m => m.Groups[1].Value), l => Assert.True(l.StartsWith(link, StringComparison.Ordinal) || l.StartsWith("/docs/", StringComparison.Ordinal) || l.StartsWith("/assets/", StringComparison.Ordinal) || l is "/openapi" or "#main", l));
        Assert.DoesNotContain("<form method=\"post\"", overview);
        Assert.DoesNotContain("form_token", overview);
        foreach (var more in new[] { $"/by/path?{Days}", $"/by/path.csv?{Days}", "/funnels", "/experiments", "/vitals", "/retention", "/funnels/core_journey", $"/funnels/core_journey/steps.csv?{Days}", $"/overview.pdf?{Days}" })
        {
            using var answer = await anyone.GetAsync(link + more);
            Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
            Assert.Equal("no-referrer", Assert.Single(answer.Headers.GetValues("Referrer-Policy")));
        }
        await Eventually.IsTrueAsync("last used", async () => await server.Api.Database.ScalarAsync<long>("select count(*) from shared_links where name = '<b>Board</b>' and last_used_at is not null") == 1, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("/leads")]
    [InlineData("/leads.csv")]
    [InlineData("/entities")]
    [InlineData("/entities.csv")]
    [InlineData("/realtime")]
    [InlineData("/realtime/stream")]
    [InlineData("/health")]
    [InlineData("/reports")]
    [InlineData("/reports/preview.html")]
    [InlineData("/notes.csv")]
    [InlineData("/jobs.csv")]
    [InlineData("/ingest.csv")]
    [InlineData("/refused.csv")]
    [InlineData("/entities-days.csv?type=product&id=bell")]
    [InlineData("/new/funnel")]
    [InlineData("/funnels/core_journey/edit")]
    [InlineData("/retention?is.prop:plan=free")]
    [InlineData("/retention.csv?is.prop:plan=free")]
    [InlineData("/funnels/core_journey?is.prop:plan=free")]
    [InlineData("/settings")]
    [InlineData("/settings/links")]
    [InlineData("/by/prop:plan")]
    [InlineData("/by/prop:plan.csv")]
    [InlineData("?is.prop:plan=free")]
    public async Task A_link_shows_nothing_about_single_people_and_no_settings(string path)
    {
        using var anyone = server.NewClient();
        using var answer = await anyone.GetAsync($"/s/{await NewAsync()}{path}");
        Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.NotFound, HttpStatusCode.BadRequest });
    }

    [Fact]
    public async Task Every_link_of_a_shared_page_leads_somewhere_and_stays_with_its_link()
    {
        var start = $"/s/{await NewAsync()}";
        await server.Api.StoreAsync(Told.Event("c", $"{DashboardServer.Yesterday:yyyy-MM-dd}T15:00:00Z", type: "app_opened", path: "/app"));
        using var anyone = server.NewClient();
        var (waiting, seen) = (new Queue<string>([$"{start}?{Days}"]), new HashSet<string>());
        while (waiting.TryDequeue(out var address))
        {
            // One of each kind is enough: filters, tabs and days make as many addresses as one likes.
            if (!seen.Add(address.Split('?')[0])) continue;
            using var answer = await anyone.GetAsync(address);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{address}: {answer.StatusCode}");
            if (answer.Content.Headers.ContentType?.MediaType != "text/html") continue;
            foreach (var link in Href().Matches(await answer.Content.ReadAsStringAsync()).Select(m => WebUtility.HtmlDecode(m.Groups[1].Value)).Where(l => l.StartsWith('/') && !l.StartsWith("/docs/", StringComparison.Ordinal) && l != "/openapi"))
            {
                Assert.StartsWith(start, link);
                waiting.Enqueue(link);
            }
        }
        foreach (var page in new[] { "/retention", "/retention.csv", "/funnels.csv", "/funnels/core_journey", "/funnels/core_journey/steps.csv", "/experiments.csv", "/vitals", "/overview.csv", "/overview.pdf", "/by/path.csv" })
            Assert.True(seen.Contains(start + page), $"Nothing leads to {page}.");
    }

    [Fact]
    public async Task A_password_guards_the_funnels_and_the_grid_too()
    {
        var text = await NewAsync(password: "open sesame");
        using var anyone = server.NewClient();
        foreach (var path in new[] { "/retention", "/retention.csv", "/funnels/core_journey", "/funnels/core_journey/steps.csv", "/overview.pdf" })
            Assert.Contains("has a password", await anyone.GetStringAsync($"/s/{text}{path}"));
    }

    [Fact]
    public async Task Who_makes_a_link_and_takes_it_back_is_written_down()
    {
        using var admin = await server.SignedInAsync(await server.TokenAsync(AccessRole.Admin));
        using (await PeopleServer.PostAsync(admin, "/p/blog/settings/links", "/p/blog/settings/links", ("name", "written down"), ("password", "open sesame"))) { }
        var link = (await server.Service<SharedLinkStore>().ListAsync("blog", default)).Single(l => l.Name == "written down");
        using (await PeopleServer.PostAsync(admin, "/p/blog/settings/links", $"/p/blog/settings/links/{link.Id}/revoke", ("typed", "another name"))) { }
        using (await PeopleServer.PostAsync(admin, "/p/blog/settings/links", $"/p/blog/settings/links/{link.Id}/revoke", ("typed", "written down"))) { }
        var entries = (await server.Service<Footfall.Leads.AuditLog>().ListAsync(null, null, null, 1_000, default)).FindAll(e => e.Detail.GetRawText().Contains(link.Id.ToString(), StringComparison.Ordinal));
        Assert.Equal(["shared_link_revoked", "shared_link_made"], entries.Select(e => e.Action));
        Assert.All(entries, e => Assert.Equal(("test", true), (e.ActorName, e.Actor.StartsWith("token ", StringComparison.Ordinal))));
        Assert.True(entries[1].Detail.GetProperty("password").GetBoolean());
        Assert.DoesNotContain("sesame", entries[1].Detail.GetRawText());
        Assert.Contains(link.Id.ToString(), await admin.GetStringAsync("/p/blog/settings/links"));
    }

    [Fact]
    public async Task A_link_opens_nothing_else()
    {
        var text = await NewAsync();
        using var anyone = server.NewClient();
        using (await anyone.GetAsync($"/s/{text}")) { }
        foreach (var path in new[] { "/p/shop", "/p/blog", $"/p/shop/leads?link={text}", "/welcome" })
        {
            using var answer = await anyone.GetAsync(path);
            Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        }
        using var api = await server.Api.GetAsync("/v1/metrics/daily?window_days=7", ("x-dashboard-token", text));
        Assert.Equal(HttpStatusCode.Unauthorized, api.StatusCode);
        using var signIn = await DashboardServer.SignInAsync(anyone, text);
        Assert.Equal(HttpStatusCode.Unauthorized, signIn.StatusCode);
        foreach (var post in new[] { "/notes", "/health/recount", "/settings", "/leads/search" })
        {
            using var answer = await anyone.PostAsync($"/s/{text}{post}", new FormUrlEncodedContent([new("text", "x")]));
            Assert.Contains(answer.StatusCode, new[] { HttpStatusCode.NotFound, HttpStatusCode.MethodNotAllowed });
        }
    }

    [Fact]
    public async Task A_link_that_has_expired_was_taken_back_or_never_was_shows_nothing()
    {
        using var anyone = server.NewClient();
        foreach (var (text, said) in new[]
        {
            (await NewAsync(expires: TimeProvider.System.GetUtcNow().AddSeconds(-1)), "has expired"), (SharedLinkText.New(), "does not work"), ("ffs_short", "does not work"), ("nonsense", "does not work"),
        })
        {
            using var answer = await anyone.GetAsync($"/s/{text}");
            Assert.Equal(HttpStatusCode.NotFound, answer.StatusCode);
            Assert.Contains(said, await answer.Content.ReadAsStringAsync());
        }
        using var admin = await server.SignedInAsync();
        using var made = await PeopleServer.PostAsync(admin, "/p/shop/settings/links", "/p/shop/settings/links", ("name", "to be revoked"), ("expires", $"{DashboardServer.Yesterday.AddDays(30):yyyy-MM-dd}"));
        var link = Link().Match(await made.Content.ReadAsStringAsync()).Value;
        using var works = await anyone.GetAsync(link);
        Assert.Equal(HttpStatusCode.OK, works.StatusCode);
        var id = (await server.Service<SharedLinkStore>().ListAsync("shop", default)).Single(l => l.Name == "to be revoked").Id;
        using var wrong = await PeopleServer.PostAsync(admin, "/p/shop/settings/links", $"/p/shop/settings/links/{id}/revoke", ("typed", "another"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var ofAnother = await PeopleServer.PostAsync(admin, "/p/blog/settings/links", $"/p/blog/settings/links/{id}/revoke", ("typed", "to be revoked"));
        Assert.Equal(HttpStatusCode.NotFound, ofAnother.StatusCode);
        using var revoked = await PeopleServer.PostAsync(admin, "/p/shop/settings/links", $"/p/shop/settings/links/{id}/revoke", ("typed", "To be revoked"));
        Assert.Equal("/p/shop/settings/links?done=revoked", revoked.Headers.Location!.ToString());
        using var gone = await anyone.GetAsync(link);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task A_password_is_asked_for_once_and_is_no_use_for_another_link()
    {
        var text = await NewAsync(password: "open sesame");
        var other = await NewAsync(password: "open sesame");
        using var anyone = server.NewClient();
        var asked = await anyone.GetStringAsync($"/s/{text}/by/path?{Days}");
        Assert.Contains("has a password", asked);
        Assert.DoesNotContain("/pricing", asked);
        Assert.Contains($"value=\"/s/{text}/by/path?{Days.Replace("&", "&amp;", StringComparison.Ordinal)}\"", asked);
        using var wrong = await PeopleServer.PostAsync(anyone, $"/s/{text}", $"/s/{text}/unlock", ("password", "open Sesame"));
        Assert.Equal(HttpStatusCode.Unauthorized, wrong.StatusCode);
        using var elsewhere = await PeopleServer.PostAsync(anyone, $"/s/{text}", $"/s/{text}/unlock", ("password", "open sesame"), ("return", "/p/shop/leads"));
        Assert.Equal($"/s/{text}", elsewhere.Headers.Location!.ToString());
        var cookie = Assert.Single(elsewhere.Headers.GetValues("Set-Cookie"), c => c.StartsWith(UnlockedLinks.Cookie, StringComparison.Ordinal));
        Assert.Contains("httponly", cookie);
        Assert.Contains($"path=/s/{text}", cookie);
        Assert.DoesNotContain("sesame", cookie);
        Assert.Contains("/pricing", await anyone.GetStringAsync($"/s/{text}/by/path?{Days}"));
        Assert.Contains("has a password", await anyone.GetStringAsync($"/s/{other}"));
        using var thief = server.NewClient();
        thief.DefaultRequestHeaders.Add("Cookie", $"{cookie.Split(';')[0]}");
        Assert.Contains("has a password", await thief.GetStringAsync($"/s/{other}"));
        Assert.Equal(0, await server.Api.Database.ScalarAsync<long>("select count(*) from shared_links where encode(password_hash, 'escape') like '%sesame%'"));
        using var foreign = await anyone.PostAsync($"/s/{text}/unlock", new FormUrlEncodedContent([new("password", "open sesame")]));
        Assert.Equal(HttpStatusCode.BadRequest, foreign.StatusCode);
    }

    [Fact]
    public async Task Passwords_cannot_be_tried_for_long()
    {
        await using var strict = await ApiServer.StartNewAsync("--Access:FailedAttemptsPerMinute=3", $"--Access:AdminKey={ApiServer.AdminKey}");
        await strict.StoreAsync(Told.Event("x", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z"));
        var store = (SharedLinkStore)strict.Services.GetService(typeof(SharedLinkStore))!;
        var text = (await store.CreateAsync("a test", "shop", "x", "the right one", null, [], default)).Text;
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = strict.Client.BaseAddress };
        List<HttpStatusCode> answers = [];
        foreach (var password in new[] { "wrong one 1", "wrong one 2", "wrong one 3", "the right one" })
        {
            using var answer = await PeopleServer.PostAsync(client, $"/s/{text}", $"/s/{text}/unlock", ("password", password));
            answers.Add(answer.StatusCode);
        }
        Assert.Equal([HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.Unauthorized, HttpStatusCode.TooManyRequests], answers);
    }

    [Fact]
    public async Task Only_the_named_sites_may_show_it_in_a_frame()
    {
        using var admin = await server.SignedInAsync();
        using var made = await PeopleServer.PostAsync(admin, "/p/shop/settings/links", "/p/shop/settings/links", ("name", "intranet"), ("origins", "https://Intranet.example/\nhttp://localhost:8080"));
        var page = DashboardServer.Read(await made.Content.ReadAsStringAsync());
        Assert.Contains("<iframe src=", page);
        using var anyone = server.NewClient();
        using var framed = await anyone.GetAsync(Link().Match(page).Value);
        var policy = Assert.Single(framed.Headers.GetValues("Content-Security-Policy"));
        Assert.EndsWith("frame-ancestors https://intranet.example http://localhost:8080", policy);
        Assert.DoesNotContain("unsafe", policy);
        using var plain = await anyone.GetAsync($"/s/{await NewAsync()}");
        Assert.EndsWith("frame-ancestors 'none'", Assert.Single(plain.Headers.GetValues("Content-Security-Policy")));
        using var unknown = await anyone.GetAsync($"/s/{SharedLinkText.New()}");
        Assert.EndsWith("frame-ancestors 'none'", Assert.Single(unknown.Headers.GetValues("Content-Security-Policy")));
    }

    [Fact]
    public async Task The_markup_of_a_frame_is_harmless_in_the_page_that_it_is_pasted_into()
    {
        await server.Service<Footfall.Definitions.PropertySettings>().SaveAsync("pasted", "\"><script>window.harmed=1</script>", null, null, null, default);
        using var admin = await server.SignedInAsync();
        using var made = await PeopleServer.PostAsync(admin, "/p/pasted/settings/links", "/p/pasted/settings/links", ("name", "x"), ("origins", "https://a.example"));
        var shown = DashboardServer.Read(await made.Content.ReadAsStringAsync());
        var markup = shown[shown.IndexOf("<iframe", StringComparison.Ordinal)..shown.IndexOf("</iframe>", StringComparison.Ordinal)];
        Assert.DoesNotContain("<script", markup);
        Assert.Contains("title=\"&quot;&gt;&lt;script&gt;", markup);
    }

    [Theory]
    [InlineData("name", "", "say who it is for")]
    [InlineData("password", "short", "8 to 128")]
    [InlineData("expires", "2020-01-01", "not before today")]
    [InlineData("expires", "soon", "not before today")]
    [InlineData("origins", "intranet.example", "no origin")]
    [InlineData("origins", "https://a.example; script-src *", "no origin")]
    [InlineData("origins", "*", "no origin")]
    [InlineData("origins", "https://a.example/path", "no origin")]
    [InlineData("origins", "https://[::1]", "no origin")]
    public async Task What_cannot_be_a_link_is_told(string field, string value, string said)
    {
        using var client = await server.SignedInAsync();
        using var answer = await PeopleServer.PostAsync(client, "/p/shop/settings/links", "/p/shop/settings/links", [.. field == "name" ? Array.Empty<(string, string)>() : [("name", "x")], (field, value)]);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(said, DashboardServer.Read(await answer.Content.ReadAsStringAsync()));
    }

    [Fact]
    public async Task A_password_and_a_frame_do_not_go_together()
    {
        using var client = await server.SignedInAsync();
        using var answer = await PeopleServer.PostAsync(client, "/p/shop/settings/links", "/p/shop/settings/links", ("name", "x"), ("password", "long enough"), ("origins", "https://a.example"));
        Assert.Contains("Leave the password or the frames out", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task Notes_of_colleagues_are_not_shared()
    {
        await server.Api.Database.ExecuteAsync($"insert into day_notes (id, property_id, day, text, created_at) values (gen_random_uuid(), 'shop', '{DashboardServer.Yesterday:yyyy-MM-dd}', 'we nearly went bankrupt', now())");
        using var admin = await server.SignedInAsync();
        Assert.Contains("bankrupt", await admin.GetStringAsync($"/p/shop?{Days}"));
        using var anyone = server.NewClient();
        Assert.DoesNotContain("bankrupt", await anyone.GetStringAsync($"/s/{await NewAsync()}?{Days}"));
    }

    [GeneratedRegex("/s/ffs_[\\w-]{43}")]
    private static partial Regex Link();

    [GeneratedRegex("<a[^>]*href=\"([^\"]+)\"")]
    private static partial Regex Href();
}
