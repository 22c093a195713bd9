using System.Buffers;
using System.Text.Encodings.Web;
using System.Text.Json;

namespace Footfall.Capture;

/// <summary>Puts the client's props and the server's own values together into the JSON object that is stored.</summary>
internal static class PropsWriter
{
    [ThreadStatic]
    private static ArrayBufferWriter<byte>? buffer;

    [ThreadStatic]
    private static Utf8JsonWriter? writer;

    /// <summary>UTF-8; null when there is nothing to store.</summary>
    public static byte[]? Write(EventRequest request)
    {
        buffer ??= new ArrayBufferWriter<byte>(1024);
        buffer.ResetWrittenCount();
        writer ??= new Utf8JsonWriter(buffer, new JsonWriterOptions { Encoder = JavaScriptEncoder.UnsafeRelaxedJsonEscaping, SkipValidation = true });
        writer.Reset(buffer);

        writer.WriteStartObject();
        Number(PropNames.FcpMs, request.FcpMs);
        Number(PropNames.LcpMs, request.LcpMs);
        Number(PropNames.InpMs, request.InpMs);
        Number(PropNames.TtfbMs, request.TtfbMs);
        if (request.ClsScore is { } score) writer.WriteNumber(PropNames.ClsScore, score);
        Number(PropNames.EngagedTimeMs, request.EngagedTimeMs);
        Number(PropNames.ScrollDepthPercent, request.ScrollDepthPercent);
        if (request.Title is { } title)
        {
            writer.WriteString(PropNames.Title, title);
        }
        else if (request.Props?.Title is { } clientTitle)
        {
            writer.WritePropertyName(PropNames.Title);
            writer.WriteRawValue(clientTitle, skipInputValidation: true);
        }
        writer.Flush();     // the brace stays open: the client's members are JSON already
        if (request.Props is { Members.Length: > 0 } props)
        {
            if (buffer.WrittenCount > 1) buffer.Write(","u8);
            buffer.Write(props.Members);
        }
        if (buffer.WrittenCount == 1) return null;
        buffer.Write("}"u8);
        return buffer.WrittenSpan.ToArray();
    }

    private static void Number(string name, int? value)
    {
        if (value is { } number) writer!.WriteNumber(name, number);
    }
}
