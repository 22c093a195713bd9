using System.Text.Json;

namespace Footfall.Leads;

/// <summary>What a confirming or unsubscribing request says.</summary>
internal sealed record LinkFields(string? Token, string? Email);

/// <summary>Reads such a request: JSON, or the form of a page or of a mail program's one click.</summary>
internal static class LinkBodies
{
    /// <summary>Whether it is a form says whether a person looks at the answer.</summary>
    public static async Task<(LinkFields? Fields, bool IsForm, LeadRejection? Refusal)> ReadAsync(HttpContext context, int maxBytes)
    {
        // One click may come with the token in the address and no body that says more.
        if (context.Request.ContentLength is 0 || context.Request is { ContentLength: null, ContentType: null }) return (new LinkFields(null, null), false, null);
        var (body, rejection) = await LeadBodies.ReadAsync(context.Request, maxBytes, context.RequestAborted);
        if (body is null) return (null, false, rejection);
        if (body.Form is { } form)
        {
            var isPage = !context.Request.Headers.Accept.ToString().Contains("application/json", StringComparison.OrdinalIgnoreCase);
            return (new LinkFields(Last("token"), Last("email")), isPage, null);

            string? Last(string name) => form.TryGetValue(name, out var values) && values.Count > 0 && !string.IsNullOrEmpty(values[^1]) ? values[^1] : null;
        }
        try
        {
            using var json = JsonDocument.Parse(body.Json);
            if (json.RootElement.ValueKind == JsonValueKind.Object) return (new LinkFields(Text(json.RootElement, "token"), Text(json.RootElement, "email")), false, null);
        }
        catch (Exception e) when (e is JsonException or InvalidOperationException)
        {
            // a text with half a character in it is as unreadable
        }
        return (null, false, new LeadRejection(StatusCodes.Status400BadRequest, "invalid_json", "The body must be a JSON object such as {\"token\": \"...\"} or {\"email\": \"...\"}."));
    }

    private static string? Text(JsonElement body, string name) =>
        body.TryGetProperty(name, out var value) && value.ValueKind == JsonValueKind.String && value.GetString() is { Length: > 0 } text ? text : null;
}
