namespace Footfall.Metrics;

/// <summary>Answers questions about windows of days from rollups.</summary>
public static class MetricsRoom
{
    public static IServiceCollection AddMetrics(this IServiceCollection services)
    {
        services.AddMemoryCache(o => o.SizeLimit = 4_096);
        services.AddSingleton<SummaryStore>();
        services.AddSingleton<SummaryReader>();
        services.AddSingleton<ProductReader>();
        services.AddSingleton<FunnelsReader>();
        services.AddSingleton<EntitiesReader>();
        services.AddSingleton<EntityListReader>();
        services.AddSingleton<ExperimentsReader>();
        services.AddSingleton<Readiness>();
        services.AddSingleton<PropertyScope>();
        services.AddSingleton<DailyStore>();
        services.AddSingleton<IngestHealthReader>();
        return services;
    }

    /// <summary>GET /v1/metrics/..., /v1/healthz, /v1/readyz. Contract: docs/api.md.</summary>
    public static IEndpointRouteBuilder MapMetrics(this IEndpointRouteBuilder routes)
    {
        SummaryEndpoints.Map(routes);
        DailyEndpoints.Map(routes);
        ExploreEndpoints.Map(routes);
        WayEndpoints.Map(routes);
        LiveEndpoints.Map(routes);
        ModelEndpoints.Map(routes);
        HealthEndpoints.Map(routes);
        return routes;
    }
}
