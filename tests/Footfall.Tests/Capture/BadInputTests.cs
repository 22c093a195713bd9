using System.IO.Compression;
using System.Net;
using System.Text;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class BadInputTests(BadInputTests.OneServer one) : IClassFixture<BadInputTests.OneServer>
{
    private static readonly string Deep = string.Concat(Enumerable.Repeat("""{"a":""", 60)) + "1" + new string('}', 60);

    /// <summary>Body (UTF-8), error, field of the first issue, code of the first issue.</summary>
    public static TheoryData<string, string, string, string?, string?> Refused()
    {
        var data = new TheoryData<string, string, string, string?, string?>();
        void Add(string name, string body, string error, string? field = null, string? code = null) => data.Add(name, body, error, field, code);
        void Field(string json, string field, string code) => Add($"{field} {code} {json[..Math.Min(50, json.Length)]}", "{\"eventType\":\"page_view\"," + json + "}", "validation_failed", field, code);

        Add("empty body", "", "invalid_json");
        Add("blank body", "  \n ", "invalid_json");
        Add("no JSON", "hello", "invalid_json");
        Add("form encoded", "eventType=page_view", "invalid_json");
        Add("cut off", """{"eventType":"page_view""", "invalid_json");
        Add("cut off after the comma", """{"eventType":"page_view",""", "invalid_json");
        Add("cut off batch", """[{"eventType":"page_view"},{"eventType":"page_view"}""", "invalid_json");
        Add("trailing comma", """{"eventType":"page_view",}""", "invalid_json");
        Add("comment", """{"eventType":"page_view"/* hi */}""", "invalid_json");
        Add("single quotes", "{'eventType':'page_view'}", "invalid_json");
        Add("bare key", "{eventType:\"page_view\"}", "invalid_json");
        Add("two values", """{"eventType":"page_view"}{"eventType":"page_view"}""", "invalid_json");
        Add("NaN", """{"eventType":"page_view","props":{"a":NaN}}""", "invalid_json");
        Add("Infinity", """{"eventType":"page_view","props":{"a":-Infinity}}""", "invalid_json");
        Add("leading zero", """{"eventType":"page_view","props":{"a":01}}""", "invalid_json");
        Add("raw NUL", "{\"eventType\":\"page\0view\"}", "invalid_json");
        Add("raw newline in string", "{\"eventType\":\"page\nview\"}", "invalid_json");
        Add("bad escape", """{"eventType":"page\xview"}""", "invalid_json");
        Add("half an escape", """{"eventType":"page\u00"}""", "invalid_json");
        Add("too deep", """{"eventType":"page_view","props":""" + Deep + "}", "invalid_json");
        Add("too deep where unknown", """{"eventType":"page_view","other":""" + Deep + "}", "invalid_json");
        Add("deep arrays only", new string('[', 5000), "invalid_json");
        Add("good, then broken", """[{"eventType":"page_view"},{"eventType":"page_view"},{]""", "invalid_json");

        Add("empty batch", "[]", "empty_batch");
        Add("501 events", "[" + string.Join(',', Enumerable.Repeat("""{"eventType":"e"}""", 501)) + "]", "batch_too_large");
        Add("null", "null", "validation_failed", "", "expected_object");
        Add("true", "true", "validation_failed", "", "expected_object");
        Add("number", "1", "validation_failed", "", "expected_object");
        Add("string", "\"page_view\"", "validation_failed", "", "expected_object");
        Add("[1]", "[1]", "validation_failed", "", "expected_object");
        Add("[null]", "[null]", "validation_failed", "", "expected_object");
        Add("[[]]", "[[]]", "validation_failed", "", "expected_object");

        Add("no type", "{}", "validation_failed", "eventType", "required");
        Add("null type", """{"eventType":null}""", "validation_failed", "eventType", "required");
        Add("empty type", """{"eventType":""}""", "validation_failed", "eventType", "too_short");
        Add("long type", $$"""{"eventType":"{{new string('e', 65)}}"}""", "validation_failed", "eventType", "too_long");
        Add("type a number", """{"eventType":1}""", "validation_failed", "eventType", "expected_string");
        Add("type an object", """{"eventType":{"a":[1,{}]}}""", "validation_failed", "eventType", "expected_string");
        Add("type an array", """{"eventType":["page_view"]}""", "validation_failed", "eventType", "expected_string");
        Add("type with a NUL", """{"eventType":"page\u0000view"}""", "validation_failed", "eventType", "invalid_characters");
        Add("type with a newline", """{"eventType":"page\nview"}""", "validation_failed", "eventType", "invalid_characters");
        Add("wrong case of the key", """{"EventType":"page_view"}""", "validation_failed", "eventType", "required");

        foreach (var (name, field) in new[]
        {
            ("anonId", "anonId"), ("eventId", "eventId"), ("path", "path"), ("timestamp", "timestamp"), ("referrer", "referrer"), ("title", "title"),
            ("accountId", "accountId"), ("entityType", "entityType"), ("entityId", "entityId"), ("utm/source", "utm.source"), ("utm/medium", "utm.medium"),
            ("utm/campaign", "utm.campaign"), ("utm/term", "utm.term"), ("utm/content", "utm.content"), ("account/username", "account.username"),
            ("account/displayName", "account.displayName"), ("traffic/propertyId", "traffic.propertyId"), ("traffic/deviceType", "traffic.deviceType"),
            ("traffic/countryCode", "traffic.countryCode"),
        })
        {
            Field(Nested(name, "12"), field, "expected_string");
            Field(Nested(name, "true"), field, "expected_string");
            Field(Nested(name, "[\"a\"]"), field, "expected_string");
            Field(Nested(name, "{\"b\":{}}"), field, "expected_string");
            Field(Nested(name, "\"abcdefgh\\u0000\""), field, "invalid_characters");
            Field(Nested(name, "\"abcdefgh\\ud83d\""), field, "invalid_characters");
            Field(Nested(name, "\"abcdefgh\\ude00\\ud83d\""), field, "invalid_characters");
            Field(Nested(name, $"\"{new string('x', 9000)}\""), field, "too_long");
        }
        foreach (var name in new[] { "utm", "account", "traffic", "props" })
        {
            Field($"\"{name}\":\"text\"", name, "expected_object");
            Field($"\"{name}\":[{{}}]", name, "expected_object");
            Field($"\"{name}\":0", name, "expected_object");
        }
        Field("""
            "traffic":{"webVitals":[1]}
            """, "traffic.webVitals", "expected_object");
        foreach (var name in new[] { "isEntrance", "isExit", "isConversion" })
        {
            Field($$"""
                "traffic":{"{{name}}":"true"}
                """, $"traffic.{name}", "expected_boolean");
            Field($$"""
                "traffic":{"{{name}}":1}
                """, $"traffic.{name}", "expected_boolean");
        }
        foreach (var name in new[] { "engagedTimeMs", "scrollDepthPercent", "webVitals/fcpMs", "webVitals/lcpMs", "webVitals/inpMs", "webVitals/ttfbMs", "webVitals/clsScore" })
        {
            var field = "traffic." + name.Replace('/', '.');
            Field(Nested("traffic/" + name, "\"12\""), field, "expected_number");
            Field(Nested("traffic/" + name, "true"), field, "expected_number");
            Field(Nested("traffic/" + name, "{}"), field, "expected_number");
            Field(Nested("traffic/" + name, "-1"), field, "out_of_range");
            Field(Nested("traffic/" + name, "86400001"), field, "out_of_range");
            Field(Nested("traffic/" + name, "1e400"), field, "out_of_range");
            Field(Nested("traffic/" + name, new string('9', 400)), field, "out_of_range");
        }
        Field("\"anonId\":\"1234567\"", "anonId", "too_short");
        Field("\"anonId\":\"\"", "anonId", "too_short");
        Field($"\"anonId\":\"{new string('a', 129)}\"", "anonId", "too_long");
        Field($"\"path\":\"/{new string('a', 2048)}\"", "path", "too_long");
        foreach (var id in new[] { "../etc", "-a", ".a", "a b", "a/b", "é", "a\\u000ab", "'; drop table events" })
        {
            Field($$"""
                "traffic":{"propertyId":"{{id}}"}
                """, "traffic.propertyId", "invalid_format");
        }
        Field("\"traffic\":{\"deviceType\":\"phone\"}", "traffic.deviceType", "invalid_format");
        Field("\"traffic\":{\"countryCode\":\"USA\"}", "traffic.countryCode", "invalid_format");
        foreach (var time in new[]
        {
            "yesterday", "", "2026-03-14", "2026-03-14T09:26:53", "2026-03-14T09:26:53.5", "2026-02-30T00:00:00Z", "2026-13-01T00:00:00Z", "2026-03-14T24:00:00Z",
            "2026-03-14T09:60:00Z", "2026-03-14T09:26:61Z", "0000-01-01T00:00:00Z", "10000-01-01T00:00:00Z", "-0001-01-01T00:00:00Z", "2026-03-14T09:26:53+99:00",
            "0001-01-01T00:00:00+10:00", "9999-12-31T23:59:59-10:00", "2026-03-14T09:26:53.Z", "2026-03-14T09:26:53Zx", " 2026-03-14T09:26:53Z", "infinity", "1773480413589",
        })
        {
            Field($"\"timestamp\":\"{time}\"", "timestamp", "invalid_format");
        }
        Field("\"timestamp\":1773480413589", "timestamp", "expected_string");

        Field("\"props\":{" + string.Join(',', Enumerable.Range(0, 31).Select(i => $"\"k{i}\":{i}")) + "}", "props", "too_many_keys");
        Field("\"props\":{" + string.Join(',', Enumerable.Range(0, 10_000).Select(i => $"\"k{i}\":{i}")) + "}", "props", "too_many_keys");
        Field($"\"props\":{{\"a\":\"{new string('x', 8200)}\"}}", "props", "too_large");
        Field($"\"props\":{{\"a\":[{string.Join(',', Enumerable.Repeat("1234567", 1100))}]}}", "props", "too_large");
        Field($"\"props\":{{\"{new string('k', 121)}\":1}}", "props", "too_long");
        Field($"\"props\":{{\"a\":{{\"{new string('k', 121)}\":1}}}}", "props.a", "too_long");
        Field("\"props\":{\"a\":\"x\\u0000\"}", "props.a", "invalid_characters");
        Field("\"props\":{\"a\":[{\"b\":\"\\udead\"}],\"c\":{\"d\":1}}", "props.a", "invalid_characters");
        Field("\"props\":{\"a\\u0000\":1}", "props", "invalid_characters");
        Field("\"props\":{\"a\\ud800\":{\"x\":[1,2]},\"b\":2}", "props", "invalid_characters");
        Field("\"props\":{\"a\":{\"b\\u0000\":{\"c\":1}}}", "props.a", "invalid_characters");
        foreach (var number in new[] { "1e400", "-1e400", "1e309", "1e99999", "1e-400", "1e-99999", "1E+999999999999", new string('9', 400) })
        {
            Field($"\"props\":{{\"a\":{number}}}", "props.a", "out_of_range");
        }
        return data;

        static string Nested(string name, string value) => name.Split('/').Reverse().Aggregate(value, (inner, key) => inner == value ? $"\"{key}\":{inner}" : $"\"{key}\":{{{inner}}}");
    }

    [Theory]
    [MemberData(nameof(Refused))]
    public async Task It_is_refused_with_its_field_named_and_counted(string name, string body, string error, string? field, string? code)
    {
        var server = one.Server;
        await server.ForgetCountsAsync();
        using var response = await server.PostAsync(body);
        var json = await CaptureServer.JsonAsync(response);

        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, $"{name}: {json}");
        Assert.False(json.GetProperty("ok").GetBoolean());
        Assert.Equal(error, json.GetProperty("error").GetString());
        if (field is not null)
        {
            var issue = json.GetProperty("issues")[0];
            Assert.Equal(0, issue.GetProperty("index").GetInt32());
            Assert.Equal(field, issue.GetProperty("field").GetString());
            Assert.Equal(code, issue.GetProperty("code").GetString());
        }
        else
        {
            Assert.NotEmpty(json.GetProperty("message").GetString()!);
        }
        Assert.Empty(server.Log.Events);
        var count = Assert.Single(server.Counts);
        Assert.Equal(("default", "rejected", error, 1L), (count.PropertyId, count.Outcome, count.Reason, count.Events));
    }

    public static TheoryData<string, byte[]> WrongBytes => new()
    {
        { "UTF-16", Encoding.Unicode.GetPreamble().Concat(Encoding.Unicode.GetBytes("""{"eventType":"page_view"}""")).ToArray() },
        { "UTF-16 without mark", Encoding.Unicode.GetBytes("""{"eventType":"page_view"}""") },
        { "UTF-32", Encoding.UTF32.GetBytes("""{"eventType":"page_view"}""") },
        { "Latin-1", Encoding.Latin1.GetBytes("""{"eventType":"page_view","path":"/caf\u00e9"}""".Replace("\\u00e9", "é")) },
        { "raw surrogate", [.. "{\"eventType\":\"a"u8, 0xED, 0xA0, 0x80, .. "\"}"u8] },
        { "overlong NUL", [.. "{\"eventType\":\"a"u8, 0xC0, 0x80, .. "\"}"u8] },
        { "stray continuation", [.. "{\"eventType\":\"a"u8, 0x80, .. "\"}"u8] },
        { "cut character", [.. "{\"eventType\":\"a"u8, 0xE2, 0x82, .. "\"}"u8] },
        { "wrong bytes where unknown", [.. "{\"eventType\":\"a\",\"x\":\""u8, 0xFF, .. "\"}"u8] },
        { "zeros", new byte[200] },
        { "gzip", [0x1F, 0x8B, 8, 0, 0, 0, 0, 0] },
    };

    [Theory]
    [MemberData(nameof(WrongBytes))]
    public async Task What_is_not_UTF_8_is_refused_whole(string name, byte[] body)
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync(body, "application/json");
        Assert.True(response.StatusCode == HttpStatusCode.BadRequest, name);
        Assert.Equal("invalid_json", (await CaptureServer.JsonAsync(response)).GetProperty("error").GetString());
        Assert.Empty(server.Log.Events);
    }

    [Theory]
    [InlineData("application/x-www-form-urlencoded")]
    [InlineData("multipart/form-data; boundary=x")]
    [InlineData("application/xml")]
    [InlineData("application/octet-stream")]
    [InlineData("application/json; charset=utf-16")]
    [InlineData("text/plain; charset=iso-8859-1")]
    [InlineData("text/html")]
    [InlineData("nonsense")]
    [InlineData(null)]
    public async Task Another_content_type_is_refused(string? type)
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync("""{"eventType":"page_view"}"""u8.ToArray(), type);
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
        Assert.Equal("unsupported_media_type", (await CaptureServer.JsonAsync(response)).GetProperty("error").GetString());
        Assert.Equal("unsupported_media_type", Assert.Single(server.Counts).Reason);
    }

    [Theory]
    [InlineData("application/json")]
    [InlineData("Application/JSON; charset=UTF-8")]
    [InlineData("application/json; charset=\"utf-8\"")]
    [InlineData("text/plain;charset=UTF-8")]
    [InlineData("text/plain")]
    public async Task Json_may_come_as_itself_or_as_text(string type)
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync("""{"eventType":"page_view"}"""u8.ToArray(), type);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
    }

    [Fact]
    public async Task A_compressed_body_is_refused()
    {
        await using var server = await CaptureServer.StartAsync();
        using var packed = new MemoryStream();
        await using (var gzip = new GZipStream(packed, CompressionMode.Compress, leaveOpen: true)) gzip.Write("""{"eventType":"page_view"}"""u8);
        using var response = await server.PostAsync(packed.ToArray(), "application/json", ("Content-Encoding", "gzip"));
        Assert.Equal(HttpStatusCode.UnsupportedMediaType, response.StatusCode);
    }

    [Theory]
    [InlineData(256 * 1024, HttpStatusCode.Accepted)]
    [InlineData((256 * 1024) + 1, HttpStatusCode.RequestEntityTooLarge)]
    [InlineData(5_000_000, HttpStatusCode.RequestEntityTooLarge)]
    public async Task A_body_has_a_limit(int bytes, HttpStatusCode expected)
    {
        await using var server = await CaptureServer.StartAsync();
        var body = """{"eventType":"page_view"}""".PadRight(bytes);
        using var response = await server.PostAsync(body);
        Assert.Equal(expected, response.StatusCode);

        using var streamed = new HttpRequestMessage(HttpMethod.Post, "/v1/events") { Content = new StreamContent(new Unseekable(Encoding.UTF8.GetBytes(body))) };
        streamed.Content.Headers.TryAddWithoutValidation("Content-Type", "application/json");
        using var chunked = await server.Client.SendAsync(streamed);
        Assert.Equal(expected, chunked.StatusCode);
        if (expected != HttpStatusCode.Accepted) Assert.Equal(("body_too_large", 2L), (server.Counts[0].Reason, server.Counts[0].Events));
    }

    [Fact]
    public async Task Of_a_batch_the_good_ones_are_taken_and_the_bad_ones_named()
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync("""
            [{"eventType":"one","traffic":{"propertyId":"shop"}}, {"eventType":2}, {"eventType":"three"}, {"eventType":"four","utm":{"source":4,"medium":{}}},
             "five", {"eventType":"six","traffic":{"propertyId":"shop","engagedTimeMs":-1}}]
            """);
        Assert.Equal(HttpStatusCode.Accepted, response.StatusCode);
        var json = await CaptureServer.JsonAsync(response);
        Assert.Equal(2, json.GetProperty("accepted").GetInt32());
        Assert.Equal(
            ["1 eventType events[1].eventType: expected a string of at most 64 characters", "3 utm.source events[3].utm.source: expected a string of at most 256 characters",
             "3 utm.medium events[3].utm.medium: expected a string of at most 256 characters", "4  events[4]: expected an object",
             "5 traffic.engagedTimeMs events[5].traffic.engagedTimeMs: expected a number from 0 to 86400000"],
            json.GetProperty("issues").EnumerateArray().Select(i => $"{i.GetProperty("index")} {i.GetProperty("field").GetString()} {i.GetProperty("message").GetString()}"));
        Assert.Equal(["one", "three"], server.Log.Events.Select(e => e.EventType));
        Assert.Equal(("shop", 1L), server.Counts.Where(c => c.PropertyId == "shop").Select(c => (c.PropertyId, c.Events)).Single());
        Assert.Equal(("default", 3L), server.Counts.Where(c => c.PropertyId == "default").Select(c => (c.PropertyId, c.Events)).Single());
    }

    [Fact]
    public async Task Five_hundred_bad_events_are_all_named()
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.PostAsync("[" + string.Join(',', Enumerable.Repeat("{}", 500)) + "]");
        var json = await CaptureServer.JsonAsync(response);
        Assert.Equal(Enumerable.Range(0, 500), json.GetProperty("issues").EnumerateArray().Select(i => i.GetProperty("index").GetInt32()));
        Assert.Equal(500, Assert.Single(server.Counts).Events);
    }

    public static TheoryData<string> HarmlessTexts => new()
    {
        "'; drop table events; --", "\" or 1=1 --", "<script>alert(1)</script>", "{{7*7}}", "${jndi:ldap://x/a}", "%00%n%s", "../../../etc/passwd", "=cmd|' /C calc'!A0",
        "\u202Egnp.exe", "\uFEFFmarked", "\uFFFF\uFFFE", "Z\u0351\u036B\u0343a\u0351l\u0343go", "\U0001F469\u200D\U0001F469\u200D\U0001F467", "NULL", "__proto__ ", "constructor",
    };

    [Theory]
    [MemberData(nameof(HarmlessTexts))]
    public async Task Sql_and_script_are_text_like_any_other(string text)
    {
        await using var server = await CaptureServer.StartAsync();
        var sent = text.PadRight(8, '.');
        var value = System.Text.Json.JsonSerializer.Serialize(sent);
        var e = await server.TakenAsync($$$"""
            {"eventType":{{{value}}},"anonId":{{{value}}},"eventId":{{{value}}},"path":{{{value}}},"referrer":{{{value}}},"title":{{{value}}},
             "utm":{"source":{{{value}}},"medium":{{{value}}},"campaign":{{{value}}},"term":{{{value}}},"content":{{{value}}}},"accountId":{{{value}}},
             "account":{"username":{{{value}}},"displayName":{{{value}}}},"entityType":{{{value}}},"entityId":{{{value}}},"props":{ {{{value}}}:{{{value}}},"__proto__":{"x":1} } }
            """);
        Assert.Equal((sent, sent, sent, sent, sent, sent), (e.EventType, e.AnonId, e.Path, e.UtmSource, e.UtmContent, e.AccountId));
        Assert.Equal((sent, sent, sent, sent), (e.AccountUsername, e.AccountDisplayName, e.EntityType, e.EntityId));
        var props = System.Text.Json.JsonDocument.Parse(e.Props!).RootElement;
        Assert.Equal(sent, props.GetProperty(sent).GetString());
        Assert.Equal(sent, props.GetProperty("title").GetString());
    }

    [Theory]
    [InlineData("GET")]
    [InlineData("PUT")]
    [InlineData("DELETE")]
    [InlineData("PATCH")]
    public async Task Another_method_is_told_which_are_allowed(string method)
    {
        await using var server = await CaptureServer.StartAsync();
        using var response = await server.Client.SendAsync(new HttpRequestMessage(new HttpMethod(method), "/v1/events"));
        Assert.Equal(HttpStatusCode.MethodNotAllowed, response.StatusCode);
        Assert.Equal("method_not_allowed", (await CaptureServer.JsonAsync(response)).GetProperty("error").GetString());
        Assert.Equal(["POST", "OPTIONS"], response.Content.Headers.Allow);
    }

    [Fact]
    public async Task Random_damage_to_a_good_body_never_makes_a_server_error()
    {
        await using var server = await CaptureServer.StartAsync(("Capture:RateLimit:Enabled", "false"));
        var good = """[{"eventType":"page_view","anonId":"abcdefgh","timestamp":"2026-03-14T09:00:00Z","utm":{"source":"a\u00e9b"},"props":{"a":[1,{"b":"c"}],"d":1e3},"traffic":{"webVitals":{"fcpMs":12.5}}}]"""u8.ToArray();
        var random = new Random(20260314);
        for (var i = 0; i < 3000; i++)
        {
            var body = good.ToArray();
            for (var n = random.Next(1, 5); n > 0; n--) body[random.Next(body.Length)] = (byte)random.Next(256);
            if (random.Next(3) == 0) body = body[..random.Next(body.Length)];
            using var response = await server.PostAsync(body, "text/plain");
            Assert.True(response.StatusCode is HttpStatusCode.Accepted or HttpStatusCode.BadRequest, $"{(int)response.StatusCode} for {Convert.ToBase64String(body)}");
        }
    }

    private sealed class Unseekable(byte[] bytes) : MemoryStream(bytes)
    {
        public override bool CanSeek => false;
    }

    /// <summary>For the tests that leave nothing behind in it.</summary>
    public sealed class OneServer : IAsyncLifetime
    {
        internal CaptureServer Server { get; private set; } = null!;

        public async ValueTask InitializeAsync() => Server = await CaptureServer.StartAsync();
        public ValueTask DisposeAsync() => Server.DisposeAsync();
    }
}
