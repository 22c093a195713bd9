using System.Text;
using System.Text.Json;
using System.Text.Json.Nodes;
using Footfall.Metrics;
using Microsoft.AspNetCore.OpenApi;
using Microsoft.OpenApi;

namespace Footfall.Dashboard;

/// <summary>The page at /openapi: the OpenAPI document for people.</summary>
internal sealed class ApiPage(IServiceProvider services)
{
    private static readonly JsonSerializerOptions Indented = new() { WriteIndented = true, Encoder = System.Text.Encodings.Web.JavaScriptEncoder.UnsafeRelaxedJsonEscaping };

    public async Task WriteAsync(HttpContext context)
    {
        var document = await services.GetRequiredKeyedService<IOpenApiDocumentProvider>(ApiDocument.Name).GetOpenApiDocumentAsync(context.RequestAborted);
        context.Response.ContentType = "text/html; charset=utf-8";
        await context.Response.WriteAsync(Render(document), context.RequestAborted);
    }

    internal static string Render(OpenApiDocument document)
    {
        var page = new StringBuilder();
        page.Append($"""
            <section class="panel"><h1>API</h1><p>{Prose(document.Info.Description)}</p>
            <p>For programs: <a href="/openapi/v1.json">/openapi/v1.json</a> (OpenAPI). By hand: <a href="/docs/api.md">API</a>.</p><ul class="docs">
            """);
        foreach (var (id, method, path, operation) in Operations(document)) page.Append($"<li><a href=\"#{id}\">{method} {Page.Text(path)}</a> <span class=\"muted\">{Page.Text(operation.Summary ?? "")}</span></li>");
        page.AppendLine("</ul></section>");
        foreach (var (id, method, path, operation) in Operations(document))
        {
            page.Append($"""<section class="panel" id="{id}"><h2>{method} {Page.Text(path)}</h2><p>{Prose(operation.Description)}</p>""");
            if (operation.Security is { Count: > 0 }) page.Append("<p class=\"muted\">Needs a key: x-admin-key, x-dashboard-token, or Authorization: Bearer.</p>");
            if (operation.Parameters is { Count: > 0 } parameters)
            {
                page.Append("<table><thead><tr><th scope=\"col\">Parameter</th><th scope=\"col\">What it is</th></tr></thead><tbody>");
                foreach (var p in parameters) page.Append($"<tr><th scope=\"row\"><code>{Page.Text(p.Name ?? "")}</code>{(p.Required ? " <strong>required</strong>" : "")}</th><td>{Prose(p.Description)}{Choice(p)}</td></tr>");
                page.Append("</tbody></table>");
            }
            if (Example(operation.RequestBody?.Content) is { } request) page.Append($"<h3>Body</h3>{Code(request)}");
            foreach (var (status, response) in operation.Responses ?? [])
            {
                page.Append($"<h3>{status}</h3><p>{Prose(response.Description)}</p>");
                if (status.StartsWith('2') && Example(response.Content) is { } answer) page.Append(Code(answer));
            }
            page.AppendLine("</section>");
        }
        return Page.Whole("API", page.ToString());
    }

    private static IEnumerable<(string Id, string Method, string Path, OpenApiOperation Operation)> Operations(OpenApiDocument document) =>
        from path in document.Paths
        from operation in path.Value.Operations ?? []
        select ($"{operation.Key.Method.ToLowerInvariant()}-{path.Key.Trim('/').Replace('/', '-').Replace("{", "").Replace("}", "")}", operation.Key.Method, path.Key, operation.Value);

    private static JsonNode? Example(IDictionary<string, OpenApiMediaType>? content) => content is not null && content.TryGetValue("application/json", out var type) ? type.Example : null;

    private static string Code(JsonNode example) => $"<pre tabindex=\"0\"><code>{Page.Text(example.ToJsonString(Indented))}</code></pre>";

    private static string Choice(IOpenApiParameter parameter) =>
        parameter.Schema?.Enum is { Count: > 0 } values ? $" One of {string.Join(", ", values.Select(v => $"<code>{Page.Text(v!.ToString())}</code>"))}." : "";

    /// <summary>Text in which only `code` is marked up.</summary>
    private static string Prose(string? text) =>
        string.Concat((text ?? "").Split('`').Select((part, i) => i % 2 == 1 ? $"<code>{Page.Text(part)}</code>" : Page.Text(part)));
}
