using System.Net;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Footfall.Dashboard.Reports;
using Footfall.Rollups;
using Footfall.Tests.Infrastructure;
using Footfall.Tests.Leads;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Weekly reports on their way to people.</summary>
public sealed class WeeklyReportTests
{
    private const string PublicUrl = "--Leads:PublicUrl=https://stats.shop.example";
    private static CancellationToken Stop => TestContext.Current.CancellationToken;
    private static readonly DateTimeOffset Now = TimeProvider.System.GetUtcNow();

    /// <summary>The last whole week.</summary>
    private static readonly DateOnly Week = ReportSchedule.WeekBefore(Now);

    [Theory]
    [InlineData(1, 6, "2026-11-16T06:00:00Z", "2026-11-16T06:00:00Z")]
    [InlineData(1, 6, "2026-11-16T05:59:59Z", "2026-11-09T06:00:00Z")]
    [InlineData(7, 23, "2026-11-21T12:00:00Z", "2026-11-15T23:00:00Z")]
    [InlineData(7, 0, "2026-11-22T12:00:00Z", "2026-11-22T00:00:00Z")]
    [InlineData(3, 9, "2027-01-01T00:00:00Z", "2026-12-30T09:00:00Z")]
    public void A_schedule_says_when_the_last_report_was_due(int weekday, int hour, string now, string due) =>
        Assert.Equal(DateTimeOffset.Parse(due), new ReportSchedule("shop", true, weekday, hour, default).LastDue(DateTimeOffset.Parse(now)));

    [Theory]
    [InlineData("2026-11-16T00:00:00Z", "2026-11-09")]
    [InlineData("2026-11-22T23:59:59Z", "2026-11-09")]
    [InlineData("2027-01-04T05:00:00Z", "2026-12-28")]
    public void A_report_is_about_the_last_whole_week(string at, string monday) => Assert.Equal(DateOnly.Parse(monday), ReportSchedule.WeekBefore(DateTimeOffset.Parse(at)));

    [Fact]
    public async Task Everybody_on_the_list_gets_the_week_once_and_nobody_else()
    {
        await using var smtp = new SmtpStandIn();
        await using var server = await StartAsync(PublicUrl, "--Leads:Smtp:Host=127.0.0.1", $"--Leads:Smtp:Port={smtp.Port}", "--Leads:Smtp:Security=none", "--Leads:Smtp:From=reports@shop.example");
        var store = server.Services.GetRequiredService<ReportStore>();
        await store.AddAsync("shop", "ada@example.com", Stop);
        await store.AddAsync("shop", "bob@example.com", Stop);
        var job = server.Services.GetRequiredService<Jobs>().All.Single(j => j.Name == "reports");
        Assert.True(await job.Run(Stop));
        Assert.Empty(smtp.Mails);      // nobody has asked for them

        await EnableAsync(server);
        // Two servers at the same moment: the job's lock lets one of them do it.
        var others = Enumerable.Range(0, 4).Select(_ => job.Run(Stop));
        await Task.WhenAll(others);
        await job.Run(Stop);
        Assert.Equal(["ada@example.com", "bob@example.com"], smtp.Mails.Select(m => m.Split("To: <")[1].Split('>')[0]).Order(StringComparer.Ordinal));
        var mail = smtp.Mails.First();
        Assert.Contains("List-Unsubscribe-Post: List-Unsubscribe=One-Click", mail);
        var (text, html) = (Part(mail, "text/plain"), Part(mail, "text/html"));
        Assert.Contains("Unique visitors:", text);
        Assert.Contains("https://stats.shop.example/p/shop?from=", text);
        Assert.Contains("https://stats.shop.example/reports/stop?token=", text);
        Assert.Contains("<h1>shop</h1>", html);
        Assert.DoesNotContain("<script>window", html);
        Assert.DoesNotContain("<img", html);
        Assert.DoesNotMatch("(?i)<[^>]+\\s(style|on\\w+)=", System.Text.RegularExpressions.Regex.Replace(html, "\"[^\"]*\"", "''"));
        Assert.DoesNotContain("\u202e", text + html);
        Assert.All(mail.Split("\r\n\r\n")[0].Split("\r\n"), line => Assert.Matches("^([A-Za-z-]+: | )", line));
    }

