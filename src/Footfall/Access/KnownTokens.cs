using System.Collections.Concurrent;
using Footfall.Postgres;

namespace Footfall.Access;

/// <summary>
/// Tokens that were right a moment ago, so that a page full of requests asks the database once. A revoked token works
/// for <see cref="KeptFor"/> more at most, and usually not at all: servers tell each other. Wrong ones are not kept: there are endlessly many of them.
/// </summary>
internal sealed class KnownTokens
{
    private readonly TokenStore store;
    private readonly TokenUse use;
    private readonly TimeProvider clock;

    public static readonly TimeSpan KeptFor = TimeSpan.FromSeconds(5);

    // Keyed by hash; holds no more entries than there are tokens.
    private readonly ConcurrentDictionary<string, (AccessToken Token, DateTimeOffset Until)> known = new(StringComparer.Ordinal);

    public KnownTokens(TokenStore store, TokenUse use, TimeProvider clock, ChangeFeed changes)
    {
        (this.store, this.use, this.clock) = (store, use, clock);
        changes.On(Shared.Tokens, known.Clear);
    }

    /// <summary>Null when the text is no token that may be used.</summary>
    public async ValueTask<AccessToken?> FindAsync(string text, CancellationToken cancellationToken)
    {
        if (!TokenText.IsOne(text)) return null;
        var hash = TokenText.Hash(text);
        var key = Convert.ToHexString(hash);
        var now = clock.GetUtcNow();
        if (!known.TryGetValue(key, out var kept) || kept.Until <= now)
        {
            if (await store.FindAsync(hash, cancellationToken) is not { } token)
            {
                known.TryRemove(key, out _);
                return null;
            }
            known[key] = kept = (token, now + KeptFor);
        }
        use.Note(kept.Token.Id, now);
        return kept.Token;
    }
}
