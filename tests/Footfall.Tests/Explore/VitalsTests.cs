using Footfall.Capture;
using Footfall.Explore;
using Footfall.Tests.Rollups;
using Microsoft.Extensions.Options;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Explore;

[Trait("Category", TestCluster.Category)]
public sealed class VitalsTests : DayFixture
{
    private CapturedEvent Measured(string visitor, string time, string path, string props, DeviceType device = DeviceType.Desktop) =>
        Event(visitor, time, "page_view", path: path, props: props, device: device);

    // Interpolation is done in floating point: 3849.9999999999995 is 3850.
    private static Spread? Rounded(Spread? s) => s is null ? null : new(Math.Round(s.P50, 9), Math.Round(s.P75, 9), Math.Round(s.P95, 9), s.Samples);

    private async Task<(VitalsRow Overall, List<VitalsRow> Rows)> ReadAsync(string from, string to, string? path = null, string? device = null)
    {
        using var snapshots = new Snapshots(Database.Source, Options.Create(new ExploreOptions()));
        await using var snapshot = await snapshots.OpenAsync(default);
        var query = new VitalsQuery("app", new DayRange(Day(from), Day(to)), path, device) { Limit = 100 };
        return (await VitalsSql.OverallAsync(snapshot, query, default), await VitalsSql.RowsAsync(snapshot, query, default));
    }

    [Fact]
    public async Task Percentiles_are_interpolated_over_the_raw_values_of_each_page_and_device()
    {
        await RollAsync(
            Measured("a", "2026-03-02T00:00:00Z", "/p", """{"lcpMs":4000,"clsScore":0.05}"""),
            Measured("b", "2026-03-02T10:00:00Z", "/p", """{"lcpMs":1000}"""),
            Measured("c", "2026-03-02T11:00:00Z", "/p", """{"lcpMs":3000,"clsScore":0.15}"""),
            Measured("d", "2026-03-02T23:59:59.999Z", "/p", """{"lcpMs":2000}"""),
            Measured("e", "2026-03-02T12:00:00Z", "/p", """{"lcpMs":500,"inpMs":200,"fcpMs":3001,"ttfbMs":800,"clsScore":0.25}""", DeviceType.Mobile),
            Measured("f", "2026-03-02T12:00:00Z", "/p", """{"lcpMs":"fast"}"""),                          // no number: no measurement
            Measured("g", "2026-03-02T12:00:00Z", "/q", """{"plan":"pro"}"""),                            // nothing measured
            Measured("h", "2026-03-02T12:00:00Z", "/p", """{"lcpMs":99000}""", DeviceType.Bot),
            Measured("i", "2026-03-01T23:59:59.999Z", "/p", """{"lcpMs":99000}"""), Measured("j", "2026-03-03T00:00:00Z", "/p", """{"lcpMs":99000}"""));
        var (overall, rows) = await ReadAsync("2026-03-02", "2026-03-02");

        // Desktop, LCP 1000 2000 3000 4000: p50 at rank 1.5 = 2500, p75 at 2.25 = 3250, p95 at 2.85 = 3850. CLS 0.05 0.15: 0.1, 0.125, 0.145.
        Assert.Equal([("/p", "desktop", 4L), ("/p", "mobile", 1L)], rows.Select(r => (r.Path!, r.Device!, r.Samples)));
        Assert.Equal(new Spread(2500, 3250, 3850, 4), Rounded(rows[0].Spreads[(int)Vital.Lcp]));
        Assert.Equal(new Spread(0.1, 0.125, 0.145, 2), Rounded(rows[0].Spreads[(int)Vital.Cls]));
        Assert.Null(rows[0].Spreads[(int)Vital.Inp]);
        // Mobile: one value is every percentile.
        Assert.Equal([new Spread(500, 500, 500, 1), new Spread(200, 200, 200, 1), new Spread(0.25, 0.25, 0.25, 1), new Spread(3001, 3001, 3001, 1), new Spread(800, 800, 800, 1)], rows[1].Spreads.Select(s => s!));
        // All, LCP 500 1000 2000 3000 4000: p50 2000, p75 at rank 3 = 3000, p95 at 3.8 = 3800; five events with a measurement.
        Assert.Equal((5L, new Spread(2000, 3000, 3800, 5)), (overall.Samples, Rounded(overall.Spreads[(int)Vital.Lcp])));

        Assert.Equal(1, (await ReadAsync("2026-03-02", "2026-03-02", device: "mobile")).Overall.Samples);
        Assert.Empty((await ReadAsync("2026-03-02", "2026-03-02", path: "/q")).Rows);
        // A window's percentiles are over the window's values, no mean of its days': 99000 500 1000 2000 3000 4000 99000, p50 at rank 3 = 3000.
        Assert.Equal(3000, (await ReadAsync("2026-03-01", "2026-03-03")).Overall.Spreads[(int)Vital.Lcp]!.P50);
        var empty = (await ReadAsync("2026-03-05", "2026-03-06")).Overall;
        Assert.Equal(0, empty.Samples);
        Assert.All(empty.Spreads, Assert.Null);
    }

    [Theory]
    [InlineData(0, 2500, 4000)]
    [InlineData(1, 200, 500)]
    [InlineData(2, 0.1, 0.25)]
    [InlineData(3, 1800, 3000)]
    [InlineData(4, 800, 1800)]
    public void Up_to_the_first_threshold_it_is_good_and_above_the_second_poor(int vital, double good, double poor)
    {
        const double bit = 1e-9;
        Assert.Equal(
            ["good", "good", "needs_improvement", "needs_improvement", "poor"],
            new[] { 0, good, good + bit, poor, poor + bit }.Select(p75 => VitalThresholds.Rating((Vital)vital, p75)));
    }
}
