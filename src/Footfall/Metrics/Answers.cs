using System.Security.Cryptography;
using System.Text.Json;
using System.Text.Json.Serialization.Metadata;
using Footfall.Explore;
using Footfall.Hosting;
using Microsoft.AspNetCore.Http.Extensions;
using Microsoft.AspNetCore.Http.HttpResults;
using Microsoft.Net.Http.Headers;

namespace Footfall.Metrics;

/// <summary>In which form an answer is wanted: <c>format=json|csv</c>, else what <c>Accept</c> prefers, else JSON; <c>bom=true</c> puts a byte order mark before CSV.</summary>
internal readonly record struct AnswerForm(bool IsCsv, bool WithByteOrderMark)
{
    public const string Csv = "text/csv";

    public static AnswerForm Read(ParameterReader reader, HttpRequest request)
    {
        var format = reader.Text("format");
        if (format is not (null or "json" or "csv")) reader.Refuse("format", "format must be json or csv.");
        return new AnswerForm(format is null ? PrefersCsv(request) : format == "csv", reader.Flag("bom"));
    }

    private static bool PrefersCsv(HttpRequest request)
    {
        if (!request.Headers.ContainsKey(HeaderNames.Accept)) return false;
        var accepted = request.GetTypedHeaders().Accept;
        return Quality("text", "csv") > Quality("application", "json");

        double Quality(string type, string subtype) => accepted
            .Where(a => a.Type.Equals(type, StringComparison.OrdinalIgnoreCase) && a.SubType.Equals(subtype, StringComparison.OrdinalIgnoreCase))
            .Select(a => a.Quality ?? 1).DefaultIfEmpty(0).Max();
    }
}

/// <summary>Writes answers: JSON or CSV, with an ETag of their content, so that who asks again gets a 304 while nothing changed.</summary>
internal static class Answers
{
    private static readonly JsonSerializerOptions Json = ApiJson.Default.Options;

    /// <param name="name">The file's name for a browser, without its ending.</param>
    /// <param name="nextCursor">Where the next page begins; null on the last.</param>
    public static IResult Of<T>(HttpContext context, AnswerForm form, T body, string name, Func<T, CsvTable> table, string? nextCursor = null)
    {
        var bytes = form.IsCsv ? table(body).ToBytes(form.WithByteOrderMark) : JsonSerializer.SerializeToUtf8Bytes(body, (JsonTypeInfo<T>)Json.GetTypeInfo(typeof(T)));
        var tag = new EntityTagHeaderValue($"\"{Convert.ToHexStringLower(SHA256.HashData(bytes).AsSpan(0, 16))}\"");
        var response = context.Response;
        response.Headers.CacheControl = "private, no-cache";   // kept by the asker alone, and asked about before it is used again
        response.Headers.Vary = HeaderNames.Accept;
        response.Headers.ETag = tag.ToString();
        if (nextCursor is not null) response.Headers.Link = $"<{Next(context.Request, nextCursor)}>; rel=\"next\"";
        if (IsKnown(context.Request, tag)) return TypedResults.StatusCode(StatusCodes.Status304NotModified);
        if (form.IsCsv) response.Headers.ContentDisposition = $"attachment; filename=\"{name}.csv\"";
        return TypedResults.Bytes(bytes, form.IsCsv ? "text/csv; charset=utf-8" : "application/json; charset=utf-8");
    }

    public static JsonHttpResult<ErrorBody> Refuse(int status, ErrorBody body) => TypedResults.Json(body, MetricsJson.Default.ErrorBody, statusCode: status);

    public static JsonHttpResult<ErrorBody> Refuse(InvalidParameter invalid) =>
        Refuse(StatusCodes.Status400BadRequest, new ErrorBody("invalid_parameter", invalid.Message, invalid.Parameter));

    private static bool IsKnown(HttpRequest request, EntityTagHeaderValue tag) =>
        request.GetTypedHeaders().IfNoneMatch.Any(t => t.Equals(EntityTagHeaderValue.Any) || t.Compare(tag, useStrongComparison: false));

    private static string Next(HttpRequest request, string cursor)
    {
        var query = new QueryBuilder(request.Query.Where(q => q.Key != "cursor").SelectMany(q => q.Value.Select(v => KeyValuePair.Create(q.Key, v ?? "")))) { { "cursor", cursor } };
        return $"{request.Path}{query.ToQueryString()}";
    }
}
