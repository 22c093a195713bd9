using System.Buffers;
using System.Runtime.InteropServices;
using Footfall.Access;
using Footfall.Hosting;
using Microsoft.Extensions.ObjectPool;
using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>POST /v1/events, by hand rather than by the framework's binding: this is the one path every visitor takes. Contract: docs/api.md.</summary>
internal sealed class CaptureEndpoints(
    IOptions<CaptureOptions> options,
    CapturePipeline pipeline,
    PropertyRegistry properties,
    AddressLimiter limiter,
    OutcomeCounters counters,
    CaptureMeter meter,
    DayKeys dayKeys,
    ArrivedBatches arrived,
    ICaptureLog log,
    TimeProvider time,
    ILogger<CaptureEndpoints> logger)
{
    public const string Path = "/v1/events";
    private const string RetryWhenFull = "5";
    private static readonly AccessRequirement Server = new(AccessRole.Ingest, AccessPlan.Free);

    private readonly CaptureOptions options = options.Value;
    private readonly AllowedOrigins origins = new(options.Value.CorsAllowedOrigins);
    private readonly ObjectPool<ArrayBufferWriter<byte>> payloads = new DefaultObjectPool<ArrayBufferWriter<byte>>(new PayloadPolicy());

    public void Map(IEndpointRouteBuilder routes) => routes.Map(Path, (RequestDelegate)HandleAsync).WithMetadata(new MeasuresItself());

    private Task HandleAsync(HttpContext context)
    {
        var request = context.Request;
        var origin = request.Headers.Origin.ToString();
        if (origin.Length > 0)
        {
            if (!origins.Allows(origin, request.Host.Value)) return RefuseAsync(context, StatusCodes.Status403Forbidden, ErrorCodes.OriginNotAllowed, "Pages of this origin may not send events: Capture:CorsAllowedOrigins names those that may.");
            CaptureAnswers.AllowOrigin(context.Response, origins.Any ? null : origin);
        }
        if (HttpMethods.IsPost(request.Method)) return MeasureAsync(context);
        if (HttpMethods.IsOptions(request.Method)) return CaptureAnswers.PreflightAsync(context.Response);
        context.Response.Headers.Allow = "POST, OPTIONS";
        return CaptureAnswers.ErrorAsync(context.Response, StatusCodes.Status405MethodNotAllowed, ErrorCodes.MethodNotAllowed, "Send events with POST.");
    }

    private async Task MeasureAsync(HttpContext context)
    {
        var started = time.GetTimestamp();
        try
        {
            await PostAsync(context);
        }
        finally
        {
            meter.Answered(time.GetElapsedTime(started));
        }
    }

    private async Task PostAsync(HttpContext context)
    {
        var (server, refusal) = await ServerOfAsync(context);
        if (refusal is not null)
        {
            if (refusal.RetryAfterSeconds is { } seconds) context.Response.Headers.RetryAfter = seconds.ToString();
            await RefuseAsync(context, refusal.Status, refusal.Error, refusal.Message);
            return;
        }
        // A site's own server speaks for many from one address.
        if (server is null && !limiter.TryTake(context.Connection.RemoteIpAddress, out var retryAfter))
        {
            context.Response.Headers.RetryAfter = retryAfter.ToString();
            await RefuseAsync(context, StatusCodes.Status429TooManyRequests, ErrorCodes.RateLimited, "Too many requests from this address.");
            return;
        }
        var keys = BatchKeys.Of(context.Request);
        if (keys.Asked.Length > 0 && string.Join(',', keys.Asked.Where(arrived.Has)) is { Length: > 0 } known) context.Response.Headers[CaptureAnswers.ArrivedHeader] = known;
        if (!MediaTypes.AreReadable(context.Request))
        {
            await RefuseAsync(context, StatusCodes.Status415UnsupportedMediaType, ErrorCodes.UnsupportedMediaType, "Send application/json or text/plain, in UTF-8 and uncompressed.");
            return;
        }
        if (await ReadAsync(context) is not { } batch)
        {
            await RefuseAsync(context, StatusCodes.Status413PayloadTooLarge, ErrorCodes.BodyTooLarge, $"The body may have at most {options.MaxBodyBytes} bytes.");
            return;
        }
        var sender = Sender.Of(context, time, dayKeys, calledApi: true, isServer: server is not null);
        if (server?.PropertyId is { } property && !KeepsTo(property, batch.Events))
        {
            refusal = AccessRefusal.OtherProperty();
            await RefuseAsync(context, refusal.Status, refusal.Error, "The token is for another property than an event names. Leave traffic.propertyId out, or use a token for that property.");
            return;
        }
        if (batch.Error is { } error)
        {
            CountIssues(batch, sender.Day);
            await CaptureAnswers.InvalidAsync(context.Response, error, batch);
            return;
        }
        await TakeAsync(context, batch, sender, keys.Batch);
    }

    /// <summary>The site's own server that a token in <c>Authorization: Bearer</c> tells of; neither for browsers, which send none.</summary>
    private static async ValueTask<(Caller? Server, AccessRefusal? Refusal)> ServerOfAsync(HttpContext context)
    {
        if (!context.Request.Headers.Authorization.ToString().StartsWith("Bearer ", StringComparison.OrdinalIgnoreCase)) return (null, null);
        return await context.RequestServices.GetRequiredService<AccessGate>().AuthenticateAsync(context, Server);
    }

    /// <summary>Gives the events that name no property the token's; false where one names another.</summary>
    private static bool KeepsTo(string property, List<EventRequest> events)
    {
        foreach (var e in events)
        {
            e.PropertyId ??= property;
            if (e.PropertyId != property) return false;
        }
        return true;
    }

    /// <param name="key">The batch's, by which its sender may ask whether it has arrived.</param>
    private async Task TakeAsync(HttpContext context, EventBatch batch, Sender sender, string? key)
    {
        var taken = new List<CapturedEvent>(batch.Events.Count);
        var dropped = 0;        // one bit per reason
        try
        {
            foreach (var request in batch.Events)
            {
                var outcome = pipeline.Run(request, sender);
                if (outcome.Event is { } e)
                {
                    taken.Add(e);
                    continue;
                }
                dropped |= 1 << (int)outcome.Dropped!.Value;
                counters.Dropped(outcome.PropertyId, sender.Day, outcome.Dropped.Value);
            }
            CountIssues(batch, sender.Day);     // behind the good ones, which may have made the property that a bad one names
        }
        catch (Exception e) when (e is IOException or UnauthorizedAccessException or InvalidDataException)
        {
            // The data folder holds the day's key: with a broken disk there is none.
            logger.CannotTake(e.Message);
            await BusyAsync(context, batch, sender, ErrorCodes.JournalUnavailable);
            return;
        }
        var result = taken.Count == 0 ? AppendResult.Durable : await AppendAsync(taken);
        switch (result)
        {
            case AppendResult.Durable:
                if (key is not null) arrived.Add(key);
                meter.Accepted(taken.Count);
                await CaptureAnswers.TakenAsync(context.Response, taken.Count, dropped, batch.Issues);
                break;
            case AppendResult.Full:
                await BusyAsync(context, batch, sender, ErrorCodes.Overloaded);
                break;
            default:
                await BusyAsync(context, batch, sender, ErrorCodes.JournalUnavailable);
                break;
        }
    }

    private async ValueTask<AppendResult> AppendAsync(List<CapturedEvent> events)
    {
        var payload = payloads.Get();
        try
        {
            CaptureRecord.WriteEvents(payload, CollectionsMarshal.AsSpan(events));
            // Not cancelled with the request: who gave up waiting for the answer still meant the event.
            return await log.AppendAsync(payload.WrittenMemory, CancellationToken.None);
        }
        finally
        {
            payloads.Return(payload);
        }
    }

    /// <summary>Null when the body is larger than allowed.</summary>
    private async ValueTask<EventBatch?> ReadAsync(HttpContext context)
    {
        if (context.Request.ContentLength > options.MaxBodyBytes) return null;
        var body = context.Request.BodyReader;
        while (true)
        {
            var read = await body.ReadAsync(context.RequestAborted);
            var buffer = read.Buffer;
            if (buffer.Length > options.MaxBodyBytes)
            {
                body.AdvanceTo(buffer.End);
                return null;
            }
            if (!read.IsCompleted)
            {
                body.AdvanceTo(buffer.Start, buffer.End);
                continue;
            }
            var batch = Parse(buffer);
            body.AdvanceTo(buffer.End);
            return batch;
        }
    }

    private static EventBatch Parse(ReadOnlySequence<byte> buffer)
    {
        if (buffer.IsSingleSegment) return EventReader.Read(buffer.FirstSpan);
        var length = (int)buffer.Length;
        var whole = ArrayPool<byte>.Shared.Rent(length);
        try
        {
            buffer.CopyTo(whole);
            return EventReader.Read(whole.AsSpan(0, length));
        }
        finally
        {
            ArrayPool<byte>.Shared.Return(whole);
        }
    }

    private void CountIssues(EventBatch batch, DateOnly day)
    {
        if (batch.RejectedProperties.Count == 0 && batch.Error is { } error) counters.Rejected(properties.CountedAs(null), day, error);
        foreach (var property in batch.RejectedProperties) counters.Rejected(properties.CountedAs(property), day, ErrorCodes.ValidationFailed);
    }

    /// <summary>Nothing was taken; the sender may try again with all of it.</summary>
    private Task BusyAsync(HttpContext context, EventBatch batch, Sender sender, string error)
    {
        foreach (var e in batch.Events) counters.Rejected(properties.CountedAs(e.PropertyId), sender.Day, error);
        context.Response.Headers.RetryAfter = RetryWhenFull;
        return CaptureAnswers.ErrorAsync(context.Response, StatusCodes.Status503ServiceUnavailable, error, "Nothing was taken. Send it again later.");
    }

    private Task RefuseAsync(HttpContext context, int status, string error, string message)
    {
        counters.Rejected(properties.CountedAs(null), DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), error);
        return CaptureAnswers.ErrorAsync(context.Response, status, error, message);
    }

    private sealed class PayloadPolicy : PooledObjectPolicy<ArrayBufferWriter<byte>>
    {
        private const int MaxKept = 1024 * 1024;

        public override ArrayBufferWriter<byte> Create() => new(2048);

        public override bool Return(ArrayBufferWriter<byte> obj)
        {
            obj.ResetWrittenCount();
            return obj.Capacity <= MaxKept;
        }
    }
}
