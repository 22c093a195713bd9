using System.Text.Json;
using System.Text.Json.Serialization;
using System.Text.Json.Serialization.Metadata;
using Footfall.Access;
using Footfall.Capture;
using Footfall.Hosting;
using Npgsql;

namespace Footfall.Definitions;

/// <summary>The body of a refusal, in the form of every error of the API.</summary>
/// <param name="Parameter">The field, path part or query parameter at fault.</param>
internal sealed record DefinitionError(string Error, string Message, string? Parameter = null)
{
    [JsonPropertyOrder(-1)]
    public bool Ok => false;
}

/// <summary>What the endpoints of definitions have in common: bodies, refusals, whose property it is.</summary>
internal static class DefinitionAnswers
{
    private const int MaxBodyBytes = 64 * 1024;

    public static IResult Ok<T>(T body, JsonTypeInfo<T> type, int status = StatusCodes.Status200OK) => TypedResults.Json(body, type, statusCode: status);

    /// <summary>A list as JSON, or as CSV where the request prefers that: <c>format=csv</c>, or <c>Accept: text/csv</c>.</summary>
    public static IResult List<T>(HttpContext context, T body, JsonTypeInfo<T> type, string name, Func<T, CsvTable> table)
    {
        var format = context.Request.Query["format"].ToString();
        if (format is not ("" or "json" or "csv")) return Refuse(StatusCodes.Status400BadRequest, "validation_failed", "format must be json or csv.", "format");
        var accepted = context.Request.Headers.Accept.ToString();
        var isCsv = format.Length > 0 ? format == "csv" : accepted.Contains("text/csv", StringComparison.OrdinalIgnoreCase) && !accepted.Contains("application/json", StringComparison.OrdinalIgnoreCase);
        context.Response.Headers.Vary = "Accept";
        return isCsv ? TypedResults.File(table(body).ToBytes(context.Request.Query["bom"] == "true"), "text/csv; charset=utf-8", $"{name}.csv") : Ok(body, type);
    }

    public static IResult Refuse(int status, string error, string message, string? parameter = null) =>
        TypedResults.Json(new DefinitionError(error, message, parameter), DefinitionsJson.Default.DefinitionError, statusCode: status);

    public static IResult Invalid(DefinitionProblem problem) => Refuse(StatusCodes.Status400BadRequest, "validation_failed", problem.Message, problem.Field);

    /// <summary>The body, or why it cannot be read.</summary>
    public static async Task<(T? Body, IResult? Refusal)> ReadAsync<T>(HttpContext context, JsonTypeInfo<T> type) where T : class
    {
        if (!context.Request.HasJsonContentType()) return (null, Refuse(StatusCodes.Status415UnsupportedMediaType, "unsupported_media_type", "Send application/json."));
        if (context.Request.ContentLength > MaxBodyBytes) return (null, TooLarge());
        using var read = new MemoryStream();
        var buffer = new byte[8192];
        for (int n; (n = await context.Request.Body.ReadAsync(buffer, context.RequestAborted)) > 0;)
        {
            if (read.Length + n > MaxBodyBytes) return (null, TooLarge());
            read.Write(buffer, 0, n);
        }
        try
        {
            return JsonSerializer.Deserialize(read.GetBuffer().AsSpan(0, (int)read.Length), type) is { } body
                ? (body, null)
                : (null, Refuse(StatusCodes.Status400BadRequest, "invalid_json", "The body must be a JSON object."));
        }
        catch (JsonException e)
        {
            var where = e.Path is { Length: > 2 } path ? path[2..] : null;
            return (null, Refuse(StatusCodes.Status400BadRequest, "invalid_json", $"The body is no JSON of the expected form{(where is null ? "" : $" at {where}")} (line {(e.LineNumber ?? 0) + 1}, byte {(e.BytePositionInLine ?? 0) + 1}). docs/api.md shows an example.", where));
        }

        static IResult TooLarge() => Refuse(StatusCodes.Status413PayloadTooLarge, "body_too_large", $"The body may have at most {MaxBodyBytes} bytes.");
    }

    /// <summary>The property that is meant, or why the caller may not mean it.</summary>
    public static (string Property, IResult? Refusal) PropertyOf(HttpContext context, string? given, string defaultProperty)
    {
        var caller = context.CallerOf();
        var property = given ?? caller.PropertyId ?? defaultProperty;
        if (!PropertyId.IsValid(property)) return (property, Refuse(StatusCodes.Status400BadRequest, "validation_failed", $"propertyId must have {PropertyId.Rule}.", "propertyId"));
        return (property, caller.MayUse(property) ? null : AccessRefusal.OtherProperty().Answer(context.Response));
    }

    /// <summary>A day as the API writes it; null when none is given.</summary>
    public static bool TryDay(string? text, out DateOnly? day)
    {
        day = null;
        if (text is null) return true;
        if (!DateOnly.TryParseExact(text, "yyyy-MM-dd", out var parsed)) return false;
        day = parsed;
        return true;
    }

    /// <summary>PostgreSQL away: 503, and nothing is stored by half.</summary>
    public static async ValueTask<object?> WithoutDatabase(EndpointFilterInvocationContext invocation, EndpointFilterDelegate next)
    {
        invocation.HttpContext.Response.Headers.CacheControl = "private, no-store";
        try
        {
            return await next(invocation);
        }
        catch (Exception e) when (e is (NpgsqlException and not PostgresException) or TimeoutException)
        {
            invocation.HttpContext.Response.Headers.RetryAfter = "5";
            return Refuse(StatusCodes.Status503ServiceUnavailable, "temporarily_unavailable", "The database does not answer. Nothing was changed; try again soon.");
        }
    }
}
