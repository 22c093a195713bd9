using System.Globalization;
using Footfall.Explore;
using Microsoft.Extensions.Caching.Memory;

namespace Footfall.Dashboard;

/// <summary>
/// The questions that a page asks: all of one page are answered from one moment, and answers are kept until the
/// property is rolled up again, so that panels are as new as the figures above them.
/// </summary>
internal sealed class Questions(CurrentPage page, Moments moments, IMemoryCache cache) : IAsyncDisposable
{
    private static readonly TimeSpan KeptFor = TimeSpan.FromMinutes(10);
    private Moment? moment;

    public async Task<IReadOnlyList<Cell>> AnswerAsync(Query query, CancellationToken cancellationToken)
    {
        var place = string.Create(CultureInfo.InvariantCulture, $"{page.State.Version}|{query.Fingerprint()}|{query.Limit}|{query.After?.Encode("")}|{(query.Only is null ? "" : string.Join('\u0001', query.Only.Select(o => o ?? "\u0002")))}");
        return await KeptAsync((nameof(Questions), place), m => m.AnswerAsync(query, cancellationToken));
    }

    public async Task<Cell> TotalAsync(Query query, CancellationToken cancellationToken) => (await AnswerAsync(query.Total, cancellationToken))[0];

    /// <summary>Every piece of the query's window, those without anything too.</summary>
    public async Task<List<(DateTimeOffset Start, Cell Cell)>> SeriesAsync(Query query, CancellationToken cancellationToken)
    {
        var cells = (await AnswerAsync(query, cancellationToken)).ToDictionary(c => TimePieces.FromKey(c.Key!));
        return [.. TimePieces.Of(query.Window, query.Per!.Value).Select(start => (start, cells.GetValueOrDefault(start) ?? Snapshot.Nothing(query.Metrics)))];
    }

    /// <param name="key">Tells the answer from others of the same version of the property.</param>
    /// <param name="ask">Of raw rows, what only they tell.</param>
    public Task<T> KeptAsync<T>(string key, Func<Snapshot, Task<T>> ask, CancellationToken cancellationToken) =>
        KeptAsync((nameof(Questions), $"{page.State.Version}|{page.Property.Id}|{key}"), async m => await ask(await m.SnapshotAsync(cancellationToken)));

    /// <param name="key">Tells the answer from others of the same version of the property.</param>
    /// <param name="ask">Of the moment that all of the page is answered from.</param>
    public Task<T> KeptOfMomentAsync<T>(string key, Func<Moment, Task<T>> ask) => KeptAsync((nameof(Questions), $"{page.State.Version}|{page.Property.Id}|{key}"), ask);

    private async Task<T> KeptAsync<T>((string, string) key, Func<Moment, Task<T>> ask)
    {
        if (cache.TryGetValue(key, out T? kept)) return kept!;
        moment ??= moments.Open(page.Property.Id);
        var answer = await ask(moment);
        cache.Set(key, answer, new MemoryCacheEntryOptions { AbsoluteExpirationRelativeToNow = KeptFor, Size = answer is System.Collections.ICollection many ? 1 + (many.Count / 16) : 1 });
        return answer;
    }

    /// <summary>Lets the next one have its turn; more can be asked afterwards.</summary>
    public async ValueTask DisposeAsync()
    {
        if (moment is not { } open) return;
        moment = null;
        await open.DisposeAsync();
    }
}
