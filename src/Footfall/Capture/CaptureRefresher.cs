using Footfall.Postgres;
using Npgsql;

namespace Footfall.Capture;

/// <summary>Reads properties again when a server says that they have changed, and with the country database from time to time; and loads the data lists before the first visitor needs them.</summary>
internal sealed class CaptureRefresher(
    PropertyRegistry registry, PropertyStore store, DatabaseGate database, ChangeFeed changes, Countries countries, UserAgentReader agents, TimeProvider time, ILogger<CaptureRefresher> logger) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromSeconds(30);

    private readonly SemaphoreSlim changed = new(0, 1);

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        await Task.Yield();     // the server's start waits for nothing below
        countries.RefreshIfChanged();
        agents.WarmUp();
        changes.On(Shared.Properties, Wake);
        await Task.WhenAny(database.WaitAsync(stoppingToken), Task.Delay(Interval, time, stoppingToken));
        do
        {
            countries.RefreshIfChanged();
            await RefreshPropertiesAsync(stoppingToken);
        }
        while (await SleepAsync(stoppingToken));
    }

    private async Task<bool> SleepAsync(CancellationToken stoppingToken)
    {
        using var interval = new CancellationTokenSource(Interval, time);
        using var either = CancellationTokenSource.CreateLinkedTokenSource(interval.Token, stoppingToken);
        try
        {
            await changed.WaitAsync(either.Token);
        }
        catch (OperationCanceledException) when (!stoppingToken.IsCancellationRequested)
        {
            // Nobody said anything.
        }
        return true;
    }

    public override void Dispose()
    {
        changed.Dispose();
        base.Dispose();
    }

    private void Wake()
    {
        try
        {
            changed.Release();
        }
        catch (SemaphoreFullException)
        {
            // It is awake, or about to be.
        }
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
