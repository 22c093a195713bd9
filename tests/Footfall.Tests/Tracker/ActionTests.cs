using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>What visitors do on a page, and the calls that pages make.</summary>
public sealed class ActionTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private async Task<IPage> OpenAsync(IBrowserContext profile, string path, string body = "<h1>A page</h1>", string attributes = "", string head = "")
    {
        tracked.Site.Page(path, body, attributes, head);
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + path);
        await TrackedSite.RunningAsync(page);
        return page;
    }

    private Task ShowsAsync(string path, string columns, params string[] expected) =>
        tracked.ShowsAsync($"select event_type{columns} from events where path = '{path}' and event_type not in ('page_view', 'engagement', 'web_vitals') order by occurred_at, id", expected);

    [Fact]
    public async Task An_outbound_link_in_the_same_tab_is_counted()
    {
        tracked.Site.Raw("/away", "<!doctype html><title>Away</title>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/out-link", $"<a href='http://other.test:{tracked.Site.Port}/away?secret=1#x'>Other</a> <a href='/away'>Own</a>");
        await page.ClickAsync("text=Other");
        await page.ArriveAsync("**/away**");
        await ShowsAsync("/out-link", ", props->>'url'", $"outbound_click|http://other.test:{tracked.Site.Port}/away");
    }

    [Fact]
    public async Task A_download_is_counted_and_an_own_link_is_not()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/files", "<a download href='/a/list.PDF?x=1'>File</a> <a href='#own'>Own</a> <a href='mailto:a@example.org'>Mail</a>");
        await page.ClickAsync("text=Own");
        await page.ClickAsync("text=File");
        await ShowsAsync("/files", ", props->>'url'", $"download|{tracked.Site.Address}/a/list.PDF");
    }

    [Fact]
    public async Task A_marked_element_sends_its_event_with_its_props()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/marked", "<button data-ff-event='plan_chosen' data-ff-plan='pro' data-ff-seats='3'><span>Choose</span></button>");
        await page.ClickAsync("span");
        await ShowsAsync("/marked", ", props->>'plan', props->>'seats'", "plan_chosen|pro|3");
    }

    [Fact]
    public async Task What_is_done_while_the_second_file_is_on_its_way_is_counted_when_it_comes()
    {
        tracked.Site.Page("/quick", "<button data-ff-event='pressed' data-ff-plan='pro'>Press</button><a download href='/a/list.pdf'>File</a><form name=quick><input name=q></form>");
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        var (asked, comes) = (new TaskCompletionSource(), new TaskCompletionSource());
        await page.RouteAsync("**/t.activity.*", async route =>
        {
            asked.TrySetResult();
            await comes.Task;
            await route.ContinueAsync();
        });
        await page.GotoAsync(tracked.Site.Address + "/quick", new() { WaitUntil = WaitUntilState.DOMContentLoaded });
        await asked.Task.WaitAsync(TimeSpan.FromSeconds(30));
        await page.ClickAsync("button");
        await page.ClickAsync("a");
        await page.FillAsync("[name=q]", "a");
        await page.FillAsync("[name=q]", "ab");
        var before = await page.EvaluateAsync<long>("Date.now()");
        await page.WaitForTimeoutAsync(500);
        comes.SetResult();
        await TrackedSite.RunningAsync(page);
        await page.ClickAsync("button");
        await ShowsAsync("/quick", ", props->>'plan', props->>'form', props->>'url'", "pressed|pro||", $"download|||{tracked.Site.Address}/a/list.pdf", "form_start||quick|", "pressed|pro||");
        // Of when it was done, not of when it could be told.
        await tracked.ShowsAsync($"select count(*) from events where path = '/quick' and event_type <> 'page_view' and occurred_at <= to_timestamp({before} / 1000.0)", "3");
    }

    [Fact]
    public async Task A_form_is_started_once_and_submitted()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        tracked.Site.Raw("/form-done", "<!doctype html><title>Done</title>");
        var page = await OpenAsync(profile, "/form", "<form name='contact' action='/form-done'><input name='a'><input name='b'><button>Send</button></form>");
        await page.Locator("[name=a]").PressSequentiallyAsync("one");
        await page.Locator("[name=b]").PressSequentiallyAsync("two");
        await page.ClickAsync("button");
        await page.ArriveAsync("**/form-done**");
        await ShowsAsync("/form", ", props->>'form', is_conversion", "form_start|contact|False", "form_submit|contact|True");
    }

    [Fact]
    public async Task Rage_is_counted_only_where_asked()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        foreach (var (path, attributes) in new[] { ("/calm", ""), ("/rage", "data-on='rage'") })
        {
            var page = await OpenAsync(profile, path, "<button id='dead'>Nothing</button>", attributes);
            await page.ClickAsync("button", new() { ClickCount = 4 });
        }
        await ShowsAsync("/rage", ", props->>'target'", "rage_click|button#dead");
        await ShowsAsync("/calm", "");
    }

    [Fact]
    public async Task An_account_is_on_what_follows()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/account");
        await page.EvaluateAsync("footfall('event', 'before'); footfall('identify', 42, { username: 'ann', displayName: 'Ann B' }); footfall('event', 'bought', { sum: 3 }, { isConversion: true }); footfall('identify', null); footfall('event', 'after')");
        await ShowsAsync("/account", ", account_id, is_conversion", "before||False", "identify|42|False", "bought|42|True", "after||False");
        await tracked.ShowsAsync("select username, display_name from accounts where id = '42'", "ann|Ann B");
    }

    [Fact]
    public async Task Calls_made_before_the_tag_is_loaded_are_kept()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        await OpenAsync(profile, "/early", head: "<script>window.footfall = function () { (footfall.q = footfall.q || []).push(arguments) }; footfall('identify', 'early-bird'); footfall('event', 'soon', { a: 1 })</script>");
        await tracked.ShowsAsync("select event_type, account_id from events where path = '/early' and event_type in ('identify', 'soon') order by event_type", "identify|early-bird", "soon|early-bird");
    }

    [Fact]
    public async Task A_visitor_stays_in_a_variant_and_is_assigned_once()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/experiment");
        var first = await page.EvaluateAsync<string>("footfall('experiment', 'hero', ['calm', 'bold'])");
        Assert.Contains(first, (string[])["calm", "bold"]);
        await page.ReloadAsync();
        await page.WaitForTimeoutAsync(500);
        Assert.Equal(first, await page.EvaluateAsync<string>("new Promise(done => footfall('experiment', 'hero', ['calm', 'bold'], done))"));
        await ShowsAsync("/experiment", ", props->>'experimentId', props->>'variantId'", $"experiment_assigned|hero|{first}");
    }

    [Fact]
    public async Task Variants_are_shared_out_evenly_and_independently()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/shares");
        var counts = await page.EvaluateAsync<int[]>("""
            () => {
              const counts = [0, 0, 0, 0];
              for (let i = 0; i < 400; i++) {
                // Each round is another experiment for the same visitor.
                const a = footfall('experiment', 'a' + i, ['x', 'y']) === 'x' ? 0 : 1, b = footfall('experiment', 'b' + i, ['x', 'y']) === 'x' ? 0 : 2;
                counts[a + b]++;
              }
              return counts;
            }
            """);
        Assert.All(counts, n => Assert.InRange(n, 65, 135));
    }
}
