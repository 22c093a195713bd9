using System.Net;

namespace Footfall.Capture;

/// <summary>Keys of the cookieless visitors, one per UTC day.</summary>
internal interface IVisitorKeys
{
    /// <summary>The key of a day on which events arrive: for live events today's or, around midnight, a neighbour's.</summary>
    byte[] For(DateOnly day);
}

/// <summary>Who sent a request, and when: all that enrichment knows beside the body. The address and the user agent go no further than this.</summary>
/// <param name="Address">Of the connection, or from a trusted proxy's header; null where there is none (a Unix socket).</param>
/// <param name="UserAgent">As sent; null or empty where there is none.</param>
/// <param name="ReceivedAt">Whole microseconds, UTC.</param>
/// <param name="Keys">Where cookieless visitors' keys come from.</param>
internal sealed record Sender(IPAddress? Address, string? UserAgent, DateTimeOffset ReceivedAt, IVisitorKeys Keys)
{
    /// <summary>The host of the page that sent it: referrers on it are internal.</summary>
    public string? PageHost { get; init; }

    /// <summary>It called the events API, rather than fetching a page that a log tells of.</summary>
    public bool CalledApi { get; init; }

    /// <summary>It is a site's own server, by its token: what it says of accounts needs no proof.</summary>
    public bool IsServer { get; init; }

    /// <summary><c>Sec-GPC: 1</c>.</summary>
    public bool GlobalPrivacyControl { get; init; }

    /// <summary><c>DNT: 1</c>.</summary>
    public bool DoNotTrack { get; init; }

    public DateOnly Day { get; } = DateOnly.FromDateTime(ReceivedAt.UtcDateTime);

    // Looked up once for all events of a batch.
    internal byte[]? AddressHash { get; set; }
    internal AgentFacts? Agent { get; set; }
    internal string? Country { get; set; }
    internal bool CountryKnown { get; set; }

    /// <summary>Of a live request.</summary>
    public static Sender Of(HttpContext context, TimeProvider time, IVisitorKeys keys, bool calledApi, bool isServer = false)
    {
        var headers = context.Request.Headers;
        string? origin = headers.Origin;
        return new Sender(context.Connection.RemoteIpAddress, headers.UserAgent, WholeMicroseconds(time.GetUtcNow()), keys)
        {
            CalledApi = calledApi,
            IsServer = isServer,
            PageHost = Referrer.HostOfUrl(origin) ?? Referrer.HostOfUrl(headers.Referer),
            GlobalPrivacyControl = headers["Sec-GPC"] == "1",
            DoNotTrack = headers["DNT"] == "1",
        };
    }

    /// <summary>PostgreSQL keeps microseconds: what is hashed and compared must be what is stored.</summary>
    public static DateTimeOffset WholeMicroseconds(DateTimeOffset instant) =>
        new(instant.UtcTicks - (instant.UtcTicks % TimeSpan.TicksPerMicrosecond), TimeSpan.Zero);
}
