using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.RegularExpressions;

namespace Footfall.Tests.Security;

/// <summary>Requests that nobody means well with: some of random bytes, most of what the endpoint asks for with something in it that should not be. The same seed makes the same requests.</summary>
internal sealed partial class Attack(int seed)
{
#pragma warning disable CA5394 // To be repeatable is the point.
    private readonly Random random = new(seed);

    private static readonly string[] Words =
    [
        "", " ", "0", "1", "-1", "00", "1e400", "NaN", "null", "true", "[]", "{}", "\"", "'", "' or '1'='1", "'; drop table events; --", "%", "%00", "%ff", "%c0%ae%c0%ae", "..", "../../etc/passwd", "\0", "a\0b", "\r\nx: y", "\ud800",
        "\U0001F9FF", "\u202e", "\ufeff", "e\u0301", "\u0130", "\uffff", "${jndi:ldap://x}", "{{7*7}}", "<script>alert(1)</script>", "javascript:alert(1)", "//evil.example", "https://evil.example/", "http://127.0.0.1:1/", "\\\\evil\\share",
        "2026-01-01", "2026-02-30", "0001-01-01", "9999-12-31", "2026-13-01", "2026-01-01T00:00:00Z", "9999-12-31T23:59:59.9999999Z", "2026-01-01T00:00:00+99:00", "99999999999999999999", "2147483648", "-9223372036854775808", "9223372036854775808",
        "page_view", "default", "ann@example.com", "ann@ex\0ample.com", "a@b", "@", "00000000-0000-0000-0000-000000000000", "ffffffff-ffff-ffff-ffff-ffffffffffff", "previous_period", "csv", "day", "hourly", "path", "prop:x", "prop:", "visitors",
        """[{"dimension":"path","operator":"is","value":"\u0000"}]""", """[{"dimension":"prop:a","operator":"contains","value":"%_\\"}]""", """[{"dimension":"country","operator":"any_of","values":[null,"\ud800"]}]""", "[[[[[[[[[[[[[[[[", """{"a":""",
    ];

    private static readonly string[] Names = ["property", "propertyId", "from", "to", "window_days", "compareTo", "filters", "dimension", "metrics", "interval", "limit", "cursor", "format", "bom", "email", "token", "search", "entity_type", "entity_id", "date_from", "date_to", "period", "error", "path", "referrer", "userId", "u", "page", "p", "q", "sort", "day", "event_type", "experiment_id", "funnel_name"];

    private static readonly string[] Bodies =
    [
        """{"eventType":"page_view","anonId":"attacker-1","eventId":"e1","path":"/a?b=c","timestamp":"2026-01-01T00:00:00Z","referrer":"https://a.example/","title":"t","utm":{"source":"s","medium":"m"},"accountId":"a","account":{"username":"u","displayName":"d"},"entityType":"product","entityId":"1","props":{"a":1,"b":"x","c":null},"traffic":{"propertyId":"default","deviceType":"mobile","countryCode":"CA","isEntrance":true,"engagedTimeMs":1,"scrollDepthPercent":2,"webVitals":{"lcpMs":1.5,"clsScore":0.1}}}""",
        """[{"eventType":"page_view","anonId":"attacker-2"},{"eventType":"form_submit","anonId":"attacker-2"}]""",
        """{"email":"ann@example.com","anonId":"attacker-3","formName":"f","propertyId":"default","path":"/x","eventId":"e2","consent":{"status":"express","method":"checkbox","purpose":"letter"},"utm":{"source":"s"},"payload":{"a":"b"},"website":"","formToken":"x","captcha":"y"}""",
        """{"email":"ann@example.com","token":"AwAA","propertyId":"default","status":"withdrawn","reason":"x"}""",
        """{"leadId":"0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f","visitorId":"0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8f","into":"0197f3a2-4d6e-7c1a-9b3e-5f8a2c4d6e8e","email":"ann@example.com"}""",
        """{"key":"not-a-key","return":"//evil.example","day":"2026-01-01","text":"note","id":"1"}""",
    ];

    private static readonly string[] MediaTypes =
    [
        "application/json", "application/json; charset=utf-8", "application/json; charset=utf-16", "text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x", "multipart/form-data", "application/octet-stream", "text/html", "x", "application/json; charset=\"",
    ];

