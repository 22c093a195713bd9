using Footfall.Client;
using Microsoft.Extensions.DependencyInjection.Extensions;
using Microsoft.Extensions.Options;

namespace Microsoft.Extensions.DependencyInjection;

/// <summary>Adds the client to a program's services.</summary>
public static class FootfallClientExtensions
{
    /// <summary><see cref="FootfallClient"/> as a singleton, and the background service that sends. Options are checked when the host starts.</summary>
    public static IServiceCollection AddFootfallClient(this IServiceCollection services, Action<FootfallClientOptions> configure)
    {
        services.AddOptions<FootfallClientOptions>().Configure(configure).ValidateOnStart();
        services.TryAddEnumerable(ServiceDescriptor.Singleton<IValidateOptions<FootfallClientOptions>, FootfallClientOptionsValidator>());
        services.TryAddSingleton(TimeProvider.System);
        services.TryAddSingleton(s => new FootfallClient(s.GetRequiredService<IOptions<FootfallClientOptions>>(), s.GetRequiredService<TimeProvider>()));
        services.AddHttpClient(FootfallSender.HttpClientName);
        services.AddHostedService<FootfallSender>();
        return services;
    }
}
