using System.Globalization;
using System.Net;
using System.Text.Json;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Failure;

/// <summary>
/// From POST /v1/events to GET /v1/metrics/summary, with numbers worked out by hand. The server's clock is set to each day in turn.
/// <code>
/// received    visitor  what (UTC)                                                   session
/// 2025-03-12  A        10:00 page view /                                            direct, bounce, 0 s
/// 2026-03-09  A        10:00 page view /a from Google, 10:10 page view /b           organic, 600 s
///             B        11:00 page view /                                            direct, bounce, 0 s
/// 2026-03-10  A        09:00 page view /pricing (ttfb 100), 09:01 engaged for 15 s  direct, no bounce for its 15 s, 60 s
///             C        23:50 page view / from Google (ttfb 200)                     organic, goes on ...
/// 2026-03-11  C        00:05 page view /pricing                                     ... in the one of the 10th: 900 s
///             D        12:00 page view /signup, utm_medium=email, 12:01 form start,
///                      12:03 form submit, sent twice                                email, converted, 180 s
///             B        15:00 page view /                                            direct, bounce, 0 s
///             a bot    16:00 page view /                                            counted nowhere but in the ingest figures
/// 2026-03-12           one event without a type                                     rejected
///
/// window 2026-03-10..12   visitors A B C D, of them A and B seen before; 5 page views; 4 sessions, 60+900+180+0 s; 1 bounce;
///                         direct 2, organic 1, email 1; landing sessions 4, converted 1; forms 1 of 1; no lead
/// previous period 07..09  visitors A B, of them A seen before; 3 page views; 2 sessions, 600+0 s; 1 bounce; 0 of 2 converted; no form
/// a year before (-364 d)  2025-03-11..13: visitor A, new; 1 page view; 1 session, 0 s; 1 bounce
/// from 2026-03-09         09..11: visitors A B C D; 3 + 2 + 3 = 8 page views; 2 + 2 + 2 = 6 sessions; 2 bounces
/// ingest of the window    accepted 3 + 6 (the bot's too), rejected 1; ttfb 100, 200: p95 = 100 + 0.95 * 100
/// </code>
/// </summary>
public sealed class SummaryTests : IAsyncLifetime
{
    private const string Key = "a-key-for-this-test";
    private const string Window = "/v1/metrics/summary?propertyId=shop&from=2026-03-10&to=2026-03-12";
    private static readonly CancellationToken Ct = TestContext.Current.CancellationToken;
    private readonly ShiftedTime time = new();
    private TestDatabase database = null!;
    private TestServer server = null!;

    public async ValueTask InitializeAsync()
    {
        database = await TestDatabase.CreateAsync();
        time.Set(At("2025-03-12 23:59"));
        server = await StartAsync("--Access:AdminKey", Key);

        await SendAsync(View("A", "2025-03-12 10:00", "/"));
        time.Set(At("2026-03-09 23:59"));
        await SendAsync(View("A", "2026-03-09 10:00", "/a", referrer: "https://www.google.com/"), View("A", "2026-03-09 10:10", "/b"), View("B", "2026-03-09 11:00", "/"));
        time.Set(At("2026-03-10 23:59"));
        await SendAsync(
            View("A", "2026-03-10 09:00", "/pricing", more: """,{"webVitals":{"ttfbMs":100}}"""),
            Event("A", "2026-03-10 09:01", "engagement", "/pricing", more: """,{"engagedTimeMs":15000}"""),
            View("C", "2026-03-10 23:50", "/", referrer: "https://www.google.com/", more: """,{"webVitals":{"ttfbMs":200}}"""));
        time.Set(At("2026-03-11 23:59"));
        var submit = Event("D", "2026-03-11 12:03", "form_submit", "/signup");
        await SendAsync(
            View("C", "2026-03-11 00:05", "/pricing"), View("D", "2026-03-11 12:00", "/signup?utm_source=june&utm_medium=email"),
            Event("D", "2026-03-11 12:01", "form_start", "/signup"), submit, View("B", "2026-03-11 15:00", "/"));
        await SendAsync(submit);
        await server.Client.TakenAsync(View("the-bot", "2026-03-11 16:00", "/"), "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)");
        time.Set(At("2026-03-12 23:59"));
        using (var refused = await server.Client.PostAsync("""{"path":"/","traffic":{"propertyId":"shop"}}""")) Assert.Equal(HttpStatusCode.BadRequest, refused.StatusCode);
        time.Set(At("2026-03-18 12:00"));
        await RolledUpAsync(14);
    }

