using System.Text;
using Footfall.Cli.Import;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class AccessLogParserTests
{
    private const string Ua = "\"Mozilla/5.0 (X11)\"";

    /// <summary>Format, line, then what comes out: address | time | method | target | status | referrer | user agent.</summary>
    public static TheoryData<string, string, string> Good => new()
    {
        { "combined", $"1.2.3.4 - - [17/May/2015:10:05:03 +0000] \"GET /a HTTP/1.1\" 200 12 \"http://x.example/\" {Ua}", "1.2.3.4|2015-05-17T10:05:03|GET|/a|200|http://x.example/|Mozilla/5.0 (X11)" },
        { "combined", "2001:db8::1 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/2.0\" 304 0 \"-\" \"-\"", "2001:db8::1|2026-01-01T00:00:00|GET|/|304||" },
        { "combined", "::ffff:1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 - \"-\" \"x\"", "::ffff:1.2.3.4|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "host.example - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "host.example|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "- - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - anna [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - anna [the great] b [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:01:30:00 +0530] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2025-12-31T20:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [31/Dec/2025:20:00:00 -0800] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T04:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [29/Feb/2024:23:59:60 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2024-02-29T23:59:59|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [01/dec/2026:00:00:00 +1400] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-11-30T10:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /a\\\"b HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/a\"b|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /a HTTP/1.1\" 200 5 \"http://x/\\\"q\" \"say \\\"hi\\\" \\\\o/\"", "1.2.3.4|2026-01-01T00:00:00|GET|/a|200|http://x/\"q|say \"hi\" \\o/" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /caf\\xc3\\xa9 HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/café|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /\\xZZ\\x1 HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/xZZx1|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"tab\\there\\n\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||tab\there\n" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /old\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/old|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /a b c HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/a b c|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"-\" 408 - \"-\" \"-\"", "1.2.3.4|2026-01-01T00:00:00|||408||" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"\" 400 0 \"-\" \"-\"", "1.2.3.4|2026-01-01T00:00:00|||400||" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"\\x16\\x03\\x01\\x02 \\x00\" 400 150 \"-\" \"-\"", "1.2.3.4|2026-01-01T00:00:00|||400||" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"get / HTTP/1.1\" 400 150 \"-\" \"-\"", "1.2.3.4|2026-01-01T00:00:00|||400||" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"OPTIONS * HTTP/1.0\" 200 125 \"-\" \"Apache (internal dummy connection)\"", "1.2.3.4|2026-01-01T00:00:00|OPTIONS|*|200||Apache (internal dummy connection)" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /?q=\"x\" HTTP/1.0\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/?q=\"x\"|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.0\" 200 5 \"http://x/?a=\"b\"\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200|http://x/?a=\"b\"|x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.0\" 200 5 \"-\" \"x\" \"9.9.9.9\" 0.012", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.0\" 200 5 \"-\" \"x\"\r", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET http://site.example/p HTTP/1.1\" 200 5 \"-\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|http://site.example/p|200||x" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"\" \"\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||" },
        { "common", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||" },
        { "common", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 -\r", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||" },
        { "common", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"http://ignored/\" \"x\"", "1.2.3.4|2026-01-01T00:00:00|GET|/|200||" },
        { "json", """{"time_iso8601":"2026-01-01T01:00:00+01:00","remote_addr":"1.2.3.4","request":"GET /a?b=c HTTP/1.1","status":200,"http_referer":"https://x/","http_user_agent":"UA"}""", "1.2.3.4|2026-01-01T00:00:00|GET|/a?b=c|200|https://x/|UA" },
        { "json", """{"time_local":"01/Jan/2026:01:00:00 +0100","remote_addr":"1.2.3.4","request":"GET / HTTP/1.1","status":"304","http_referer":"-","http_user_agent":""}""", "1.2.3.4|2026-01-01T00:00:00|GET|/|304||" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","remote_addr":"::1","request_method":"GET","request_uri":"/x?y","status":"200"}""", "::1|2026-01-01T00:00:00|GET|/x?y|200||" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","remote_addr":"::1","request_method":"POST","uri":"/x","args":"y=1","status":"200"}""", "::1|2026-01-01T00:00:00|POST|/x?y=1|200||" },
        { "json", """  {"upstream":{"a":[1,{"b":2}]},"time_iso8601":"2026-01-01T00:00:00.250Z","request":"GET / HTTP/1.1","status":200,"bytes":null}  """, "|2026-01-01T00:00:00|GET|/|200||" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","request":"GET /\u00e9\"\u0041 HTTP/1.1","status":200,"http_user_agent":"a\\b"}""", "|2026-01-01T00:00:00|GET|/é\"A|200||a\\b" },
        { "json", """{"time_iso8601":"never","time_local":"01/Jan/2026:00:00:00 +0000","request":"-","status":400}""", "|2026-01-01T00:00:00|||400||" },
    };

    [Theory]
    [MemberData(nameof(Good))]
    public void A_line_of_a_known_format_is_read(string format, string text, string expected)
    {
        Assert.Null(new AccessLogParser(Format(format)).TryParse(Encoding.UTF8.GetBytes(text), out var line));
        Assert.Equal(expected, string.Join('|',
            Text(line.Address), line.Time.ToString("yyyy-MM-ddTHH:mm:ss"), Text(line.Method), Text(line.Target), line.Status, Text(line.Referrer), Text(line.UserAgent)));
        Assert.Equal(TimeSpan.Zero, line.Time.Offset);
    }

    public static TheoryData<string, string, string> Bad => new()
    {
        { "combined", "", "no client address" },
        { "combined", "nonsense", "no client address" },
        { "combined", " 1.2.3.4 - -", "no client address" },
        { "combined", "1.2.3.4 - -", "no time" },
        { "combined", "1.2.3.4 - - [] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [31/Feb/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [00/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Foo/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:24:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +9900] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/0000:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000", "no time" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000]", "no request" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] GET / HTTP/1.1 200 5 \"-\" \"x\"", "no request" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1", "no request" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\\", "no request" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 20 5 \"-\" \"x\"", "no request" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 abc \"-\" \"x\"", "no status" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 ", "no status" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5", "no referrer" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\"", "no referrer" },
        { "combined", "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"cut off here", "no user agent" },
        { "json", "", "not a JSON object" },
        { "json", "[1,2]", "not a JSON object" },
        { "json", "{\"status\":200", "not a JSON object" },
        { "json", "{\"a\":\"\\x22\"}", "not a JSON object" },
        { "json", "{} {}", "not a JSON object" },
        { "json", """{"status":200,"request":"GET / HTTP/1.1"}""", "no time_iso8601" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00","status":200}""", "no time_iso8601" },
        { "json", """{"time_iso8601":20260101,"status":200}""", "no time_iso8601" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z"}""", "no three-digit status" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","status":"-"}""", "no three-digit status" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","status":{"a":1}}""", "no three-digit status" },
        { "json", """{"time_iso8601":"2026-01-01T00:00:00Z","status":200,"request":"\ud800"}""", "not Unicode" },
    };

    [Theory]
    [MemberData(nameof(Bad))]
    public void A_broken_line_is_malformed_and_says_why(string format, string text, string problem) =>
        Assert.Contains(problem, new AccessLogParser(Format(format)).TryParse(Encoding.UTF8.GetBytes(text), out _));

    [Fact]
    public void Invalid_utf8_in_a_line_does_not_stop_it_from_being_read()
    {
        byte[] text = [.. "1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /\u00ff"u8, 0xFF, 0xC3, .. " HTTP/1.1\" 200 5 \"-\" \"x\""u8];
        Assert.Null(new AccessLogParser(AccessLogFormat.Combined).TryParse(text, out var line));
        Assert.Equal("/%C3%BF%FF%C3", PageViews.Target(line.Target));
    }

    [Fact]
    public void A_line_of_more_than_64_KiB_is_malformed()
    {
        var text = Encoding.ASCII.GetBytes($"1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET /{new string('a', 65_536)} HTTP/1.1\" 200 5 \"-\" \"x\"");
        Assert.Equal("longer than 64 KiB", new AccessLogParser(AccessLogFormat.Combined).TryParse(text, out _));
    }

    [Fact]
    public void Every_beginning_of_a_line_is_read_or_refused_without_an_exception()
    {
        foreach (var row in Good)
        {
            var bytes = Encoding.UTF8.GetBytes(row.Data.Item2);
            var parser = new AccessLogParser(Format(row.Data.Item1));
            for (var n = 0; n < bytes.Length; n++) Assert.NotEqual("", parser.TryParse(bytes.AsSpan(0, n), out _));
        }
    }

    [Theory]
    [InlineData("1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5 \"-\" \"x\"", "Combined")]
    [InlineData("1.2.3.4 - - [01/Jan/2026:00:00:00 +0000] \"GET / HTTP/1.1\" 200 5", "Common")]
    [InlineData("{\"status\":200}", "NginxJson")]
    [InlineData("#Fields: date time c-ip", null)]
    public void The_format_is_told_from_a_line(string text, string? format) =>
        Assert.Equal(format, AccessLogParser.Detect(Encoding.UTF8.GetBytes(text))?.ToString());

    private static AccessLogFormat Format(string name) => name switch
    {
        "json" => AccessLogFormat.NginxJson,
        "common" => AccessLogFormat.Common,
        _ => AccessLogFormat.Combined,
    };

    private static string Text(ReadOnlySpan<byte> bytes) => Encoding.UTF8.GetString(bytes);
}
