using Footfall.Access;
using Footfall.Capture;
using Footfall.Postgres;
using Microsoft.Extensions.Options;
using Npgsql;

namespace Footfall.Leads;

/// <summary>POST /v1/leads/capture: a form becomes a lead. Contract: docs/api.md, docs/leads.md.</summary>
internal sealed class LeadEndpoint(
    IOptions<LeadsOptions> options, IOptions<CaptureOptions> captureOptions, LeadCapture capture, LeadChecks checks, Redirects redirects, SubmitLimits limits,
    PropertyRegistry properties, OutcomeCounters counters, DayKeys dayKeys, AccessGate gate, DatabaseGate database, TimeProvider time, ILogger<LeadEndpoint> log)
{
    public const string Path = "/v1/leads/capture";

    /// <summary>Longer than the database ever takes in health; what has not been stored by then will not be.</summary>
    private static readonly TimeSpan Patience = TimeSpan.FromSeconds(15);

    private static readonly AccessRequirement Server = new(AccessRole.Ingest, AccessPlan.Free);
    private readonly LeadsOptions options = options.Value;
    private readonly AllowedOrigins origins = new(captureOptions.Value.CorsAllowedOrigins);

    public Task PreflightAsync(HttpContext context)
    {
        if (!MayAnswer(context)) return Refuse(context, null, null, LeadRejection.OriginNotAllowed).ExecuteAsync(context);
        return CaptureAnswers.PreflightAsync(context.Response);
    }

    public async Task<IResult> HandleAsync(HttpContext context)
    {
        context.Response.Headers.CacheControl = "no-store";
        if (!MayAnswer(context)) return Refuse(context, null, null, LeadRejection.OriginNotAllowed);
        Caller? server = null;
        if (AccessGate.KeyOf(context.Request).Length > 0)
        {
            (server, var refusal) = await gate.AuthenticateAsync(context, Server);
            if (server is null) return refusal!.Answer(context.Response);
        }
        else if (!limits.TryTake(context.Connection.RemoteIpAddress, out var seconds))
        {
            return Refuse(context, null, null, LeadRejection.RateLimited(seconds));
        }
        var (body, unreadable) = await LeadBodies.ReadAsync(context.Request, options.MaxBodyBytes, context.RequestAborted);
        if (body is null) return Refuse(context, null, null, unreadable!);
        var read = LeadReader.Read(body.Json.Span);
        if (read.Request is not { } request || read.Error is not null) return Refuse(context, body, read.Request, LeadRejection.Unreadable(read));
        if (server is null) return await TakeAsync(context, body, request, isServer: false);
        request.PropertyId ??= server.PropertyId;
        return server.MayUse(request.PropertyId ?? captureOptions.Value.DefaultPropertyId)
            ? await TakeAsync(context, body, request, isServer: true)
            : AccessRefusal.OtherProperty().Answer(context.Response);
    }

    private async Task<IResult> TakeAsync(HttpContext context, ReceivedBody body, LeadRequest request, bool isServer)
    {
        if (!isServer && checks.AtOnce(request) is { } refused) return Refuse(context, body, request, refused);
        if (!EmailAddress.TryParse(request.Email, out var address, out var fault)) return Refuse(context, body, request, LeadRejection.InvalidAddress(fault));
        if (!isServer && !limits.TryTake(address, out var seconds)) return Refuse(context, body, request, LeadRejection.RateLimited(seconds));
        if (!database.IsReady) return Refuse(context, body, request, LeadRejection.Unavailable);
        var (rejection, mailHostUnknown) = await checks.ByAskingAsync(request, address, isServer, context.RequestAborted);
        if (rejection is not null) return Refuse(context, body, request, rejection);

        if (!isServer) request.Path ??= PathOf(context.Request);
        // Not cancelled with the request: who gave up waiting for the answer still sent the form.
        using var patience = new CancellationTokenSource(Patience, time);
        try
        {
            var (taken, declined) = await capture.TakeAsync(request, address, Sender.Of(context, time, dayKeys, calledApi: true), isServer, mailHostUnknown, patience.Token);
            return taken is null ? Refuse(context, body, request, declined!) : Answer(context, body, request, taken);
        }
        catch (Exception e) when (Database.IsAway(e) || e is PostgresException { IsTransient: true } or OperationCanceledException or IOException or UnauthorizedAccessException or InvalidDataException)
        {
            log.CannotStore(Database.Describe(e));
            return Refuse(context, body, request, LeadRejection.Unavailable);
        }
    }

    private IResult Answer(HttpContext context, ReceivedBody body, LeadRequest request, LeadTaken taken)
    {
        if (WantsPage(context.Request, body)) return new SeeOther(redirects.Thanks(context.Request, Asked(body, FormFields.Thanks), properties.Find(request.PropertyId)));
        return LeadAnswers.Ok(new LeadReply(taken.LeadId, taken.MustConfirm), LeadsJson.Default.LeadReply, taken.IsNew ? StatusCodes.Status201Created : StatusCodes.Status200OK);
    }

    /// <summary>Counts it by its reason, and says so: as JSON, or to a person by a page.</summary>
    private IResult Refuse(HttpContext context, ReceivedBody? body, LeadRequest? request, LeadRejection rejection)
    {
        counters.LeadRejected(properties.CountedAs(request?.PropertyId), DateOnly.FromDateTime(time.GetUtcNow().UtcDateTime), rejection.Code);
        if (!WantsPage(context.Request, body)) return LeadAnswers.Refuse(context, rejection);
        return new SeeOther(redirects.Error(context.Request, Asked(body, FormFields.Error), properties.Find(request?.PropertyId), rejection.Code));
    }

    private bool MayAnswer(HttpContext context)
    {
        var origin = context.Request.Headers.Origin.ToString();
        if (origin.Length == 0) return true;
        if (!origins.Allows(origin, context.Request.Host.Value)) return false;
        CaptureAnswers.AllowOrigin(context.Response, origins.Any ? null : origin);
        return true;
    }

    /// <summary>A form that a browser posts by itself wants to be led somewhere; a script that posts one says that it wants JSON.</summary>
    private static bool WantsPage(HttpRequest request, ReceivedBody? body)
    {
        if (body is { Form: null } || (body is null && !LeadBodies.IsForm(request))) return false;
        var accept = request.Headers.Accept.ToString();
        return accept.Contains("text/html", StringComparison.OrdinalIgnoreCase) || !accept.Contains("application/json", StringComparison.OrdinalIgnoreCase);
    }

    private static string? Asked(ReceivedBody? body, string field) => body?.Form is { } form && form.TryGetValue(field, out var values) && values.Count > 0 ? values[^1] : null;

    private static string? PathOf(HttpRequest request) => Uri.TryCreate(request.Headers.Referer, UriKind.Absolute, out var page) && page.Scheme is "http" or "https" ? page.AbsolutePath : null;

    /// <summary>303: the browser goes on with GET, and going back sends nothing again.</summary>
    private sealed class SeeOther(string location) : IResult
    {
        public Task ExecuteAsync(HttpContext httpContext)
        {
            httpContext.Response.StatusCode = StatusCodes.Status303SeeOther;
            httpContext.Response.Headers.Location = location;
            return Task.CompletedTask;
        }
    }
}
