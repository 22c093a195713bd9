namespace Footfall.Demo;

/// <summary>A made-up shop's history, so that there is something to look at.</summary>
public static class DemoRoom
{
    /// <summary>Needs Capture's enrichment, Ingestion, Leads and Rollups.</summary>
    public static IServiceCollection AddDemo(this IServiceCollection services)
    {
        services.AddSingleton<DemoFiller>();
        return services;
    }
}
