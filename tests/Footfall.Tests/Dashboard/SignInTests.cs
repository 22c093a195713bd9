using System.Net;
using Footfall.Access;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

public sealed class SignInTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    [Theory]
    [InlineData("/p/shop")]
    [InlineData("/p/shop/health")]
    [InlineData("/p/shop/by/path.csv?period=7d")]
    [InlineData("/p/shop/realtime/stream")]
    [InlineData("/p/shop/overview.pdf?period=7d")]
    [InlineData("/p/shop/reports/preview.html")]
    [InlineData("/p/nothing")]
    [InlineData("/welcome")]
    public async Task Who_has_shown_no_key_is_asked_for_one_and_then_comes_back(string path)
    {
        using var client = server.NewClient();
        using var answer = await client.GetAsync(path);
        Assert.Equal(HttpStatusCode.Redirect, answer.StatusCode);
        var to = answer.Headers.Location!.ToString();
        Assert.StartsWith("/sign-in?return=", to);
        var page = await client.GetStringAsync(to);
        Assert.Contains($"value=\"{path}\"", page);
    }

    [Fact]
    public async Task The_cookie_is_for_the_server_alone_and_holds_no_key()
    {
        using var client = server.NewClient();
        using var answer = await DashboardServer.SignInAsync(client, ApiServer.AdminKey, "/p/shop");
        Assert.Equal("/p/shop", answer.Headers.Location!.ToString());
        var cookie = Assert.Single(answer.Headers.GetValues("Set-Cookie"), c => c.StartsWith(SignIns.Cookie, StringComparison.Ordinal));
        Assert.Contains("httponly", cookie);
        Assert.Contains("samesite=lax", cookie);
        Assert.Contains("expires=", cookie);
        Assert.DoesNotContain(ApiServer.AdminKey, cookie);
        using var page = await client.GetAsync("/p/shop");
        Assert.Equal(HttpStatusCode.OK, page.StatusCode);
        Assert.Equal("private, no-store", page.Headers.CacheControl!.ToString().Replace("no-store, private", "private, no-store", StringComparison.Ordinal));
    }

    [Theory]
    [InlineData("https://evil.test/")]
    [InlineData("//evil.test")]
    [InlineData("/\\evil.test")]
    [InlineData("javascript:alert(1)")]
    [InlineData("/\nSet-Cookie: x=1")]
    public async Task Nobody_is_sent_elsewhere_after_signing_in(string returnTo)
    {
        using var client = server.NewClient();
        using var answer = await DashboardServer.SignInAsync(client, ApiServer.AdminKey, returnTo);
        Assert.Equal("/", answer.Headers.Location!.ToString());
    }

    [Theory]
    [InlineData("")]
    [InlineData("not-the-key-of-this-server")]
    [InlineData("fft_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA")]
    public async Task A_wrong_key_is_refused_and_not_shown_again(string key)
    {
        using var client = server.NewClient();
        using var answer = await DashboardServer.SignInAsync(client, key);
        Assert.Equal(HttpStatusCode.Unauthorized, answer.StatusCode);
        var page = await answer.Content.ReadAsStringAsync();
        Assert.Contains("That is no key of this server", page);
        if (key.Length > 0) Assert.DoesNotContain(key, page);
        using var inside = await client.GetAsync("/p/shop");
        Assert.Equal(HttpStatusCode.Redirect, inside.StatusCode);
    }

    [Theory]
    [InlineData("/sign-in")]
    [InlineData("/sign-out")]
    [InlineData("/theme")]
    [InlineData("/welcome")]
    [InlineData("/p/shop/notes")]
    [InlineData("/p/shop/reports/schedule")]
    [InlineData("/p/shop/reports/recipients")]
    [InlineData("/p/shop/health/recount")]
    public async Task A_form_of_another_site_changes_nothing(string path)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.PostAsync(path, new FormUrlEncodedContent([new("key", ApiServer.AdminKey), new("host", "stolen.example"), new("day", "2026-01-01"), new("text", "stolen")]));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("This form has expired", await answer.Content.ReadAsStringAsync());
        using var still = await client.GetAsync("/p/shop");
        Assert.Equal(HttpStatusCode.OK, still.StatusCode);
    }

    [Fact]
    public async Task Signing_out_ends_it_also_for_a_copy_of_the_cookie()
    {
        using var client = server.NewClient();
        using var signedIn = await DashboardServer.SignInAsync(client, ApiServer.AdminKey);
        var copy = signedIn.Headers.GetValues("Set-Cookie").Single(c => c.StartsWith(SignIns.Cookie, StringComparison.Ordinal)).Split(';')[0];
        var token = DashboardServer.TokenOf(await client.GetStringAsync("/p/shop"));
        using var answer = await client.PostAsync("/sign-out", new FormUrlEncodedContent([new("form_token", token)]));
        Assert.Equal("/sign-in", answer.Headers.Location!.ToString());
        using var thief = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, UseCookies = false }) { BaseAddress = server.Address };
        using var request = new HttpRequestMessage(HttpMethod.Get, "/p/shop");
        request.Headers.Add("Cookie", copy);
        using var refused = await thief.SendAsync(request);
        Assert.Equal(HttpStatusCode.Redirect, refused.StatusCode);
    }

    [Fact]
    public async Task A_revoked_token_ends_the_browsers_that_showed_it()
    {
        var store = server.Service<TokenStore>();
        var (token, text) = await store.CreateAsync("ada", AccessRole.Dashboard, AccessPlan.Free, null, default);
        using var client = await server.SignedInAsync(text);
        using var before = await client.GetAsync("/p/shop");
        Assert.Equal(HttpStatusCode.OK, before.StatusCode);
        await store.RevokeAsync(token.Id.ToString(), default);
        await Eventually.IsTrueAsync("signed out", async () =>
        {
            using var after = await client.GetAsync("/p/shop");
            return after.StatusCode == HttpStatusCode.Redirect;
        }, TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task A_token_of_one_property_sees_that_one_alone()
    {
        using var client = await server.SignedInAsync(await server.TokenAsync(AccessRole.Dashboard, "shop"));
        using var start = await client.GetAsync("/");
        Assert.Equal("/p/shop", start.Headers.Location!.ToString());
        var page = await client.GetStringAsync("/p/shop");
        Assert.DoesNotContain("/p/blog", page);
        using var other = await client.GetAsync("/p/blog");
        Assert.Equal(HttpStatusCode.NotFound, other.StatusCode);
    }

    [Fact]
    public async Task A_reader_changes_nothing()
    {
        using var client = await server.SignedInAsync(ApiServer.DashboardToken);
        var page = await client.GetStringAsync("/p/shop/health");
        Assert.DoesNotContain("Count a day anew", page);
        using var answer = await client.PostAsync("/p/shop/health/recount", new FormUrlEncodedContent([new("form_token", DashboardServer.TokenOf(page)), new("day", "2026-01-01")]));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        using var welcome = await client.GetAsync("/welcome");
        Assert.Equal(HttpStatusCode.Forbidden, welcome.StatusCode);
    }

    [Fact]
    public async Task Who_viewed_what_is_for_the_plan_that_has_it()
    {
        using var free = await server.SignedInAsync(await server.TokenAsync(AccessRole.Dashboard));
        using var refused = await free.GetAsync("/p/shop/entities");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        using var file = await free.GetAsync("/p/shop/entities.csv");
        Assert.Equal(HttpStatusCode.Forbidden, file.StatusCode);
        using var pro = await server.SignedInAsync(ApiServer.DashboardToken);
        using var shown = await pro.GetAsync("/p/shop/entities");
        Assert.Equal(HttpStatusCode.OK, shown.StatusCode);
    }

    [Fact]
    public async Task A_token_that_only_sends_events_opens_no_page()
    {
        using var client = server.NewClient();
        using var answer = await DashboardServer.SignInAsync(client, await server.TokenAsync(AccessRole.Ingest));
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
    }

    [Theory]
    [InlineData("/")]
    [InlineData("/p/shop")]
    [InlineData("/p/shop/realtime")]
    [InlineData("/welcome")]
    public async Task While_the_database_is_away_a_page_says_so_and_what_still_works(string path)
    {
        await using var app = FootfallHost.Build(["--DataDir", TestFolder.New("away"), "--urls", "http://127.0.0.1:0", "--Postgres:ConnectionString", "Host=127.0.0.1;Port=1;Username=x;Database=x", $"--Access:AdminKey={ApiServer.AdminKey}"]);
        await app.StartAsync(TestContext.Current.CancellationToken);
        using var client = new HttpClient { BaseAddress = new Uri(app.Urls.First()) };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(5), answer.Headers.RetryAfter!.Delta);
        Assert.Contains("Events are taken meanwhile", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var form = await client.GetAsync("/sign-in", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, form.StatusCode);
        await app.StopAsync(TestContext.Current.CancellationToken);
    }

    [Fact]
    public async Task Many_wrong_keys_close_the_door_for_the_right_one_too()
    {
        await using var closed = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", "--Access:FailedAttemptsPerMinute=3");
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false }) { BaseAddress = closed.Client.BaseAddress };
        for (var i = 0; i < 3; i++) (await DashboardServer.SignInAsync(client, $"wrong-key-number-{i}")).Dispose();
        using var answer = await DashboardServer.SignInAsync(client, ApiServer.AdminKey);
        Assert.Equal(HttpStatusCode.TooManyRequests, answer.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(60), answer.Headers.RetryAfter!.Delta);
        Assert.Contains("Wait a minute", await answer.Content.ReadAsStringAsync());
    }
}
