using System.Net;
using System.Text.RegularExpressions;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>A server with a property to look at: some ordinary visits, and some that were sent to do harm.</summary>
public sealed partial class DashboardServer : IAsyncLifetime
{
    public const string HostilePath = "/<script>window.harmed=1</script>";
    public const string HostileSource = "\"><img src=x onerror=\"window.harmed=1\">";
    public const string HostileCampaign = "=HYPERLINK(\"http://evil.test\";\"click\")";
    public const string Turned = "/\u202egnp.exe";
    public const string Unseen = "/zero\u200bwidth";
    public static readonly string TooLong = "/" + new string('a', 1_990) + "-the-end";
    public const string Emoji = "/\ud83d\udc69\u200d\ud83d\ude80-launch";

    public ApiServer Api { get; private set; } = null!;
    public Uri Address => Api.Client.BaseAddress!;

    /// <summary>The day before today, in UTC.</summary>
    public static DateOnly Yesterday { get; } = DateOnly.FromDateTime(TimeProvider.System.GetUtcNow().UtcDateTime).AddDays(-1);

    public async ValueTask InitializeAsync()
    {
        Api = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}", $"--Access:DashboardToken={ApiServer.DashboardToken}");
        var day = Yesterday.ToString("yyyy-MM-dd");
        List<CapturedEvent> events = [];
        for (var i = 0; i < 12; i++)
        {
            var country = i % 3 == 0 ? "CA" : "DE";
            events.Add(Told.Event($"a{i}", $"{day}T10:{i:00}:00Z", path: "/pricing", source: TrafficSource.OrganicSearch, referrerHost: "www.google.com", country: country, device: i % 2 == 0 ? DeviceType.Mobile : DeviceType.Desktop));
            events.Add(Told.Event($"a{i}", $"{day}T10:{i:00}:40Z", path: "/", country: country, props: """{"lcpMs":1800,"inpMs":90,"clsScore":0.02}"""));
        }
        foreach (var path in new[] { HostilePath, Turned, Unseen, TooLong, Emoji }) events.Add(Told.Event("h", $"{day}T12:00:00Z", path: path, utmSource: HostileSource, source: TrafficSource.Campaign));
        events.Add(Told.Event("h", $"{day}T12:00:09Z", type: HostileSource, path: HostilePath));
        events.Add(Told.Event("c", $"{day}T13:00:00Z", path: "/", utmSource: HostileSource, source: TrafficSource.Campaign) with { UtmCampaign = HostileCampaign });
        await Api.StoreAsync(events);
        await Api.StoreAsync(Told.Event("other", $"{day}T10:00:00Z", property: "blog"));
    }

    public async ValueTask DisposeAsync() => await Api.DisposeAsync();

    internal Task<string> TokenAsync(AccessRole role, string? property = null) => Api.NewTokenAsync(role, property: property);

    /// <summary>Follows no redirects; keeps cookies.</summary>
    public HttpClient NewClient()
    {
        var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = Address };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        return client;
    }

    public async Task<HttpClient> SignedInAsync(string key = ApiServer.AdminKey)
    {
        var client = NewClient();
        using var answer = await SignInAsync(client, key);
        Assert.Equal(HttpStatusCode.SeeOther, answer.StatusCode);
        return client;
    }

    public static async Task<HttpResponseMessage> SignInAsync(HttpClient client, string key, string returnTo = "/") =>
        await client.PostAsync("/sign-in", new FormUrlEncodedContent([new("form_token", TokenOf(await client.GetStringAsync("/sign-in"))), new("key", key), new("return", returnTo)]));

    public static string TokenOf(string page) => WebUtility.HtmlDecode(FormToken().Match(page).Groups[1].Value);

    /// <summary>A page's text as people read it.</summary>
    public static string Read(string page) => WebUtility.HtmlDecode(page);

    internal T Service<T>() where T : notnull => Api.Services.GetRequiredService<T>();

    [GeneratedRegex("name=\"form_token\" value=\"([^\"]+)\"")]
    private static partial Regex FormToken();
}
