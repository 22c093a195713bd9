using System.Buffers.Text;
using System.Text.Json;

namespace Footfall.Capture;

/// <summary>What POST /v1/events answers, byte for byte.</summary>
internal static class CaptureAnswers
{
    public const string DroppedHeader = "x-footfall-dropped";

    /// <summary>Of the keys asked for, those that have arrived.</summary>
    public const string ArrivedHeader = "x-footfall-arrived";

    private const string Json = "application/json; charset=utf-8";

    public static void AllowOrigin(HttpResponse response, string? origin)
    {
        response.Headers.AccessControlAllowOrigin = origin ?? "*";
        response.Headers.AccessControlExposeHeaders = $"{DroppedHeader}, {ArrivedHeader}, Retry-After";
        if (origin is not null) response.Headers.Vary = "Origin";
    }

    public static Task PreflightAsync(HttpResponse response)
    {
        response.StatusCode = StatusCodes.Status204NoContent;
        response.Headers.Allow = "POST, OPTIONS";
        response.Headers.AccessControlAllowMethods = "POST";
        response.Headers.AccessControlAllowHeaders = "content-type";
        response.Headers.AccessControlMaxAge = "86400";
        return Task.CompletedTask;
    }

    /// <summary>202. <paramref name="dropped"/> has one bit per <see cref="DropReason"/>.</summary>
    public static Task TakenAsync(HttpResponse response, int accepted, int dropped, List<CaptureIssue> issues)
    {
        response.StatusCode = StatusCodes.Status202Accepted;
        if (dropped != 0) response.Headers[DroppedHeader] = string.Join(", ", Enum.GetValues<DropReason>().Where(r => (dropped & (1 << (int)r)) != 0).Select(r => r.Text()));
        if (issues.Count > 0)
        {
            return WriteAsync(response, w =>
            {
                w.WriteBoolean("ok", true);
                w.WriteNumber("accepted", accepted);
                WriteIssues(w, issues);
            });
        }
        response.ContentType = Json;
        var start = "{\"ok\":true,\"accepted\":"u8;
        var body = response.BodyWriter.GetSpan(64);
        start.CopyTo(body);
        Utf8Formatter.TryFormat(accepted, body[start.Length..], out var digits);
        body[start.Length + digits] = (byte)'}';
        response.ContentLength = start.Length + digits + 1;
        response.BodyWriter.Advance(start.Length + digits + 1);
        return response.BodyWriter.FlushAsync().AsTask();
    }

    /// <summary>400, with what is wrong where.</summary>
    public static Task InvalidAsync(HttpResponse response, string error, EventBatch batch)
    {
        response.StatusCode = StatusCodes.Status400BadRequest;
        return WriteAsync(response, w =>
        {
            w.WriteBoolean("ok", false);
            w.WriteString("error", error);
            if (batch.Message is { } message) w.WriteString("message", message);
            if (batch.Issues.Count > 0) WriteIssues(w, batch.Issues);
        });
    }

    public static Task ErrorAsync(HttpResponse response, int status, string error, string message)
    {
        response.StatusCode = status;
        return WriteAsync(response, w =>
        {
            w.WriteBoolean("ok", false);
            w.WriteString("error", error);
            w.WriteString("message", message);
        });
    }

    private static void WriteIssues(Utf8JsonWriter w, List<CaptureIssue> issues)
    {
        w.WriteStartArray("issues");
        foreach (var issue in issues)
        {
            w.WriteStartObject();
            w.WriteNumber("index", issue.Index);
            w.WriteString("field", issue.Field);
            w.WriteString("code", issue.Code);
            w.WriteString("message", issue.Message);
            w.WriteEndObject();
        }
        w.WriteEndArray();
    }

    private static async Task WriteAsync(HttpResponse response, Action<Utf8JsonWriter> members)
    {
        response.ContentType = Json;
        await using (var writer = new Utf8JsonWriter(response.BodyWriter))
        {
            writer.WriteStartObject();
            members(writer);
            writer.WriteEndObject();
        }
        await response.BodyWriter.FlushAsync();
    }
}
