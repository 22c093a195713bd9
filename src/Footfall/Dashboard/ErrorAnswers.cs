using System.Net.Mime;
using Npgsql;

namespace Footfall.Dashboard;

/// <summary>Gives refusals without a body one that helps: a page for browsers, the API's JSON for everyone else.</summary>
internal static class ErrorAnswers
{
    public static async Task Add(HttpContext context, RequestDelegate next)
    {
        var response = context.Response;
        var cannotBeStored = false;
        try
        {
            await next(context);
        }
        catch (PostgresException e) when (e.SqlState is PostgresErrorCodes.CharacterNotInRepertoire or PostgresErrorCodes.UntranslatableCharacter && !response.HasStarted)
        {
            // The one character that texts of JSON and of addresses may hold and PostgreSQL's may not. Every text of every request would have to be looked through for it.
            BeginAnew(context, StatusCodes.Status400BadRequest);
            cannotBeStored = true;
        }
        catch (BadHttpRequestException e) when (!response.HasStarted)
        {
            BeginAnew(context, e.StatusCode);
        }
        catch (Exception e) when (!response.HasStarted && !context.RequestAborted.IsCancellationRequested)
        {
            var log = context.RequestServices.GetRequiredService<ILoggerFactory>().CreateLogger(typeof(ErrorAnswers).Namespace!);
            log.RequestFailed(e, context.TraceIdentifier, (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText ?? "no route");
            BeginAnew(context, StatusCodes.Status500InternalServerError);
        }
        if (response.HasStarted || response.StatusCode < 400 || response.ContentLength > 0 || response.ContentType is not null) return;
        var (code, title, help) = cannotBeStored ? ("invalid_characters", "Not with this character", "A text of the request holds the character U+0000, which cannot be stored or looked for.") : Describe(response.StatusCode);
        if (WantsPage(context.Request))
        {
            response.ContentType = $"{MediaTypeNames.Text.Html}; charset=utf-8";
            await response.WriteAsync(Page.Whole(title, $"""
                <section class="panel"><h1>{Page.Text(title)}</h1><p>{Page.Text(help)}</p>{(response.StatusCode >= 500 ? $"<p class=\"muted\">Reference {Page.Text(context.TraceIdentifier)}</p>" : "")}<p><a href="/">Start page</a></p></section>
                """), context.RequestAborted);
            return;
        }
        await response.WriteAsJsonAsync(new ErrorAnswer(false, code, response.StatusCode >= 500 ? $"{help} Reference: {context.TraceIdentifier}." : help), DashboardJson.Default.ErrorAnswer, cancellationToken: context.RequestAborted);
    }

    private static void BeginAnew(HttpContext context, int status)
    {
        context.Response.Clear();
        SecurityHeaders.Set(context);
        context.Response.StatusCode = status;
    }

    public static bool IsApi(HttpRequest request) => request.Path.StartsWithSegments("/v1", StringComparison.OrdinalIgnoreCase);

    private static bool WantsPage(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) && !IsApi(request) && request.Headers.Accept.ToString().Contains(MediaTypeNames.Text.Html, StringComparison.OrdinalIgnoreCase);

    private static (string Code, string Title, string Help) Describe(int status) => status switch
    {
        StatusCodes.Status404NotFound => ("not_found", "Nothing is here", "This server has nothing at this address. /docs/api.md lists what it answers."),
        StatusCodes.Status405MethodNotAllowed => ("method_not_allowed", "Not with this method", "This address does not take this method; the Allow header names those that it does."),
        StatusCodes.Status413PayloadTooLarge => ("body_too_large", "Too large", "The body is larger than this server takes."),
        >= 500 => ("internal_error", "Something broke", "The request failed inside the server, whose log says why beside the reference. What was accepted before is safe, and other pages may well work. Try again; if it stays so, tell whoever runs this server."),
        _ => ("bad_request", "Not understood", "The request could not be understood. /docs/api.md shows what is expected."),
    };
}

/// <summary>The API's form of a refusal.</summary>
internal sealed record ErrorAnswer(bool Ok, string Error, string Message);

[System.Text.Json.Serialization.JsonSourceGenerationOptions(System.Text.Json.JsonSerializerDefaults.Web)]
[System.Text.Json.Serialization.JsonSerializable(typeof(ErrorAnswer))]
internal sealed partial class DashboardJson : System.Text.Json.Serialization.JsonSerializerContext;
