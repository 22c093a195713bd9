using System.Threading.Channels;
using Microsoft.Extensions.Options;

namespace Footfall.Client;

/// <summary>Takes events from the program. They wait in memory and are sent in the background; see <see cref="FootfallSender"/>.</summary>
public sealed class FootfallClient
{
    private readonly FootfallClientOptions options;
    private readonly TimeProvider time;
    private readonly Channel<WireEvent> waiting;

    internal FootfallClient(IOptions<FootfallClientOptions> options, TimeProvider time)
    {
        this.options = options.Value;
        this.time = time;
        waiting = Channel.CreateBounded<WireEvent>(new BoundedChannelOptions(this.options.Capacity) { SingleReader = true });
    }

    internal ChannelReader<WireEvent> Waiting => waiting.Reader;

    /// <summary>Hands an event over. Waits only while <see cref="FootfallClientOptions.Capacity"/> events wait already; never for the server.</summary>
    /// <exception cref="ChannelClosedException">The host has stopped.</exception>
    public ValueTask TrackAsync(string eventType, FootfallEvent? details = null, CancellationToken cancellationToken = default) =>
        AddAsync(eventType, details ?? new FootfallEvent(), account: null, cancellationToken);

    /// <summary>Tells who an account is, and, with <paramref name="anonId"/>, which visitor it belongs to.</summary>
    public ValueTask IdentifyAsync(string accountId, string? username = null, string? displayName = null, string? anonId = null, string? accountSignature = null, CancellationToken cancellationToken = default)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(accountId);
        return AddAsync("identify", new FootfallEvent { AccountId = accountId, AnonId = anonId, AccountSignature = accountSignature }, new WireAccount(username, displayName), cancellationToken);
    }

    internal void Close() => waiting.Writer.TryComplete();

    private ValueTask AddAsync(string eventType, FootfallEvent e, WireAccount? account, CancellationToken cancellationToken)
    {
        ArgumentException.ThrowIfNullOrWhiteSpace(eventType);
        return waiting.Writer.WriteAsync(new WireEvent(
            eventType,
            e.EventId ?? Guid.NewGuid().ToString("N"),
            // A server speaks for many: without an id of the visitor's, the account's own keeps its events together.
            e.AnonId ?? (e.AccountId is null ? null : $"account-{e.AccountId}"),
            e.Timestamp ?? time.GetUtcNow(),
            e.Path,
            e.Referrer,
            e.AccountId,
            e.AccountSignature,
            account,
            e.EntityType,
            e.EntityId,
            e.Props,
            new WireTraffic(e.PropertyId ?? options.PropertyId, e.IsConversion)), cancellationToken);
    }
}
