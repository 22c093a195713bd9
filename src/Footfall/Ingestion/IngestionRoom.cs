namespace Footfall.Ingestion;

/// <summary>Takes captured events from the journal into the database: once, in order, sessions found or opened.</summary>
public static class IngestionRoom
{
    public static IServiceCollection AddIngestion(this IServiceCollection services)
    {
        services.AddOptions<SessionsOptions>().BindConfiguration("Sessions").ValidateDataAnnotations().ValidateOnStart();
        services.AddOptions<IngestionOptions>().BindConfiguration("Ingestion").ValidateDataAnnotations().ValidateOnStart();
        services.AddTransient<BatchWriter>();   // each caller has a connection of its own
        services.AddSingleton<Func<BatchWriter>>(s => s.GetRequiredService<BatchWriter>);
        services.AddTransient<LaneWriters>();
        services.AddSingleton<JournalPositions>();
        services.AddSingleton<SessionSealer>();
        services.AddSingleton<IngestionMeter>();
        services.AddSingleton<JournalDrain>();
        return services;
    }

    /// <summary>The server also drains its journal; a command line does not.</summary>
    public static IServiceCollection AddJournalDrain(this IServiceCollection services) =>
        services.AddHostedService(s => s.GetRequiredService<JournalDrain>());
}
