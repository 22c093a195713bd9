namespace Footfall.Definitions;

/// <summary>What operators define beside properties: experiments, funnels, accounts.</summary>
public static class DefinitionsRoom
{
    public static IServiceCollection AddDefinitions(this IServiceCollection services)
    {
        services.AddOptions<FunnelsOptions>().BindConfiguration("Funnels").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<PropertySettings>();
        services.AddSingleton<ExperimentStore>();
        services.AddSingleton<FunnelStore>();
        services.AddSingleton<AccountStore>();
        services.AddSingleton<RunningExperiments>();
        return services;
    }

    /// <summary>/v1/experiments, /v1/funnels, /v1/accounts. Contract: docs/api.md.</summary>
    public static IEndpointRouteBuilder MapDefinitions(this IEndpointRouteBuilder routes)
    {
        ExperimentEndpoints.Map(routes);
        FunnelEndpoints.Map(routes);
        AccountEndpoints.Map(routes);
        return routes;
    }
}
