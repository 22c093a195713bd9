using System.Buffers.Text;
using System.Globalization;
using System.Text;

namespace Footfall.Benchmarks;

/// <summary>One connection's request as a browser's tracker sends it, its changing parts (ids, path, time) written in place.</summary>
internal sealed class TrackerRequest
{
    private const string Body = """
        {"eventType":"page_view","eventId":"########-0000-4000-8000-000000000000","anonId":"@@@@@@@@-0000-4000-8000-000000000000","path":"/catalogue/$$$$/item?ref=navigation&sort=price","timestamp":"%%%%-%%-%%T%%:%%:%%.%%%Z","referrer":"https://www.google.com/","title":"Walnut side table, 45 cm","utm":{"source":"newsletter","medium":"email","campaign":"spring-collection"},"props":{"theme":"dark","loggedIn":false},"traffic":{"deviceType":"desktop","engagedTimeMs":12450,"scrollDepthPercent":62,"webVitals":{"fcpMs":812,"lcpMs":1432,"inpMs":48,"ttfbMs":132,"clsScore":0.031}}}
        """;

    private static readonly string[] Agents =
    [
        "Mozilla/5.0 (Windows NT 10.0; Win64; x64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Safari/537.36",
        "Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Safari/605.1.15",
        "Mozilla/5.0 (X11; Linux x86_64; rv:132.0) Gecko/20100101 Firefox/132.0",
        "Mozilla/5.0 (iPhone; CPU iPhone OS 18_1 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.1 Mobile/15E148 Safari/604.1",
        "Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/131.0.0.0 Mobile Safari/537.36",
    ];

    private readonly Random random;
    private readonly int eventId, anonId, path, timestamp;
    private int viewsLeft;

    public TrackerRequest(int connection, int port)
    {
        random = new Random(connection);
        Bytes = Encoding.ASCII.GetBytes($"""
            POST /v1/events HTTP/1.1
            Host: 127.0.0.1:{port}
            User-Agent: {Agents[connection % Agents.Length]}
            Accept: */*
            Accept-Language: en-GB,en;q=0.5
            Content-Type: text/plain;charset=UTF-8
            Origin: https://www.example.com
            Referer: https://www.example.com/
            Content-Length: {Body.Length}


            """.ReplaceLineEndings("\r\n") + Body);
        (eventId, anonId, path, timestamp) = (Bytes.AsSpan().IndexOf("########"u8), Bytes.AsSpan().IndexOf("@@@@@@@@"u8), Bytes.AsSpan().IndexOf("$$$$"u8), Bytes.AsSpan().IndexOf("%%%%"u8));
    }

    public static int BodyBytes => Body.Length;

    public byte[] Bytes { get; }

    /// <summary>Another page view; of the same visitor four times, then of the next.</summary>
    public void Next(DateTimeOffset now)
    {
        Hex(eventId);
        if (viewsLeft-- == 0)
        {
            viewsLeft = 3;
            Hex(anonId);
        }
        Utf8Formatter.TryFormat(1000 + random.Next(500), Bytes.AsSpan(path, 4), out _);
        now.TryFormat(Bytes.AsSpan(timestamp, 24), out _, "yyyy-MM-dd'T'HH:mm:ss.fff'Z'", CultureInfo.InvariantCulture);
    }

    /// <summary>A UUID's first and last digits, 80 bits of them random.</summary>
    private void Hex(int at)
    {
        Utf8Formatter.TryFormat((uint)random.NextInt64(1L << 32), Bytes.AsSpan(at, 8), out _, new('x', 8));
        Utf8Formatter.TryFormat(random.NextInt64(1L << 48), Bytes.AsSpan(at + 24, 12), out _, new('x', 12));
    }
}
