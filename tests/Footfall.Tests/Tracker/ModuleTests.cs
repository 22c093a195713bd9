using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Tracker;

/// <summary>The package for bundlers, in a page that is nothing but a module.</summary>
public sealed class ModuleTests(TrackedSite tracked) : IClassFixture<TrackedSite>
{
    private async Task<IPage> OpenAsync(IBrowserContext profile, string path, string script)
    {
        using var reader = new StreamReader(typeof(ModuleTests).Assembly.GetManifestResourceStream("tracker-module.js")!);
        tracked.Site.Raw("/footfall.js", await reader.ReadToEndAsync());
        tracked.Site.Raw(path, $"<!doctype html><title>Module</title><link rel=icon href='data:,'><script type=module>import * as footfall from '/footfall.js';\n{script}</script>");
        var page = await profile.NewPageAsync();
        await page.GotoAsync(tracked.Site.Address + path);
        return page;
    }

    [Fact]
    public async Task It_counts_what_the_tag_counts()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/module", $$"""
            footfall.init({ host: '{{tracked.Server}}', property: 'module', webdriver: true, beforeSend: e => e.eventType === 'secret' ? false : e });
            footfall.identify('m-1', { username: 'mia' });
            footfall.event('saved', { size: 2 }, { isConversion: true });
            footfall.event('secret');
            window.variant = await footfall.experiment('colour', ['red', 'blue']);
            """);
        await page.WaitForFunctionAsync("window.variant");
        var variant = await page.EvaluateAsync<string>("window.variant");
        await tracked.ShowsAsync(
            "select event_type, account_id, is_conversion, coalesce(props->>'variantId', props->>'size', '') from events where property_id = 'module' and event_type not in ('engagement', 'web_vitals') order by event_type",
            $"experiment_assigned|m-1|False|{variant}", "identify|m-1|False|", "page_view||False|", "saved|m-1|True|2");
        await page.CloseAsync(new() { RunBeforeUnload = true });
        await tracked.ShowsAsync("select count(*) from events where property_id = 'module' and event_type = 'engagement'", "1");
    }

    [Fact]
    public async Task A_lead_form_is_made_only_with_a_purpose_and_the_words_of_consent()
    {
        await using var profile = await TrackedSite.ProfileAsync();
        var page = await OpenAsync(profile, "/markup", """
            const whole = { host: 'https://stats.example.com', purpose: 'One letter <a month>', consent: 'Yes & please', name: 'letters' };
            window.refused = Object.keys(whole).filter(key => { try { footfall.leadForm({ ...whole, [key]: ' ' }) } catch { return true } });
            document.body.innerHTML = footfall.leadForm(whole);
            """);
        await page.WaitForSelectorAsync("form[data-ff-lead]");
        Assert.Equal(["host", "purpose", "consent", "name"], await page.EvaluateAsync<string[]>("window.refused"));
        Assert.Equal("One letter <a month>", await page.TextContentAsync("[data-ff-purpose]"));
        Assert.Equal("One letter <a month>", await page.InputValueAsync("[name='consent.purpose']"));
        Assert.True(await page.EvaluateAsync<bool>("document.querySelector('[name=\"consent.status\"]').required"));
    }
}
