using Microsoft.Extensions.Options;

namespace Footfall.Backups;

/// <summary>Takes what is in the database, the journal and the data folder's keys to somewhere else, and back. The format: docs/backup.md.</summary>
public static class BackupsRoom
{
    /// <summary>Needs the database, the journal, ingestion, leads and access tokens.</summary>
    public static IServiceCollection AddBackups(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddOptions<BackupOptions>().Bind(configuration.GetSection(BackupOptions.Section)).ValidateOnStart();
        services.AddSingleton<IValidateOptions<BackupOptions>, BackupOptionsValidation>();
        services.AddSingleton<BackupRun>();
        services.AddSingleton<BackupVerification>();
        services.AddSingleton<BackupFiles>();
        services.AddSingleton<PersonRequests>();
        services.AddSingleton<RequestKeeper>();
        services.AddSingleton<RestoreRun>();
        return services;
    }

    /// <summary>The server also keeps the lists of what must hold after a restore.</summary>
    public static IServiceCollection AddRequestKeeper(this IServiceCollection services) => services.AddHostedService(s => s.GetRequiredService<RequestKeeper>());
}
