using Microsoft.Extensions.Options;

namespace Footfall.Leads;

/// <summary>People who gave an address: forms, consent, links to what they did before.</summary>
public static class LeadsRoom
{
    private static readonly TimeSpan OutgoingPatience = TimeSpan.FromSeconds(10);

    /// <summary>What works on stored leads: also what the command line needs. Needs <c>AddPostgres</c>, <c>AddCaptureEnrichment</c>.</summary>
    public static IServiceCollection AddLeads(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<LeadsOptions>().Bind(configuration.GetSection(LeadsOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<LeadsOptions>, LeadsOptionsValidator>();
        services.AddSingleton<SignedLinks>();
        services.AddSingleton<MailDomains>();
        services.AddSingleton<LeadStore>();
        services.AddSingleton<ConsentLedger>();
        services.AddSingleton<ConsentExpiry>();
        services.AddSingleton<LikelyLinks>();
        services.AddSingleton<Confirmations>();
        services.AddSingleton<Withdrawals>();
        return services;
    }

    /// <summary>The server also takes forms, and sends mail that asks for confirmation.</summary>
    public static IServiceCollection AddLeadCapture(this IServiceCollection services)
    {
        services.AddSingleton<SubmitLimits>();
        services.AddSingleton<Redirects>();
        services.AddSingleton<MailHosts>();
        services.AddSingleton<LeadChecks>();
        services.AddSingleton<LeadWriter>();
        services.AddSingleton<LeadCapture>();
        services.AddSingleton<LeadEndpoint>();
        services.AddSingleton<ICaptcha>(s => s.GetRequiredService<IOptions<LeadsOptions>>().Value.Captcha.Provider == CaptchaProvider.None
            ? new NoCaptcha()
            : ActivatorUtilities.CreateInstance<SiteVerifyCaptcha>(s, Outgoing()));
        services.AddSingleton<SubmissionRecorder>();
        services.AddHostedService(s => s.GetRequiredService<SubmissionRecorder>());
        services.AddSingleton(s => ActivatorUtilities.CreateInstance<ConfirmationSender>(s, Transport(s) is { } transport ? [transport] : []));
        services.AddHostedService(s => s.GetRequiredService<ConfirmationSender>());
        return services;
    }

    /// <summary>/v1/leads/capture, form-token, unsubscribe, confirm, {id}/consent. Contract: docs/api.md, docs/leads.md.</summary>
    public static IEndpointRouteBuilder MapLeads(this IEndpointRouteBuilder routes)
    {
        var capture = routes.ServiceProvider.GetRequiredService<LeadEndpoint>();
        routes.MapPost(LeadEndpoint.Path, (Delegate)capture.HandleAsync).WithName("leadCapture").Produces<LeadReply>().Produces<LeadReply>(StatusCodes.Status201Created).WithMetadata(LeadNotes.Capture);
        routes.MapMethods(LeadEndpoint.Path, [HttpMethods.Options], capture.PreflightAsync).ExcludeFromDescription();
        routes.MapGet("/v1/leads/form-token", (SignedLinks links, IOptions<LeadsOptions> options, TimeProvider time, HttpContext context) =>
        {
            context.Response.Headers.CacheControl = "no-store";
            context.Response.Headers.AccessControlAllowOrigin = "*";
            return LeadAnswers.Ok(new FormTokenReply(links.Form(time.GetUtcNow()), options.Value.MinFillSeconds), LeadsJson.Default.FormTokenReply);
        }).WithName("leadFormToken").Produces<FormTokenReply>().WithMetadata(LeadNotes.FormToken);
        routes.MapGet(Redirects.ThanksPage, LeadPages.Thanks).WithName("leadThanks").WithMetadata(LeadNotes.ThanksPage);
        routes.MapGet(Redirects.ErrorPage, (string? error) => LeadPages.Sorry(error)).WithName("leadSorry").WithMetadata(LeadNotes.SorryPage);
        UnsubscribeEndpoints.Map(routes);
        ConfirmEndpoints.Map(routes);
        ConsentEndpoint.Map(routes);
        return routes;
    }

    // Addresses of others may move while the server runs; and what is sent there is for them alone, wherever they point.
    private static HttpClient Outgoing() =>
        new(new SocketsHttpHandler { PooledConnectionLifetime = TimeSpan.FromMinutes(5), AllowAutoRedirect = false }) { Timeout = OutgoingPatience };

    private static IConfirmationTransport? Transport(IServiceProvider services)
    {
        var options = services.GetRequiredService<IOptions<LeadsOptions>>().Value;
        if (!string.IsNullOrEmpty(options.Webhook.Url)) return ActivatorUtilities.CreateInstance<WebhookTransport>(services, Outgoing());
        return string.IsNullOrEmpty(options.Smtp.Host) ? null : ActivatorUtilities.CreateInstance<SmtpTransport>(services);
    }
}
