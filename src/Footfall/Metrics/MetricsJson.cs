using System.Text.Json.Serialization;

namespace Footfall.Metrics;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase)]
[JsonSerializable(typeof(Summary))]
[JsonSerializable(typeof(PublicSummary))]
[JsonSerializable(typeof(ErrorBody))]
[JsonSerializable(typeof(Dictionary<string, long>))]
[JsonSerializable(typeof(HealthBody))]
internal sealed partial class MetricsJson : JsonSerializerContext;
