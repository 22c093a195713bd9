using System.Text.Json.Nodes;
using Footfall.Capture;
using Footfall.Hosting;
using Microsoft.OpenApi;

namespace Footfall.Metrics;

/// <summary>POST /v1/events in the document: it reads its body by hand, so that its description is written by hand too. A test holds its fields against the reader's table.</summary>
internal static class EventsOperation
{
    public const string Path = CaptureEndpoints.Path;
    private const int DayMs = 86_400_000;

    private static readonly ApiError[] Errors =
    [
        new(400, ErrorCodes.ValidationFailed, "No event is valid; `issues` names index, field and code."),
        new(400, ErrorCodes.InvalidJson, "The body is no JSON in UTF-8."),
        new(400, ErrorCodes.EmptyBatch, "The array is empty."),
        new(400, ErrorCodes.BatchTooLarge, $"More than {EventReader.MaxEvents} events."),
        new(401, "unauthorized", "A token was sent, and is none."),
        new(403, "role_required", "The token that was sent is for something else."),
        new(403, "property_not_allowed", "The token that was sent is for another property."),
        new(403, ErrorCodes.OriginNotAllowed, "Pages of this origin may not send."),
        new(413, ErrorCodes.BodyTooLarge, "More than Capture:MaxBodyBytes."),
        new(415, ErrorCodes.UnsupportedMediaType, "Neither application/json nor text/plain, not UTF-8, or compressed."),
        new(429, ErrorCodes.RateLimited, "Too many requests from this address; see Retry-After."),
        new(429, "too_many_attempts", "Too many wrong tokens came from this address."),
        new(503, "ingest_auth_not_configured", "A token was sent, and nobody has made one."),
        new(503, "temporarily_unavailable", "A token was sent, and the database that knows tokens does not answer. See Retry-After."),
        new(503, ErrorCodes.Overloaded, "The journal is full; nothing was taken. See Retry-After."),
        new(503, ErrorCodes.JournalUnavailable, "The journal's disk refuses; nothing was taken. See Retry-After."),
    ];

    private const string Example = """
        {"eventType":"page_view","anonId":"9b2f7c1e-5d1a-4c8e","eventId":"e-0001","path":"/pricing?utm_source=newsletter&utm_medium=email",
         "referrer":"https://mail.example/","traffic":{"propertyId":"shop","engagedTimeMs":5200}}
        """;

