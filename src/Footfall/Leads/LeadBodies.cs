using System.Text;
using Footfall.Capture;
using Microsoft.AspNetCore.Http.Features;
using Microsoft.AspNetCore.WebUtilities;
using Microsoft.Extensions.Primitives;
using Microsoft.Net.Http.Headers;

namespace Footfall.Leads;

/// <summary>A body as it came.</summary>
/// <param name="Form">The fields of a form; null for JSON.</param>
/// <param name="Json">UTF-8; for a form what it is in JSON.</param>
internal sealed record ReceivedBody(IReadOnlyDictionary<string, StringValues>? Form, ReadOnlyMemory<byte> Json);

/// <summary>Reads bodies of JSON and of both kinds of forms, up to a size.</summary>
internal static class LeadBodies
{
    private const int MaxFields = 64;

    public static bool IsForm(HttpRequest request) =>
        MediaTypeHeaderValue.TryParse(request.ContentType, out var type)
        && (type.MediaType.Equals("application/x-www-form-urlencoded", StringComparison.OrdinalIgnoreCase) || type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase));

    public static async Task<(ReceivedBody? Body, LeadRejection? Rejection)> ReadAsync(HttpRequest request, int maxBytes, CancellationToken cancellationToken)
    {
        var isForm = IsForm(request);
        var encoding = request.Headers.ContentEncoding.ToString();
        if (encoding.Length > 0 && !encoding.Equals("identity", StringComparison.OrdinalIgnoreCase)) return (null, LeadRejection.UnsupportedMediaType);
        if (!isForm && !MediaTypes.AreReadable(request)) return (null, LeadRejection.UnsupportedMediaType);
        if (request.ContentLength > maxBytes) return (null, LeadRejection.TooLarge(maxBytes));
        using var read = new MemoryStream();
        var buffer = new byte[8192];
        try
        {
            for (int n; (n = await request.Body.ReadAsync(buffer, cancellationToken)) > 0;)
            {
                if (read.Length + n > maxBytes) return (null, LeadRejection.TooLarge(maxBytes));
                read.Write(buffer, 0, n);
            }
        }
        catch (BadHttpRequestException e)
        {
            return (null, e.StatusCode == StatusCodes.Status413PayloadTooLarge ? LeadRejection.TooLarge(maxBytes) : LeadRejection.InvalidForm);
        }
        if (!isForm) return (new ReceivedBody(null, read.ToArray()), null);
        read.Position = 0;
        try
        {
            var form = await FormAsync(request, read, maxBytes, cancellationToken);
            return (new ReceivedBody(form, FormFields.ToJson(form)), null);
        }
        catch (Exception e) when (e is InvalidDataException or IOException or ArgumentException)
        {
            return (null, LeadRejection.InvalidForm);      // too many fields, a part without a name, a boundary that never comes
        }
    }

    private static async Task<IReadOnlyDictionary<string, StringValues>> FormAsync(HttpRequest request, MemoryStream body, int maxBytes, CancellationToken cancellationToken)
    {
        var type = MediaTypeHeaderValue.Parse(request.ContentType);
        if (!type.MediaType.Equals("multipart/form-data", StringComparison.OrdinalIgnoreCase))
        {
            using var reader = new FormReader(Encoding.UTF8.GetString(body.GetBuffer().AsSpan(0, (int)body.Length))) { ValueCountLimit = MaxFields, ValueLengthLimit = maxBytes, KeyLengthLimit = 512 };
            return await reader.ReadFormAsync(cancellationToken);
        }
        // A file would be a stranger's: it is not looked at.
        var feature = new FormFeature(request, new FormOptions { ValueCountLimit = MaxFields, ValueLengthLimit = maxBytes, KeyLengthLimit = 512, MultipartBodyLengthLimit = maxBytes, MultipartHeadersCountLimit = 8, BufferBody = false });
        request.Body = body;
        var form = await feature.ReadFormAsync(cancellationToken);
        return form.ToDictionary(f => f.Key, f => f.Value, StringComparer.Ordinal);
    }
}
