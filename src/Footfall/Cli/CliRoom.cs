using Footfall.Access;
using Footfall.Cli.Export;
using Footfall.Cli.Import;

namespace Footfall.Cli;

/// <summary>What commands need beside the rooms that they drive.</summary>
internal static class CliRoom
{
    public static IServiceCollection AddCli(this IServiceCollection services)
    {
        services.AddAccessTokens();
        services.AddSingleton<PropertySettings>();
        services.AddSingleton<ImportStore>();
        services.AddSingleton<AccessLogImport>();
        services.AddSingleton<EventImport>();
        services.AddSingleton<Exporter>();
        return services;
    }
}
