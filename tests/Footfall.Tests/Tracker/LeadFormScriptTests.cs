using System.Text.Json;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>The lead form in the browser: what its script sends, says and prevents. The answers are made up here; the server's own tests are those of leads.</summary>
public sealed class LeadFormScriptTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private const string Form = """
        <form data-ff-lead name="letters" method="post" action="/v1/leads/capture" data-ff-success="It worked.">
          <input name="email" type="email" required><input name="payload.level" value="new"><input name="website">
          <input name="consent.status" value="express" type="checkbox" required><input type="hidden" name="consent.purpose" value="letter">
          <button>Send</button>
        </form>
        """;

    private async Task<(IPage Page, List<string> Sent)> OpenAsync(IBrowserContext profile, string path, int status, int delayMs = 0)
    {
        tracked.Site.Page(path, Form);
        var page = await profile.NewPageAsync();
        List<string> sent = [];
        await page.RouteAsync("**/v1/leads/capture", async route =>
        {
            sent.Add(route.Request.PostData ?? "");
            await Task.Delay(delayMs);
            await route.FulfillAsync(new() { Status = status, ContentType = "application/json", Body = status < 300 ? """{"ok":true,"leadId":"x"}""" : """{"ok":false,"error":"validation_failed"}""" });
        });
        await page.GotoAsync(tracked.Site.Address + path);
        await page.WaitForSelectorAsync("[data-ff-status]", new() { State = WaitForSelectorState.Attached });
        return (page, sent);
    }

    private static async Task FillAsync(IPage page)
    {
        await page.FillAsync("[name=email]", "ann@example.org");
        await page.CheckAsync("[name='consent.status']");
    }

    [Fact]
    public async Task It_is_sent_without_leaving_the_page_and_counted_when_it_was_taken()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var (page, sent) = await OpenAsync(profile, "/lead", 201);
        await FillAsync(page);
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        Assert.Equal("It worked.", await page.TextContentAsync("[aria-live=polite]"));
        Assert.EndsWith("/lead", page.Url, StringComparison.Ordinal);
        var lead = JsonDocument.Parse(Assert.Single(sent)).RootElement;
        Assert.Equal("ann@example.org", lead.GetProperty("email").GetString());
        Assert.Equal("letters", lead.GetProperty("formName").GetString());
        Assert.Equal("express", lead.GetProperty("consent").GetProperty("status").GetString());
        Assert.Equal("letter", lead.GetProperty("consent").GetProperty("purpose").GetString());
        Assert.Equal("new", lead.GetProperty("payload").GetProperty("level").GetString());
        await tracked.ShowsAsync("select v.anon_id = '" + lead.GetProperty("anonId").GetString() + "', e.event_type from events e join visitors v on v.id = e.visitor_id where e.path = '/lead' and e.event_type like 'form%' order by e.occurred_at", "True|form_start", "True|form_submit");
    }

    [Fact]
    public async Task A_double_click_sends_one()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var (page, sent) = await OpenAsync(profile, "/lead-twice", 201, delayMs: 600);
        await FillAsync(page);
        await page.DblClickAsync("button");
        await page.EvaluateAsync("document.querySelector('form').requestSubmit()");
        await page.WaitForSelectorAsync("[data-ff-state=success]");
        Assert.Single(sent);
        await tracked.StoredAsync("/lead-twice", "form_submit", 1);
    }

    [Fact]
    public async Task A_refusal_is_said_and_the_entries_stay()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var (page, sent) = await OpenAsync(profile, "/lead-refused", 400);
        await FillAsync(page);
        await page.ClickAsync("button");
        await page.WaitForSelectorAsync("[data-ff-state=error]");
        Assert.NotEmpty((await page.TextContentAsync("[aria-live=polite]"))!);
        Assert.Equal("ann@example.org", await page.InputValueAsync("[name=email]"));
        Assert.True(await page.IsEnabledAsync("button"));
        Assert.Single(sent);
        await tracked.StoredAsync("/lead-refused", "form_submit", 0);
    }

    [Fact]
    public async Task Without_consent_nothing_is_sent()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var (page, sent) = await OpenAsync(profile, "/lead-no-consent", 201);
        await page.FillAsync("[name=email]", "ann@example.org");
        await page.ClickAsync("button");
        await page.WaitForTimeoutAsync(300);
        Assert.Empty(sent);
    }
}
