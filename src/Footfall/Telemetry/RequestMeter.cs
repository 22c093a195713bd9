using System.Diagnostics;
using System.Diagnostics.Metrics;
using Footfall.Hosting;

namespace Footfall.Telemetry;

/// <summary>How long answers take, by route and by the first digit of their status. The route is the pattern, never the address.</summary>
internal sealed class RequestMeter(IMeterFactory meters, TimeProvider time)
{
    private static readonly string[] Classes = ["0xx", "1xx", "2xx", "3xx", "4xx", "5xx"];

    private readonly Histogram<double> duration = meters.Create().CreateHistogram("footfall.http.request.duration", "s", "Answers, by route and class of status; /v1/events has footfall.capture.duration.", tags: null, Measures.Fast);

    public Task Measure(HttpContext context, RequestDelegate next) =>
        context.GetEndpoint() is { } endpoint && endpoint.Metadata.GetMetadata<MeasuresItself>() is not null ? next(context) : MeasureAsync(context, next);

    private async Task MeasureAsync(HttpContext context, RequestDelegate next)
    {
        var started = time.GetTimestamp();
        var status = StatusCodes.Status500InternalServerError;
        try
        {
            await next(context);
            status = context.Response.StatusCode;
        }
        finally
        {
            duration.Record(time.GetElapsedTime(started).TotalSeconds, new("route", RouteOf(context)), new("status", Classes[Math.Clamp(status / 100, 0, 5)]));
        }
    }

    /// <summary>Names the request's span by its route, and takes from it what may tell of a person.</summary>
    public static async Task Name(HttpContext context, RequestDelegate next)
    {
        var span = Activity.Current;
        await next(context);
        if (span is not { IsAllDataRequested: true }) return;
        var route = RouteOf(context);
        span.DisplayName = $"{MethodOf(context.Request)} {route}";
        foreach (var tag in span.TagObjects.Select(t => t.Key).ToList()) span.SetTag(tag, null);
        span.SetTag("http.request.method", MethodOf(context.Request));
        span.SetTag("http.route", route);
        span.SetTag("http.response.status_code", context.Response.StatusCode);
        if (context.Response.StatusCode >= 500) span.SetStatus(ActivityStatusCode.Error);
    }

    private static string RouteOf(HttpContext context) => (context.GetEndpoint() as RouteEndpoint)?.RoutePattern.RawText is { } route ? "/" + route.TrimStart('/') : "none";

    // Anybody may send any word as a method.
    private static string MethodOf(HttpRequest request) =>
        HttpMethods.IsGet(request.Method) || HttpMethods.IsPost(request.Method) || HttpMethods.IsPut(request.Method) || HttpMethods.IsPatch(request.Method) || HttpMethods.IsDelete(request.Method) || HttpMethods.IsHead(request.Method) || HttpMethods.IsOptions(request.Method)
            ? HttpMethods.GetCanonicalizedValue(request.Method) : "_OTHER";
}
