using System.Collections.Concurrent;
using Npgsql;

namespace Footfall.Access;

/// <summary>Remembers when tokens were used, and writes it down once a minute and at the end: a request costs no write.</summary>
internal sealed class TokenUse(TokenStore store, TimeProvider clock, ILogger<TokenUse> log) : BackgroundService
{
    private static readonly TimeSpan Interval = TimeSpan.FromMinutes(1);

    private readonly ConcurrentDictionary<Guid, DateTimeOffset> uses = new();

    public void Note(Guid token, DateTimeOffset at) => uses[token] = at;

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        using var timer = new PeriodicTimer(Interval, clock);
        while (await timer.WaitForNextTickAsync(stoppingToken)) await FlushAsync(stoppingToken);
    }

    public override async Task StopAsync(CancellationToken cancellationToken)
    {
        await base.StopAsync(cancellationToken);
        await FlushAsync(cancellationToken);
    }

    internal async Task FlushAsync(CancellationToken cancellationToken)
    {
        var taken = uses.ToArray();
        if (taken.Length == 0) return;
        try
        {
            await store.UsedAsync(taken, cancellationToken);
            foreach (var use in taken) uses.TryRemove(use);   // unless it was used again meanwhile
        }
        catch (NpgsqlException e)
        {
            log.UseNotWritten(e.Message);   // kept for the next time
        }
    }
}
