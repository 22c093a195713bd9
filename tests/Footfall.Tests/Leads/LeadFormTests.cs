using Footfall.Tests.Tracker;
using Xunit;

namespace Footfall.Tests.Leads;

/// <summary>Forms as people use them: a real browser, the real tracker, the real server.</summary>
public sealed class LeadFormTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private string Form(string attributes) => $"""
        <form {attributes} name="letters" method="post" action="{tracked.Server}/v1/leads/capture" data-ff-success="It worked.">
          <input name="email" type="email" required><input name="payload.level" value="new"><input name="website">
          <input name="consent.status" value="express" type="checkbox" required><input type="hidden" name="consent.purpose" value="letter">
          <input type="hidden" name="propertyId" value="shop">
          <button>Send</button>
        </form>
        """;

    private const string Lead = """
        select l.consent_status, i.link_source, v.anon_id is not null, s.form_name, s.payload ->> 'level', s.source like '%/lead-%'
        from leads l join form_submissions s on s.lead_id = l.id join lead_identities i on i.lead_id = l.id and i.link_source = 'form_submit' left join visitors v on v.id = i.visitor_id
        where l.email_normalized =
        """;

    private const string Submits = "select count(*) from events where event_type = 'form_submit' and path like ";

    [Theory]
    [InlineData("data-ff-lead", "/lead-script", "script@example.org", true)]
    [InlineData("", "/lead-plain", "plain@example.org", false)]
    public async Task A_form_of_another_origin_becomes_a_lead_of_its_visitor_and_one_submit(string attributes, string path, string email, bool stays)
    {
        tracked.Site.Page(path, Form(attributes));
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + path);
        if (stays) await page.WaitForSelectorAsync("[data-ff-status]", new() { State = Microsoft.Playwright.WaitForSelectorState.Attached });
        await tracked.StoredAsync(path, "page_view", 1);
        await page.FillAsync("[name=email]", email);
        await page.CheckAsync("[name='consent.status']");
        await page.ClickAsync("button");
        if (stays) await page.WaitForSelectorAsync("[data-ff-state=success]");
        else await page.ArriveAsync("**/v1/leads/thanks");
        await tracked.ShowsAsync($"{Lead} '{email}'", "express|form_submit|True|letters|new|True");
        await tracked.ShowsAsync($"{Submits} '{path}%'", "1");
        Assert.Equal(1, await tracked.Database.ScalarAsync<long>("select count(*) from sessions s join events e on e.session_id = s.id where e.event_type = 'form_submit' and e.path = @path and s.has_conversion", ("path", path)));
    }

    [Fact]
    public async Task The_demo_s_letter_can_be_ordered_without_script()
    {
        await using var profile = await TrackedSite.ProfileAsync(o => o.JavaScriptEnabled = false);
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Server + "/demo/letters.html");
        await page.FillAsync("[name=email]", "demo@example.org");
        await page.CheckAsync("[name='consent.status']");
        await page.ClickAsync("button");
        await page.ArriveAsync("**/demo/thanks.html");
        Assert.Equal(["express|monthly letter|demo|demo"], await tracked.Database.RowsAsync("""
            select l.consent_status, c.purpose, l.property_id, s.property_id from leads l join consent_events c on c.lead_id = l.id join form_submissions s on s.lead_id = l.id
            where l.email_normalized = 'demo@example.org'
            """));
        await tracked.ShowsAsync("""
            select (select count(*) from events where property_id = 'demo' and event_type = 'form_submit')
                 - (select count(*) from form_submissions where property_id = 'demo')
            """, "0");
    }
}
