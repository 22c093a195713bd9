using System.Text.Json.Serialization;

namespace Footfall.Definitions;

[JsonSourceGenerationOptions(PropertyNamingPolicy = JsonKnownNamingPolicy.CamelCase, DefaultIgnoreCondition = JsonIgnoreCondition.WhenWritingNull)]
[JsonSerializable(typeof(IReadOnlyList<ExperimentVariant>))]
[JsonSerializable(typeof(IReadOnlyList<FunnelStep>))]
[JsonSerializable(typeof(DefinitionError))]
[JsonSerializable(typeof(ExperimentBody))]
[JsonSerializable(typeof(ExperimentReply))]
[JsonSerializable(typeof(ExperimentList))]
[JsonSerializable(typeof(VariantReply))]
[JsonSerializable(typeof(FunnelBody))]
[JsonSerializable(typeof(FunnelReply))]
[JsonSerializable(typeof(FunnelList))]
[JsonSerializable(typeof(Done))]
[JsonSerializable(typeof(AccountBody))]
[JsonSerializable(typeof(AccountReply))]
internal sealed partial class DefinitionsJson : JsonSerializerContext;
