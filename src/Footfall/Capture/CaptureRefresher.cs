using Footfall.Postgres;
using Npgsql;

namespace Footfall.Capture;

/// <summary>Reads properties and the country database again from time to time, and loads the data lists before the first visitor needs them.</summary>
internal sealed class CaptureRefresher(PropertyRegistry registry, PropertyStore store, DatabaseGate database, Countries countries, UserAgentReader agents, TimeProvider time, ILogger<CaptureRefresher> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();     // the server's start waits for nothing below
        countries.RefreshIfChanged();
        agents.WarmUp();
        using var timer = new PeriodicTimer(Interval, time);
        await Task.WhenAny(database.WaitAsync(stoppingToken), Task.Delay(Interval, time, stoppingToken));
        do
        {
            countries.RefreshIfChanged();
            await RefreshPropertiesAsync(stoppingToken);
        }
        while (await timer.WaitForNextTickAsync(stoppingToken));
    }

    private async Task RefreshPropertiesAsync(CancellationToken cancellationToken)
    {
        if (!database.IsReady) return;
        try
        {
            registry.Refresh(await store.LoadAsync(cancellationToken));
        }
        catch (Exception e) when (e is NpgsqlException or TimeoutException or System.Text.Json.JsonException)
        {
            logger.PropertiesNotRead(e.Message);
        }
    }
}
