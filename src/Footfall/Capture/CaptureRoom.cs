using Microsoft.Extensions.Options;

namespace Footfall.Capture;

/// <summary>Takes events in: reads, checks, enriches, and hands them to the log.</summary>
public static class CaptureRoom
{
    /// <summary>Needs, from elsewhere: <c>TimeProvider</c>, <c>DataFolder</c>, <c>NpgsqlDataSource</c>, <c>DatabaseGate</c>, <see cref="ICaptureLog"/>.</summary>
    public static IServiceCollection AddCapture(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddCaptureEnrichment(configuration);
        services.AddSingleton<AddressLimiter>();
        services.AddSingleton<ArrivedBatches>();
        services.AddSingleton<CaptureEndpoints>();
        services.AddSingleton<CaptureMeter>();
        services.AddSingleton<OutcomeCounters>();
        services.AddHostedService<DayKeyKeeper>();
        services.AddHostedService<CaptureRefresher>();
        services.AddHostedService(s => s.GetRequiredService<OutcomeCounters>());
        return services;
    }

    /// <summary>What makes events of requests, without the endpoint and the background work: what an import needs.</summary>
    internal static IServiceCollection AddCaptureEnrichment(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<CaptureOptions>().Bind(configuration.GetSection(CaptureOptions.Section)).ValidateOnStart();
        services.AddOptions<GeoIpOptions>().Bind(configuration.GetSection(GeoIpOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<CaptureOptions>, CaptureOptionsValidator>();
        services.AddSingleton<IValidateOptions<GeoIpOptions>, GeoIpOptionsValidator>();
        services.AddSingleton(s => PersonalHashes.Create(s.GetRequiredService<IOptions<CaptureOptions>>(), s.GetRequiredService<Hosting.DataFolder>(), s.GetRequiredService<TimeProvider>()));
        services.AddSingleton<DayKeys>();
        services.AddSingleton<DayKeyStore>();
        services.AddSingleton<ImportDayKeys>();
        services.AddSingleton<PropertyRegistry>();
        services.AddSingleton<PropertyStore>();
        services.AddSingleton<UserAgentReader>();
        services.AddSingleton<Countries>();
        services.AddSingleton<EventIds>();
        services.AddSingleton<CapturePipeline>();
        return services;
    }

    /// <summary>POST /v1/events: takes events from browsers and servers. Contract: docs/api.md.</summary>
    public static IEndpointRouteBuilder MapCapture(this IEndpointRouteBuilder routes)
    {
        routes.ServiceProvider.GetRequiredService<CaptureEndpoints>().Map(routes);
        return routes;
    }
}