    public async ValueTask DisposeAsync()
    {
        await server.DisposeAsync();
        await database.DisposeAsync();
    }

    [Fact]
    public async Task A_windows_figures_are_those_worked_out_by_hand()
    {
        var summary = await SummaryAsync(Window);
        Assert.True(summary.GetProperty("ok").GetBoolean());
        Assert.Equal("""{"from":"2026-03-10","to":"2026-03-12"}""", summary.GetProperty("window").GetRawText());
        Assert.Equal(JsonValueKind.Null, summary.GetProperty("compareTo").ValueKind);
        Equal(summary, ("uniqueVisitors", 4, null), ("returningVisitorsPct", 0.5, null), ("totalPageViews", 5, null), ("sessions", 4, null), ("bounceRate", 0.25, null),
            ("avgVisitDurationSec", 285, null), ("landingPageConversionRate", 0.25, null), ("formCompletionRate", 1, null), ("leadCaptureRate", 0, null), ("avgTimeToFirstCaptureHrs", null, null));
        Assert.Equal("""{"direct":0.5,"email":0.25,"organic_search":0.25}""", summary.GetProperty("metrics").GetProperty("trafficSourceMix").GetRawText());
        Assert.Equal("""{"successPct":0.9,"p95TtfbMs":195,"totalEventsAccepted":9,"totalEventsRejected":1}""", summary.GetProperty("ingest").GetRawText());
        Assert.Equal("""
            [{"day":"2026-03-10","uniqueVisitors":2,"pageViews":2,"newLeads":0},{"day":"2026-03-11","uniqueVisitors":3,"pageViews":3,"newLeads":0},{"day":"2026-03-12","uniqueVisitors":0,"pageViews":0,"newLeads":0}]
            """, summary.GetProperty("trend").GetRawText());
        var freshness = summary.GetProperty("freshness");
        Assert.Equal("2026-03-17", freshness.GetProperty("rolledUpThrough").GetString());
        Assert.Equal(1, freshness.GetProperty("lagDays").GetInt32());
        Assert.Equal(await database.ScalarAsync<DateTime>("select max(generated_at) from daily_metric_rollups where property_id = 'shop' and day between '2026-03-10' and '2026-03-12'"), freshness.GetProperty("generatedAt").GetDateTimeOffset().UtcDateTime);
    }

    [Fact]
    public async Task Comparisons_are_with_the_period_before_the_year_before_or_a_day_named()
    {
        var period = await SummaryAsync($"{Window}&compareTo=previous_period");
        Assert.Equal("""{"from":"2026-03-07","to":"2026-03-09"}""", period.GetProperty("compareTo").GetRawText());
        Equal(period, ("uniqueVisitors", 4, 1), ("returningVisitorsPct", 0.5, 0), ("totalPageViews", 5, 2.0 / 3), ("sessions", 4, 1), ("bounceRate", 0.25, -0.5),
            ("avgVisitDurationSec", 285, -0.05), ("landingPageConversionRate", 0.25, null), ("formCompletionRate", 1, null), ("leadCaptureRate", 0, null), ("avgTimeToFirstCaptureHrs", null, null));

        var year = await SummaryAsync($"{Window}&compareTo=previous_year");
        Assert.Equal("""{"from":"2025-03-11","to":"2025-03-13"}""", year.GetProperty("compareTo").GetRawText());
        Equal(year, ("uniqueVisitors", 4, 3), ("returningVisitorsPct", 0.5, null), ("totalPageViews", 5, 4), ("sessions", 4, 3), ("bounceRate", 0.25, -0.75), ("avgVisitDurationSec", 285, null));

        var day = await SummaryAsync($"{Window}&compareTo=2026-03-09");
        Assert.Equal("""{"from":"2026-03-09","to":"2026-03-11"}""", day.GetProperty("compareTo").GetRawText());
        Equal(day, ("uniqueVisitors", 4, 0), ("totalPageViews", 5, -0.375), ("sessions", 4, -1.0 / 3), ("bounceRate", 0.25, -0.25));
    }

