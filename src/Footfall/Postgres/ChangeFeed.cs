using System.Collections.Concurrent;
using Npgsql;

namespace Footfall.Postgres;

/// <summary>What servers keep in memory, and tell each other of when it has changed.</summary>
internal enum Shared
{
    Properties,
    Tokens,
    Experiments,
}

/// <summary>
/// Tells all servers on the database, and this one, that something kept in memory has changed: LISTEN and NOTIFY, a few milliseconds. It only
/// makes things faster: whoever keeps something forgets it after a while by itself, so that a notice that was lost (a broken connection, a
/// connection pooler that does not pass notices on) delays the change and no more. After a lost connection everything counts as changed.
/// </summary>
internal sealed class ChangeFeed(NpgsqlDataSource database, DatabaseGate gate, TimeProvider time, ILogger<ChangeFeed> log) : BackgroundService
{
    private const string Channel = "footfall_changed";

    /// <summary>A connection that died without a word is noticed after so long.</summary>
    private static readonly TimeSpan Silence = TimeSpan.FromSeconds(30);

    private static readonly TimeSpan Pause = TimeSpan.FromSeconds(5);

    private readonly ConcurrentDictionary<Shared, Action> listeners = new();
    private bool complained;

    /// <summary>Has it called whenever what is kept may have changed. From another thread, so it must be quick and not throw.</summary>
    public void On(Shared what, Action changed) => listeners.AddOrUpdate(what, changed, (_, before) => before + changed);

    /// <summary>After the change is committed, or in its transaction.</summary>
    public static async Task TellAsync(NpgsqlConnection connection, Shared what, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand("select pg_notify(@channel, @what)", connection);
        command.Parameters.AddWithValue("channel", Channel);
        command.Parameters.AddWithValue("what", what.ToString());
        await command.ExecuteNonQueryAsync(ct);
    }

    /// <inheritdoc cref="TellAsync(NpgsqlConnection, Shared, CancellationToken)"/>
    public static async Task TellAsync(NpgsqlDataSource database, Shared what, CancellationToken ct)
    {
        await using var connection = await database.OpenConnectionAsync(ct);
        await TellAsync(connection, what, ct);
    }

    protected override async Task ExecuteAsync(CancellationToken stoppingToken)
    {
        while (!stoppingToken.IsCancellationRequested)
        {
            try
            {
                await gate.WaitAsync(stoppingToken);
                await ListenAsync(stoppingToken);
            }
            catch (Exception e) when (e is NpgsqlException or TimeoutException or IOException && !stoppingToken.IsCancellationRequested)
            {
                if (!complained) PostgresLog.NotListening(log, Database.Describe(e));
                complained = true;
                await Task.Delay(Pause, time, stoppingToken).ConfigureAwait(ConfigureAwaitOptions.SuppressThrowing);
            }
            catch (Exception) when (stoppingToken.IsCancellationRequested)
            {
                return;
            }
        }
    }

    private async Task ListenAsync(CancellationToken stop)
    {
        await using var connection = await database.OpenConnectionAsync(stop);
        connection.Notification += (_, notice) => Heard(notice.Payload);
        await ExecuteAsync(connection, $"listen {Channel}", stop);
        complained = false;
        foreach (var what in Enum.GetValues<Shared>()) Changed(what);   // what happened before, nobody has told us
        while (true)
        {
            if (!await connection.WaitAsync(Silence, stop)) await ExecuteAsync(connection, "select 1", stop);
        }
    }

    private void Heard(string payload)
    {
        if (Enum.TryParse<Shared>(payload, out var what)) Changed(what);   // else a newer server's
    }

    private void Changed(Shared what)
    {
        if (listeners.TryGetValue(what, out var changed)) changed();
    }

    private static async Task ExecuteAsync(NpgsqlConnection connection, string sql, CancellationToken ct)
    {
        await using var command = new NpgsqlCommand(sql, connection);
        await command.ExecuteNonQueryAsync(ct);
    }
}
