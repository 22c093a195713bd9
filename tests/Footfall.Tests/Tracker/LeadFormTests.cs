using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>The lead form in the browser, with its script, without it, and without JavaScript: what becomes of it in the database.</summary>
public sealed class LeadFormTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private string Form => $"""
        <form data-ff-lead name="letters" method="post" action="{tracked.Server}/v1/leads/capture" data-ff-success="It worked.">
          <input name="email" type="email" required><input name="payload.level" value="new"><input name="website" hidden>
          <input name="consent.status" value="express" type="checkbox" required><input type="hidden" name="consent.purpose" value="letter">
          <input type="hidden" name="formName" value="letters"><input type="hidden" name="propertyId" value="shop">
          <button>Send</button>
        </form>
        """;

    private async Task<IPage> OpenAsync(IBrowserContext profile, string path)
    {
        var page = await profile.NewPageAsync();
        await OpenAsync(page, path);
        return page;
    }

    private async Task OpenAsync(IPage page, string path)
    {
        tracked.Site.Page(path, Form);
        await page.GotoAsync(tracked.Site.Address + path);
        await TrackedSite.RunningAsync(page);
    }

    private async Task<IPage> OpenWithScriptAsync(IBrowserContext profile, string path)
    {
        var page = await OpenAsync(profile, path);
        await page.WaitForSelectorAsync("[data-ff-status]", new() { State = WaitForSelectorState.Attached });
        return page;
    }

    private static async Task FillAsync(IPage page, string email)
    {
        await page.FillAsync("[name=email]", email);
        await page.CheckAsync("[name='consent.status']");
    }

    /// <summary>Exactly one lead, submission and consent for the address, and what the visitor's events of the form are.</summary>
    private async Task IsTakenOnceAsync(string email, string path, string property = "shop", bool started = true)
    {
        await tracked.ShowsAsync(
            $"""
            select l.consent_status, l.property_id, s.form_name, s.payload->>'level', c.status, c.method, c.purpose
            from leads l join form_submissions s on s.lead_id = l.id join consent_events c on c.lead_id = l.id
            where l.email_normalized = '{email}'
            """,
            $"express|{property}|letters|new|express|form|{(property == "demo" ? "monthly letter" : "letter")}");
        if (!started)
        {
            // Without an id all tests of this address are one visitor: the submit is there, and others' may be.
            await tracked.ShowsAsync($"select count(*) >= 1 from events e join visitors v on v.id = e.visitor_id where e.property_id = '{property}' and e.path = '{path}' and e.event_type = 'form_submit' and v.kind = 'cookieless'", "True");
            return;
        }
        string[] events = ["form_start|anon_id|letters", "form_submit|anon_id|letters"];
        await tracked.ShowsAsync(
            $"select e.event_type, v.kind, e.props->>'form' from events e join visitors v on v.id = e.visitor_id where e.property_id = '{property}' and e.path = '{path}' and e.event_type like 'form%' order by e.occurred_at",
            events);
    }

    [Fact]
    public async Task With_its_script_it_is_sent_without_leaving_the_page()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenWithScriptAsync(profile, "/lead");
        await FillAsync(page, "with@forms.example.org");
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        Assert.Equal("It worked.", await page.TextContentAsync("[aria-live=polite]"));
        Assert.EndsWith("/lead", page.Url, StringComparison.Ordinal);
        Assert.Equal("", await page.InputValueAsync("[name=email]"));
        await IsTakenOnceAsync("with@forms.example.org", "/lead");
        // The lead belongs to the visitor who looked at the page, and to nobody else for certain.
        await tracked.ShowsAsync(
            """
            select i.link_source, i.confidence, count(e.*) filter (where e.event_type = 'page_view')
            from leads l join lead_identities i on i.lead_id = l.id join events e on e.visitor_id = i.visitor_id
            where l.email_normalized = 'with@forms.example.org' and i.link_source = 'form_submit'
            group by 1, 2
            """,
            "form_submit|1|1");
    }

    [Fact]
    public async Task A_double_click_makes_one_submission()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenWithScriptAsync(profile, "/lead-twice");
        await page.RouteAsync("**/v1/leads/capture", async route =>
        {
            await Task.Delay(600);
            await route.ContinueAsync();
        });
        await FillAsync(page, "twice@forms.example.org");
        await page.DblClickAsync("button");
        await page.EvaluateAsync("document.querySelector('form').requestSubmit()");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        await IsTakenOnceAsync("twice@forms.example.org", "/lead-twice");
    }

    [Fact]
    public async Task A_refusal_is_said_and_the_entries_stay()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenWithScriptAsync(profile, "/lead-refused");
        await FillAsync(page, "refused@localhost");      // good enough for the browser
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=error]");
        Assert.NotEmpty((await page.TextContentAsync("[aria-live=polite]"))!);
        Assert.Equal("refused@localhost", await page.InputValueAsync("[name=email]"));
        Assert.True(await page.IsEnabledAsync("button"));
        await tracked.ShowsAsync("select 1 from leads where email_normalized like 'refused@%'");
        await tracked.StoredAsync("/lead-refused", "form_submit", 0);
    }

    [Fact]
    public async Task A_server_that_is_away_is_said_and_the_next_try_counts_once()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenWithScriptAsync(profile, "/lead-again");
        var tries = 0;
        await page.RouteAsync("**/v1/leads/capture", async route =>
        {
            // The first one arrives, and its answer is lost on the way back.
            if (++tries > 1)
            {
                await route.ContinueAsync();
                return;
            }
            using var http = new HttpClient();
            http.DefaultRequestHeaders.UserAgent.ParseAdd(TestBrowser.UserAgent);
            using var body = new StringContent(route.Request.PostData!, System.Text.Encoding.UTF8, "application/json");
            using (var answer = await http.PostAsync(tracked.Server.Replace("stats.test", "127.0.0.1", StringComparison.Ordinal) + "/v1/leads/capture", body)) Assert.True(answer.IsSuccessStatusCode);
            await route.AbortAsync();
        });
        await FillAsync(page, "again@forms.example.org");
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=error]");
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        await IsTakenOnceAsync("again@forms.example.org", "/lead-again");
    }

    [Fact]
    public async Task Without_consent_nothing_is_sent()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenWithScriptAsync(profile, "/lead-no-consent");
        await page.FillAsync("[name=email]", "unasked@forms.example.org");
        await page.ClickAsync("button");
        await page.WaitForTimeoutAsync(300);
        await tracked.ShowsAsync("select 1 from leads where email_normalized = 'unasked@forms.example.org'");
    }

    [Fact]
    public async Task A_form_whose_script_does_not_come_is_posted_and_still_says_whose_it_is()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        // Blocked by the browser itself: Playwright's routes hold every request up, and what is held up when the page goes away is lost.
        var session = await profile.NewCDPSessionAsync(page);
        await session.SendAsync("Network.enable");
        await session.SendAsync("Network.setBlockedURLs", new() { ["urls"] = new[] { "*/t.form.*" } });
        await OpenAsync(page, "/lead-posted");
        await page.WaitForSelectorAsync("script[src*='/t.form.']", new() { State = WaitForSelectorState.Attached });
        await FillAsync(page, "posted@forms.example.org");
        await page.ClickAsync("button");
        await page.ArriveAsync("**/v1/leads/thanks");
        await IsTakenOnceAsync("posted@forms.example.org", "/lead-posted");
    }

    [Fact]
    public async Task The_demos_form_works_without_JavaScript()
    {
        await using var profile = await TrackedSite.ProfileAsync(o => o.JavaScriptEnabled = false);
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Server + "/demo/letters.html");
        await page.FillAsync("[name=email]", "plain@localhost");
        await page.CheckAsync("[name='consent.status']");
        await page.ClickAsync("main button");
        await page.ArriveAsync("**/demo/sorry.html?error=*");
        await page.GotoAsync(tracked.Server + "/demo/letters.html");
        await page.FillAsync("[name=email]", "plain@forms.example.org");
        await page.CheckAsync("[name='consent.status']");
        await page.ClickAsync("main button");
        await page.ArriveAsync("**/demo/thanks.html");
        await IsTakenOnceAsync("plain@forms.example.org", "/demo/letters.html", "demo", started: false);
    }

    [Fact]
    public async Task No_form_shows_as_a_duplicate()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        await profile.AddInitScriptAsync("Object.defineProperty(Navigator.prototype, 'webdriver', { get: () => false })");
        var page = await profile.NewPageAsync();
        tracked.Site.Raw("/lead-alone", $"<!doctype html><title>Alone</title><link rel=icon href='data:,'>{Form.Replace("\"shop\"", "\"alone\"", StringComparison.Ordinal)}<script async src='{tracked.Server}/t.js' data-property='alone'></script>");
        await page.GotoAsync(tracked.Site.Address + "/lead-alone");
        await page.WaitForSelectorAsync("[data-ff-status]", new() { State = WaitForSelectorState.Attached });
        await FillAsync(page, "alone@forms.example.org");
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await IsTakenOnceAsync("alone@forms.example.org", "/lead-alone", "alone");
        await tracked.ShowsAsync("select sum(events_duplicate), sum(leads_accepted) from daily_ingest_rollups where property_id = 'alone'", "0|1");
    }
}