    [Fact]
    public async Task An_answer_that_is_kept_is_given_up_when_a_day_is_rolled_up_again()
    {
        Assert.Equal(5, Value(await SummaryAsync(Window), "totalPageViews"));
        await SendAsync(View("E", "2026-03-12 08:00", "/late"));   // six days late
        await Eventually.IsTrueAsync("the late event shows in its window", async () => Value(await SummaryAsync(Window), "totalPageViews") is 6, Ct);
        var summary = await SummaryAsync(Window);
        Assert.Equal(5, Value(summary, "uniqueVisitors"));
        Assert.Equal("""{"day":"2026-03-12","uniqueVisitors":1,"pageViews":1,"newLeads":0}""", summary.GetProperty("trend")[2].GetRawText());
        Assert.Equal(9, summary.GetProperty("ingest").GetProperty("totalEventsAccepted").GetInt32());   // it arrived on the 18th
    }

    [Fact]
    public async Task A_public_property_tells_totals_to_anyone_and_nothing_else()
    {
        const string days = "/v1/metrics/summary?propertyId=shop&window_days=9";
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Client.AskAsync(days)).Status);
        await database.ExecuteAsync("update properties set public_summary = true where id = 'shop'");
        var (status, body) = await server.Client.AskAsync(days);
        Assert.Equal(HttpStatusCode.OK, status);
        var open = JsonDocument.Parse(body).RootElement;
        Assert.Equal(["ok", "window", "freshness", "metrics"], open.EnumerateObject().Select(p => p.Name));
        Assert.Equal(["uniqueVisitors", "totalPageViews", "sessions", "bounceRate", "avgVisitDurationSec"], open.GetProperty("metrics").EnumerateObject().Select(p => p.Name));
        Assert.Equal("""{"from":"2026-03-10","to":"2026-03-18"}""", open.GetProperty("window").GetRawText());
        Equal(open, ("uniqueVisitors", 4, null), ("totalPageViews", 5, null), ("sessions", 4, null), ("bounceRate", 0.25, null), ("avgVisitDurationSec", 285, null));

        // Only that form is open; with the key it tells everything.
        Assert.Equal(HttpStatusCode.Unauthorized, (await server.Client.AskAsync(Window)).Status);
        Assert.Equal(9, (await SummaryAsync(days)).GetProperty("trend").GetArrayLength());
    }

    private static readonly (string Query, string? Key, int Status, string Error)[] Refusals =
    [
        ("from=2026-03-10&to=2026-03-12", null, 401, "unauthorized"),
        ("from=2026-03-10&to=2026-03-12", "a-wrong-key-for-this", 401, "unauthorized"),
        ("from=2026-03-10&to=2026-03-12", Key + "s", 401, "unauthorized"),
        ("from=2026-03-12&to=2026-03-10", Key, 400, "invalid_parameter"),
        ("from=12.3.2026", Key, 400, "invalid_parameter"),
        ("from=0001-01-01&to=9999-12-31", Key, 400, "invalid_parameter"),
        ("window_days=0", Key, 400, "invalid_parameter"),
        ("window_days=99999999999", Key, 400, "invalid_parameter"),
        ("window_days=7&from=2026-03-10", Key, 400, "invalid_parameter"),
        ("compareTo=last_week", Key, 400, "invalid_parameter"),
        ("propertyId=", Key, 400, "invalid_parameter"),
        ("propertyId=nobody-knows-it", Key, 404, "property_not_found"),
    ];

    [Fact]
    public async Task A_question_that_cannot_be_answered_is_refused_with_the_reason()
    {
        foreach (var (query, key, status, error) in Refusals)
        {
            var (answered, body) = await server.Client.AskAsync($"/v1/metrics/summary?{query}", key);
            Assert.True(status == (int)answered, $"{query}: {(int)answered} {body}");
            var refusal = JsonDocument.Parse(body).RootElement;
            Assert.False(refusal.GetProperty("ok").GetBoolean());
            Assert.Equal(error, refusal.GetProperty("error").GetString());
            Assert.NotEmpty(refusal.GetProperty("message").GetString()!);
        }
    }

    [Fact]
    public async Task Without_a_configured_key_on_a_given_database_nobody_is_let_in()
    {
        await using var keyless = await StartAsync();
        var (status, body) = await keyless.Client.AskAsync(Window, Key);
        Assert.Equal(HttpStatusCode.ServiceUnavailable, status);
        Assert.Equal("admin_auth_not_configured", JsonDocument.Parse(body).RootElement.GetProperty("error").GetString());
    }

    private async Task<TestServer> StartAsync(params string[] arguments)
    {
        var started = await TestServer.StartAsync(TestFolder.New("summary"), s => s.AddSingleton<TimeProvider>(time), ["--Postgres:ConnectionString", database.ConnectionString, "--Rollups:DirtySchedule", "* * * * * ?", .. arguments]);
        await Eventually.HoldsAsync(async () => await started.Client.AskAsync("/v1/readyz") is (HttpStatusCode.OK, _) ? null : "not ready", Ct);
        return started;
    }

    private Task SendAsync(params string[] events) => server.Client.TakenAsync($"[{string.Join(',', events)}]");

    private Task RolledUpAsync(int arrived) => Eventually.IsTrueAsync("everything is rolled up", async () =>
        await database.ScalarAsync<bool>($"select coalesce(sum(events_accepted + events_duplicate), 0) = {arrived} and sum(events_rejected) = 1 and not exists (select from dirty_days) from daily_ingest_rollups"), Ct);

    private async Task<JsonElement> SummaryAsync(string question)
    {
        var (status, body) = await server.Client.AskAsync(question, Key);
        Assert.True(status == HttpStatusCode.OK, body);
        return JsonDocument.Parse(body).RootElement;
    }

    private static double? Value(JsonElement summary, string metric) => Number(summary.GetProperty("metrics").GetProperty(metric).GetProperty("value"));

    private static double? Number(JsonElement e) => e.ValueKind == JsonValueKind.Null ? null : e.GetDouble();

    private static void Equal(JsonElement summary, params (string Metric, double? Value, double? Delta)[] expected)
    {
        foreach (var (metric, value, delta) in expected)
        {
            var figure = summary.GetProperty("metrics").GetProperty(metric);
            Assert.Equal((metric, Rounded(value), Rounded(delta)), (metric, Rounded(Number(figure.GetProperty("value"))), Rounded(Number(figure.GetProperty("delta")))));
        }

        static double? Rounded(double? x) => x is null ? null : Math.Round(x.Value, 9);
    }

    private static DateTimeOffset At(string utc) => DateTimeOffset.ParseExact(utc, "yyyy-MM-dd HH:mm", CultureInfo.InvariantCulture, DateTimeStyles.AssumeUniversal);

    private static string View(string visitor, string at, string path, string? referrer = null, string more = "") => Event(visitor, at, "page_view", path, referrer, more);

    /// <param name="more">Fields of <c>traffic</c> beside the property, as <c>,{...}</c>.</param>
    private static string Event(string visitor, string at, string type, string path, string? referrer = null, string more = "")
    {
        var fields = more.Length == 0 ? "" : $",{more[2..^1]}";
        return $$"""
            {"eventType":"{{type}}","anonId":"visitor-{{visitor}}","path":"{{path}}","timestamp":"{{at.Replace(' ', 'T')}}:00Z"{{(referrer is null ? "" : $",\"referrer\":\"{referrer}\"")}},"traffic":{"propertyId":"shop"{{fields}} } }
            """;
    }
}
