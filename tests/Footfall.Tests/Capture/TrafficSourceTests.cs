using Footfall.Capture;
using Xunit;

namespace Footfall.Tests.Capture;

public sealed class TrafficSourceTests
{
    // referrer | utm_source | utm_medium | path | expected
    [Theory]
    [InlineData(null, null, null, "/", TrafficSource.Direct)]
    [InlineData(null, null, null, null, TrafficSource.Direct)]
    [InlineData("https://www.google.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://google.de/url?q=secret", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://www.google.co.uk/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://www.google.com.br/search", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://WWW.GOOGLE.FR:443/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://images.google.it/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("android-app://com.google.android.googlequicksearchbox/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://www.bing.com/search?q=x", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://duckduckgo.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://search.yahoo.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://de.search.yahoo.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://search.yahoo.co.jp/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://yandex.ru/search", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://yandex.com.tr/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://www.ecosia.org/search", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://search.brave.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://m.baidu.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://search.naver.com/", null, null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://www.google.com/", "spring", null, "/", TrafficSource.OrganicSearch)]
    [InlineData("https://notgoogle.com/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://google.evil.example/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://google.com.evil.example/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://docs.google.com/document", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://gemini.google.com/app", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://chatgpt.com/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://www.perplexity.ai/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://copilot.microsoft.com/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://claude.ai/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://www.facebook.com/", null, null, "/", TrafficSource.Social)]
    [InlineData("https://l.facebook.com/l.php?u=x", null, null, "/", TrafficSource.Social)]
    [InlineData("https://lm.facebook.com/", null, null, "/", TrafficSource.Social)]
    [InlineData("https://t.co/abc", null, null, "/", TrafficSource.Social)]
    [InlineData("https://x.com/", null, null, "/", TrafficSource.Social)]
    [InlineData("https://netflix.com/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://www.linkedin.com/feed", null, null, "/", TrafficSource.Social)]
    [InlineData("https://old.reddit.com/r/x", null, null, "/", TrafficSource.Social)]
    [InlineData("https://www.youtube.com/watch?v=x", null, null, "/", TrafficSource.Social)]
    [InlineData("https://www.pinterest.co.uk/pin/1", null, null, "/", TrafficSource.Social)]
    [InlineData("https://news.ycombinator.com/item?id=1", null, null, "/", TrafficSource.Social)]
    [InlineData("android-app://com.linkedin.android", null, null, "/", TrafficSource.Social)]
    [InlineData("https://mastodon.social/@x", null, null, "/", TrafficSource.Social)]
    [InlineData("https://mail.google.com/mail/u/0", null, null, "/", TrafficSource.Email)]
    [InlineData("https://outlook.live.com/", null, null, "/", TrafficSource.Email)]
    [InlineData("https://mail.yahoo.com/", null, null, "/", TrafficSource.Email)]
    [InlineData("https://mail.proton.me/", null, null, "/", TrafficSource.Email)]
    [InlineData("android-app://com.google.android.gm/", null, null, "/", TrafficSource.Email)]
    [InlineData(null, "acme", "email", "/", TrafficSource.Email)]
    [InlineData(null, "acme", "E-Mail", "/", TrafficSource.Email)]
    [InlineData(null, "acme", "newsletter", "/", TrafficSource.Email)]
    [InlineData("https://www.facebook.com/", "acme", "newsletter", "/", TrafficSource.Email)]
    [InlineData(null, "flyer", "direct-mail", "/", TrafficSource.Campaign)]
    [InlineData(null, "fb", "social", "/", TrafficSource.Social)]
    [InlineData(null, "x", "social-media", "/", TrafficSource.Social)]
    [InlineData(null, "x", "organic_social", "/", TrafficSource.Social)]
    [InlineData(null, "google", "cpc", "/", TrafficSource.PaidSearch)]
    [InlineData(null, "bing", "PPC", "/", TrafficSource.PaidSearch)]
    [InlineData(null, "adnet", "cpm", "/", TrafficSource.PaidSearch)]
    [InlineData(null, "google", "paid-search", "/", TrafficSource.PaidSearch)]
    [InlineData(null, "google", "paidsearch", "/", TrafficSource.PaidSearch)]
    [InlineData(null, "facebook", "cpc", "/", TrafficSource.Social)]
    [InlineData(null, "facebook_ads", "cpc", "/", TrafficSource.Social)]
    [InlineData(null, "instagram.com", "paid", "/", TrafficSource.Social)]
    [InlineData("https://www.facebook.com/", "agency", "cpc", "/", TrafficSource.Social)]
    [InlineData(null, "agency", "paid_social", "/", TrafficSource.Social)]
    [InlineData(null, "agency", "paidsocial", "/", TrafficSource.Social)]
    [InlineData(null, "agency", "push", "/", TrafficSource.Campaign)]
    [InlineData(null, "agency", "partner", "/", TrafficSource.Campaign)]
    [InlineData(null, "agency", "print", "/", TrafficSource.Campaign)]
    [InlineData(null, "agency", "display", "/", TrafficSource.Campaign)]
    [InlineData(null, "agency", null, "/", TrafficSource.Campaign)]
    [InlineData("https://blog.example/", "agency", "banner", "/", TrafficSource.Campaign)]
    [InlineData("https://own.example/", "agency", "banner", "/", TrafficSource.Campaign)]
    [InlineData(null, null, null, "/?gclid=abc", TrafficSource.PaidSearch)]
    [InlineData(null, null, null, "/?a=1&MSCLKID=abc#top", TrafficSource.PaidSearch)]
    [InlineData(null, "newsletter", "email", "/?gclid=abc", TrafficSource.PaidSearch)]
    [InlineData("https://www.google.com/", null, null, "/?gbraid=abc", TrafficSource.PaidSearch)]
    [InlineData("https://www.google.com/", null, null, "/?srsltid=abc", TrafficSource.OrganicSearch)]
    [InlineData(null, null, null, "/?fbclid=abc", TrafficSource.Social)]
    [InlineData("https://l.instagram.com/", null, null, "/?fbclid=abc", TrafficSource.Social)]
    [InlineData(null, null, null, "/?fbclid=abc&gclid=def", TrafficSource.PaidSearch)]
    [InlineData(null, null, null, "/?notgclid=abc", TrafficSource.Direct)]
    [InlineData(null, null, null, "/?utm_source=google&utm_medium=cpc", TrafficSource.PaidSearch)]
    [InlineData(null, null, null, "/?utm_campaign=spring%20sale", TrafficSource.Campaign)]
    [InlineData("https://own.example/page", null, null, "/", TrafficSource.Internal)]
    [InlineData("https://www.own.example/page", null, null, "/", TrafficSource.Internal)]
    [InlineData("http://own.example:8080/page", null, null, "/", TrafficSource.Internal)]
    [InlineData("https://shop.own.example/page", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://page.example/x", null, null, "/", TrafficSource.Internal)]
    [InlineData("https://blog.example/", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://192.0.2.1/x", null, null, "/", TrafficSource.Referral)]
    [InlineData("http://[2001:db8::1]:80/x", null, null, "/", TrafficSource.Referral)]
    [InlineData("https://bücher.example/", null, null, "/", TrafficSource.Referral)]
    [InlineData("android-app://org.example.reader/", null, null, "/", TrafficSource.Referral)]
    [InlineData("-", null, null, "/", TrafficSource.Unknown)]
    [InlineData("about:blank", null, null, "/", TrafficSource.Unknown)]
    [InlineData("javascript:alert(1)", null, null, "/", TrafficSource.Unknown)]
    [InlineData("www.google.com", null, null, "/", TrafficSource.Unknown)]
    [InlineData("https://", null, null, "/", TrafficSource.Unknown)]
    [InlineData("https://a b.example/", null, null, "/", TrafficSource.Unknown)]
    [InlineData("https://host:port/", null, null, "/", TrafficSource.Unknown)]
    [InlineData("garbage", "agency", null, "/", TrafficSource.Campaign)]
    public void The_first_rule_that_fits_decides(string? referrer, string? utmSource, string? utmMedium, string? path, TrafficSource expected)
    {
        var page = PagePath.Read(path);
        var tags = CampaignTags.Of(new EventRequest { UtmSource = utmSource, UtmMedium = utmMedium }, page);
        var property = new Property("default", ["own.example"], []);
        Assert.Equal(expected, TrafficSources.Decide(tags, page.ClickId, Referrer.Read(referrer), property, "page.example"));
    }

    [Theory]
    [InlineData("https://User:Pass@Example.COM:8443/A/b?q=1#f", "https://example.com:8443/A/b", "example.com")]
    [InlineData("https://example.com", "https://example.com/", "example.com")]
    [InlineData("https://example.com?token=secret", "https://example.com/", "example.com")]
    [InlineData("https://example.com#x", "https://example.com/", "example.com")]
    [InlineData("https://example.com/reset/kim@example.org/now", "https://example.com/reset/***/now", "example.com")]
    [InlineData("android-app://com.Example.App/https/x", "android-app://com.example.app/https/x", "com.example.app")]
    [InlineData("nonsense", null, null)]
    public void Of_a_referrer_neither_query_nor_user_is_kept(string sent, string? kept, string? host)
    {
        var referrer = Referrer.Read(sent);
        Assert.Equal((kept, host), (referrer.Url, referrer.Host));
    }

    [Fact]
    public void A_long_referrer_is_cut()
    {
        Assert.Equal(2048, Referrer.Read("https://example.com/" + new string('a', 8000)).Url!.Length);
        Assert.Equal(2047, Referrer.Read("https://example.com/" + new string('a', 2027) + "\U0001F600\U0001F600").Url!.Length);
    }

    [Theory]
    [InlineData("/a/b", "/a/b")]
    [InlineData("/a?b=1&c=2#d", "/a?b=1&c=2#d")]
    [InlineData("/a?gclid=x", "/a")]
    [InlineData("/a?gclid=x#d", "/a#d")]
    [InlineData("/a?b=1&gclid=x&c=2&fbclid=y&_ga=z", "/a?b=1&c=2")]
    [InlineData("/a?utm_source=news&utm_medium=email", "/a?utm_source=news&utm_medium=email")]
    [InlineData("/a?email=kim%40example.org&b=1", "/a?email=***&b=1")]
    [InlineData("/a?kim@example.org", "/a?***")]
    [InlineData("/unsubscribe/kim.lee+x@mail.example.org/done", "/unsubscribe/***/done")]
    [InlineData("/@kim/post", "/@kim/post")]
    [InlineData("/npm/react@19.1.0", "/npm/react@19.1.0")]
    [InlineData("/img/logo@2x.png", "/img/logo@2x.png")]
    [InlineData("/100%", "/100%")]
    [InlineData("/a?", "/a?")]
    [InlineData("https://example.com/a?gclid=x", "https://example.com/a")]
    public void A_path_is_kept_without_click_ids_and_addresses(string sent, string kept) => Assert.Equal(kept, PagePath.Read(sent).Path);

    [Fact]
    public void Tags_of_the_query_are_decoded_and_the_body_comes_first()
    {
        var page = PagePath.Read("/?utm_source=a%20b&UTM_MEDIUM=c+d&utm_campaign=%00&utm_term=&utm_content=" + new string('x', 300));
        Assert.Equal(new CampaignTags("a b", "c d", null, null, null), CampaignTags.Of(new EventRequest(), page));
        Assert.Equal(new CampaignTags(null, null, "sent", null, null), CampaignTags.Of(new EventRequest { UtmCampaign = "sent" }, page));
    }
}
