using System.IO.Compression;
using Footfall.Backups;
using Footfall.Dashboard.By;
using Footfall.Dashboard.Entities;
using Footfall.Dashboard.Experiments;
using Footfall.Dashboard.Funnels;
using Footfall.Dashboard.Health;
using Footfall.Dashboard.Now;
using Footfall.Dashboard.People;
using Footfall.Dashboard.Reports;
using Footfall.Dashboard.Returning;
using Footfall.Dashboard.Sharing;
using Footfall.Dashboard.SignIn;
using Footfall.Dashboard.WebVitals;
using Footfall.Dashboard.Welcome;
using Microsoft.AspNetCore.DataProtection;
using Microsoft.AspNetCore.DataProtection.KeyManagement;
using Microsoft.AspNetCore.ResponseCompression;
using Microsoft.Extensions.Options;

namespace Footfall.Dashboard;

/// <summary>Pages for people.</summary>
public static class DashboardRoom
{
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.AddSingleton<StartPage>();
        services.AddSingleton<ApiPage>();
        services.AddSingleton<InstallPage>();

        services.AddRazorComponents();
        services.AddHttpContextAccessor();
        services.AddScoped<DetailsReader>();
        services.AddScoped<EntitiesOverview>();
        services.AddScoped<FunnelsOverview>();
        services.AddScoped<FunnelDetails>();
        services.AddScoped<RetentionOverview>();
        services.AddScoped<ExperimentsOverview>();
        services.AddScoped<VitalsReader>();
        services.AddScoped<HealthReader>();
        services.AddSingleton<RealtimeFeed>();
        services.AddSingleton<SealedText>();
        services.AddSingleton<SharedLinkStore>();
        services.AddSingleton<UnlockedLinks>();
        services.AddScoped<LeadsOverview>();
        services.AddSingleton<DemoFill>();
        services.AddReports();
        services.AddDashboardRequests();

        services.AddDataProtection().SetApplicationName("footfall");
        services.AddSingleton<FormKeys>();
        services.AddSingleton<IConfigureOptions<KeyManagementOptions>>(s => new ConfigureOptions<KeyManagementOptions>(o => o.XmlRepository = s.GetRequiredService<FormKeys>()));
        // It would warn of keys that are not encrypted: see FormKeys.
        services.AddLogging(l => l.AddFilter("Microsoft.AspNetCore.DataProtection", LogLevel.Error));
        services.AddAntiforgery(o =>
        {
            o.FormFieldName = Forms.Token;
            o.Cookie.Name = "footfall_form";
            o.Cookie.SameSite = SameSiteMode.Lax;
            o.Cookie.SecurePolicy = CookieSecurePolicy.SameAsRequest;
            o.SuppressXFrameOptionsHeader = true;   // the content security policy says it, and says more
        });
        // It reads the keys while the server starts, when there is no database yet: the first form is early enough.
        foreach (var early in services.Where(s => s.ImplementationType?.Name == "DataProtectionHostedService").ToList()) services.Remove(early);
        services.AddResponseCompression(o =>
        {
            // Form tokens differ in every answer, so that lengths give nothing away.
            o.EnableForHttps = true;
            o.MimeTypes = ["text/html"];
        });
        services.Configure<BrotliCompressionProviderOptions>(o => o.Level = CompressionLevel.Optimal);
        services.Configure<GzipCompressionProviderOptions>(o => o.Level = CompressionLevel.Fastest);
        return services;
    }

    /// <summary>What a restore of an older backup must not undo, for a command as for the server.</summary>
    public static IServiceCollection AddDashboardRequests(this IServiceCollection services)
    {
        services.AddSingleton<ILastingRequest>(new EndedRows("link-revocation", "revoked shared links", "shared_links", "revoked_at"));
        services.AddSingleton<ILastingRequest>(new EndedRows("report-stop", "stopped reports", "report_recipients", "stopped_at"));
        services.AddSingleton<ILastingRequest, RemovedRecipients>();
        return services;
    }

    /// <summary>Security headers on every answer, and a body for answers that have none. Before everything that answers.</summary>
    public static IApplicationBuilder UseDashboard(this IApplicationBuilder app)
    {
        app.Use(SecurityHeaders.Add);
        app.UseWhen(c => !ErrorAnswers.IsApi(c.Request) && HttpMethods.IsGet(c.Request.Method), pages => pages.UseResponseCompression());
        app.Use(ErrorAnswers.Add);
        return app;
    }

    /// <summary>The pages, the files they need, and the documentation of this version.</summary>
    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder routes)
    {
        SignInEndpoints.Map(routes);
        WelcomeEndpoints.Map(routes);
        PageEndpoints.Map(routes);
        SharedEndpoints.Map(routes);
        StopReportEndpoints.Map(routes);
        routes.MapGet("/start", (HttpContext context, StartPage page) => page.WriteAsync(context));
        routes.MapGet("/openapi", (HttpContext context, ApiPage page) => page.WriteAsync(context));
        routes.MapGet("/install", (HttpContext context, InstallPage page) => page.WriteAsync(context));
        routes.MapGet("/assets/{name}", Files.Asset);
        routes.MapGet("/docs/{name}.md", Files.Documentation);
        return routes;
    }
}
