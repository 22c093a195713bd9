using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Postgres;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Xunit;

namespace Footfall.Tests.Capture;

/// <summary>What servers on one database share: the day's keys and the properties.</summary>
public sealed class SharedStateTests : IAsyncLifetime
{
    private static readonly DateOnly Today = new(2026, 3, 14);
    private readonly SettableTime time = new();
    private readonly List<string> folders = [];
    private TestDatabase database = null!;

    public async ValueTask InitializeAsync() => database = await TestDatabase.CreateAsync();

    public async ValueTask DisposeAsync()
    {
        await database.DisposeAsync();
        foreach (var folder in folders) Directory.Delete(folder, recursive: true);
    }

    private (DayKeys Keys, DayKeyKeeper Keeper) Server(bool databaseIsThere = true)
    {
        folders.Add(TestFolder.New("shared"));
        var keys = new DayKeys(new DataFolder(folders[^1]));
        var gate = new DatabaseGate(time);
        if (databaseIsThere) gate.Open();
        return (keys, new DayKeyKeeper(keys, new DayKeyStore(database.Source), gate, time, NullLogger<DayKeyKeeper>.Instance));
    }

    [Fact]
    public async Task Two_servers_agree_on_the_keys_of_today_and_tomorrow()
    {
        var (first, firstKeeper) = Server();
        var (second, secondKeeper) = Server();
        Assert.NotEqual(first.For(Today), second.For(Today));
        await Task.WhenAll(firstKeeper.KeepAsync(default), secondKeeper.KeepAsync(default));
        Assert.Equal(first.For(Today), second.For(Today));
        Assert.Equal(first.For(Today.AddDays(1)), second.For(Today.AddDays(1)));
        Assert.Equal(["2026-03-14", "2026-03-15"], await database.RowsAsync("select day::text from visitor_day_keys order by day"));

        var tomorrow = first.For(Today.AddDays(1));
        time.Now = time.Now.AddDays(1);
        await firstKeeper.KeepAsync(default);
        Assert.Equal(tomorrow, first.For(Today.AddDays(1)));
    }

    [Fact]
    public async Task Two_days_after_its_day_a_key_is_gone_everywhere()
    {
        var (keys, keeper) = Server();
        await keeper.KeepAsync(default);
        var old = keys.For(Today);
        time.Now = new DateTimeOffset(2026, 3, 15, 23, 59, 59, TimeSpan.Zero);
        await keeper.KeepAsync(default);
        Assert.Equal(old, keys.For(Today));
        time.Now = new DateTimeOffset(2026, 3, 16, 0, 0, 0, TimeSpan.Zero);
        await keeper.KeepAsync(default);

        Assert.Equal(["2026-03-15", "2026-03-16", "2026-03-17"], await database.RowsAsync("select day::text from visitor_day_keys order by day"));
        Assert.Equal(
            ["visitor-day-2026-03-15", "visitor-day-2026-03-16", "visitor-day-2026-03-17"],
            Directory.GetFiles(Path.Combine(folders[0], "keys")).Select(Path.GetFileName).Order());
        Assert.NotEqual(old, keys.For(Today));
    }

    [Fact]
    public async Task Without_the_database_keys_are_made_all_the_same()
    {
        var (keys, keeper) = Server(databaseIsThere: false);
        await keeper.KeepAsync(default);
        var key = keys.For(Today);
        Assert.Empty(await database.RowsAsync("select day::text from visitor_day_keys"));
        Assert.Equal(key, new DayKeys(new DataFolder(folders[0])).For(Today));
    }

    [Fact]
    public async Task A_table_that_is_away_is_overcome_and_said()
    {
        var (keys, keeper) = Server();
        var key = keys.For(Today);
        await database.ExecuteAsync("alter table visitor_day_keys rename to elsewhere");
        await keeper.KeepAsync(default);
        Assert.Equal(key, keys.For(Today));
        await database.ExecuteAsync("alter table elsewhere rename to visitor_day_keys");
        await keeper.KeepAsync(default);
        Assert.Equal(["2026-03-14", "2026-03-15"], await database.RowsAsync("select day::text from visitor_day_keys order by day"));
    }

    [Fact]
    public async Task Properties_are_read_with_hosts_and_goals()
    {
        await database.ExecuteAsync("""
            insert into properties (id, name, hosts, goals)
            values ('shop', 'Shop', '{shop.example,WWW.Store.Example}', '[{"name": "bought", "eventType": "purchase"}, {"eventType": "page_view", "path": "/thanks"}]'),
                   ('odd', 'Odd', '{}', '{"not": "a list"}')
            """);
        var properties = await new PropertyStore(database.Source).LoadAsync(default);
        var shop = Assert.Single(properties, p => p.Id == "shop");
        Assert.True(shop.Owns("www.shop.example"));
        Assert.True(shop.Owns("store.example"));
        Assert.False(shop.Owns("example"));
        Assert.True(shop.IsGoal("purchase", null));
        Assert.True(shop.IsGoal("page_view", "/thanks?x"));
        Assert.False(shop.IsGoal("page_view", "/"));
        Assert.False(Assert.Single(properties, p => p.Id == "odd").IsGoal("page_view", "/"));
    }
}
