using System.Buffers;

namespace Footfall.Cli.Import;

/// <summary>Takes access log lines apart, one at a time, without allocating. Not for several threads.</summary>
/// <remarks>Format of the text lines: https://httpd.apache.org/docs/2.4/mod/mod_log_config.html; nginx writes the same under the name "combined".</remarks>
internal sealed class AccessLogParser(AccessLogFormat format)
{
    /// <summary>Longer lines are no log lines: servers refuse requests of a quarter of it.</summary>
    public const int LongestLine = 64 * 1024;

    private static readonly SearchValues<byte> QuoteOrEscape = SearchValues.Create("\"\\"u8);

    // Undoing escapes never makes a text longer, so the three quoted fields of a line fit in as many bytes as the line has.
    private readonly byte[] scratch = new byte[LongestLine];
    private readonly AccessLogJson json = new();
    private int used;

    /// <summary>The format that a first line is written in; null where it is none of the known ones.</summary>
    public static AccessLogFormat? Detect(ReadOnlySpan<byte> line)
    {
        if (line.TrimStart((byte)' ') is [(byte)'{', ..]) return AccessLogFormat.NginxJson;
        if (new AccessLogParser(AccessLogFormat.Combined).TryParse(line, out _) is null) return AccessLogFormat.Combined;
        return new AccessLogParser(AccessLogFormat.Common).TryParse(line, out _) is null ? AccessLogFormat.Common : null;
    }

    /// <summary>Null when the line was read; else what is wrong with it, in a few words without any of its content.</summary>
    public string? TryParse(ReadOnlySpan<byte> text, out AccessLogLine line)
    {
        line = default;
        if (text.Length > LongestLine) return "longer than 64 KiB";
        text = text.TrimEnd("\r\n"u8);
        if (format == AccessLogFormat.NginxJson) return json.TryParse(text, ref line);

        used = 0;
        var space = text.IndexOf((byte)' ');
        if (space <= 0) return "no client address";
        line.Address = NoneIfDash(text[..space]);
        var rest = text[space..];

        if (!TrySkipToTime(ref rest, out line.Time)) return "no time in [square brackets]";
        if (!TryQuoted(ref rest, AfterRequest, out var request)) return "no request in quotes";
        SplitRequest(request, out line.Method, out line.Target);
        if (!TryStatusAndBytes(ref rest, out line.Status)) return "no status and size after the request";
        if (format == AccessLogFormat.Common) return null;

        if (!TryQuoted(ref rest, AfterReferrer, out var referrer)) return "no referrer in quotes (is it the common format?)";
        line.Referrer = NoneIfDash(referrer);
        if (!TryQuoted(ref rest, AfterUserAgent, out var userAgent)) return "no user agent in quotes";
        line.UserAgent = NoneIfDash(userAgent);
        return null;
    }

    /// <summary>The method and target of a request line; both empty where it is not one.</summary>
    internal static void SplitRequest(ReadOnlySpan<byte> request, out ReadOnlySpan<byte> method, out ReadOnlySpan<byte> target)
    {
        method = target = default;
        var space = request.IndexOf((byte)' ');
        if (space <= 0 || request[..space].ContainsAnyExceptInRange((byte)'A', (byte)'Z')) return;
        var rest = request[(space + 1)..];
        // A client that does not encode spaces puts them into the target: the protocol is what follows the last one.
        var last = rest.LastIndexOf((byte)' ');
        if (last >= 0 && rest[(last + 1)..].StartsWith("HTTP/"u8)) rest = rest[..last];
        if (rest.IsEmpty) return;
        method = request[..space];
        target = rest;
    }

    internal static ReadOnlySpan<byte> NoneIfDash(ReadOnlySpan<byte> field) => field is [(byte)'-'] ? default : field;

    // The two fields between address and time are the identity and the user; a user name may hold spaces and brackets.
    private static bool TrySkipToTime(scoped ref ReadOnlySpan<byte> rest, out DateTimeOffset time)
    {
        time = default;
        while (rest.IndexOf((byte)'[') is >= 0 and var bracket)
        {
            rest = rest[(bracket + 1)..];
            if (!LogTime.TryParse(rest, out time) || rest.Length <= LogTime.Length || rest[LogTime.Length] != ']') continue;
            rest = rest[(LogTime.Length + 1)..];
            return true;
        }
        return false;
    }

    private delegate bool Follows(ReadOnlySpan<byte> rest);

    private static readonly Follows AfterRequest = static rest =>
        rest is [(byte)' ', >= (byte)'1' and <= (byte)'9', >= (byte)'0' and <= (byte)'9', >= (byte)'0' and <= (byte)'9', (byte)' ', ..];
    private static readonly Follows AfterReferrer = static rest => rest is [(byte)' ', (byte)'"', ..];
    private static readonly Follows AfterUserAgent = static rest => rest is [] or [(byte)' ', ..];

    // Old servers do not escape quotes within a field: a quote ends it only where the next field can begin.
    private bool TryQuoted(scoped ref ReadOnlySpan<byte> rest, Follows follows, out ReadOnlySpan<byte> text)
    {
        text = default;
        if (rest is not [(byte)' ', (byte)'"', ..]) return false;
        var field = rest[2..];
        var escaped = false;
        for (var i = 0; i < field.Length; i++)
        {
            var next = field[i..].IndexOfAny(QuoteOrEscape);
            if (next < 0) return false;
            i += next;
            if (field[i] == '\\')
            {
                escaped = true;
                i++;
            }
            else if (follows(field[(i + 1)..]))
            {
                text = escaped ? Unescape(field[..i]) : field[..i];
                rest = field[(i + 1)..];
                return true;
            }
        }
        return false;
    }

    private static bool TryStatusAndBytes(scoped ref ReadOnlySpan<byte> rest, out int status)
    {
        // AfterRequest has seen " ddd ".
        status = (rest[1] - '0') * 100 + (rest[2] - '0') * 10 + (rest[3] - '0');
        rest = rest[5..];
        var end = rest.IndexOf((byte)' ');
        var bytes = end < 0 ? rest : rest[..end];
        if (bytes.IsEmpty || (bytes is not [(byte)'-'] && bytes.ContainsAnyExceptInRange((byte)'0', (byte)'9'))) return false;
        rest = rest[bytes.Length..];
        return true;
    }

    private ReadOnlySpan<byte> Unescape(ReadOnlySpan<byte> field)
    {
        var start = used;
        for (var i = 0; i < field.Length; i++)
        {
            var b = field[i];
            if (b == '\\' && i + 1 < field.Length)
            {
                b = field[++i];
                switch (b)
                {
                    case (byte)'n': b = (byte)'\n'; break;
                    case (byte)'r': b = (byte)'\r'; break;
                    case (byte)'t': b = (byte)'\t'; break;
                    case (byte)'v': b = (byte)'\v'; break;
                    case (byte)'b': b = (byte)'\b'; break;
                    case (byte)'f': b = (byte)'\f'; break;
                    case (byte)'x' when i + 2 < field.Length && char.IsAsciiHexDigit((char)field[i + 1]) && char.IsAsciiHexDigit((char)field[i + 2]):
                        b = (byte)(Hex(field[i + 1]) << 4 | Hex(field[i + 2]));
                        i += 2;
                        break;
                    default: break;   // a quote, a backslash, or an escape nobody writes: the character itself
                }
            }
            scratch[used++] = b;
        }
        return scratch.AsSpan(start, used - start);
    }

    private static int Hex(byte digit) => digit <= '9' ? digit - '0' : (digit | 0x20) - 'a' + 10;
}
