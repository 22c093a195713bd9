using System.Net;
using System.Text;
using Footfall.Cli.Import;
using Xunit;

namespace Footfall.Tests.Cli;

public sealed class PageViewsTests
{
    [Theory]
    [InlineData("GET", "/", 200, "None")]
    [InlineData("GET", "/", 304, "None")]
    [InlineData("GET", "/articles/x.html?utm_source=a", 200, "None")]
    [InlineData("GET", "/a.b/c", 200, "None")]
    [InlineData("GET", "/v1.2/", 200, "None")]
    [InlineData("GET", "/photo.jpg/", 200, "None")]
    [InlineData("GET", "/blog/tags/puppet?flavour=dark", 200, "None")]
    [InlineData("GET", "/search?type=article", 200, "None")]
    [InlineData("GET", "http://site.example/page", 200, "None")]
    [InlineData("GET", "https://site.example", 200, "None")]
    [InlineData("POST", "/", 200, "NotAGet")]
    [InlineData("HEAD", "/", 200, "NotAGet")]
    [InlineData("GET", "/", 206, "NotAnswered")]
    [InlineData("GET", "/", 301, "NotAnswered")]
    [InlineData("GET", "/", 404, "NotAnswered")]
    [InlineData("", "", 200, "Unreadable")]
    [InlineData("GET", "*", 200, "Unreadable")]
    [InlineData("GET", "ftp://x/y", 200, "Unreadable")]
    [InlineData("GET", "/a/b.PNG", 200, "Image")]
    [InlineData("GET", "/a/b.jpeg?v=3", 200, "Image")]
    [InlineData("GET", "/style.css", 200, "Style")]
    [InlineData("GET", "/js/app.min.js?x#y", 200, "Script")]
    [InlineData("GET", "/f.woff2", 200, "Font")]
    [InlineData("GET", "/feed/", 200, "Feed")]
    [InlineData("GET", "/blog/rss", 200, "Feed")]
    [InlineData("GET", "/atom.xml", 200, "Feed")]
    [InlineData("GET", "/?flav=rss20", 200, "Feed")]
    [InlineData("GET", "/?a=b&feed=rss2", 200, "Feed")]
    [InlineData("GET", "/?Flav=ATOM", 200, "Feed")]
    [InlineData("GET", "/film.mp4", 200, "Media")]
    [InlineData("GET", "/files/x.tar.gz", 200, "Archive")]
    [InlineData("GET", "/paper.pdf", 200, "Archive")]
    [InlineData("GET", "/data.json", 200, "Data")]
    [InlineData("GET", "/robots.txt", 200, "SiteFile")]
    [InlineData("GET", "/favicon.ico", 200, "SiteFile")]
    [InlineData("GET", "/apple-touch-icon-120x120.png", 200, "SiteFile")]
    [InlineData("GET", "/sitemap_index.xml", 200, "SiteFile")]
    [InlineData("GET", "/.well-known/security.txt", 200, "SiteFile")]
    public void What_is_no_page_view_is_skipped_for_its_reason(string method, string target, int status, string why)
    {
        var line = new AccessLogLine
        {
            Address = "1.2.3.4"u8,
            Method = Encoding.ASCII.GetBytes(method),
            Target = Encoding.ASCII.GetBytes(target),
            Status = status,
        };
        Assert.Equal(why, PageViews.Judge(line).ToString());
    }

    [Fact]
    public void A_line_without_an_address_makes_no_visitor()
    {
        var line = new AccessLogLine { Method = "GET"u8, Target = "/"u8, Status = 200 };
        Assert.Equal(Skip.NoAddress, PageViews.Judge(line));
    }

    [Theory]
    [InlineData("1.2.3.4", "1.2.3.4")]
    [InlineData("::ffff:1.2.3.4", "1.2.3.4")]
    [InlineData("2001:DB8::1", "2001:db8::1")]
    public void An_address_is_read_in_its_shortest_form(string text, string expected) =>
        Assert.Equal(IPAddress.Parse(expected), PageViews.Address(Encoding.ASCII.GetBytes(text)));

    [Fact]
    public void Host_names_stand_for_private_addresses_that_tell_them_apart()
    {
        var (a, b) = (PageViews.Address("a.example"u8), PageViews.Address("b.example"u8));
        Assert.Equal(a, PageViews.Address("a.example"u8));
        Assert.NotEqual(a, b);
        Assert.Equal(0xFD, a.GetAddressBytes()[0]);
    }

    [Fact]
    public void Every_reason_has_a_name() =>
        Assert.All(Enum.GetValues<Skip>(), why => Assert.NotEmpty(PageViews.Name(why)));
}
