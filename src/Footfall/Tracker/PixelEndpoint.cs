using System.Buffers;
using Footfall.Capture;

namespace Footfall.Tracker;

/// <summary>GET /v1/pixel.gif?property&amp;path: a page view for browsers without scripts, from an img in a noscript element. Contract: docs/install.md.</summary>
internal sealed class PixelEndpoint(CapturePipeline pipeline, AddressLimiter limiter, OutcomeCounters counters, DayKeys dayKeys, ICaptureLog log, TimeProvider time, ILogger<PixelEndpoint> logger)
{
    public const string Path = "/v1/pixel.gif";
    private const int LongestPath = 2_048;
    private const string RetryWhenFull = "5";

    // The smallest picture: one transparent point (GIF89a).
    private static readonly byte[] Picture = Convert.FromBase64String("R0lGODlhAQABAIAAAAAAAP///yH5BAEAAAAALAAAAAABAAEAAAIBRAA7");

    /// <summary>200 and the picture when the view is safe in the journal or was dropped for a reason; 400, 429 or 503 without one.</summary>
    public async Task AnswerAsync(HttpContext context)
    {
        var response = context.Response;
        response.Headers.CacheControl = "no-store";
        response.Headers["Cross-Origin-Resource-Policy"] = "cross-origin";
        if (!limiter.TryTake(context.Connection.RemoteIpAddress, out var retryAfter))
        {
            response.Headers.RetryAfter = retryAfter.ToString(System.Globalization.CultureInfo.InvariantCulture);
            response.StatusCode = StatusCodes.Status429TooManyRequests;
            return;
        }
        if (Read(context.Request) is not { } request)
        {
            response.StatusCode = StatusCodes.Status400BadRequest;
            return;
        }
        // A picture fetched ahead of a page that nobody has opened yet is no view.
        if (HttpMethods.IsGet(context.Request.Method) && !context.Request.Headers["Sec-Purpose"].ToString().Contains("prefetch", StringComparison.Ordinal)
            && !await TryCountAsync(context, request))
        {
            response.Headers.RetryAfter = RetryWhenFull;
            response.StatusCode = StatusCodes.Status503ServiceUnavailable;
            return;
        }
        response.ContentType = "image/gif";
        response.ContentLength = Picture.Length;
        if (HttpMethods.IsGet(context.Request.Method)) await response.Body.WriteAsync(Picture, context.RequestAborted);
    }

    /// <summary>Null when the property or the path is none. Without a path it is the page's that shows the picture.</summary>
    private static EventRequest? Read(HttpRequest request)
    {
        var property = request.Query["property"].ToString();
        var path = request.Query["path"].ToString();
        var referrer = request.Query["referrer"].ToString();
        if (path.Length == 0 && Uri.TryCreate(request.Headers.Referer, UriKind.Absolute, out var page)) path = page.AbsolutePath;
        if ((property.Length > 0 && !PropertyId.IsValid(property)) || path.Length > LongestPath || path.Contains('\0') || referrer.Length > LongestPath || referrer.Contains('\0')) return null;
        return new EventRequest
        {
            EventType = "page_view",
            PropertyId = property.Length > 0 ? property : null,
            Path = path.Length > 0 ? path : null,
            Referrer = referrer.Length > 0 ? referrer : null,
        };
    }

    /// <summary>False when nothing was taken, and the view may come again.</summary>
    private async Task<bool> TryCountAsync(HttpContext context, EventRequest request)
    {
        try
        {
            var sender = Sender.Of(context, time, dayKeys, calledApi: false);
            var outcome = pipeline.Run(request, sender);
            if (outcome.Event is not { } e)
            {
                counters.Dropped(outcome.PropertyId, sender.Day, outcome.Dropped!.Value);
                return true;
            }
            var payload = new ArrayBufferWriter<byte>(512);
            CaptureRecord.WriteEvents(payload, [e]);
            // Not cancelled with the request: who leaves the page has seen it all the same.
            return await log.AppendAsync(payload.WrittenMemory, CancellationToken.None) == AppendResult.Durable;
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            logger.CannotTake(e.Message);   // the data folder holds the day's key: with a broken disk there is none
            return false;
        }
    }
}
