using System.Net;
using System.Text;
using System.Text.RegularExpressions;
using Footfall.Dashboard.Reports;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Figures to take along: as PDF and as files.</summary>
public sealed class ReportTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday.AddDays(-6):yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    [Theory]
    [InlineData("", 595, 842)]
    [InlineData("&paper=a4", 595, 842)]
    [InlineData("&paper=letter", 612, 792)]
    [InlineData("&paper=letter&is.country=CA&metric=leads&compare=none", 612, 792)]
    [InlineData("&is.country=XX&metric=time_to_capture", 595, 842)]
    public async Task The_overview_is_two_pages_of_the_paper_that_is_asked_for(string more, int width, int height)
    {
        using var client = await server.SignedInAsync(ApiServer.DashboardToken);
        using var answer = await client.GetAsync($"/p/shop/overview.pdf?{Days}{more}", TestContext.Current.CancellationToken);
        Assert.Equal("application/pdf", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal($"shop-{DashboardServer.Yesterday.AddDays(-6):yyyy-MM-dd}-{DashboardServer.Yesterday:yyyy-MM-dd}.pdf", answer.Content.Headers.ContentDisposition!.FileName);
        var bytes = await answer.Content.ReadAsByteArrayAsync(TestContext.Current.CancellationToken);
        var raw = Encoding.Latin1.GetString(bytes);
        Assert.StartsWith("%PDF-1.7", raw);
        Assert.Equal(2, Regex.Count(raw, $@"/Type /Page /Parent \d+ 0 R /MediaBox \[0 0 {width} {height}\]"));
        Assert.All(Regex.Matches(raw, @"(?m)^(\d{10}) 00000 n ").Select((m, i) => (At: int.Parse(m.Groups[1].Value), Number: i + 1)), o => Assert.StartsWith($"{o.Number} 0 obj", raw[o.At..]));
        Assert.True(bytes.Length < 300_000, $"{bytes.Length} bytes");
        // Nothing that acts: no script, no link, no form, no file within.
        Assert.All(new[] { "/JavaScript", "/JS", "/URI", "/OpenAction", "/AA", "/AcroForm", "/EmbeddedFile", "/Launch" }, name => Assert.DoesNotMatch($"{name}[ /<(\\[]", raw));
    }

    [Fact]
    public async Task Paper_that_there_is_not_is_told()
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync($"/p/shop/overview.pdf?{Days}&paper=a0", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("paper is a4 or letter", await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken));
    }

    [Theory]
    [InlineData("plain", "plain")]
    [InlineData("/\u05e9\u05dc\u05d5\u05dd/12", "/\u05dd\u05d5\u05dc\u05e9/12")]
    [InlineData("shop \u05d0\u05d1 12\u05d2 end", "shop \u05d212 \u05d1\u05d0 end")]
    [InlineData("\u05d0", "\u05d0")]
    public void What_is_written_from_the_right_stands_so_on_paper(string text, string drawn) => Assert.Equal(drawn, WritingOrder.Visual(text));

    [Fact]
    public void Every_face_of_the_reports_is_there_and_no_sign_is_lost()
    {
        var fonts = ReportFonts.Instance;
        Assert.Equal("Footfall-Text", fonts.FaceFor('A', isBold: false).Face!.Name);
        Assert.Equal("Footfall-Bold", fonts.FaceFor('A', isBold: true).Face!.Name);
        Assert.Equal("Footfall-Text", fonts.FaceFor('\u0416', isBold: false).Face!.Name);       // Cyrillic
        Assert.Equal("Footfall-More", fonts.FaceFor('\u05d0', isBold: false).Face!.Name);       // Hebrew
        Assert.Equal("Footfall-More", fonts.FaceFor('\u0628', isBold: true).Face!.Name);        // Arabic
        Assert.Equal("Footfall-Emoji", fonts.FaceFor(0x1F680, isBold: false).Face!.Name);
        Assert.Equal(0x25A1, fonts.FaceFor('\u4e2d', isBold: false).Drawn);   // none of them has Chinese
        Assert.Null(fonts.FaceFor(0xFE0F, isBold: false).Face);
    }

    [Theory]
    [InlineData("overview", "start,visitors,sessions,page_views,bounce_rate,visit_duration_seconds,leads,lead_rate,form_completion,time_to_capture_seconds", 8)]
    [InlineData("funnels", "funnel,experiment,variant,step,step_name,users,of_previous,of_first", 1)]
    [InlineData("experiments", "experiment,name,variant,is_control,users,converted,rate,difference,difference_low,difference_high,probability_to_be_best,verdict", 1)]
    [InlineData("vitals", "path,device,lcp_p75,lcp_measured,", 2)]
    [InlineData("ingest", "day,accepted,rejected,duplicates,bots,left_out,delay_p50_ms,delay_p95_ms", 8)]
    [InlineData("refused", "reason,kind,events", 1)]
    [InlineData("jobs", "job,status,from,to,started_at,finished_at,rows,error", 14)]
    [InlineData("notes", "day,text", 1)]
    [InlineData("by/path", "path,", 7)]
    [InlineData("entities", "entity_type,", 1)]
    public async Task Every_table_is_a_file_with_every_row(string table, string header, int least)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync($"/p/shop/{table}.csv?{Days}", TestContext.Current.CancellationToken);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        var lines = (await answer.Content.ReadAsStringAsync(TestContext.Current.CancellationToken)).TrimStart('\ufeff').TrimEnd().Split("\r\n");
        Assert.StartsWith(header, lines[0]);
        Assert.True(lines.Length >= least, $"{lines.Length} lines");
        Assert.All(lines, l => Assert.DoesNotMatch("^\"?[=@+\t]", l));
    }

    [Fact]
    public async Task Every_link_of_the_page_of_reports_leads_to_what_it_says()
    {
        using var client = await server.SignedInAsync();
        var page = await client.GetStringAsync($"/p/shop/reports?{Days}", TestContext.Current.CancellationToken);
        var links = Regex.Matches(page, "href=\"(/p/shop/[^\"]+\\.(?:csv|pdf|html|txt)[^\"]*)\"").Select(m => DashboardServer.Read(m.Groups[1].Value)).ToList();
        Assert.True(links.Count >= 22, $"{links.Count} links");
        foreach (var link in links)
        {
            using var answer = await client.GetAsync(link, TestContext.Current.CancellationToken);
            Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{link}: {answer.StatusCode}");
        }
    }
}
