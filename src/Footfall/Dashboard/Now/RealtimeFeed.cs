using System.Collections.Concurrent;
using System.Security.Cryptography;
using System.Text;
using Footfall.Explore;

namespace Footfall.Dashboard.Now;

/// <summary>What happens on a property now.</summary>
/// <param name="Mark">Another one when something of it is different.</param>
internal sealed record NowModel(DateTimeOffset At, Realtime Realtime, IReadOnlyList<(string? Country, long Visitors)> Countries, IReadOnlyList<RecentEvent> Events, string Mark);

/// <summary>Reads what happens now once for all who watch a property, every two seconds at most.</summary>
internal sealed class RealtimeFeed(Snapshots snapshots, TimeProvider clock)
{
    private static readonly TimeSpan Fresh = TimeSpan.FromSeconds(2);
    private const int MostKept = 256;

    private readonly ConcurrentDictionary<string, Watched> watched = new(StringComparer.Ordinal);

    public async Task<NowModel> ReadAsync(string propertyId, CancellationToken cancellationToken)
    {
        if (watched.Count > MostKept) watched.Clear();
        var property = watched.GetOrAdd(propertyId, _ => new Watched());
        await property.Turn.WaitAsync(cancellationToken);
        try
        {
            var now = clock.GetUtcNow();
            return property.Last is { } last && now - last.At < Fresh && now >= last.At ? last : property.Last = await LookAsync(propertyId, now, cancellationToken);
        }
        finally
        {
            property.Turn.Release();
        }
    }

    private async Task<NowModel> LookAsync(string propertyId, DateTimeOffset now, CancellationToken cancellationToken)
    {
        await using var snapshot = await snapshots.OpenAsync(cancellationToken);
        var realtime = await RealtimeSql.ReadAsync(snapshot, propertyId, now, cancellationToken);
        var countries = await RecentSql.CountriesAsync(snapshot, propertyId, now, cancellationToken);
        var events = await RecentSql.EventsAsync(snapshot, propertyId, now, cancellationToken);
        var text = new StringBuilder().Append(realtime.Visitors);
        foreach (var (minute, views) in realtime.PageViews) text.Append('|').Append(minute.ToUnixTimeSeconds()).Append(' ').Append(views);
        foreach (var (value, visitors) in realtime.Pages.Concat(realtime.Sources).Concat(countries)) text.Append('|').Append(value).Append(' ').Append(visitors);
        foreach (var e in events) text.Append('|').Append(e.At.UtcTicks).Append(e.EventType).Append(e.Path);
        return new NowModel(now, realtime, countries, events, Convert.ToHexStringLower(SHA256.HashData(Encoding.UTF8.GetBytes(text.ToString())).AsSpan(0, 8)));
    }

    private sealed class Watched
    {
        public SemaphoreSlim Turn { get; } = new(1);
        public NowModel? Last { get; set; }
    }
}
