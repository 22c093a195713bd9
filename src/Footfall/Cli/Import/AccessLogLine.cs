namespace Footfall.Cli.Import;

/// <summary>How a web server wrote its log.</summary>
internal enum AccessLogFormat
{
    /// <summary>Apache's and nginx's usual one: address, time, request, status, bytes, referrer, user agent.</summary>
    Combined,

    /// <summary>The same without referrer and user agent.</summary>
    Common,

    /// <summary>One JSON object a line, with nginx's variable names as keys.</summary>
    NginxJson,
}

/// <summary>One line of an access log, taken apart. The bytes are what the client sent: the log's own escapes are undone. They live until the parser reads the next line.</summary>
internal ref struct AccessLogLine
{
    /// <summary>Address or host name of the client; empty where the log has none.</summary>
    public ReadOnlySpan<byte> Address;

    /// <summary>When the request arrived, in UTC.</summary>
    public DateTimeOffset Time;

    /// <summary>Empty where the request line was none of HTTP (a probe, a TLS handshake on a plain port).</summary>
    public ReadOnlySpan<byte> Method;

    /// <summary>As asked for, query included.</summary>
    public ReadOnlySpan<byte> Target;

    public int Status;

    /// <summary>Empty where the log has "-".</summary>
    public ReadOnlySpan<byte> Referrer;

    /// <summary>Empty where the log has "-".</summary>
    public ReadOnlySpan<byte> UserAgent;
}
