using System.Text.Json;
using Microsoft.Extensions.Primitives;

namespace Footfall.Explore;

/// <summary>A question that is sent as a JSON object, as the parameters that the same question has in a query string: one reader then checks both.</summary>
internal static class BodyParameters
{
    /// <summary>Of a body.</summary>
    public const int MaxBytes = 64 * 1024;

    private const int MaxDepth = 8;

    /// <summary>A list of texts becomes one text with commas between; other arrays and objects stay JSON. Null members are as good as left out. What is wrong with the body as a whole comes as a sentence.</summary>
    public static (IQueryCollection? Values, string? Problem) Of(ReadOnlyMemory<byte> json)
    {
        JsonDocument document;
        try
        {
            document = JsonDocument.Parse(json, new JsonDocumentOptions { MaxDepth = MaxDepth });
        }
        catch (JsonException e)
        {
            return (null, $"The body is no JSON, or is nested too deeply (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}).");
        }
        using (document)
        {
            if (document.RootElement.ValueKind != JsonValueKind.Object) return (null, "The body must be a JSON object.");
            Dictionary<string, StringValues> values = new(StringComparer.Ordinal);
            try
            {
                foreach (var member in document.RootElement.EnumerateObject())
                {
                    if (member.Value.ValueKind == JsonValueKind.Null) continue;
                    values[member.Name] = values.TryGetValue(member.Name, out var before) ? StringValues.Concat(before, Text(member.Value)) : Text(member.Value);
                }
            }
            catch (InvalidOperationException)
            {
                // GetString on an escaped half of a surrogate pair.
                return (null, "The body has text that is no Unicode.");
            }
            return (new QueryCollection(values), null);
        }
    }

    private static string Text(JsonElement value) => value.ValueKind switch
    {
        JsonValueKind.String => value.GetString()!,
        JsonValueKind.Array when value.EnumerateArray().All(e => e.ValueKind == JsonValueKind.String) && value.GetArrayLength() > 0 => string.Join(',', value.EnumerateArray().Select(e => e.GetString())),
        _ => value.GetRawText(),
    };
}
