using System.Net;
using System.Text;
using System.Text.Json;
using Footfall.Capture;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class CaptureTests
{
    private const string Firefox = "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0";
    private const string Event = """{"eventType":"page_view","anonId":"anon-0001","path":"/","accountId":"acc-1","account":{"username":"kim"}}""";
    private const string Cookieless = """{"eventType":"page_view","path":"/"}""";

    [Fact]
    public async Task An_event_arrives_with_all_its_fields()
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync("""
            {"eventType":"form_submit","anonId":"anon-0001","eventId":"ev-1","path":"/pricing?plan=pro&gclid=SECRET","timestamp":"2026-03-14T10:26:50.1234567+01:00",
             "referrer":"https://www.google.com/search?q=private","title":"Pricing","utm":{"source":"s","medium":"m","campaign":"c","term":"t","content":"o"},
             "accountId":"acc-1","account":{"username":"kim","displayName":"Kim"},"entityType":"plan","entityId":"pro","props":{"a":{"b":[1,2.50,"x",null,true]},"fcpMs":"mine"},
             "traffic":{"propertyId":"shop","deviceType":"tablet","countryCode":"ca","isEntrance":true,"isExit":true,"engagedTimeMs":1500.4,"scrollDepthPercent":99.6,
                        "webVitals":{"fcpMs":812.5,"lcpMs":1200,"inpMs":8,"ttfbMs":41.4,"clsScore":0.123456}},"unknown":{"x":[{}]}}
            """, ("User-Agent", Firefox), ("test-address", "8.8.8.8"));

        Assert.Equal(("form_submit", "anon-0001", VisitorKind.AnonId), (e.EventType, e.AnonId, e.VisitorKind));
        Assert.Equal("/pricing?plan=pro", e.Path);
        Assert.Equal("2026-03-14T09:26:50.1234560+00:00", e.OccurredAt.ToString("O"));
        Assert.Equal(server.Time.Now, e.ReceivedAt);
        Assert.Equal(("https://www.google.com/search", "www.google.com"), (e.Referrer, e.ReferrerHost));
        Assert.Equal(("s", "m", "c", "t", "o"), (e.UtmSource, e.UtmMedium, e.UtmCampaign, e.UtmTerm, e.UtmContent));
        Assert.Equal(("acc-1", "kim", "Kim", "plan", "pro", "shop"), (e.AccountId, e.AccountUsername, e.AccountDisplayName, e.EntityType, e.EntityId, e.PropertyId));
        Assert.Equal((TrafficSource.PaidSearch, DeviceType.Desktop, "Firefox", "Linux", "US"), (e.TrafficSource, e.DeviceType, e.Browser, e.Os, e.CountryCode));
        Assert.True(e.IsConversion);
        Assert.Equal(1500, e.EngagedMs);
        Assert.Equal(
            """{"fcpMs":813,"lcpMs":1200,"inpMs":8,"ttfbMs":41,"clsScore":0.1235,"engagedTimeMs":1500,"scrollDepthPercent":100,"title":"Pricing","a":{"b":[1,2.50,"x",null,true]}}""",
            Encoding.UTF8.GetString(e.Props!));
        Assert.Equal((32, 32), (e.IpHash!.Length, e.UaHash!.Length));
        Assert.Equal(7, e.Id.Version);
        Assert.DoesNotContain("SECRET", JsonSerializer.Serialize(e), StringComparison.Ordinal);
        Assert.DoesNotContain("private", JsonSerializer.Serialize(e), StringComparison.Ordinal);
    }

    [Theory]
    [InlineData("""{"a":1,"a":2,"b":3,"\u0061":4}""", """{"b":3,"a":4}""")]
    [InlineData("""{ "a" : [ 1 , { "b" : "c" } , [ ] , { } ] , "d" : "e\u20ac\n" }""", """{"a":[1,{"b":"c"},[],{}],"d":"e\u20ac\n"}""")]
    [InlineData("""{"ttfbMs":"x","lcpMs":null,"title":"kept"}""", """{"title":"kept"}""")]
    [InlineData("""{"n":1e308,"m":-0.0000001,"i":12345678901234567890}""", """{"n":1e308,"m":-0.0000001,"i":12345678901234567890}""")]
    [InlineData("""{"ttfbMs":1}""", null)]
    [InlineData("{}", null)]
    public async Task Props_are_kept_compactly(string sent, string? kept)
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync($$"""{"eventType":"e","props":{{sent}}}""");
        Assert.Equal(kept, e.Props is null ? null : Encoding.UTF8.GetString(e.Props));
    }

    [Theory]
    [InlineData("""{"eventType":"first","eventType":"page_view"}""")]
    [InlineData("\uFEFF{\"eventType\":\"page_view\"}")]
    [InlineData("""{"\u0065ventType":"page\u005fview"}""")]
    [InlineData("""{"eventType":"page_view","anonId":null,"path":null,"utm":null,"props":null,"traffic":{"webVitals":null,"isConversion":null,"fcp\ud800":1}}""")]
    [InlineData("""{"eventType":"page_view","path":"","referrer":"","title":"","utm":{"source":""},"x":"\ud800"}""")]
    public async Task Odd_and_allowed_writings_of_a_plain_event_are_taken(string body)
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync(body);
        Assert.Equal(("page_view", null, null, null, TrafficSource.Direct), (e.EventType, e.Path, e.Props, e.UtmSource, e.TrafficSource));
    }

    [Theory]
    [InlineData("2026-03-14T09:26Z", "2026-03-14T09:26:00.0000000+00:00")]
    [InlineData("2026-03-14t09:26:53,5z", "2026-03-14T09:26:53.5000000+00:00")]
    [InlineData("2026-03-14 09:26:53-0330", "2026-03-14T12:56:53.0000000+00:00")]
    [InlineData("2026-03-14T09:26:53.1234569999999+05", "2026-03-14T04:26:53.1234560+00:00")]
    [InlineData("0001-01-01T00:00:01Z", "0001-01-01T00:00:01.0000000+00:00")]
    [InlineData("9999-12-31T23:59:59.999999Z", "9999-12-31T23:59:59.9999990+00:00")]
    [InlineData("2024-02-29T00:00:00Z", "2024-02-29T00:00:00.0000000+00:00")]
    public async Task The_clients_time_is_kept_in_whole_microseconds(string sent, string kept)
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync($$"""{"eventType":"e","timestamp":"{{sent}}"}""");
        Assert.Equal(kept, e.OccurredAt.ToString("O"));
    }

    [Fact]
    public async Task Five_hundred_events_of_one_request_are_one_record_in_order()
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync("[" + string.Join(',', Enumerable.Range(0, 500).Select(i => $$"""{"eventType":"e{{i}}"}""")) + "]");
        Assert.Equal("""{"ok":true,"accepted":500}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(Enumerable.Range(0, 500).Select(i => $"e{i}"), server.Log.Events.Select(e => e.EventType));
        Assert.Equal(server.Log.Events.Select(e => e.Id.ToString()).Order(StringComparer.Ordinal), server.Log.Events.Select(e => e.Id.ToString()));
    }

    [Theory]
    [InlineData(AppendResult.Full, "overloaded")]
    [InlineData(AppendResult.Failed, "journal_unavailable")]
    public async Task A_log_that_refuses_makes_the_client_come_again(AppendResult answer, string error)
    {
        await using var server = await CaptureServer.StartAsync();
        server.Log.Answer = answer;
        using var response = await server.PostAsync($"[{Event},{Event}]");
        Assert.Equal(HttpStatusCode.ServiceUnavailable, response.StatusCode);
        Assert.True(response.Headers.RetryAfter?.Delta > TimeSpan.Zero);
        Assert.Equal(error, (await CaptureServer.JsonAsync(response)).GetProperty("error").GetString());
        await server.Services.GetRequiredService<OutcomeCounters>().FlushAsync(CancellationToken.None);
        Assert.Equal((error, 2L), server.Counts.Select(c => (c.Reason, c.Events)).Single());

        server.Log.Answer = AppendResult.Durable;
        await server.TakenAsync(Event);
        await server.Services.GetRequiredService<OutcomeCounters>().FlushAsync(CancellationToken.None);
        Assert.Empty(server.Counts);
        Assert.Equal(new OutcomeCount("default", new DateOnly(2026, 3, 14), "rejected", error, 2), Assert.Single(server.Log.Counts));
    }

    [Fact]
    public async Task What_was_counted_is_in_the_log_when_the_server_has_stopped()
    {
        var server = await CaptureServer.StartAsync();
        using (await server.PostAsync("nonsense")) { }
        using (await server.PostAsync("nonsense")) { }
        await server.DisposeAsync();
        Assert.Equal(new OutcomeCount("default", new DateOnly(2026, 3, 14), "rejected", "invalid_json", 2), Assert.Single(server.Log.Counts));
    }

    [Fact]
    public async Task A_retry_has_the_key_of_the_original()
    {
        await using var server = await CaptureServer.StartAsync();
        async Task<Guid?> Key(string more) => (await server.TakenAsync($$"""{"eventType":"buy","anonId":"anon-0001",{{more}}}""")).DedupeKey;

        Assert.Equal(await Key("\"eventId\":\"1\""), await Key("\"eventId\":\"1\",\"path\":\"/other\",\"timestamp\":\"2026-03-14T09:00:00Z\""));
        Assert.NotEqual(await Key("\"eventId\":\"1\""), await Key("\"eventId\":\"2\""));

        const string Timed = "\"timestamp\":\"2026-03-14T09:00:00Z\",\"path\":\"/a\",\"props\":{\"n\":1}";
        var key = await Key(Timed);
        Assert.NotNull(key);
        Assert.Equal(key, await Key("\"props\": { \"n\" : 1 },\"path\":\"/a\",\"timestamp\":\"2026-03-14T10:00:00+01:00\""));
        Assert.NotEqual(key, await Key(Timed.Replace("/a", "/b")));
        Assert.NotEqual(key, await Key(Timed.Replace(":1}", ":2}")));
        Assert.NotEqual(key, await Key(Timed.Replace("09:00:00", "09:00:01")));
        Assert.NotEqual(key, (await server.TakenAsync($$"""{"eventType":"buy","anonId":"anon-0002",{{Timed}}}""")).DedupeKey);
        Assert.NotEqual(key, (await server.TakenAsync($$"""{"eventType":"sell","anonId":"anon-0001",{{Timed}}}""")).DedupeKey);

        Assert.Null(await Key("\"path\":\"/a\""));
    }

    [Fact]
    public async Task One_anon_id_is_one_visitor_on_every_property()
    {
        await using var server = await CaptureServer.StartAsync();
        var a = await server.TakenAsync("""{"eventType":"e","anonId":"anon-0001"}""", ("test-address", "198.51.100.1"));
        var b = await server.TakenAsync("""{"eventType":"e","anonId":"anon-0001","traffic":{"propertyId":"shop"}}""", ("test-address", "198.51.100.2"));
        var c = await server.TakenAsync("""{"eventType":"e","anonId":"anon-0002"}""");
        Assert.Equal(a.VisitorId, b.VisitorId);
        Assert.NotEqual(a.VisitorId, c.VisitorId);
        Assert.NotEqual(a.IpHash, b.IpHash);
    }

    [Fact]
    public async Task A_cookieless_visitor_is_one_for_a_day_and_nobody_after_it()
    {
        await using var server = await CaptureServer.StartAsync();
        async Task<Guid> Visitor(string body = Cookieless, string agent = Firefox, string address = "198.51.100.1")
        {
            var e = await server.TakenAsync(body, ("User-Agent", agent), ("test-address", address));
            Assert.Equal((VisitorKind.Cookieless, null), (e.VisitorKind, e.AnonId));
            return e.VisitorId;
        }

        var morning = await Visitor();
        Assert.Equal(morning, await Visitor(address: "::ffff:198.51.100.1"));
        Assert.NotEqual(morning, await Visitor(agent: "Mozilla/5.0 (Macintosh) Safari/605"));
        Assert.NotEqual(morning, await Visitor(address: "198.51.100.2"));
        Assert.NotEqual(morning, await Visitor("""{"eventType":"e","traffic":{"propertyId":"shop"}}"""));
        server.Time.Now = new DateTimeOffset(2026, 3, 14, 23, 59, 59, TimeSpan.Zero);
        Assert.Equal(morning, await Visitor());
        server.Time.Now = server.Time.Now.AddDays(1);
        Assert.NotEqual(morning, await Visitor());
    }

    [Fact]
    public async Task Global_privacy_control_makes_a_visitor_cookieless_by_default()
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync(Event, ("Sec-GPC", "1"));
        Assert.Equal((VisitorKind.Cookieless, null, null, null), (e.VisitorKind, e.AnonId, e.AccountId, e.AccountUsername));
        e = await server.TakenAsync(Event, ("DNT", "1"));
        Assert.Equal((VisitorKind.AnonId, "anon-0001", "acc-1", "kim"), (e.VisitorKind, e.AnonId, e.AccountId, e.AccountUsername));
    }

    [Theory]
    [InlineData("Capture:Gpc", "drop", "Sec-GPC")]
    [InlineData("Capture:Dnt", "drop", "DNT")]
    public async Task A_wish_not_to_be_counted_can_be_obeyed(string key, string value, string header)
    {
        await using var server = await CaptureServer.StartAsync((key, value));
        using var response = await server.PostAsync($"[{Event},{Event}]", (header, "1"));
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        Assert.Equal("""{"ok":true,"accepted":0}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(["opted_out"], response.Headers.GetValues("x-footfall-dropped"));
        Assert.Empty(server.Log.Events);
        Assert.Equal(("dropped", "opted_out", 2L), server.Counts.Select(c => (c.Outcome, c.Reason, c.Events)).Single());
        await server.TakenAsync(Event, (header, "0"));
    }

    [Fact]
    public async Task Privacy_signals_can_be_ignored_and_do_not_track_can_be_obeyed()
    {
        await using var server = await CaptureServer.StartAsync(("Capture:Gpc", "ignore"), ("Capture:Dnt", "cookieless"));
        Assert.Equal(VisitorKind.AnonId, (await server.TakenAsync(Event, ("Sec-GPC", "1"))).VisitorKind);
        Assert.Equal(VisitorKind.Cookieless, (await server.TakenAsync(Event, ("DNT", "1"))).VisitorKind);
    }

    [Theory]
    [InlineData("curl/8.5.0")]
    [InlineData("python-requests/2.32.3")]
    [InlineData("node")]
    public async Task A_program_that_calls_the_api_is_no_bot_and_may_name_the_device(string agent)
    {
        await using var server = await CaptureServer.StartAsync();
        Assert.Equal(DeviceType.Unknown, (await server.TakenAsync("""{"eventType":"page_view"}""", ("User-Agent", agent))).DeviceType);
        Assert.Equal(DeviceType.Mobile, (await server.TakenAsync("""{"eventType":"page_view","traffic":{"deviceType":"mobile"}}""", ("User-Agent", agent))).DeviceType);
    }

    [Fact]
    public async Task A_program_that_fetched_a_page_of_a_log_is_a_bot()
    {
        await using var server = await CaptureServer.StartAsync();
        var services = server.Services;
        var sender = new Sender(IPAddress.Parse("203.0.113.7"), "curl/8.5.0", server.Time.GetUtcNow(), services.GetRequiredService<ImportDayKeys>());
        var outcome = services.GetRequiredService<CapturePipeline>().Run(new EventRequest { EventType = "page_view" }, sender);
        Assert.Equal(DeviceType.Bot, outcome.Event!.DeviceType);
    }

    [Fact]
    public async Task Bots_are_stored_as_bots_or_dropped()
    {
        const string Google = "Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)";
        await using (var server = await CaptureServer.StartAsync())
        {
            Assert.Equal(DeviceType.Bot, (await server.TakenAsync(Event, ("User-Agent", Google))).DeviceType);
        }
        await using (var server = await CaptureServer.StartAsync(("Capture:Bots", "drop")))
        {
            using var response = await server.PostAsync(Event, ("User-Agent", Google));
            Assert.Equal(["bot"], response.Headers.GetValues("x-footfall-dropped"));
            Assert.Empty(server.Log.Events);
            Assert.Equal(("dropped", "bot"), server.Counts.Select(c => (c.Outcome, c.Reason)).Single());
        }
    }

    [Fact]
    public async Task Beyond_the_limit_no_new_property_is_made_and_known_ones_go_on()
    {
        await using var server = await CaptureServer.StartAsync(("Capture:MaxProperties", "3"));
        static string For(string property) => $$$"""{"eventType":"e","traffic":{"propertyId":"{{{property}}}"}}""";
        await server.TakenAsync(For("one"));
        await server.TakenAsync(For("two"));
        using var response = await server.PostAsync($"[{For("three")},{For("one")},{Event}]");
        Assert.Equal("""{"ok":true,"accepted":2}""", await response.Content.ReadAsStringAsync());
        Assert.Equal(["property_limit"], response.Headers.GetValues("x-footfall-dropped"));
        Assert.Equal(["one", "two", "one", "default"], server.Log.Events.Select(e => e.PropertyId));
        Assert.Equal(("default", "dropped", "property_limit", 1L), server.Counts.Select(c => (c.PropertyId, c.Outcome, c.Reason, c.Events)).Single());
    }

    [Fact]
    public async Task Goals_and_hosts_of_the_database_count_as_soon_as_they_are_read()
    {
        await using var server = await CaptureServer.StartAsync();
        const string Visit = """{"eventType":"page_view","path":"/thanks?x=1","referrer":"https://www.example.com/a"}""";
        var before = await server.TakenAsync(Visit);
        Assert.Equal((false, TrafficSource.Referral), (before.IsConversion, before.TrafficSource));

        var goals = Goal.Read("""[{"name":"thanks","eventType":"page_view","path":"/thanks"},{"name":"docs","eventType":"page_view","path":"/docs/*"},{"eventType":"sign_up"},{"name":"broken"},7]""");
        server.Services.GetRequiredService<PropertyRegistry>().Refresh([new Property("default", ["Example.com"], goals)]);
        var after = await server.TakenAsync(Visit);
        Assert.Equal((true, TrafficSource.Internal), (after.IsConversion, after.TrafficSource));
        Assert.True((await server.TakenAsync("""{"eventType":"page_view","path":"/docs/api"}""")).IsConversion);
        Assert.True((await server.TakenAsync("""{"eventType":"sign_up"}""")).IsConversion);
        Assert.False((await server.TakenAsync("""{"eventType":"page_view","path":"/thanks/2"}""")).IsConversion);
        Assert.False((await server.TakenAsync("""{"eventType":"click","path":"/thanks"}""")).IsConversion);
    }

    [Fact]
    public async Task A_forwarded_address_is_believed_from_a_trusted_proxy_only()
    {
        await using var closed = await CaptureServer.StartAsync();
        var plain = await closed.TakenAsync(Event, ("test-address", "127.0.0.1"));
        var spoofed = await closed.TakenAsync(Event, ("test-address", "127.0.0.1"), ("X-Forwarded-For", "8.8.8.8"));
        Assert.Equal(plain.IpHash, spoofed.IpHash);
        Assert.Null(spoofed.CountryCode);

        await using var open = await CaptureServer.StartAsync(("TrustedProxies", "10.0.0.0/8, 192.0.2.1"));
        Assert.Equal("US", (await open.TakenAsync(Event, ("test-address", "10.1.2.3"), ("X-Forwarded-For", "8.8.8.8"))).CountryCode);
        Assert.Equal("US", (await open.TakenAsync(Event, ("test-address", "192.0.2.1"), ("X-Forwarded-For", "1.2.3.4, 8.8.8.8, 10.9.9.9"))).CountryCode);
        Assert.Null((await open.TakenAsync(Event, ("test-address", "127.0.0.1"), ("X-Forwarded-For", "8.8.8.8"))).CountryCode);
        Assert.Equal(
            (await open.TakenAsync(Event, ("test-address", "203.0.113.7"))).IpHash,
            (await open.TakenAsync(Event, ("test-address", "203.0.113.7"), ("X-Forwarded-For", "8.8.8.8"), ("Forwarded", "for=8.8.8.8"), ("X-Real-IP", "8.8.8.8"))).IpHash);
    }

    [Fact]
    public async Task An_address_has_a_rate_and_others_have_theirs()
    {
        await using var server = await CaptureServer.StartAsync(("Capture:RateLimit:PerSecond", "2"), ("Capture:RateLimit:Burst", "3"));
        async Task<HttpResponseMessage> Send(string address) => await server.PostAsync(Event, ("test-address", address));

        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.Accepted, (await Send("198.51.100.1")).StatusCode);
        using var refused = await Send("::ffff:198.51.100.1");
        Assert.Equal(HttpStatusCode.TooManyRequests, refused.StatusCode);
        Assert.Equal(TimeSpan.FromSeconds(1), refused.Headers.RetryAfter?.Delta);
        Assert.Equal("rate_limited", (await CaptureServer.JsonAsync(refused)).GetProperty("error").GetString());
        Assert.Equal("rate_limited", Assert.Single(server.Counts).Reason);
        Assert.Equal(HttpStatusCode.Accepted, (await Send("198.51.100.2")).StatusCode);

        server.Time.Now = server.Time.Now.AddSeconds(0.5);
        Assert.Equal(HttpStatusCode.Accepted, (await Send("198.51.100.1")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await Send("198.51.100.1")).StatusCode);

        for (var i = 0; i < 3; i++) Assert.Equal(HttpStatusCode.Accepted, (await Send($"2001:db8:1:2::{i}")).StatusCode);
        Assert.Equal(HttpStatusCode.TooManyRequests, (await Send("2001:db8:1:2:ffff::1")).StatusCode);
        Assert.Equal(HttpStatusCode.Accepted, (await Send("2001:db8:1:3::1")).StatusCode);
        for (var i = 0; i < 20; i++) Assert.Equal(HttpStatusCode.Accepted, (await Send("127.0.0.1")).StatusCode);
    }

    [Fact]
    public async Task Any_page_may_send_unless_origins_are_configured()
    {
        await using var open = await CaptureServer.StartAsync();
        using (var response = await open.PostAsync(Event, ("Origin", "https://anywhere.example")))
        {
            Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
            Assert.Equal(["*"], response.Headers.GetValues("Access-Control-Allow-Origin"));
            Assert.Equal(["x-footfall-dropped, x-footfall-arrived, Retry-After"], response.Headers.GetValues("Access-Control-Expose-Headers"));
            Assert.False(response.Headers.Contains("Access-Control-Allow-Credentials"));
        }

        await using var closed = await CaptureServer.StartAsync(("Capture:CorsAllowedOrigins", "https://example.com, https://shop.example.com/"));
        foreach (var (origin, expected) in new[]
        {
            ("https://example.com", HttpStatusCode.Accepted), ("https://SHOP.example.com", HttpStatusCode.Accepted), ("http://localhost", HttpStatusCode.Accepted),
            ("http://example.com", HttpStatusCode.Forbidden), ("https://evil.example", HttpStatusCode.Forbidden), ("https://example.com.evil.example", HttpStatusCode.Forbidden), ("null", HttpStatusCode.Forbidden),
        })
        {
            using var response = await closed.PostAsync(Event, ("Origin", origin));
            Assert.True(expected == response.StatusCode, origin);
            Assert.Equal(expected == HttpStatusCode.Accepted ? origin : null, response.Headers.TryGetValues("Access-Control-Allow-Origin", out var allowed) ? allowed.Single() : null);
        }
        Assert.Equal(("origin_not_allowed", 4L), closed.Counts.Select(c => (c.Reason, c.Events)).Single());
        await closed.TakenAsync(Event);
    }

    [Fact]
    public async Task A_preflight_says_what_is_allowed_and_for_how_long()
    {
        await using var server = await CaptureServer.StartAsync(("Capture:CorsAllowedOrigins", "https://example.com"));
        async Task<HttpResponseMessage> Ask(string origin)
        {
            var request = new HttpRequestMessage(HttpMethod.Options, "/v1/events");
            request.Headers.Add("Origin", origin);
            request.Headers.Add("Access-Control-Request-Method", "POST");
            return await server.Client.SendAsync(request);
        }

        using var allowed = await Ask("https://example.com");
        Assert.Equal(HttpStatusCode.NoContent, allowed.StatusCode);
        Assert.Equal(["https://example.com"], allowed.Headers.GetValues("Access-Control-Allow-Origin"));
        Assert.Equal(["POST"], allowed.Headers.GetValues("Access-Control-Allow-Methods"));
        Assert.Equal(["content-type"], allowed.Headers.GetValues("Access-Control-Allow-Headers"));
        Assert.Equal(["86400"], allowed.Headers.GetValues("Access-Control-Max-Age"));
        Assert.Equal(["Origin"], allowed.Headers.GetValues("Vary"));

        using var refused = await Ask("https://evil.example");
        Assert.Equal(HttpStatusCode.Forbidden, refused.StatusCode);
        Assert.False(refused.Headers.Contains("Access-Control-Allow-Origin"));
    }

    [Fact]
    public async Task No_raw_address_or_user_agent_reaches_the_log()
    {
        await using var server = await CaptureServer.StartAsync();
        var e = await server.TakenAsync(Cookieless, ("User-Agent", Firefox), ("test-address", "198.51.100.1"));
        var record = new System.Buffers.ArrayBufferWriter<byte>();
        CaptureRecord.WriteEvents(record, [e]);
        var text = Encoding.Latin1.GetString(record.WrittenSpan);
        Assert.DoesNotContain("198.51", text, StringComparison.Ordinal);
        Assert.DoesNotContain("Gecko", text, StringComparison.Ordinal);
    }
}