    private static readonly string[] HeaderNames = ["Accept", "Accept-Language", "Accept-Encoding", "Cookie", "Origin", "Referer", "User-Agent", "X-Forwarded-For", "X-Forwarded-Proto", "X-Forwarded-Host", "Authorization", "If-None-Match", "If-Modified-Since", "Range", "Sec-GPC", "DNT", "Content-Encoding", "traceparent", "x-dashboard-token", "x-footfall-batch", "X-HTTP-Method-Override", "Last-Event-ID", "Expect"];

    /// <summary>The next request at the target, and what it is in words, to make it again by hand.</summary>
    public (HttpRequestMessage Request, string Words) Next(Target target)
    {
        var url = Parameter().Replace(target.Route, _ => Uri.EscapeDataString(Sound(Pick(Words)))) + Query(target);
        // What a client library would not let through has tests of its own, on a bare socket.
        var request = new HttpRequestMessage(new HttpMethod(target.Method), new Uri(url, UriKind.Relative));
        var words = $"{target.Method} {url}";
        if (random.Next(3) == 0) request.Headers.TryAddWithoutValidation("x-admin-key", WatchedServer.AdminKey);
        for (var i = random.Next(4); i > 0; i--)
        {
            var (name, value) = (Pick(HeaderNames), Header());
            if (name is "Expect" && random.Next(8) > 0) continue;
            request.Headers.TryAddWithoutValidation(name, value);
            words += $"\n{name}: {value}";
        }
        if (target.Method is "POST" or "PUT" or "PATCH" or "DELETE")
        {
            var body = Body(target);
            var type = random.Next(2) == 0 ? MediaTypes[0] : Pick(MediaTypes);
            request.Content = new ByteArrayContent(body);
            request.Content.Headers.TryAddWithoutValidation("Content-Type", type);
            if (random.Next(20) == 0) request.Content.Headers.TryAddWithoutValidation("Content-Encoding", "gzip");
            words += $"\nContent-Type: {type}\n\n{Encoding.Latin1.GetString(body.Length > 500 ? body[..500] : body)}";
        }
        return (request, words);
    }

    /// <summary>Bytes for a bare socket, which may begin as HTTP does.</summary>
    public byte[] Noise()
    {
        var noise = new byte[random.Next(1, 2000)];
        random.NextBytes(noise);
        string[] beginnings = ["", "GET / HTTP/1.1\r\n", "POST /v1/events HTTP/1.1\r\nHost: x\r\nContent-Length: 10\r\n\r\n", "POST /v1/events HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\nffffffff\r\n", "GET /\u0001 HTTP/1.1\r\nHost: \r\n\r\n", "GET http://x/ HTTP/9.9\r\n\r\n", "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", "GET /v1/events HTTP/1.1\r\nHost: x\r\nHost: y\r\n\r\n", "POST /v1/leads/capture HTTP/1.1\r\nHost: x\r\nContent-Length: -1\r\n\r\n"];
        return [.. Encoding.Latin1.GetBytes(Pick(beginnings)), .. noise];
    }

    private string Query(Target target)
    {
        var told = target.Notes?.Parameters.Select(p => (p.Name, p.Example)).ToList() ?? [];
        var parts = told.Where(_ => random.Next(2) == 0).Select(p => (p.Name, Value: random.Next(2) == 0 && p.Example is not null ? p.Example : Sound(Pick(Words)))).ToList();
        for (var i = random.Next(3); i > 0; i--) parts.Add((random.Next(6) == 0 ? Sound(Pick(Words)) : Pick(Names), random.Next(12) == 0 ? new string('x', random.Next(6000)) : Sound(Pick(Words))));
        return parts.Count == 0 ? "" : "?" + string.Join('&', parts.Select(p => $"{Uri.EscapeDataString(p.Name)}={(p.Value.StartsWith('%') ? p.Value : Uri.EscapeDataString(p.Value))}"));
    }

    private string Header() => new([.. (random.Next(10) == 0 ? new string((char)random.Next(32, 126), random.Next(4000)) : Pick(Words)).Where(c => c is >= ' ' and < '\u007f')]);

