using System.Buffers.Text;
using System.Text.Json;

namespace Footfall.Cli.Import;

/// <summary>Reads lines of an nginx <c>log_format ... escape=json</c>: one object a line, keys named as nginx names its variables.</summary>
internal sealed class AccessLogJson
{
    private readonly byte[] scratch = new byte[AccessLogParser.LongestLine];
    private int used;

    public string? TryParse(ReadOnlySpan<byte> text, ref AccessLogLine line)
    {
        used = 0;
        try
        {
            return Read(text, ref line);
        }
        catch (JsonException)
        {
            return "not a JSON object (nginx needs escape=json)";
        }
        catch (InvalidOperationException)   // a lone surrogate or broken UTF-8 in an escaped string
        {
            return "a string that is not Unicode";
        }
    }

    private string? Read(ReadOnlySpan<byte> text, ref AccessLogLine line)
    {
        var reader = new Utf8JsonReader(text);
        if (!reader.Read() || reader.TokenType != JsonTokenType.StartObject) return "not a JSON object";
        ReadOnlySpan<byte> request = default, method = default, target = default, uri = default, query = default;
        var timed = false;
        while (reader.Read() && reader.TokenType == JsonTokenType.PropertyName)
        {
            if (reader.ValueTextEquals("time_iso8601"u8))
            {
                timed = TryIsoTime(ref reader, ref line.Time) || timed;
            }
            else if (reader.ValueTextEquals("time_local"u8))
            {
                timed = timed || LogTime.TryParse(Value(ref reader), out line.Time);
            }
            else if (reader.ValueTextEquals("remote_addr"u8))
            {
                line.Address = AccessLogParser.NoneIfDash(Value(ref reader));
            }
            else if (reader.ValueTextEquals("request"u8))
            {
                request = Value(ref reader);
            }
            else if (reader.ValueTextEquals("request_method"u8))
            {
                method = Value(ref reader);
            }
            else if (reader.ValueTextEquals("request_uri"u8))
            {
                target = Value(ref reader);
            }
            else if (reader.ValueTextEquals("uri"u8))
            {
                uri = Value(ref reader);
            }
            else if (reader.ValueTextEquals("args"u8) || reader.ValueTextEquals("query_string"u8))
            {
                query = AccessLogParser.NoneIfDash(Value(ref reader));
            }
            else if (reader.ValueTextEquals("status"u8))
            {
                if (!Utf8Parser.TryParse(Value(ref reader), out line.Status, out var digits) || digits != 3) return "no three-digit status";
            }
            else if (reader.ValueTextEquals("http_referer"u8))
            {
                line.Referrer = AccessLogParser.NoneIfDash(Value(ref reader));
            }
            else if (reader.ValueTextEquals("http_user_agent"u8))
            {
                line.UserAgent = AccessLogParser.NoneIfDash(Value(ref reader));
            }
            else
            {
                reader.Read();
                reader.Skip();
            }
        }
        if (reader.Read()) return "more than one JSON value";   // also lets the reader see that the object was closed
        if (!timed) return "no time_iso8601 or time_local";
        if (line.Status == 0) return "no three-digit status";
        if (!request.IsEmpty) AccessLogParser.SplitRequest(request, out line.Method, out line.Target);
        if (!line.Method.IsEmpty || method.IsEmpty) return null;
        line.Method = method;
        line.Target = !target.IsEmpty ? target : WithQuery(uri, query);
        return null;
    }

    private static bool TryIsoTime(scoped ref Utf8JsonReader reader, ref DateTimeOffset time)
    {
        reader.Read();
        // Without a zone it would be read in this machine's one.
        if (reader.TokenType != JsonTokenType.String || !HasZone(reader.ValueSpan) || !reader.TryGetDateTimeOffset(out var read)) return false;
        time = read.ToUniversalTime();
        return true;
    }

    private static bool HasZone(ReadOnlySpan<byte> iso) => iso is [.., (byte)'Z'] || iso is [.., (byte)'+' or (byte)'-', _, _, (byte)':', _, _];

    // nginx writes numbers bare or in quotes, as the log_format has it; anything else is no value.
    private ReadOnlySpan<byte> Value(scoped ref Utf8JsonReader reader)
    {
        reader.Read();
        if (reader.TokenType == JsonTokenType.Number) return Keep(reader.ValueSpan);
        if (reader.TokenType != JsonTokenType.String)
        {
            reader.Skip();
            return default;
        }
        if (!reader.ValueIsEscaped) return Keep(reader.ValueSpan);
        var length = reader.CopyString(scratch.AsSpan(used));
        used += length;
        return scratch.AsSpan(used - length, length);
    }

    private Span<byte> Keep(ReadOnlySpan<byte> value)
    {
        value.CopyTo(scratch.AsSpan(used));
        used += value.Length;
        return scratch.AsSpan(used - value.Length, value.Length);
    }

    private ReadOnlySpan<byte> WithQuery(ReadOnlySpan<byte> uri, ReadOnlySpan<byte> query)
    {
        if (query.IsEmpty || used + uri.Length + 1 + query.Length > scratch.Length) return uri;
        var start = used;
        Keep(uri);
        Keep("?"u8);
        Keep(query);
        return scratch.AsSpan(start, used - start);
    }
}