    [Fact]
    public async Task A_recipient_who_wants_no_more_of_them_gets_no_more_and_cannot_be_put_back()
    {
        await using var smtp = new SmtpStandIn();
        await using var server = await StartAsync(PublicUrl, "--Leads:Smtp:Host=127.0.0.1", $"--Leads:Smtp:Port={smtp.Port}", "--Leads:Smtp:Security=none", "--Leads:Smtp:From=reports@shop.example");
        var store = server.Services.GetRequiredService<ReportStore>();
        await store.AddAsync("shop", "ada@example.com", Stop);
        await EnableAsync(server);
        await RunAsync(server);
        var mail = Assert.Single(smtp.Mails);
        var link = new Uri(mail.Split("List-Unsubscribe: <")[1].Split('>')[0]).PathAndQuery;

        var asked = await server.Client.GetStringAsync(link, Stop);
        Assert.Contains("No more weekly reports?", asked);
        Assert.Null((await store.RecipientsAsync("shop", Stop)).Single().StoppedAt);      // a program that looks at links stops nothing
        using var stopped = await server.Client.PostAsync(link, new FormUrlEncodedContent([new("List-Unsubscribe", "One-Click")]), Stop);
        Assert.Contains("no longer go to your address", await stopped.Content.ReadAsStringAsync(Stop));

        await ForgetWeekAsync(server);
        await RunAsync(server);
        Assert.Single(smtp.Mails);
        Assert.Equal(AddedRecipient.Stopped, await store.AddAsync("shop", "ada@example.com", Stop));
        using var cut = await server.Client.GetAsync(link[..^4], Stop);
        Assert.Equal(HttpStatusCode.BadRequest, cut.StatusCode);
    }

    [Fact]
    public async Task A_program_gets_the_report_signed_with_its_figures_though_nobody_is_named()
    {
        await using var hook = await HttpStandIn.StartAsync();
        await using var server = await StartAsync(PublicUrl, $"--Leads:Webhook:Url={hook.Address}/hook", "--Leads:Webhook:Secret=a-secret-of-the-webhook");
        await EnableAsync(server);
        await RunAsync(server);
        await RunAsync(server);
        var (headers, body) = Assert.Single(hook.Heard);
        Assert.StartsWith("sha256=", headers["x-footfall-signature"].ToString());
        var said = JsonDocument.Parse(body).RootElement;
        Assert.Equal("report.weekly", said.GetProperty("type").GetString());
        Assert.False(said.TryGetProperty("email", out var email) && email.ValueKind != JsonValueKind.Null);
        Assert.Equal(3, said.GetProperty("figures").EnumerateArray().Single(f => f.GetProperty("key").GetString() == "visitors").GetProperty("value").GetDouble());
    }

    [Fact]
    public async Task What_is_refused_is_tried_again_and_at_last_given_up_and_told()
    {
        await using var hook = await HttpStandIn.StartAsync();
        hook.Answer = _ => (503, "");
        await using var server = await StartAsync(PublicUrl, $"--Leads:Webhook:Url={hook.Address}/hook");
        await EnableAsync(server);
        for (var i = 0; i < ReportSender.MostAttempts - 1; i++)
        {
            await RunAsync(server);
            await RunAsync(server);     // not before its time
            Assert.Equal(i + 1, hook.Heard.Count);
            await ExecuteAsync(server, "update report_deliveries set next_attempt_at = next_attempt_at - interval '10 days'");
        }
        var failed = await Assert.ThrowsAsync<JobFailedException>(() => RunAsync(server));
        Assert.Contains("answers 503", failed.Message);
        var outcome = Assert.Single(await server.Services.GetRequiredService<ReportStore>().OutcomesAsync("shop", Stop));
        Assert.Equal(("failed", Week), (outcome.State, outcome.Week));
        await RunAsync(server);
        Assert.Equal(ReportSender.MostAttempts, hook.Heard.Count);
    }

    [Fact]
    public async Task What_a_dead_server_had_begun_is_not_sent_twice()
    {
        await using var hook = await HttpStandIn.StartAsync();
        await using var server = await StartAsync(PublicUrl, $"--Leads:Webhook:Url={hook.Address}/hook");
        await EnableAsync(server);
        await RunAsync(server);
        await ExecuteAsync(server, "update report_deliveries set state = 'sending'");
        await RunAsync(server);
        Assert.Single(hook.Heard);
        Assert.Contains("may have arrived", Assert.Single(await server.Services.GetRequiredService<ReportStore>().OutcomesAsync("shop", Stop)).Error);
    }

