using System.Text.Json.Serialization;

namespace Footfall.Metrics;

/// <summary>The body of every refusal: a code of a closed set, and what to do about it.</summary>
/// <param name="Error">See docs/api.md.</param>
/// <param name="Parameter">The query parameter at fault, where there is one.</param>
internal sealed record ErrorBody(string Error, string Message, string? Parameter = null)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => false;
}