    /// <summary>Adds it, and the schemas that it needs, to the document.</summary>
    public static void AddTo(OpenApiDocument document)
    {
        var schemas = (document.Components ??= new OpenApiComponents()).Schemas ??= new Dictionary<string, IOpenApiSchema>();
        schemas["Event"] = Event();
        schemas["EventsRefusal"] = Refusal();
        var item = new OpenApiSchemaReference("Event", document);
        var body = new OpenApiSchema { OneOf = [item, new OpenApiSchema { Type = JsonSchemaType.Array, Items = item, MinItems = 1, MaxItems = EventReader.MaxEvents }] };
        OpenApiMediaType content = new() { Schema = body, Example = JsonNode.Parse(Example) };
        var operation = new OpenApiOperation
        {
            OperationId = "events",
            Summary = "Send events",
            Description = $"One event or an array of up to {EventReader.MaxEvents}. Answered once they are on disk. A batch with bad members takes the good ones and names the others; do not send the good ones again. Unknown fields are ignored. A site's own server may send a token of role ingest in Authorization: Bearer.",
            Parameters =
            [
                Query("batch", "A key of this batch, 16 to 64 characters, by which may be asked whether it has arrived."),
                Query("arrived", "Keys of batches, 40 at most, with commas between; the header x-footfall-arrived names those that have arrived."),
            ],
            RequestBody = new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = content, ["text/plain"] = content } },
            Responses = new OpenApiResponses
            {
                ["202"] = new OpenApiResponse
                {
                    Description = "Taken. The header x-footfall-dropped tells why valid events were not kept: property_limit, opted_out, bot.",
                    Content = new Dictionary<string, OpenApiMediaType> { ["application/json"] = new() { Schema = Answer(), Example = JsonNode.Parse("""{"ok":true,"accepted":1}""") } },
                },
            },
        };
        foreach (var group in Errors.GroupBy(e => e.Status)) operation.Responses[group.Key.ToString()] = ApiDocument.Response(group, new OpenApiSchemaReference("EventsRefusal", document));
        document.Paths[Path] = new OpenApiPathItem { Operations = new Dictionary<HttpMethod, OpenApiOperation> { [HttpMethod.Post] = operation } };
    }

    /// <summary>The event's fields, with their limits.</summary>
    internal static OpenApiSchema Event()
    {
        var schema = Object(
            ("eventType", Text(1, 64, "page_view, form_start and form_submit have a meaning; all others are yours.")),
            ("anonId", Text(8, 128, "The id that the browser keeps; without it the visitor is cookieless.")),
            ("eventId", Text(1, 128, "Makes retries safe: the same id of the same visitor is counted once.")),
            ("path", Text(0, 2048, "With query; click ids are read and taken out.")),
            ("timestamp", new OpenApiSchema { Type = JsonSchemaType.String, Format = "date-time", Description = "When it happened; else when it arrives." }),
            ("referrer", Text(0, 8192, "Kept without its query.")),
            ("title", Text(0, 1024)),
            ("utm", Object(("source", Text(0, 256)), ("medium", Text(0, 256)), ("campaign", Text(0, 256)), ("term", Text(0, 256)), ("content", Text(0, 256)))),
            ("accountId", Text(1, 128, "A signed-in user of yours.")),
            ("accountSignature", Text(0, 256, "Proof of the accountId, where the property asks for one.")),
            ("account", Object(("username", Text(0, 256)), ("displayName", Text(0, 256)))),
            ("entityType", Text(1, 64)),
            ("entityId", Text(1, 256)),
            ("props", new OpenApiSchema { Type = JsonSchemaType.Object, MaxProperties = PropsReader.MaxKeys, Description = $"Yours: at most {PropsReader.MaxBytes} bytes." }),
            ("traffic", Object(
                ("propertyId", Text(1, 64, $"{PropertyId.Rule}. An unknown one is made.")),
                ("deviceType", new OpenApiSchema { Type = JsonSchemaType.String, Enum = [.. Enum.GetValues<DeviceType>().Select(d => (JsonNode)JsonValue.Create(Ingestion.Names.Of(d))!)], Description = "Used only where the user agent tells nothing." }),
                ("countryCode", Text(2, 2, "Checked and not used.")),
                ("isEntrance", Flag("Checked and not used.")),
                ("isExit", Flag("Checked and not used.")),
                ("isConversion", Flag()),
                ("engagedTimeMs", Whole(DayMs)),
                ("scrollDepthPercent", Whole(100)),
                ("webVitals", Object(("fcpMs", Whole(DayMs)), ("lcpMs", Whole(DayMs)), ("inpMs", Whole(DayMs)), ("ttfbMs", Whole(DayMs)), ("clsScore", new OpenApiSchema { Type = JsonSchemaType.Number, Minimum = "0", Maximum = "1000" }))))));
        schema.Required = new HashSet<string> { "eventType" };
        return schema;
    }

    private static OpenApiParameter Query(string name, string description) => new() { Name = name, In = ParameterLocation.Query, Description = description, Schema = new OpenApiSchema { Type = JsonSchemaType.String } };

    private static OpenApiSchema Answer() => Object(("ok", Flag()), ("accepted", Whole(EventReader.MaxEvents)), ("issues", Issues()));

    private static OpenApiSchema Refusal() => Object(("ok", Flag()), ("error", Text(1, 64)), ("message", Text(0, 1024)), ("issues", Issues()));

    private static OpenApiSchema Issues() => new()
    {
        Type = JsonSchemaType.Array,
        Items = Object(("index", Whole(EventReader.MaxEvents - 1)), ("field", Text(0, 256)), ("code", Text(1, 64)), ("message", Text(0, 1024))),
    };

    private static OpenApiSchema Object(params (string Name, OpenApiSchema Schema)[] members) =>
        new() { Type = JsonSchemaType.Object, Properties = members.ToDictionary(m => m.Name, m => (IOpenApiSchema)m.Schema) };

    private static OpenApiSchema Text(int least, int most, string? description = null) =>
        new() { Type = JsonSchemaType.String, MinLength = least == 0 ? null : least, MaxLength = most, Description = description };

    private static OpenApiSchema Whole(int most) => new() { Type = JsonSchemaType.Integer, Minimum = "0", Maximum = most.ToString() };

    private static OpenApiSchema Flag(string? description = null) => new() { Type = JsonSchemaType.Boolean, Description = description };
}
