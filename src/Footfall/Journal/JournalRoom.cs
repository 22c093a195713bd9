using Footfall.Capture;
using Footfall.Hosting;
using Microsoft.Extensions.Options;

namespace Footfall.Journal;

public static class JournalRoom
{
    /// <summary>Adds the journal of <see cref="DataFolder.Journal"/>, and what capture writes to. It is opened when the host starts: a folder that cannot be used stops the start.</summary>
    public static IServiceCollection AddJournal(this IServiceCollection services, IConfiguration configuration)
    {
        services.AddSingleton<IValidateOptions<JournalOptions>, ValidateJournalOptions>();
        services.AddOptions<JournalOptions>().Bind(configuration.GetSection(JournalOptions.Section)).ValidateOnStart();
        services.AddSingleton(s =>
        {
            s.GetService<ServeLock>()?.Take();   // says which process has the folder, where the journal's own lock cannot
            return EventJournal.Open(
                s.GetRequiredService<DataFolder>().Journal,
                s.GetRequiredService<IOptions<JournalOptions>>().Value,
                s.GetRequiredService<TimeProvider>(),
                s.GetRequiredService<ILogger<EventJournal>>());
        });
        services.AddSingleton<JournalMeter>();
        services.AddSingleton<ICaptureLog>(s => s.GetRequiredService<EventJournal>());
        services.AddHostedService<OpenJournalAtStart>();
        return services;
    }

    private sealed class OpenJournalAtStart(IServiceProvider services) : IHostedService
    {
        public Task StartAsync(CancellationToken cancellationToken)
        {
            services.GetRequiredService<JournalMeter>();   // and the journal with it
            return Task.CompletedTask;
        }

        public Task StopAsync(CancellationToken cancellationToken) => Task.CompletedTask;   // the container disposes of it, after everything that writes
    }
}
