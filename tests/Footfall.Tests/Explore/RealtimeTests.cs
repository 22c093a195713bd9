using Footfall.Explore;
using Footfall.Tests.Rollups;
using Microsoft.Extensions.Options;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Explore;

/// <summary>
/// What happens now, with numbers worked out by hand. It is 12:30:30; "now" reaches back to, and without, 12:25:30; minutes from 12:01 on count.
/// <code>
/// visitor  what                                              in the five minutes   page view in minute
/// h        12:00:59 page view, 12:01:00 page view            no                    -, 12:01
/// d        12:10 page view from www.google.com,              no                    12:10
///          12:29 engagement, in the same session             yes, on no page       -
/// b        12:25:30 page view /pricing                       no (not after it)     12:25
/// a        12:25:31 page view /pricing, utm_source Letter,   yes                   12:25
///          12:28 page view /docs                             yes                   12:28
/// c        12:30:30 page view /                              yes                   12:30
/// e        12:30:31 page view /: ahead of now                no                    -
/// bot      12:30 page view /                                 no                    -
/// x        12:30 page view /, of another property            no                    -
/// f        12:30, received an hour before: out of range      no                    -
///
/// visitors a c d = 3; pages /, /docs, /pricing with one visitor each; sources google.com (d), letter (a), none (c)
/// </code>
/// </summary>
[Trait("Category", TestCluster.Category)]
public sealed class RealtimeTests : DayFixture
{
    private async Task<Realtime> NowAsync(string now)
    {
        using var snapshots = new Snapshots(Database.Source, Options.Create(new ExploreOptions()));
        await using var snapshot = await snapshots.OpenAsync(default);
        return await RealtimeSql.ReadAsync(snapshot, "app", At(now), default);
    }

    [Fact]
    public async Task Now_is_the_last_five_minutes_and_page_views_are_those_of_thirty()
    {
        await RollAsync(
            Event("h", "2026-03-02T12:00:59Z", "page_view", path: "/"), Event("h", "2026-03-02T12:01:00Z", "page_view", path: "/"),
            Event("d", "2026-03-02T12:10:00Z", "page_view", path: "/") with { ReferrerHost = "www.google.com" },
            Event("d", "2026-03-02T12:29:00Z", "engagement"),
            Event("b", "2026-03-02T12:25:30Z", "page_view", path: "/pricing"),
            Event("a", "2026-03-02T12:25:31Z", "page_view", path: "/pricing") with { UtmSource = "Letter" },
            Event("a", "2026-03-02T12:28:00Z", "page_view", path: "/docs"),
            Event("c", "2026-03-02T12:30:30Z", "page_view", path: "/"),
            Event("e", "2026-03-02T12:30:31Z", "page_view", path: "/"),
            Event("bot", "2026-03-02T12:30:00Z", "page_view", path: "/", device: Footfall.Capture.DeviceType.Bot),
            Event("x", "2026-03-02T12:30:00Z", "page_view", path: "/", property: "other"),
            Event("f", "2026-03-02T12:30:00Z", "page_view", path: "/", received: "2026-03-02T11:30:00Z"));

        var now = await NowAsync("2026-03-02T12:30:30Z");
        Assert.Equal(3, now.Visitors);
        Assert.Equal([("/", 1L), ("/docs", 1L), ("/pricing", 1L)], now.Pages);
        Assert.Equal([("google.com", 1L), ("letter", 1L), (null, 1L)], now.Sources);
        Assert.Equal(Enumerable.Range(1, 30).Select(m => At($"2026-03-02T12:{m:00}:00Z")), now.PageViews.Select(p => p.Minute));
        Assert.Equal([(1, 1L), (10, 1L), (25, 2L), (28, 1L), (30, 1L)], now.PageViews.Where(p => p.PageViews > 0).Select(p => (p.Minute.Minute, p.PageViews)));
    }

    [Fact]
    public async Task Over_midnight_minutes_go_on_and_without_events_everything_is_zero()
    {
        await RollAsync(
            Event("a", "2028-02-29T23:59:59Z", "page_view", path: "/"), Event("b", "2028-03-01T00:00:00Z", "page_view", path: "/"), Event("b", "2028-03-01T00:00:10Z", "page_view", path: "/"));
        // At 00:02:00 on 1 March of a leap year: 30 minutes from 23:33 on; a's view in 23:59, b's two in 00:00; both in the five minutes.
        var now = await NowAsync("2028-03-01T00:02:00Z");
        Assert.Equal(2, now.Visitors);
        Assert.Equal([("/", 2L)], now.Pages);
        Assert.Equal([(At("2028-02-29T23:59:00Z"), 1L), (At("2028-03-01T00:00:00Z"), 2L)], now.PageViews.Where(p => p.PageViews > 0));
        var later = await NowAsync("2028-03-02T00:00:00Z");
        Assert.Equal((0L, 0, 0, 30, 0L), (later.Visitors, later.Pages.Count, later.Sources.Count, later.PageViews.Count, later.PageViews.Sum(p => p.PageViews)));
    }

    [Fact]
    public async Task The_ten_with_the_most_visitors_are_named()
    {
        // /p00 has one visitor, /p01 two, ... /p11 twelve: the ten with the most are /p11 down to /p02.
        await RollAsync([.. Enumerable.Range(0, 12).SelectMany(p => Enumerable.Range(0, p + 1).Select(v => Event($"{p}-{v}", "2026-03-02T12:00:00Z", "page_view", path: $"/p{p:00}")))]);
        var now = await NowAsync("2026-03-02T12:01:00Z");
        Assert.Equal(Enumerable.Range(2, 10).Reverse().Select(p => ($"/p{p:00}", p + 1L)), now.Pages.Select(p => (p.Value!, p.Visitors)));
        Assert.Equal(78, now.Visitors);   // 1 + 2 + ... + 12
    }
}
