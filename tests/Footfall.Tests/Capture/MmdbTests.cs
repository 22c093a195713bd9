using System.Net;
using System.Text;
using Footfall.Capture;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.Logging.Abstractions;
using Microsoft.Extensions.Options;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class MmdbTests
{
    private static Countries Open(string? path = null) => new(Options.Create(new GeoIpOptions { DatabasePath = path }), NullLogger<Countries>.Instance);

    [Theory]
    [InlineData("8.8.8.8", "US")]
    [InlineData("::ffff:8.8.8.8", "US")]
    [InlineData("2001:4860:4860::8888", "US")]
    [InlineData("193.0.6.139", "NL")]
    [InlineData("210.130.137.80", "JP")]
    [InlineData("127.0.0.1", null)]
    [InlineData("192.168.1.1", null)]
    [InlineData("10.1.2.3", null)]
    [InlineData("172.16.0.1", null)]
    [InlineData("172.31.255.255", null)]
    [InlineData("100.64.0.1", null)]
    [InlineData("169.254.1.1", null)]
    [InlineData("198.51.100.1", null)]
    [InlineData("224.0.0.1", null)]
    [InlineData("fd00::1", null)]
    [InlineData("2001:db8::1", null)]
    [InlineData("::1", null)]
    [InlineData("fe80::1%3", null)]
    [InlineData("0.0.0.0", null)]
    [InlineData("255.255.255.255", null)]
    public void The_database_that_is_shipped_knows_countries(string address, string? country) => Assert.Equal(country, Open().Find(IPAddress.Parse(address)));

    [Theory]
    [InlineData(24, 6, true)]
    [InlineData(28, 6, true)]
    [InlineData(32, 6, true)]
    [InlineData(24, 4, true)]
    [InlineData(28, 4, false)]
    [InlineData(32, 6, false)]
    public void Every_layout_of_the_format_is_read(int recordBits, int ipVersion, bool nested)
    {
        var reader = new MmdbReader(MmdbWriter.Write(recordBits, ipVersion, nested, ("11.0.0.0", 8, "CA"), ("192.0.2.128", 25, "FR"), ("203.0.113.5", 32, "BR")));
        Assert.Equal("CA", reader.Country(IPAddress.Parse("11.255.0.1")));
        Assert.Equal("FR", reader.Country(IPAddress.Parse("192.0.2.129")));
        Assert.Null(reader.Country(IPAddress.Parse("192.0.2.127")));
        Assert.Equal("BR", reader.Country(IPAddress.Parse("203.0.113.5")));
        Assert.Null(reader.Country(IPAddress.Parse("203.0.113.4")));
        Assert.Null(reader.Country(IPAddress.Parse("2001:db8::1")));
    }

    [Fact]
    public void A_broken_file_is_refused_and_never_anything_else()
    {
        var good = MmdbWriter.Write(28, 6, nested: true, ("11.0.0.0", 8, "CA"), ("192.0.2.128", 25, "FR"));
        var random = new Random(42);
        var refused = 0;
        for (var i = 0; i < 20_000; i++)
        {
            var bytes = good.ToArray();
            for (var n = random.Next(1, 6); n > 0; n--) bytes[random.Next(bytes.Length)] = (byte)random.Next(256);
            if (random.Next(4) == 0) bytes = bytes[random.Next(bytes.Length / 2)..random.Next(bytes.Length / 2, bytes.Length)];
            try
            {
                var reader = new MmdbReader(bytes);
                foreach (var address in new[] { "11.1.1.1", "192.0.2.130", "2001:db8::1" }) reader.Country(IPAddress.Parse(address));
            }
            catch (InvalidDataException)
            {
                refused++;
            }
        }
        Assert.InRange(refused, 1000, 19_999);
    }

    [Theory]
    [InlineData("")]
    [InlineData("not a database")]
    [InlineData("\u00AB\u00CD\u00EFMaxMind.com")]
    public void Another_file_is_no_database(string content) => Assert.Throws<InvalidDataException>(() => new MmdbReader(Encoding.Latin1.GetBytes(content)));

    [Fact]
    public void A_changed_file_is_read_again_and_a_broken_one_is_not()
    {
        var path = Path.Combine(TestFolder.New("mmdb"), "country.mmdb");
        void Put(byte[] bytes, int minute)
        {
            File.WriteAllBytes(path, bytes);
            File.SetLastWriteTimeUtc(path, new DateTime(2026, 1, 1, 0, minute, 0, DateTimeKind.Utc));
        }

        Put(MmdbWriter.Write(24, 6, nested: true, ("11.0.0.0", 8, "CA")), 1);
        var countries = Open(path);
        var address = IPAddress.Parse("11.0.0.1");
        Assert.Equal("CA", countries.Find(address));
        Put(MmdbWriter.Write(24, 6, nested: true, ("11.0.0.0", 8, "fr")), 2);
        countries.RefreshIfChanged();
        Assert.Equal("FR", countries.Find(address));
        Put([1, 2, 3], 3);
        countries.RefreshIfChanged();
        Assert.Equal("FR", countries.Find(address));
        File.Delete(path);
        countries.RefreshIfChanged();
        Assert.Equal("FR", countries.Find(address));
        Put(MmdbWriter.Write(24, 6, nested: true, ("11.0.0.0", 8, "ZZ")), 4);
        countries.RefreshIfChanged();
        Assert.Null(countries.Find(address));
        Directory.Delete(Path.GetDirectoryName(path)!, recursive: true);
    }
}
