using Footfall.Backups;
using Footfall.Leads;
using Microsoft.Extensions.Options;

namespace Footfall.Rollups;

/// <summary>Turns raw rows into day rows: what changed within a minute, the last days every night.</summary>
public static class RollupsRoom
{
    public static IServiceCollection AddRollups(this IServiceCollection services)
    {
        services.AddOptions<RollupsOptions>().BindConfiguration("Rollups").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<RetentionOptions>().BindConfiguration("Retention").ValidateDataAnnotations().ValidateOnStart();
        services.AddSingleton<Retention>();
        services.AddSingleton<IDayModel, DailyMetrics>();
        services.AddSingleton<IDayModel, DailyIngest>();
        services.AddSingleton<IDayModel, EntityAggregates>();
        services.AddSingleton<UserFacts>();
        services.AddSingleton<IDayModel, ProductMetrics>();
        services.AddSingleton<IDayModel, ExperimentMetrics>();
        services.AddSingleton<IDayModel, FunnelMetrics>();
        services.AddSingleton<IDayModel, EntityVisitors>();
        services.AddSingleton<IPersonalTrace, UserTraces>();
        services.AddSingleton<RollupStore>();
        services.AddSingleton<PropertyRemoval>();
        services.AddSingleton<ILastingRequest, RemovedProperties>();
        services.AddSingleton(s => s.GetRequiredService<IOptions<RollupsOptions>>().Value is var o ? new RollupLimits(o.MaxEntities, o.MaxExperiments, o.MaxEventTypes) : null!);
        services.AddSingleton<RollupRunner>();
        services.AddSingleton<Backfill>();
        services.AddSingleton<Discrepancy>();
        services.AddSingleton<Jobs>();
        services.AddSingleton<JobMeter>();
        services.AddSingleton<JobScheduler>();
        return services;
    }

    /// <summary>The server also runs the jobs; a command line does not.</summary>
    public static IServiceCollection AddJobSchedule(this IServiceCollection services) =>
        services.AddHostedService(s => s.GetRequiredService<JobScheduler>());
}
