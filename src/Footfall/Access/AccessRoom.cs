namespace Footfall.Access;

/// <summary>Who may ask for what.</summary>
public static class AccessRoom
{
    public static IServiceCollection AddAccess(this IServiceCollection services)
    {
        services.AddOptions<AccessOptions>().BindConfiguration("Access").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<AdminKey>();
        services.AddSingleton<FailedAttempts>();
        return services;
    }
}
