using System.Text.Json;
using System.Text.Json.Nodes;
using System.Text.Json.Serialization;
using Footfall.Access;
using Footfall.Hosting;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Footfall.Metrics;

/// <summary>The OpenAPI document, made from the endpoints themselves: their types, what access they ask for, and their <see cref="ApiNotes"/>.</summary>
public static class ApiDocument
{
    internal const string Name = "v1";
    private const string Json = "application/json";
    private static readonly (string Id, string Header)[] Keys = [("adminKey", AdminKey.Header), ("dashboardToken", DashboardKey.Header)];

    public static IServiceCollection AddApiDocument(this IServiceCollection services)
    {
        // Numbers are numbers, in answers as in the document: without this each is described as "a number or a text".
        services.ConfigureHttpJsonOptions(o => o.SerializerOptions.NumberHandling = JsonNumberHandling.Strict);
        return services.AddOpenApi(Name, options =>
        {
            options.ShouldInclude = description => description.RelativePath is { } path && (path.StartsWith("v1/", StringComparison.Ordinal) || path.StartsWith("api/", StringComparison.Ordinal));
            options.AddOperationTransformer(DescribeAsync);
            options.AddDocumentTransformer(CompleteAsync);
        });
    }

    /// <summary>GET /openapi/v1.json.</summary>
    public static IEndpointRouteBuilder MapApiDocument(this IEndpointRouteBuilder routes)
    {
        routes.MapOpenApi();
        return routes;
    }

    private static async Task DescribeAsync(OpenApiOperation operation, OpenApiOperationTransformerContext context, CancellationToken cancellationToken)
    {
        var metadata = context.Description.ActionDescriptor.EndpointMetadata;
        var notes = metadata.OfType<ApiNotes>().LastOrDefault();
        if (notes is not null)
        {
            (operation.Summary, operation.Description) = (notes.Summary, notes.Description);
            operation.Parameters = [.. (operation.Parameters ?? []).Where(p => p.In == ParameterLocation.Path), .. notes.Parameters.Select(Parameter)];
        }
        foreach (var (status, response) in operation.Responses!)
        {
            if (response.Content is null || !response.Content.TryGetValue(Json, out var content)) continue;
            if (status is not ("200" or "201")) continue;
            if (notes?.Example is not null) content.Example = JsonNode.Parse(notes.Example);
            if (notes?.Csv is not null) response.Content["text/csv"] = new OpenApiMediaType { Schema = new OpenApiSchema { Type = JsonSchemaType.String, Description = notes.Csv } };
        }
        if (notes?.Request is { } request)
        {
            context.Document!.AddComponent<IOpenApiSchema>(request.Type.Name, await context.GetOrCreateSchemaAsync(request.Type, null, cancellationToken));
            OpenApiMediaType content = new() { Schema = new OpenApiSchemaReference(request.Type.Name, context.Document), Example = JsonNode.Parse(request.Example) };
            operation.RequestBody = new OpenApiRequestBody { Required = true, Content = new Dictionary<string, OpenApiMediaType> { [Json] = content } };
        }
        List<ApiError> errors = [.. notes?.Errors ?? []];
        if (notes is { Parameters.Length: > 0 } && errors.TrueForAll(e => e.Status != 400)) errors.Add(new ApiError(400, "invalid_parameter", "A parameter cannot be what it is; `parameter` names it."));
        if (metadata.OfType<AccessRequirement>().LastOrDefault() is { } access)
        {
            operation.Security =
            [
                .. Keys.Select(k => k.Id).Append("bearer").Select(id => new OpenApiSecurityRequirement { [new OpenApiSecuritySchemeReference(id, context.Document)] = [] }),
            ];
            errors.AddRange(Of(access));
        }
        context.Document!.AddComponent<IOpenApiSchema>(nameof(ErrorBody), await context.GetOrCreateSchemaAsync(typeof(ErrorBody), null, cancellationToken));
        var body = new OpenApiSchemaReference(nameof(ErrorBody), context.Document);
        operation.Tags?.Clear();   // the name of a class, which is nobody's business
        foreach (var group in errors.GroupBy(e => e.Status).OrderBy(g => g.Key)) operation.Responses[group.Key.ToString()] = Response(group, body);
    }

    private static IEnumerable<ApiError> Of(AccessRequirement access)
    {
        yield return new ApiError(401, "unauthorized", "No key, or a wrong one.");
        yield return new ApiError(403, "role_required", $"The key is not of role {access.Role.Text()}.");
        yield return new ApiError(403, "property_not_allowed", "The key is for another property.");
        if (access.Plan == AccessPlan.Pro) yield return new ApiError(403, "plan_required", "The token is not of plan pro.");
        yield return new ApiError(429, "too_many_attempts", "Too many wrong keys came from this address; see Retry-After.");
        yield return new ApiError(503, AccessRefusal.NotConfigured(access.Role).Error, "No key that could be right is set up.");
    }

    private static Task CompleteAsync(OpenApiDocument document, OpenApiDocumentTransformerContext context, CancellationToken cancellationToken)
    {
        document.Info = new OpenApiInfo
        {
            Title = "Footfall",
            Version = Name,
            Description = "Self-hosted, first-party analytics. Every refusal has `ok: false`, an `error` of a closed set, and a `message` that says what to do. What the figures mean: /docs/definitions.md.",
        };
        document.Servers = [];   // the address that the document came from
        document.Tags = null;
        document.Components ??= new OpenApiComponents();
        document.Components.SecuritySchemes = new Dictionary<string, IOpenApiSecurityScheme>();
        foreach (var (id, header) in Keys) document.Components.SecuritySchemes[id] = new OpenApiSecurityScheme { Type = SecuritySchemeType.ApiKey, In = ParameterLocation.Header, Name = header, Description = "The admin key, DASHBOARD_TOKEN, or a token made with `footfall token create`." };
        document.Components.SecuritySchemes["bearer"] = new OpenApiSecurityScheme { Type = SecuritySchemeType.Http, Scheme = "bearer", Description = "The same keys." };
        EventsOperation.AddTo(document);
        return Task.CompletedTask;
    }

    private static OpenApiParameter Parameter(ApiParameter p) => new()
    {
        Name = p.Name,
        In = ParameterLocation.Query,
        Required = p.IsRequired,
        Description = p.Description,
        Example = p.Example is null ? null : p.Type == "string" ? JsonValue.Create(p.Example) : JsonNode.Parse(p.Example),
        Schema = new OpenApiSchema
        {
            Type = p.Type switch
            {
                "string" => JsonSchemaType.String,
                "integer" => JsonSchemaType.Integer,
                "boolean" => JsonSchemaType.Boolean,
                _ => throw new ArgumentException($"{p.Name} is of the unknown type {p.Type}.", nameof(p)),
            },
            Enum = p.Values?.Select(v => (JsonNode)JsonValue.Create(v)).ToList(),
        },
    };

    internal static OpenApiResponse Response(IEnumerable<ApiError> errors, IOpenApiSchema? body)
    {
        var list = errors.DistinctBy(e => e.Code).ToList();
        return new OpenApiResponse
        {
            Description = string.Join(' ', list.Select(e => $"`{e.Code}`: {e.Meaning}")),
            Content = new Dictionary<string, OpenApiMediaType>
            {
                [Json] = new()
                {
                    Schema = body,
                    Example = JsonSerializer.SerializeToNode(new { ok = false, error = list[0].Code, message = list[0].Meaning }),
                },
            },
        };
    }
}
