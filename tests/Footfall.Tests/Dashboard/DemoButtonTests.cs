using System.Net;
using Footfall.Demo;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Tracker;
using Microsoft.Extensions.DependencyInjection;
using Microsoft.Playwright;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>The button of the welcome that fills the demo.</summary>
public sealed class DemoButtonTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task A_newcomer_fills_the_demo_sees_how_far_it_is_may_leave_and_looks_at_it()
    {
        await using var context = await (await TestBrowser.GetAsync()).NewContextAsync(new BrowserNewContextOptions { BaseURL = server.Client.BaseAddress!.ToString(), Locale = "en-GB" });
        var page = await context.NewPageAsync();
        await page.GotoAsync("/sign-in?return=/welcome");
        await page.FillAsync("input[name=key]", ApiServer.AdminKey);
        await page.ClickAsync("button.main");
        await page.ArriveAsync("**/welcome");
        await page.ClickAsync("text=Fill the demo");
        await page.ArriveAsync("**/welcome/demo");
        await page.WaitForSelectorAsync("progress");
        await page.GotoAsync("/welcome");      // leaves
        await page.GotoAsync("/welcome/demo");
        await page.WaitForSelectorAsync("text=The demo is there", new PageWaitForSelectorOptions { Timeout = 180_000 });
        await page.ClickAsync("text=See it");
        await page.ArriveAsync("**/p/demo");
        Assert.NotEqual("0", (await page.InnerTextAsync("#kpi-visitors .value")).Trim());
        Assert.NotEqual("0", (await page.InnerTextAsync("#kpi-leads .value")).Trim());
        await page.GotoAsync("/welcome");
        Assert.Equal(0, await page.Locator("text=Fill the demo").CountAsync());

        // What is there is left alone.
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = server.Client.BaseAddress };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        (await DashboardServer.SignInAsync(client, ApiServer.AdminKey)).Dispose();
        var token = DashboardServer.TokenOf(await client.GetStringAsync("/welcome", TestContext.Current.CancellationToken));
        using var again = await client.PostAsync("/welcome/demo", new FormUrlEncodedContent([new("form_token", token)]), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Conflict, again.StatusCode);
        Assert.False(await server.Services.GetRequiredService<DemoFiller>().IsEmptyAsync(TestContext.Current.CancellationToken));

        using var reader = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = server.Client.BaseAddress };
        reader.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        (await DashboardServer.SignInAsync(reader, ApiServer.DashboardToken)).Dispose();
        using var refused = await reader.PostAsync("/welcome/demo", new FormUrlEncodedContent([new("form_token", token)]), TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
    }
}
