using Footfall.Tests.Tracker;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Leads as people work with them, in Chromium.</summary>
public sealed class LeadBrowserTests(PeopleServer server) : IClassFixture<PeopleServer>
{
    [Theory]
    [InlineData(1440, ColorScheme.Light)]
    [InlineData(1440, ColorScheme.Dark)]
    [InlineData(390, ColorScheme.Light)]
    [InlineData(390, ColorScheme.Dark)]
    public async Task Every_page_is_quiet_fits_and_can_be_used_by_everyone(int width, ColorScheme scheme)
    {
        await using var browser = await PageBrowser.OpenAsync(server.Dashboard.Address, width, scheme);
        await browser.GoAsync("/p/shop/leads", "leads");
        await browser.GoAsync("/p/shop/leads?status=express&mailable=true&domain=business", "leads-filtered");
        await browser.GoAsync("/p/shop/leads?status=withdrawn&source=email", "leads-none");
        await browser.Page.GotoAsync("/p/shop/leads");
        await browser.Page.ClickAsync("#filter summary");
        await browser.LookAsync("leads-filter");
        await browser.GoAsync($"/p/shop/leads/{server.AnnId}", "lead");
        foreach (var act in new[] { "stop", "merge" }) await browser.Page.ClickAsync($"#act-{act} summary");
        await browser.LookAsync("lead-acts");
        await browser.GoAsync($"/p/shop/leads/{server.HostileId}", "lead-hostile");
        await browser.Page.ClickAsync("text=Erase this person");
        await browser.Page.ArriveAsync("**/erase**");
        await browser.LookAsync("lead-erase");
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task A_person_is_found_looked_at_and_stopped_with_the_keyboard_alone()
    {
        var lead = await server.NewLeadAsync("keys@board.example", "keys");
        await using var browser = await PageBrowser.OpenAsync(server.Dashboard.Address);
        var page = browser.Page;
        await page.GotoAsync("/p/shop/leads");
        await page.Keyboard.PressAsync("/");
        await page.Keyboard.TypeAsync("keys@board");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAsync("**search=**");
        Assert.DoesNotContain("keys", page.Url);
        Assert.Equal(1, await page.Locator("tbody tr").CountAsync());
        await browser.TabToAsync("tbody th a");
        await page.Keyboard.PressAsync("Enter");
        await page.ArriveAsync($"**/leads/{lead}**");
        await browser.TabToAsync("#act-stop summary");
        await page.Keyboard.PressAsync("Enter");
        await browser.TabToAsync("#act-stop input[name=typed]");
        await page.Keyboard.TypeAsync("stop");
        await page.Keyboard.PressAsync("Enter");
        await page.WaitForSelectorAsync("text=This address gets no more mail.");
        Assert.Contains("Withdrawn", await page.InnerTextAsync(".facts"));
        Assert.Empty(browser.Complaints);
    }

    [Fact]
    public async Task A_person_is_merged_taken_out_and_erased_without_JavaScript()
    {
        var lead = await server.NewLeadAsync("plain@script.example", "plain");
        await server.NewLeadAsync("other@script.example", "other-plain");
        await using var browser = await PageBrowser.OpenAsync(server.Dashboard.Address, javaScript: false);
        var page = browser.Page;
        await page.GotoAsync("/p/shop/leads");
        await page.ClickAsync("#filter summary");
        await page.SelectOptionAsync("select[name=domain]", "business");
        await page.ClickAsync("#filter button");
        await page.ArriveAsync("**/leads?domain=business");
        await page.FillAsync("#q", "PLAIN@");
        await page.PressAsync("#q", "Enter");
        await page.ArriveAsync("**/leads?domain=business&search=**");
        await page.ClickAsync("tbody th a");
        await page.ArriveAsync($"**/leads/{lead}");

        await page.ClickAsync("#act-merge summary");
        await page.FillAsync("input[name=other]", "other@script.example");
        await page.FillAsync("#act-merge input[name=typed]", "merge");
        await page.ClickAsync("#act-merge button");
        await page.WaitForSelectorAsync("text=other@script.example");
        await page.ClickAsync("button:has-text('Undo')");
        await page.WaitForSelectorAsync("text=The merge is undone");

        var download = await page.RunAndWaitForDownloadAsync(() => page.ClickAsync("text=Download all that is held"));
        Assert.Equal($"lead-{lead}.json", download.SuggestedFilename);

        await page.ClickAsync("text=Erase this person");
        await page.WaitForSelectorAsync("text=Nothing is erased yet");
        await page.FillAsync("input[name=typed]", "plain@script.example");
        await page.ClickAsync("text=Erase for good");
        await page.ArriveAsync("**/leads/erasures/**");
        Assert.Contains("The person is erased", await page.InnerTextAsync("main"));
        Assert.Empty(browser.Complaints);
    }
}
