using System.Net;
using System.Text.RegularExpressions;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Definitions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Settings as the server shows and takes them, without a script.</summary>
public sealed partial class SettingsTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly (string, string)[] Whole =
    [
        ("name", " Our shop "), ("hosts", "shop.example\r\nWWW.Shop.example, b\u00fccher.example"), ("timeZone", "America/Toronto"), ("publicSummary", "on"),
        ("goalName", "Signed up"), ("goalEvent", "page_view"), ("goalPath", "/welcome"), ("goalName", "Bought"), ("goalEvent", "purchase"), ("goalPath", ""), ("goalName", ""), ("goalEvent", ""), ("goalPath", ""),
        ("submitEvents", "saved, submitted"), ("openEvents", "app_opened"), ("rawDays", "30"), ("rollupMonths", "0"),
        ("doubleOptIn", "on"), ("thanksUrl", "/thanks"), ("errorUrl", "https://shop.example/sorry"), ("secret", "a-secret-of-accounts"),
    ];

    private PropertySettings Settings => server.Service<PropertySettings>();

    private async Task<string> NewPropertyAsync()
    {
        var id = $"p{Guid.NewGuid():N}"[..20];
        await Settings.SaveAsync(id, null, null, null, null, default);
        return id;
    }

    [Fact]
    public async Task Everything_that_can_be_set_is_saved_and_shown_again()
    {
        var id = await NewPropertyAsync();
        using var client = await server.SignedInAsync();
        using var saved = await PeopleServer.PostAsync(client, $"/p/{id}/settings", $"/p/{id}/settings", Whole);
        Assert.Equal($"/p/{id}/settings?done=saved", saved.Headers.Location!.ToString());
        var p = (await Settings.FindAsync(id, default))!;
        Assert.Equal(("Our shop", "America/Toronto", true, true, "/thanks"), (p.Name, p.TimeZone, p.PublicSummary, p.Forms.DoubleOptIn, p.Forms.ThanksUrl));
        Assert.Equal(["shop.example", "www.shop.example", "xn--bcher-kva.example"], p.Hosts);
        Assert.Equal(["Signed up=page_view:/welcome", "Bought=purchase"], p.Goals.Select(g => g.ToString()));
        Assert.Equal(["saved", "submitted"], p.Product.SubmitEvents);
        Assert.Equal((30, 0, true), (p.Product.RawDays, p.Product.RollupMonths, p.Product.ProvesAccounts));
        Assert.True(server.Service<PropertyRegistry>().Find(id)!.Owns("xn--bcher-kva.example"));   // this server knows at once
        var page = await client.GetStringAsync($"/p/{id}/settings");
        Assert.Contains("value=\"Signed up\"", page);
        Assert.DoesNotContain("a-secret-of-accounts", page);

        // What is emptied goes back to what the server has for all.
        using var emptied = await PeopleServer.PostAsync(client, $"/p/{id}/settings", $"/p/{id}/settings", ("name", "Our shop"), ("hosts", ""), ("timeZone", "UTC"), ("submitEvents", "saved, submitted"), ("openEvents", "app_opened"), ("dropSecret", "on"));
        Assert.Equal(HttpStatusCode.SeeOther, emptied.StatusCode);
        p = (await Settings.FindAsync(id, default))!;
        Assert.Equal((0, 0, false, false, null), (p.Hosts.Length, p.Goals.Length, p.PublicSummary, p.Forms.DoubleOptIn, p.Forms.ThanksUrl));
        Assert.Equal((null, null, false), (p.Product.RawDays, p.Product.RollupMonths, p.Product.ProvesAccounts));
    }

    [Theory]
    [InlineData("name", "", "1 to 100 characters")]
    [InlineData("hosts", "https://shop.example/x", "no host")]
    [InlineData("hosts", "shop.example <script>", "no host")]
    [InlineData("timeZone", "Mars/Olympus", "time zone")]
    [InlineData("goalEvent", "", "needs an event type")]
    [InlineData("goalPath", "welcome", "begins with a slash")]
    [InlineData("submitEvents", " , ", "1 to 20 event types")]
    [InlineData("rawDays", "0", "from 1 to")]
    [InlineData("rawDays", "-5", "from 1 to")]
    [InlineData("rollupMonths", "2.5", "from 0")]
    [InlineData("thanksUrl", "javascript:alert(1)", "a path such as")]
    [InlineData("secret", "short", "16 to 256")]
    public async Task What_cannot_be_saved_is_told_beside_its_field_and_stays_typed(string field, string value, string said)
    {
        var id = await NewPropertyAsync();
        using var client = await server.SignedInAsync();
        (string, string)[] fields = [.. Whole.Select((f, i) => f.Item1 == field && Array.FindIndex(Whole, w => w.Item1 == field) == i ? (field, value) : f)];
        using var answer = await PeopleServer.PostAsync(client, $"/p/{id}/settings", $"/p/{id}/settings", fields);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        var page = DashboardServer.Read(await answer.Content.ReadAsStringAsync());
        Assert.Contains(said, page, StringComparison.OrdinalIgnoreCase);
        Assert.Contains("Nothing was saved yet", page);
        if (field != "name") Assert.Contains("value=\"Our shop\"", page);
        Assert.Equal(id, (await Settings.FindAsync(id, default))!.Name);
    }

    [Fact]
    public async Task Other_submits_have_days_counted_anew_and_the_same_ones_do_not()
    {
        var id = await NewPropertyAsync();
        await server.Api.StoreAsync(Told.Event("s", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z", property: id));
        using var client = await server.SignedInAsync();
        (string, string)[] same = [("name", "x"), ("timeZone", "UTC"), ("submitEvents", "session_submitted"), ("openEvents", "app_opened, tab_opened")];
        using (await PeopleServer.PostAsync(client, $"/p/{id}/settings", $"/p/{id}/settings", same)) { }
        Assert.Equal(0, await server.Api.Database.ScalarAsync<long>($"select count(*) from dirty_days where property_id = '{id}'"));
        same[2] = ("submitEvents", "saved");
        using (await PeopleServer.PostAsync(client, $"/p/{id}/settings", $"/p/{id}/settings", same)) { }
        Assert.True(await server.Api.Database.ScalarAsync<long>($"select count(*) from dirty_days where property_id = '{id}'") > 0);
    }

    [Theory]
    [InlineData("settings")]
    [InlineData("settings/tokens")]
    [InlineData("settings/links")]
    [InlineData("settings/snippet")]
    [InlineData("settings/browser")]
    [InlineData("settings/server")]
    [InlineData("settings/delete")]
    public async Task Readers_can_set_nothing(string page)
    {
        using var client = await server.SignedInAsync(await server.TokenAsync(AccessRole.Dashboard));
        using var answer = await client.GetAsync($"/p/shop/{page}");
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        using var posted = await PeopleServer.PostAsync(client, "/p/shop", $"/p/shop/{page}", ("typed", "shop"));
        Assert.Contains(posted.StatusCode, new[] { HttpStatusCode.Forbidden, HttpStatusCode.MethodNotAllowed });
    }

    [Theory]
    [InlineData("settings")]
    [InlineData("settings/tokens")]
    [InlineData("settings/links")]
    [InlineData("settings/delete")]
    public async Task A_form_of_another_site_sets_nothing(string page)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.PostAsync($"/p/shop/{page}", new FormUrlEncodedContent([new("name", "stolen"), new("kind", "admin"), new("typed", "shop")]));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("This form has expired", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task An_admin_of_one_property_sets_that_one_and_makes_tokens_for_it_alone()
    {
        using var client = await server.SignedInAsync(await server.TokenAsync(AccessRole.Admin, "blog"));
        Assert.Contains("Settings", await client.GetStringAsync("/p/blog/settings"));
        foreach (var page in new[] { "/p/blog/settings/server", "/p/blog/settings/delete" })
        {
            using var refused = await client.GetAsync(page);
            Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        }
        using var other = await client.GetAsync("/p/shop/settings");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
        using var made = await PeopleServer.PostAsync(client, "/p/blog/settings/tokens", "/p/blog/settings/tokens", ("name", "a blog admin's"), ("kind", "admin"), ("scope", "all"));
        Assert.Equal(HttpStatusCode.OK, made.StatusCode);
        var token = (await server.Service<TokenStore>().ListAsync(default)).Single(t => t.Name == "a blog admin's");
        Assert.Equal((AccessRole.Admin, "blog"), (token.Role, token.PropertyId));
        var (foreign, _) = await server.Service<TokenStore>().CreateAsync("of the shop", AccessRole.Dashboard, AccessPlan.Free, "shop", default);
        Assert.DoesNotContain("of the shop", await client.GetStringAsync("/p/blog/settings/tokens"));
        using var revoked = await PeopleServer.PostAsync(client, "/p/blog/settings/tokens", $"/p/blog/settings/tokens/{foreign.Id}/revoke", ("typed", "of the shop"));
        Assert.Equal(HttpStatusCode.NotFound, revoked.StatusCode);
    }

    [Fact]
    public async Task Who_makes_and_revokes_a_token_is_written_down()
    {
        using var client = await server.SignedInAsync();
        using (await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", "/p/shop/settings/tokens", ("name", "Written Down"), ("kind", "pro"), ("scope", "one"))) { }
        var token = (await server.Service<TokenStore>().ListAsync(default)).Single(t => t.Name == "Written Down");
        using (await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", $"/p/shop/settings/tokens/{token.Id}/revoke", ("typed", "wrong"))) { }
        using (await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", $"/p/shop/settings/tokens/{token.Id}/revoke", ("typed", "written down"))) { }
        var entries = (await server.Service<Footfall.Leads.AuditLog>().ListAsync(null, null, null, 1_000, default)).FindAll(e => e.Detail.GetRawText().Contains(token.Id.ToString(), StringComparison.Ordinal));
        Assert.Equal([("token_revoked", "admin key"), ("token_made", "admin key")], entries.Select(e => (e.Action, e.Actor)));
        Assert.Equal(("dashboard", "pro", "shop"), (entries[1].Detail.GetProperty("role").GetString(), entries[1].Detail.GetProperty("plan").GetString(), entries[1].Detail.GetProperty("property").GetString()));
        Assert.All(entries, e => Assert.DoesNotContain("Written", e.Detail.GetRawText()));     // names are the list's, where they can be looked up
        Assert.Contains(token.Id.ToString(), await client.GetStringAsync("/p/shop/settings/tokens"));
    }

    [Fact]
    public async Task Whose_pages_may_send_is_shown_with_how_to_change_it()
    {
        using var client = await server.SignedInAsync();
        Assert.Contains("now any may", await client.GetStringAsync("/p/shop/settings"));
        Assert.Contains("Capture:CorsAllowedOrigins", await client.GetStringAsync("/p/shop/settings/snippet"));
        await using var strict = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Capture:CorsAllowedOrigins=https://shop.example");
        await strict.StoreAsync(Told.Event("x", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z"));
        using var admin = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = strict.Client.BaseAddress };
        using (await DashboardServer.SignInAsync(admin, ApiServer.AdminKey)) { }
        Assert.Contains("now only https://shop.example", await admin.GetStringAsync("/p/shop/settings"));
        var snippet = DashboardServer.Read(await admin.GetStringAsync("/p/shop/settings/snippet"));
        Assert.Contains("Only pages of these origins", snippet);
        Assert.Contains("To change that, name them", snippet);
    }

    [Fact]
    public async Task A_token_is_shown_once_lets_in_and_is_revoked_by_typing_its_name()
    {
        using var client = await server.SignedInAsync();
        using var made = await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", "/p/shop/settings/tokens", ("name", "Ada <b>"), ("kind", "pro"), ("scope", "one"));
        var text = TokenText().Match(await made.Content.ReadAsStringAsync()).Value;
        Assert.Equal(47, text.Length);
        using var ada = await server.SignedInAsync(text);
        using var entities = await ada.GetAsync("/p/shop/entities");
        Assert.Equal(HttpStatusCode.OK, entities.StatusCode);
        using var elsewhere = await ada.GetAsync("/p/blog");
        Assert.Equal(HttpStatusCode.NotFound, elsewhere.StatusCode);
        var list = await client.GetStringAsync("/p/shop/settings/tokens");
        Assert.DoesNotContain(text, list);
        Assert.DoesNotContain("Ada <b>", list);
        var token = (await server.Service<TokenStore>().ListAsync(default)).Single(t => t.Name == "Ada <b>");
        using var wrong = await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", $"/p/shop/settings/tokens/{token.Id}/revoke", ("typed", "Ada"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var revoked = await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", $"/p/shop/settings/tokens/{token.Id}/revoke", ("typed", "ada <b>"));
        Assert.Equal(HttpStatusCode.SeeOther, revoked.StatusCode);
        await Eventually.IsTrueAsync("signed out", async () =>
        {
            using var after = await ada.GetAsync("/p/shop");
            return after.StatusCode == HttpStatusCode.Redirect;
        }, TestContext.Current.CancellationToken);
    }

    [Theory]
    [InlineData("", "read", "say who it is for")]
    [InlineData("Ada", "emperor", "choose what it may do")]
    public async Task A_token_needs_a_name_and_a_use(string name, string kind, string said)
    {
        using var client = await server.SignedInAsync();
        using var answer = await PeopleServer.PostAsync(client, "/p/shop/settings/tokens", "/p/shop/settings/tokens", ("name", name), ("kind", kind));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains(said, await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task The_snippet_is_that_of_the_property_and_the_server_tells_no_secret()
    {
        using var client = await server.SignedInAsync();
        Assert.Contains("/t.js\" data-property=\"shop\"></script>", DashboardServer.Read(await client.GetStringAsync("/p/shop/settings/snippet")));
        var page = await client.GetStringAsync("/p/shop/settings/server");
        Assert.Contains("counted without a lasting id", page);
        Assert.DoesNotContain(ApiServer.AdminKey, page);
    }

    [Fact]
    public async Task A_property_is_deleted_by_typing_and_says_what_went()
    {
        var id = await NewPropertyAsync();
        await server.Api.StoreAsync(Told.Event("d", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z", property: id), Told.Event("d", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:01:00Z", property: id));
        using var client = await server.SignedInAsync();
        var path = $"/p/{id}/settings/delete";
        Assert.Matches(@"Events</th><td class=""number"">2<", await client.GetStringAsync(path));
        using var wrong = await PeopleServer.PostAsync(client, path, path, ("typed", "shop"));
        Assert.Equal(HttpStatusCode.BadRequest, wrong.StatusCode);
        using var done = await PeopleServer.PostAsync(client, path, path, ("typed", id));
        var page = await done.Content.ReadAsStringAsync();
        Assert.Contains("is deleted", page);
        Assert.Matches(@"Events</th><td class=""number"">2<", page);
        using var after = await client.GetAsync($"/p/{id}");
        Assert.Equal(HttpStatusCode.NotFound, after.StatusCode);
        Assert.Null(server.Service<PropertyRegistry>().Find(id));
    }

    [GeneratedRegex("fft_[\\w-]{43}")]
    private static partial Regex TokenText();
}
