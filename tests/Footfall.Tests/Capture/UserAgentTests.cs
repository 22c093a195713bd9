using System.Diagnostics;
using Footfall.Capture;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class UserAgentTests
{
    private static readonly UserAgentReader Reader = new(new PersonalHashes("0123456789abcdef"u8.ToArray()));

    private const string Chrome = "AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Safari/537.36";

    [Theory]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + Chrome, DeviceType.Desktop, "Chrome", "Windows")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + Chrome + " Edg/140.0.0.0", DeviceType.Desktop, "Edge", "Windows")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) " + Chrome, DeviceType.Desktop, "Chrome", "Mac OS X")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10_15_7) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Safari/605.1.15", DeviceType.Desktop, "Safari", "Mac OS X")]
    [InlineData("Mozilla/5.0 (Macintosh; Intel Mac OS X 10.15; rv:140.0) Gecko/20100101 Firefox/140.0", DeviceType.Desktop, "Firefox", "Mac OS X")]
    [InlineData("Mozilla/5.0 (X11; Ubuntu; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", DeviceType.Desktop, "Firefox", "Ubuntu")]
    [InlineData("Mozilla/5.0 (X11; CrOS x86_64 14541.0.0) " + Chrome, DeviceType.Desktop, "Chrome", "Chrome OS")]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) " + Chrome + " OPR/124.0.0.0", DeviceType.Desktop, "Opera", "Linux")]
    [InlineData("Mozilla/5.0 (Windows NT 10.0; WOW64; Trident/7.0; rv:11.0) like Gecko", DeviceType.Desktop, "IE", "Windows")]
    [InlineData("Mozilla/4.0 (compatible; MSIE 8.0; Windows NT 6.1; Trident/4.0; Tablet PC 2.0)", DeviceType.Desktop, "IE", "Windows")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/18.5 Mobile/15E148 Safari/604.1", DeviceType.Mobile, "Mobile Safari", "iOS")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) CriOS/140.0.7339.39 Mobile/15E148 Safari/604.1", DeviceType.Mobile, "Chrome Mobile iOS", "iOS")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) FxiOS/140.0 Mobile/15E148 Safari/605.1.15", DeviceType.Mobile, "Firefox iOS", "iOS")]
    [InlineData("Mozilla/5.0 (iPhone; CPU iPhone OS 18_5 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Mobile/22F76 Instagram 380.0.0.28.85 (iPhone15,2; iOS 18_5; en_US)", DeviceType.Mobile, "Instagram", "iOS")]
    [InlineData("Mozilla/5.0 (iPad; CPU OS 16_6 like Mac OS X) AppleWebKit/605.1.15 (KHTML, like Gecko) Version/16.6 Mobile/15E148 Safari/604.1", DeviceType.Tablet, "Mobile Safari", "iOS")]
    [InlineData("Mozilla/5.0 (Linux; Android 10; K) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36", DeviceType.Mobile, "Chrome Mobile", "Android")]
    [InlineData("Mozilla/5.0 (Linux; Android 10; K) " + Chrome, DeviceType.Tablet, "Chrome", "Android")]
    [InlineData("Mozilla/5.0 (Linux; Android 14; SM-S918B) AppleWebKit/537.36 (KHTML, like Gecko) SamsungBrowser/27.0 Chrome/125.0.0.0 Mobile Safari/537.36", DeviceType.Mobile, "Samsung Internet", "Android")]
    [InlineData("Mozilla/5.0 (Android 14; Mobile; rv:140.0) Gecko/140.0 Firefox/140.0", DeviceType.Mobile, "Firefox Mobile", "Android")]
    [InlineData("Mozilla/5.0 (Android 14; Tablet; rv:140.0) Gecko/140.0 Firefox/140.0", DeviceType.Tablet, "Firefox Mobile", "Android")]
    [InlineData("Mozilla/5.0 (Linux; Android 13; CUBOT P80) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/120.0.0.0 Mobile Safari/537.36", DeviceType.Mobile, "Chrome Mobile", "Android")]
    [InlineData("Mozilla/5.0 (Linux; Android 9; KFMAWI) AppleWebKit/537.36 (KHTML, like Gecko) Silk/120.1 like Chrome/120.0.0.0 Safari/537.36", DeviceType.Tablet, "Amazon Silk", "Android")]
    [InlineData("Opera/9.80 (J2ME/MIDP; Opera Mini/9.80/174.101; U; en) Presto/2.12.423 Version/12.16", DeviceType.Mobile, "Opera Mini", null)]
    [InlineData("Mozilla/5.0 (Mobile; Nokia_8110_4G; rv:48.0) Gecko/48.0 Firefox/48.0 KAIOS/2.5", DeviceType.Mobile, "Firefox Mobile", "KaiOS")]
    [InlineData("Mozilla/5.0 (SMART-TV; Linux; Tizen 7.0) AppleWebKit/537.36 (KHTML, like Gecko) Version/7.0 TV Safari/537.36", DeviceType.Unknown, "Safari", "Tizen")]
    [InlineData("Mozilla/5.0 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 (Linux; Android 6.0.1; Nexus 5X Build/MMB29P) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/140.0.0.0 Mobile Safari/537.36 (compatible; Googlebot/2.1; +http://www.google.com/bot.html)", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 (compatible; bingbot/2.0; +http://www.bing.com/bingbot.htm)", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 AppleWebKit/537.36 (KHTML, like Gecko; compatible; GPTBot/1.2; +https://openai.com/gptbot)", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) HeadlessChrome/140.0.0.0 Safari/537.36", DeviceType.Bot, null, null)]
    [InlineData("facebookexternalhit/1.1 (+http://www.facebook.com/externalhit_uatext.php)", DeviceType.Bot, null, null)]
    [InlineData("curl/8.5.0", DeviceType.Bot, null, null)]
    [InlineData("python-requests/2.32.3", DeviceType.Bot, null, null)]
    [InlineData("Go-http-client/2.0", DeviceType.Bot, null, null)]
    [InlineData("Wget/1.21.4", DeviceType.Bot, null, null)]
    [InlineData("node", DeviceType.Bot, null, null)]
    [InlineData("UptimeRobot/2.0", DeviceType.Bot, null, null)]
    [InlineData("Some-Unheard-Of-Bot/1.0", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 (compatible; AhrefsBot/7.0; +http://ahrefs.com/robot/)", DeviceType.Bot, null, null)]
    [InlineData("Mozilla/5.0 (compatible; YandexBot/3.0; +http://yandex.com/bots)", DeviceType.Bot, null, null)]
    [InlineData("", DeviceType.Unknown, null, null)]
    [InlineData("   ", DeviceType.Unknown, null, null)]
    [InlineData(null, DeviceType.Unknown, null, null)]
    [InlineData("-", DeviceType.Unknown, null, null)]
    [InlineData("Mozilla/5.0", DeviceType.Unknown, null, null)]
    public void Browser_system_and_device_are_read(string? agent, DeviceType device, string? browser, string? os)
    {
        var facts = Reader.Read(agent);
        Assert.Equal((device, browser, os), (facts.DeviceType, facts.Browser, facts.Os));
        Assert.Equal(string.IsNullOrWhiteSpace(agent), facts.Hash is null);
        Assert.Same(string.IsNullOrWhiteSpace(agent) ? AgentFacts.None : facts, Reader.Read(agent));
    }

    [Fact]
    public void Ten_thousand_different_agents_do_not_hold_the_server_up()
    {
        var random = new Random(7);
        Reader.Read("warm up");
        var clock = Stopwatch.StartNew();
        for (var i = 0; i < 10_000; i++)
        {
            Reader.Read($"Mozilla/5.0 (Linux; Android {random.Next(5, 16)}; SM-{random.Next(100, 999)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{i}.0.{random.Next(9999)}.0 Mobile Safari/537.36");
        }
        // Measured: 0.3 s on one slow core; the bound only catches the loss of the texts that are looked for first.
        Assert.True(clock.Elapsed < TimeSpan.FromSeconds(5), $"{clock.Elapsed}");
    }

    public static TheoryData<string> Hostile => new()
    {
        new string('a', 100_000), new string('(', 512), string.Concat(Enumerable.Repeat("Mozilla/5.0 Mobile ", 30)), string.Concat(Enumerable.Repeat("iPhone Version/1 ", 40)),
        string.Concat(Enumerable.Repeat("Chrome/1.1.1.1 ", 40)), "CFNetwork " + string.Concat(Enumerable.Repeat("/1 ", 170)), string.Concat(Enumerable.Repeat("Darwin/1 CFNetwork/1", 30)),
        string.Concat(Enumerable.Repeat("[FB;", 128)), string.Concat(Enumerable.Repeat("Safari Opera Android MSIE ", 20)), new string('\u0130', 600), "\ud83d", string.Concat(Enumerable.Repeat("HbbTV/1.1.1 (; Philips;", 22)),
    };

    [Theory]
    [MemberData(nameof(Hostile))]
    public void An_agent_that_was_written_to_be_slow_is_not(string agent)
    {
        Reader.Read(agent + "!");       // compiles what it needs
        var clock = Stopwatch.StartNew();
        Reader.Read(agent);
        Assert.True(clock.Elapsed < TimeSpan.FromMilliseconds(250), $"{clock.Elapsed}");
    }

    [Fact]
    public void A_long_agent_is_read_by_its_beginning_and_hashed_whole()
    {
        var agent = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) " + Chrome;
        var (a, b) = (Reader.Read(agent.PadRight(600)), Reader.Read(agent.PadRight(601)));
        Assert.Equal(("Chrome", "Chrome"), (a.Browser, b.Browser));
        Assert.NotEqual(a.Hash, b.Hash);
    }
}
