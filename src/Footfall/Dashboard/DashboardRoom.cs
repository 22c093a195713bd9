namespace Footfall.Dashboard;

/// <summary>Pages for people.</summary>
public static class DashboardRoom
{
    public static IServiceCollection AddDashboard(this IServiceCollection services)
    {
        services.AddSingleton<StartPage>();
        services.AddSingleton<ApiPage>();
        services.AddSingleton<InstallPage>();
        return services;
    }

    /// <summary>Security headers on every answer, and a body for answers that have none. Before everything that answers.</summary>
    public static IApplicationBuilder UseDashboard(this IApplicationBuilder app)
    {
        app.Use(SecurityHeaders.Add);
        app.Use(ErrorAnswers.Add);
        return app;
    }

    /// <summary>The start page, the files it needs, and the documentation of this version.</summary>
    public static IEndpointRouteBuilder MapDashboard(this IEndpointRouteBuilder routes)
    {
        routes.MapGet("/", (HttpContext context, StartPage page) => page.WriteAsync(context));
        routes.MapGet("/openapi", (HttpContext context, ApiPage page) => page.WriteAsync(context));
        routes.MapGet("/install", (HttpContext context, InstallPage page) => page.WriteAsync(context));
        routes.MapGet("/assets/{name}", Files.Asset);
        routes.MapGet("/docs/{name}.md", Files.Documentation);
        return routes;
    }
}
