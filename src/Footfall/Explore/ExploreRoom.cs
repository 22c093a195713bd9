namespace Footfall.Explore;

/// <summary>Questions about a property's window, as values, and their answers from raw rows.</summary>
public static class ExploreRoom
{
    public static IServiceCollection AddExplore(this IServiceCollection services)
    {
        services.AddOptions<ExploreOptions>().BindConfiguration("Explore").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Snapshots>();
        services.AddSingleton<Moments>();
        services.AddSingleton<Goals>();
        services.AddSingleton<Assignments>();
        return services;
    }
}