    [Fact]
    public async Task A_week_that_waits_to_be_counted_anew_and_one_long_past_are_not_sent()
    {
        await using var hook = await HttpStandIn.StartAsync();
        await using var server = await StartAsync(PublicUrl, $"--Leads:Webhook:Url={hook.Address}/hook");
        await EnableAsync(server);
        await ExecuteAsync(server, $"insert into dirty_days (property_id, day, marks, marked_at) values ('shop', '{Week:yyyy-MM-dd}', 1, now())");
        await RunAsync(server);
        Assert.Empty(hook.Heard);
        await ExecuteAsync(server, "delete from dirty_days");
        var old = Now.AddDays(-3);
        await server.Services.GetRequiredService<ReportStore>().SaveAsync(new ReportSchedule("shop", true, old.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)old.DayOfWeek, old.Hour, default), Stop);
        await ExecuteAsync(server, "update report_settings set changed_at = '2026-01-01'");
        await RunAsync(server);
        Assert.Empty(hook.Heard);
        await EnableAsync(server);
        await RunAsync(server);
        Assert.Single(hook.Heard);
    }

    [Fact]
    public async Task The_page_sets_the_schedule_and_the_list_and_shows_the_letter_without_harm()
    {
        await using var server = await StartAsync();
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = server.Client.BaseAddress };
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        (await DashboardServer.SignInAsync(client, ApiServer.AdminKey)).Dispose();
        var page = await client.GetStringAsync("/p/shop/reports", Stop);
        Assert.Contains("no way to send mail yet", page);
        await PostAsync("schedule", HttpStatusCode.SeeOther, ("enabled", "on"), ("weekday", "5"), ("hour", "17"));
        await PostAsync("schedule", HttpStatusCode.BadRequest, ("weekday", "8"), ("hour", "17"));
        await PostAsync("recipients", HttpStatusCode.SeeOther, ("address", " Ada@Example.com "));
        await PostAsync("recipients", HttpStatusCode.BadRequest, ("address", "ada\r\nBcc: eve@evil.test"));
        await PostAsync("recipients", HttpStatusCode.BadRequest, ("address", "<script>"));
        page = await client.GetStringAsync("/p/shop/reports?done=saved", Stop);
        Assert.Contains("Saved: every Friday at 17:00 UTC.", page);
        Assert.Contains("Ada@example.com", page, StringComparison.OrdinalIgnoreCase);

        using var preview = await client.GetAsync("/p/shop/reports/preview.html", Stop);
        Assert.Matches("style-src 'sha256-[^']+'", Assert.Single(preview.Headers.GetValues("Content-Security-Policy")));
        Assert.DoesNotContain("unsafe", Assert.Single(preview.Headers.GetValues("Content-Security-Policy")));
        Assert.DoesNotContain("<script", await preview.Content.ReadAsStringAsync(Stop));
        Assert.StartsWith("Subject: shop: 3 visitors", await client.GetStringAsync("/p/shop/reports/preview.txt", Stop));

        using var reader = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = server.Client.BaseAddress };
        reader.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        (await DashboardServer.SignInAsync(reader, ApiServer.DashboardToken)).Dispose();
        var seen = await reader.GetStringAsync("/p/shop/reports", Stop);
        Assert.DoesNotContain("example.com", seen[seen.IndexOf("By mail every week", StringComparison.Ordinal)..], StringComparison.OrdinalIgnoreCase);

        async Task PostAsync(string path, HttpStatusCode status, params (string, string)[] fields)
        {
            using var answer = await client.PostAsync($"/p/shop/reports/{path}", new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Item1, f.Item2)).Prepend(KeyValuePair.Create("form_token", DashboardServer.TokenOf(page)))), Stop);
            Assert.Equal(status, answer.StatusCode);
        }
    }

    private static async Task<ApiServer> StartAsync(params string[] configuration)
    {
        var server = await ApiServer.StartNewAsync([$"--Access:AdminKey={ApiServer.AdminKey}", $"--Access:DashboardToken={ApiServer.DashboardToken}", .. configuration]);
        var day = Week.AddDays(2).ToString("yyyy-MM-dd");
        await server.StoreAsync(
            Told.Event("a", $"{day}T10:00:00Z", path: DashboardServer.HostilePath, referrerHost: "evil.test", source: TrafficSource.Referral),
            Told.Event("b", $"{day}T10:01:00Z", path: DashboardServer.Turned, utmSource: DashboardServer.HostileSource),
            Told.Event("c", $"{day}T10:02:00Z", path: DashboardServer.TooLong, country: "CA"));
        return server;
    }

    /// <summary>Due in this very hour, and asked for long ago.</summary>
    private static async Task EnableAsync(ApiServer server)
    {
        await server.Services.GetRequiredService<ReportStore>().SaveAsync(new ReportSchedule("shop", true, Now.DayOfWeek == DayOfWeek.Sunday ? 7 : (int)Now.DayOfWeek, Now.Hour, default), Stop);
        await ExecuteAsync(server, "update report_settings set changed_at = '2026-01-01'");
    }

    private static Task<int> RunAsync(ApiServer server) => server.Services.GetRequiredService<ReportSender>().RunAsync(Stop);

    private static Task ForgetWeekAsync(ApiServer server) => ExecuteAsync(server, "delete from report_deliveries");

    private static async Task ExecuteAsync(ApiServer server, string sql)
    {
        await using var command = server.Database.Source.CreateCommand(sql);
        await command.ExecuteNonQueryAsync(Stop);
    }

    private static string Part(string mail, string type)
    {
        var part = mail[mail.IndexOf($"Content-Type: {type}", StringComparison.Ordinal)..];
        var from = part.IndexOf("\r\n\r\n", StringComparison.Ordinal) + 4;
        return Encoding.UTF8.GetString(Convert.FromBase64String(part[from..part.IndexOf("\r\n--=_", StringComparison.Ordinal)]));
    }
}
