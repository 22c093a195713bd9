using Microsoft.Net.Http.Headers;

namespace Footfall.Capture;

/// <summary>What a body may be: JSON under its own name, or as text/plain, which a page may send elsewhere without asking first.</summary>
internal static class MediaTypes
{
    public static bool AreReadable(HttpRequest request)
    {
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return false;
        var type = request.ContentType;
        // What browsers send, letter for letter.
        if (type is "application/json" or "text/plain;charset=UTF-8") return true;
        if (!MediaTypeHeaderValue.TryParse(type, out var parsed)) return false;
        if (!parsed.MediaType.Equals("application/json", StringComparison.OrdinalIgnoreCase) && !parsed.MediaType.Equals("text/plain", StringComparison.OrdinalIgnoreCase)) return false;
        var charset = parsed.Charset.ToString().Trim('"');
        return charset.Length == 0 || charset.Equals("utf-8", StringComparison.OrdinalIgnoreCase) || charset.Equals("utf8", StringComparison.OrdinalIgnoreCase);
    }
}
