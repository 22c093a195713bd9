using System.Net;
using System.Net.Http.Headers;
using System.Text.RegularExpressions;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>How the tracker's files, the demo site and the install page are served.</summary>
public sealed partial class TrackerServingTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private HttpClient Client => new() { BaseAddress = new Uri(tracked.Server.Replace("stats.test", "127.0.0.1", StringComparison.Ordinal)) };

    [Fact]
    public async Task The_core_is_kept_for_an_hour_and_what_it_loads_for_a_year()
    {
        using var client = Client;
        using var core = await client.GetAsync("/t.js", TestContext.Current.CancellationToken);
        Assert.Equal(TimeSpan.FromHours(1), core.Headers.CacheControl!.MaxAge);
        var text = await core.Content.ReadAsStringAsync(TestContext.Current.CancellationToken);
        var activity = HashedName().Match(text).Value;
        using var loaded = await client.GetAsync(activity, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, loaded.StatusCode);
        Assert.Contains("immutable", loaded.Headers.CacheControl!.ToString(), StringComparison.Ordinal);
        var more = HashedName().Matches(await loaded.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
        using var form = await client.GetAsync(Assert.Single(more).Value, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, form.StatusCode);
    }

    [Theory]
    [InlineData("/t.activity.0123456789abcdef.js", HttpStatusCode.OK)]
    [InlineData("/t.form.0123456789abcdef.js", HttpStatusCode.OK)]
    [InlineData("/t.activity.0123.js", HttpStatusCode.NotFound)]
    [InlineData("/t.nothing.0123456789abcdef.js", HttpStatusCode.NotFound)]
    public async Task A_core_from_before_an_upgrade_finds_what_it_loads(string path, HttpStatusCode status)
    {
        using var client = Client;
        using var answer = await client.GetAsync(path, TestContext.Current.CancellationToken);
        Assert.Equal(status, answer.StatusCode);
        if (status == HttpStatusCode.OK) Assert.Equal("no-cache", answer.Headers.CacheControl!.ToString());
    }

    [Theory]
    [InlineData("br, gzip", "br")]
    [InlineData("gzip", "gzip")]
    [InlineData("br;q=0, gzip", "gzip")]
    [InlineData("identity", null)]
    [InlineData("", null)]
    public async Task A_browser_gets_the_encoding_that_it_asks_for_and_asks_again_for_nothing(string accepts, string? encoding)
    {
        using var client = Client;
        using var request = new HttpRequestMessage(HttpMethod.Get, "/t.js");
        if (accepts.Length > 0) request.Headers.TryAddWithoutValidation("Accept-Encoding", accepts);
        using var answer = await client.SendAsync(request, TestContext.Current.CancellationToken);
        Assert.Equal(encoding, answer.Content.Headers.ContentEncoding.SingleOrDefault());
        Assert.True(encoding is null || answer.Content.Headers.ContentLength <= 2560);
        using var again = new HttpRequestMessage(HttpMethod.Get, "/t.js");
        if (accepts.Length > 0) again.Headers.TryAddWithoutValidation("Accept-Encoding", accepts);
        again.Headers.IfNoneMatch.Add(EntityTagHeaderValue.Parse(answer.Headers.ETag!.ToString()));
        using var unchanged = await client.SendAsync(again, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.NotModified, unchanged.StatusCode);
    }

    [Theory]
    [InlineData("?property=../x")]
    [InlineData("?property=shop&path=%00")]
    public async Task A_picture_for_what_is_no_property_or_path_is_refused(string query)
    {
        using var client = Client;
        using var answer = await client.GetAsync("/v1/pixel.gif" + query, TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
    }

    [Fact]
    public async Task The_demo_site_is_counted_as_one_clicks_around()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        // The demo skips robots like any other site; this one is told to look like a person.
        await profile.AddInitScriptAsync("Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })");
        var page = await profile.NewPageAsync();
        List<string> problems = [];
        page.PageError += (_, error) => problems.Add(error);
        page.Console += (_, message) => problems.Add(message.Text);
        await page.GotoAsync(tracked.Server + "/demo/");
        await page.WaitForSelectorAsync("[data-hero]");
        await TrackedSite.RunningAsync(page);
        await page.ClickAsync("text=See the bell");
        await page.ClickAsync("[data-cart]");
        await TrackedSite.RunningAsync(page);       // a click that leads away cannot wait for the second file
        await page.ClickAsync("nav >> text=Training diary");
        foreach (var step in new[] { "workout_started", "exercise_logged", "session_submitted" }) await page.ClickAsync($"[data-step={step}]");
        await page.WaitForSelectorAsync("[data-badge]:visible");
        await tracked.ShowsAsync(
            "select e.event_type from events e join visitors v on v.id = e.visitor_id where e.property_id = 'demo' and v.kind = 'anon_id' and e.event_type not in ('engagement', 'web_vitals') order by e.occurred_at, e.id",
            "page_view", "experiment_assigned", "hero_click", "page_view", "add_to_cart", "page_view", "tab_opened", "workout_started", "exercise_logged", "session_submitted", "achievement_unlocked");
        await tracked.ShowsAsync("select distinct entity_id from events where property_id = 'demo' and entity_type = 'product'", "bell");
        Assert.Empty(problems);
    }

    [Fact]
    public async Task The_install_page_shows_the_tag_and_turns_green_when_the_first_event_comes()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Server + "/install?property=newcomer");
        Assert.Contains($"""<script async src="{tracked.Server}/t.js" data-property="newcomer"></script>""", await page.TextContentAsync("code"), StringComparison.Ordinal);
        await page.WaitForTimeoutAsync(300);
        Assert.Contains("Waiting", await page.TextContentAsync("[data-arrival]"), StringComparison.Ordinal);
        tracked.Site.Raw("/new", $"<!doctype html><title>New</title><script async src='{tracked.Server}/t.js' data-property='newcomer' data-webdriver></script>");
        await (await profile.NewPageAsync()).GotoAsync(tracked.Site.Address + "/new");
        await page.WaitForSelectorAsync("[data-arrival].good", new() { Timeout = 10_000 });
    }

    [GeneratedRegex(@"/t\.\w+\.[0-9a-f]{16}\.js")]
    private static partial Regex HashedName();
}
