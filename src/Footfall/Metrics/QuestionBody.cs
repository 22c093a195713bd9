using Footfall.Explore;
using Microsoft.AspNetCore.Http.HttpResults;

namespace Footfall.Metrics;

/// <summary>Questions that are sent as JSON, because they are longer than an address may be. They change nothing.</summary>
internal static class QuestionBody
{
    /// <summary>The members as parameters, or why there are none.</summary>
    public static async Task<(ParameterReader? Reader, IResult? Refusal)> ReadAsync(HttpContext context, CancellationToken cancellationToken)
    {
        var request = context.Request;
        if (!request.HasJsonContentType()) return (null, Answers.Refuse(StatusCodes.Status415UnsupportedMediaType, new ErrorBody("unsupported_media_type", "Send application/json.")));
        if (request.Query.Count > 0) return (null, Answers.Refuse(new InvalidParameter("query", "Here everything stands in the body, and nothing in the address.")));
        if (request.ContentLength > BodyParameters.MaxBytes) return (null, TooLarge());
        using var read = new MemoryStream();
        var buffer = new byte[8192];
        for (int n; (n = await request.Body.ReadAsync(buffer, cancellationToken)) > 0;)
        {
            if (read.Length + n > BodyParameters.MaxBytes) return (null, TooLarge());
            read.Write(buffer, 0, n);
        }
        var (values, problem) = BodyParameters.Of(read.GetBuffer().AsMemory(0, (int)read.Length));
        return values is null
            ? (null, Answers.Refuse(StatusCodes.Status400BadRequest, new ErrorBody("invalid_json", $"{problem} docs/api.md shows an example.")))
            : (new ParameterReader(values, ofBody: true), null);
    }

    private static JsonHttpResult<ErrorBody> TooLarge() => Answers.Refuse(StatusCodes.Status413PayloadTooLarge, new ErrorBody("body_too_large", $"The body may have at most {BodyParameters.MaxBytes} bytes."));
}