    private byte[] Body(Target target)
    {
        var example = target.Notes?.Request is { } told && random.Next(2) == 0 ? told.Example : Pick(Bodies);
        switch (random.Next(6))
        {
            case 0:
                var noise = new byte[random.Next(300)];
                random.NextBytes(noise);
                return noise;
            case 1:
                var bytes = Encoding.UTF8.GetBytes(example);
                for (var i = random.Next(1, 4); i > 0; i--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
                return bytes[..random.Next(1, bytes.Length + 1)];
            case 2:
                var fields = Enumerable.Range(0, random.Next(1, 40)).Select(_ => $"{Uri.EscapeDataString(random.Next(3) == 0 ? Sound(Pick(Words)) : Pick(["email", "anonId", "consent.status", "consent.method", "consent.purpose", "token", "website", "thanks", "error", "key", "return", "id", "day", "text"]))}={Uri.EscapeDataString(Sound(Pick(Words)))}");
                return Encoding.UTF8.GetBytes(string.Join('&', fields));
            case 3:
                return Encoding.UTF8.GetBytes($"--x\r\nContent-Disposition: form-data; name=\"{Pick(["email", "", "a\"b"])}\"\r\n\r\n{Sound(Pick(Words))}\r\n--x{Pick(["--", "", "\r\n"])}");
            default:
                return Encoding.UTF8.GetBytes(Changed(example));
        }
    }

    /// <summary>The JSON with one to three of its members made what they should not be. Written by hand where JSON's own writer would refuse: halves of a pair, numbers without end.</summary>
    private string Changed(string json)
    {
        const string Mark = "\"\u0002\"";
        var node = JsonNode.Parse(json)!;
        List<string> put = [];
        for (var i = random.Next(1, 4); i > 0; i--)
        {
            var places = Places(node).ToList();
            if (places.Count == 0) break;
            var (parent, key) = places[random.Next(places.Count)];
            if (parent is JsonObject o) o[(string)key] = JsonValue.Create("\u0002");
            else ((JsonArray)parent)[(int)key] = JsonValue.Create("\u0002");
            put.Add(Nasty());
        }
        var text = node.ToJsonString(new JsonSerializerOptions { Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping }).Replace("\"\\u0002\"", Mark, StringComparison.Ordinal);
        foreach (var value in put)
        {
            var at = text.IndexOf(Mark, StringComparison.Ordinal);
            if (at >= 0) text = text[..at] + value + text[(at + Mark.Length)..];
        }
        return text;
    }

    private string Nasty() => random.Next(14) switch
    {
        0 => "null",
        1 => "1e400",
        2 => "-0.0000000000000000000000000000000000000001",
        3 => "123456789012345678901234567890",
        4 => "\"\\u0000\"",
        5 => "\"\\ud800\"",
        6 => "\"a\\udc00b\"",
        7 => new string('[', 70) + new string(']', 70),
        8 => $"\"{new string('y', random.Next(20_000))}\"",
        9 => $"[{string.Join(',', Enumerable.Repeat("{\"eventType\":\"x\"}", random.Next(600)))}]",
        10 => $"{{{string.Join(',', Enumerable.Range(0, random.Next(200)).Select(n => $"\"k{n}\":{n}"))}}}",
        11 => "true",
        12 => "{\"__proto__\":{\"a\":1},\"\":\"\"}",
        _ => JsonSerializer.Serialize(Sound(Pick(Words))),
    };

    private static IEnumerable<(JsonNode Parent, object Key)> Places(JsonNode node)
    {
        if (node is JsonObject o)
        {
            foreach (var (key, value) in o)
            {
                yield return (o, key);
                if (value is not null) foreach (var place in Places(value)) yield return place;
            }
        }
        if (node is JsonArray a)
        {
            for (var i = 0; i < a.Count; i++)
            {
                yield return (a, i);
                if (a[i] is { } value) foreach (var place in Places(value)) yield return place;
            }
        }
    }

    // Half a pair of UTF-16 cannot be escaped for a URL.
    private static string Sound(string word) => word.Replace("\ud800", "\ufffd", StringComparison.Ordinal);

    private string Pick(string[] from) => from[random.Next(from.Length)];
#pragma warning restore CA5394

    [GeneratedRegex(@"\{[^}]+\}")]
    private static partial Regex Parameter();
}
