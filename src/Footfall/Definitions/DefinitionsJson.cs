using System.Text.Json.Serialization;

namespace Footfall.Definitions;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ExperimentVariant>))]
[JsonSerializable(typeof(IReadOnlyList<FunnelStep>))]
internal sealed partial class DefinitionsJson : JsonSerializerContext;
