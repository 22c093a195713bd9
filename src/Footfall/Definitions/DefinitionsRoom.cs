namespace Footfall.Definitions;

/// <summary>What operators define beside properties: experiments, funnels, accounts.</summary>
public static class DefinitionsRoom
{
    public static IServiceCollection AddDefinitions(this IServiceCollection services)
    {
        services.AddOptions<FunnelsOptions>().BindConfiguration("Funnels").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<ExperimentStore>();
        services.AddSingleton<FunnelStore>();
        return services;
    }
}
