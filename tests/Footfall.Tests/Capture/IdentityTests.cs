using Footfall.Capture;
using Footfall.Hosting;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class IdentityTests : IDisposable
{
    private static readonly DateOnly Day = new(2026, 3, 14);
    private readonly string folder = TestFolder.New("keys");

    public void Dispose() => Directory.Delete(folder, recursive: true);

    [Fact]
    public void A_days_key_survives_a_restart_and_is_readable_by_its_owner_only()
    {
        var key = new DayKeys(new DataFolder(folder)).For(Day);
        Assert.Equal(32, key.Length);
        Assert.Equal(key, new DayKeys(new DataFolder(folder)).For(Day));
        Assert.NotEqual(key, new DayKeys(new DataFolder(folder)).For(Day.AddDays(1)));
        Assert.All(Directory.GetFiles(Path.Combine(folder, "keys")), f => Assert.Equal(UnixFileMode.UserRead | UnixFileMode.UserWrite, File.GetUnixFileMode(f)));
    }

    [Fact]
    public void A_forgotten_key_is_gone_from_memory_and_disk_and_never_comes_back()
    {
        var keys = new DayKeys(new DataFolder(folder));
        var (old, today) = (keys.For(Day.AddDays(-2)), keys.For(Day));
        keys.Forget(Day.AddDays(-2));
        Assert.Equal(["visitor-day-2026-03-14"], Directory.GetFiles(Path.Combine(folder, "keys")).Select(Path.GetFileName));
        Assert.NotEqual(old, keys.For(Day.AddDays(-2)));
        Assert.Equal(today, keys.For(Day));
    }

    [Fact]
    public void The_key_that_servers_agreed_on_replaces_the_own_one()
    {
        var keys = new DayKeys(new DataFolder(folder));
        var own = keys.For(Day);
        Assert.False(keys.Adopt(Day, own));
        var agreed = own.Reverse().ToArray();
        Assert.True(keys.Adopt(Day, agreed));
        Assert.Equal(agreed, keys.For(Day));
        Assert.Equal(agreed, new DayKeys(new DataFolder(folder)).For(Day));
        Assert.Equal(["visitor-day-2026-03-14"], Directory.GetFiles(Path.Combine(folder, "keys")).Select(Path.GetFileName));
    }

    [Fact]
    public void Imported_days_have_the_same_keys_each_time_and_each_day_its_own()
    {
        var keys = new ImportDayKeys(new PersonalHashes("0123456789abcdef"u8.ToArray()));
        Assert.Equal(keys.For(Day), new ImportDayKeys(new PersonalHashes("0123456789abcdef"u8.ToArray())).For(Day));
        Assert.NotEqual(keys.For(Day), keys.For(Day.AddDays(1)));
        Assert.NotEqual(keys.For(Day), new ImportDayKeys(new PersonalHashes("fedcba9876543210"u8.ToArray())).For(Day));
    }

    [Fact]
    public void Ids_only_grow_even_when_the_clock_steps_back()
    {
        var ids = new EventIds();
        var random = new Random(3);
        var now = new DateTimeOffset(2026, 3, 14, 9, 26, 53, TimeSpan.Zero);
        var last = "";
        for (var i = 0; i < 200_000; i++)
        {
            if (i % 50 == 0) now = now.AddMilliseconds(random.Next(-20, 40));
            var id = ids.Next(now);
            var text = id.ToString();
            Assert.True(string.CompareOrdinal(text, last) > 0, $"{text} after {last}");
            last = text;
            Assert.Equal((7, 8), (id.Version, id.Variant & 0xC));
        }
    }

    [Fact]
    public void An_id_begins_with_its_millisecond()
    {
        var at = new DateTimeOffset(2026, 3, 14, 9, 26, 53, 589, TimeSpan.Zero);
        var bytes = new EventIds().Next(at).ToByteArray(bigEndian: true);
        Assert.Equal(at.ToUnixTimeMilliseconds(), Convert.ToInt64(Convert.ToHexString(bytes[..6]), 16));
    }

    [Fact]
    public async Task Ids_of_many_threads_are_all_different()
    {
        var ids = new EventIds();
        var at = new DateTimeOffset(2026, 3, 14, 9, 26, 53, TimeSpan.Zero);
        var all = await Task.WhenAll(Enumerable.Range(0, 8).Select(_ => Task.Run(() => Enumerable.Range(0, 20_000).Select(_ => ids.Next(at)).ToArray())));
        Assert.Equal(160_000, all.SelectMany(i => i).Distinct().Count());
    }

    [Fact]
    public void Texts_that_run_together_have_different_hashes()
    {
        var key = new byte[32];
        Assert.NotEqual(VisitorIds.Cookieless(key, null, "ab", "c", Day), VisitorIds.Cookieless(key, null, "a", "bc", Day));
        Assert.NotEqual(VisitorIds.OfAnonId("eventId:x"), VisitorIds.DedupeKeyOfEventId("x"));
        var visitor = Guid.NewGuid();
        var at = DateTimeOffset.UnixEpoch;
        Assert.NotEqual(VisitorIds.DedupeKeyOfContent(visitor, "ab", "c", at, null), VisitorIds.DedupeKeyOfContent(visitor, "a", "bc", at, null));
    }

    [Theory]
    [InlineData("Capture:MaxProperties", "0")]
    [InlineData("Capture:DefaultPropertyId", "no spaces")]
    [InlineData("Capture:RateLimit:Burst", "0")]
    [InlineData("Capture:RateLimit:PerSecond", "-1")]
    [InlineData("Capture:MaxBodyBytes", "10")]
    [InlineData("Capture:IpHashPepper", "short")]
    [InlineData("Capture:CorsAllowedOrigins", "https://example.com/path")]
    [InlineData("Capture:CorsAllowedOrigins", "example.com")]
    [InlineData("GeoIp:DatabasePath", "/nowhere/country.mmdb")]
    [InlineData("TrustedProxies", "10.0.0.0/99")]
    [InlineData("TrustedProxies", "proxy.local")]
    public async Task A_wrong_setting_stops_the_start_and_is_named(string key, string value)
    {
        var failure = await Assert.ThrowsAsync<Microsoft.Extensions.Options.OptionsValidationException>(() => CaptureServer.StartAsync((key, value)));
        Assert.Contains(key, failure.Message, StringComparison.Ordinal);
    }
}
