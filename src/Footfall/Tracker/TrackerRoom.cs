namespace Footfall.Tracker;

/// <summary>What pages load from the server: the tracker's files, the picture for browsers without scripts, the demo site.</summary>
public static class TrackerRoom
{
    /// <summary>Needs <c>AddCapture</c>.</summary>
    public static IServiceCollection AddTracker(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<DemoOptions>().Bind(configuration.GetSection(DemoOptions.Section)).ValidateOnStart();
        services.AddSingleton<PixelEndpoint>();
        services.AddSingleton<ArrivalStore>();
        return services;
    }

    /// <summary>GET /t.js and the files it loads, GET /v1/pixel.gif, GET /v1/install/arrived; the demo site at /demo/ in development or when asked for.</summary>
    public static IEndpointRouteBuilder MapTracker(this IEndpointRouteBuilder routes)
    {
        foreach (var file in TrackerFiles.All) routes.MapMethods(file.Path, Read, file.WriteAsync);
        routes.MapMethods("/t.{name}.{hash}.js", Read, (HttpContext context, string name, string hash) =>
        {
            if (hash.Length == TrackerFiles.HashLength && TrackerFiles.Successor(name) is { } file) return file.WriteAsync(context);
            context.Response.StatusCode = StatusCodes.Status404NotFound;
            return Task.CompletedTask;
        });
        routes.MapMethods(PixelEndpoint.Path, Read, (HttpContext context, PixelEndpoint pixel) => pixel.AnswerAsync(context));
        routes.MapGet("/v1/install/arrived", ArrivalEndpoint.AnswerAsync);
        if (DemoSite.IsOn(routes.ServiceProvider)) DemoSite.Map(routes);
        return routes;
    }

    internal static readonly string[] Read = [HttpMethods.Get, HttpMethods.Head];
}
