using System.Net;
using System.Text.RegularExpressions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Pages as the server answers them: without a script they are all there is.</summary>
public sealed partial class OverviewTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday:yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";

    [Fact]
    public async Task The_overview_tells_the_figures_of_its_days()
    {
        var page = await PageAsync($"/p/shop?{Days}");
        Assert.Equal("14", Figure(page, "visitors"));
        Assert.Equal("14", Figure(page, "sessions"));
        Assert.Equal("30", Figure(page, "page_views"));
        Assert.Equal(["8", "6"], [Row(page, "/p/shop?" + Days + "&is.device=desktop"), Row(page, "/p/shop?" + Days + "&is.device=mobile")]);
        Assert.Contains("Complete through", page);
        Assert.Contains("UTC days", page);
    }

    [Fact]
    public async Task A_filter_of_the_address_narrows_every_figure_and_list()
    {
        var page = await PageAsync($"/p/shop?{Days}&is.country=CA&metric=sessions");
        Assert.Equal("4", Figure(page, "visitors"));
        Assert.Equal("4", Figure(page, "sessions"));
        Assert.Contains("Country is", page);
        Assert.Contains($"href=\"/p/shop?{Days.Replace("&", "&amp;")}&amp;metric=sessions\" title=\"Remove this filter: Country is CA\"", page);
        Assert.DoesNotContain("Germany", Panels(page));
    }

    [Fact]
    public async Task Days_before_the_first_figures_are_not_taken_for_days_without_visitors()
    {
        using var client = await server.SignedInAsync();
        var (first, second) = (DashboardServer.Yesterday.AddDays(-1), DashboardServer.Yesterday);
        await server.Api.StoreAsync(Told.Event("young", $"{first:yyyy-MM-dd}T10:00:00Z", property: "young"), Told.Event("young2", $"{second:yyyy-MM-dd}T10:00:00Z", property: "young"), Told.Event("young3", $"{second:yyyy-MM-dd}T11:00:00Z", property: "young"));
        var known = DashboardServer.Read(await client.GetStringAsync($"/p/young?from={second:yyyy-MM-dd}&to={second:yyyy-MM-dd}"));
        Assert.Contains("+100\u00a0%", known);
        Assert.DoesNotContain("nothing before these days", known);
        foreach (var page in new[] { "", "/by/path", "/funnels" })
        {
            var unknown = DashboardServer.Read(await client.GetStringAsync($"/p/young{page}?from={first:yyyy-MM-dd}&to={second:yyyy-MM-dd}"));
            Assert.Contains("there is nothing before these days to compare them with yet", unknown);
            Assert.DoesNotContain(">new<", unknown);
            Assert.DoesNotContain("class=\"chart-line then\"", unknown);
        }
        Assert.DoesNotContain("nothing before these days", await client.GetStringAsync($"/p/young?from={first:yyyy-MM-dd}&to={second:yyyy-MM-dd}&compare=none"));
    }

    [Theory]
    [InlineData("")]
    [InlineData("/retention")]
    [InlineData("/entities")]
    [InlineData("/vitals")]
    [InlineData("/experiments")]
    [InlineData("/realtime")]
    [InlineData("/funnels/core_journey")]
    public async Task Figures_that_are_behind_say_since_when_and_where_to_look(string page)
    {
        using var client = await server.SignedInAsync();
        var day = DashboardServer.Yesterday;
        await server.Api.StoreAsync(Told.Event("late", $"{day:yyyy-MM-dd}T10:00:00Z", property: "late"));
        Assert.DoesNotContain("These figures are behind", await client.GetStringAsync($"/p/late{page}"));
        await server.Api.Database.ExecuteAsync($"insert into dirty_days (property_id, day, marks, marked_at) values ('late', '{day:yyyy-MM-dd}', 1, now() - interval '5 minutes') on conflict (property_id, day) do update set marked_at = excluded.marked_at");
        Assert.DoesNotContain("These figures are behind", await client.GetStringAsync($"/p/late{page}"));     // within what takes a moment
        await server.Api.Database.ExecuteAsync("update dirty_days set marked_at = now() - interval '3 hours' where property_id = 'late'");
        var behind = DashboardServer.Read(await client.GetStringAsync($"/p/late{page}"));
        Assert.Contains($"days from {Footfall.Dashboard.Period.Text(day, day.AddDays(1))} on wait to be counted since 3 h", behind);
        Assert.Contains("See what holds them up", behind);
        await server.Api.RollUpAsync();
        Assert.DoesNotContain("These figures are behind", await client.GetStringAsync($"/p/late{page}"));
    }

    [Theory]
    [InlineData("", "Nothing has been counted yet", "/welcome?property=quiet")]
    [InlineData("/realtime", "Nobody is here", "/p/quiet/health")]
    [InlineData("/funnels", "Nobody entered in these days", "/docs/install.md")]
    [InlineData("/funnels/core_journey", "Nobody entered in these days", "/docs/install.md")]
    [InlineData("/experiments", "No experiment runs", "/docs/install.md")]
    [InlineData("/retention", "Nobody came in these days", "/p/quiet/health")]
    [InlineData("/entities", "names an entity", "/docs/install.md")]
    [InlineData("/vitals", "Nothing was measured", "/welcome?property=quiet")]
    [InlineData("/health", "No event of", "/welcome?property=quiet")]
    [InlineData("/leads", "Nobody has given an address", "/docs/leads.md")]
    [InlineData("/by/path", "Nothing in these days", "period=365d")]
    public async Task A_page_without_data_says_why_and_what_to_do_next(string page, string said, string link)
    {
        await server.Service<Footfall.Definitions.PropertySettings>().SaveAsync("quiet", "Quiet", null, null, null, default);
        using var client = await server.SignedInAsync();
        var shown = DashboardServer.Read(await client.GetStringAsync($"/p/quiet{page}"));
        Assert.Contains(said, shown);
        Assert.Contains(link, Regex.Match(shown, "<main[\\s\\S]*</main>").Value);
    }

    [Theory]
    [InlineData(0.123, "+12\u00a0%")]
    [InlineData(-0.05, "\u22125\u00a0%")]
    [InlineData(9.9, "+990\u00a0%")]
    [InlineData(11, "\u00d712")]
    [InlineData(98.9, "\u00d7100")]
    [InlineData(2425, "over\u00a0\u00d7100")]
    public void A_change_is_told_in_percent_or_times_and_no_number_is_absurd(double fraction, string said) => Assert.Equal(said, Footfall.Dashboard.Numbers.Usual.Change(fraction));

    [Fact]
    public async Task What_breaks_inside_is_told_with_a_reference_and_nothing_of_the_inside()
    {
        await using var broken = await ApiServer.StartNewAsync($"--Access:AdminKey={ApiServer.AdminKey}");
        await broken.StoreAsync(Told.Event("x", $"{DashboardServer.Yesterday:yyyy-MM-dd}T10:00:00Z"));
        using var client = new HttpClient(new HttpClientHandler { AllowAutoRedirect = false, CookieContainer = new CookieContainer() }) { BaseAddress = broken.Client.BaseAddress };
        using (await DashboardServer.SignInAsync(client, ApiServer.AdminKey)) { }
        client.DefaultRequestHeaders.Accept.ParseAdd("text/html");
        await broken.Database.ExecuteAsync("alter table day_notes rename to not_here; alter table dirty_days rename to nor_here");
        using var page = await client.GetAsync($"/p/shop?{Days}");
        var shown = await page.Content.ReadAsStringAsync();
        Assert.Equal(HttpStatusCode.InternalServerError, page.StatusCode);
        Assert.Contains("Something broke", shown);
        Assert.Matches("Reference [A-Z0-9]+:[A-F0-9]+", shown);
        Assert.DoesNotContain("dirty_days", shown);
        Assert.Contains("script-src 'self'", Assert.Single(page.Headers.GetValues("Content-Security-Policy")));
        using var api = await broken.GetAsync("/v1/metrics/summary?window_days=7", ("x-admin-key", ApiServer.AdminKey));
        Assert.Equal(HttpStatusCode.InternalServerError, api.StatusCode);
        Assert.Contains("\"error\":\"internal_error\"", await api.Content.ReadAsStringAsync());
        Assert.Equal("nosniff", Assert.Single(api.Headers.GetValues("X-Content-Type-Options")));
    }

    [Theory]
    [InlineData("shop")]
    [InlineData("blog")]
    [InlineData("quiet")]
    public async Task Every_page_can_be_shown_for_every_period_and_comparison(string property)
    {
        await server.Service<Footfall.Definitions.PropertySettings>().SaveAsync("quiet", "Quiet", null, null, null, default);
        using var client = await server.SignedInAsync();
        foreach (var period in Footfall.Dashboard.Period.Presets.Select(p => p.Key))
        {
            foreach (var page in new[] { "", "/by/source", "/funnels", "/funnels/core_journey", "/retention", "/vitals", "/entities", "/health", "/reports", "/overview.pdf", "/overview.csv" })
            {
                using var answer = await client.GetAsync($"/p/{property}{page}?period={period}{(period.Length > 3 ? "&compare=previous_year" : "")}");
                Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{property}{page} of {period}: {answer.StatusCode} {await answer.Content.ReadAsStringAsync()}");
            }
        }
    }

    [Fact]
    public async Task The_filter_form_leads_to_an_address_like_any_other()
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync("/p/shop?period=7d&add.dimension=path&add.kind=has&add.value=%2Fpri");
        Assert.Equal("/p/shop?period=7d&has.path=/pri", answer.Headers.Location!.ToString());
    }

    [Theory]
    [InlineData("/p/shop?is.shoe=1", HttpStatusCode.BadRequest, "nothing to filter by")]
    [InlineData("/p/shop?period=fortnight", HttpStatusCode.BadRequest, "period must be one of")]
    [InlineData("/p/shop?add.dimension=shoe&add.value=1", HttpStatusCode.Redirect, "")]
    [InlineData("/p/nothing", HttpStatusCode.NotFound, "No such property")]
    [InlineData("/p/shop/by/shoe", HttpStatusCode.NotFound, "No such list")]
    [InlineData("/p/shop/by/path?cursor=abc", HttpStatusCode.BadRequest, "gone")]
    [InlineData("/p/shop?is.path=%00", HttpStatusCode.BadRequest, "is text")]
    public async Task What_cannot_be_shown_is_told_with_what_to_do(string path, HttpStatusCode status, string said)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync(path);
        Assert.Equal(status, answer.StatusCode);
        Assert.Contains(said, DashboardServer.Read(await answer.Content.ReadAsStringAsync()));
    }

    [Theory]
    [InlineData("/p/shop")]
    [InlineData("/p/shop?countries=map&sources=campaign&pages=landing&events=goal&interval=hour")]
    [InlineData("/p/shop/by/path")]
    [InlineData("/p/shop/by/utm_campaign")]
    [InlineData("/p/shop/realtime")]
    [InlineData("/p/shop/vitals")]
    [InlineData("/p/shop/health")]
    [InlineData("/p/shop/funnels")]
    [InlineData("/p/shop/experiments")]
    [InlineData("/p/shop/reports")]
    [InlineData("/p/shop/new/funnel")]
    [InlineData("/p/shop/new/experiment")]
    [InlineData("/p/shop/retention")]
    [InlineData("/welcome")]
    [InlineData("/sign-in")]
    public async Task A_page_has_nothing_inline_and_nothing_from_elsewhere(string path)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync(path.Contains('?') ? $"{path}&{Days}" : path.StartsWith("/p/shop", StringComparison.Ordinal) ? $"{path}?{Days}" : path);
        Assert.Equal(HttpStatusCode.OK, answer.StatusCode);
        Assert.DoesNotContain("unsafe", Assert.Single(answer.Headers.GetValues("Content-Security-Policy")));
        var page = await answer.Content.ReadAsStringAsync();
        Assert.DoesNotMatch(@"(?i)<style|<script(?! src=| type=""application/json"")|<iframe|=""javascript:", page);
        Assert.DoesNotMatch(@"(?i)<[^>]*\s(on\w+|style)=", Quoted().Replace(page, "''"));   // attributes themselves, not what stands in them
        Assert.DoesNotContain("<script>window", page);
        Assert.DoesNotContain("<img src=x", page);
        Assert.All(Link().Matches(page).Select(m => m.Groups[1].Value), l => Assert.True(l[0] is '/' or '#', l));
    }

    [Fact]
    public async Task What_visitors_send_is_shown_as_harmless_text()
    {
        var paths = DashboardServer.Read(await PageAsync($"/p/shop/by/path?{Days}"));
        Assert.Contains(DashboardServer.HostilePath, paths);
        Assert.Contains("/\u2423gnp.exe", paths);
        Assert.DoesNotContain("\u202e", paths);
        Assert.Contains("/zero\u2423width", paths);
        Assert.Contains(DashboardServer.Emoji, paths);
        Assert.Contains("<bdi", paths);
        var chart = await PageAsync($"/p/shop?{Days}&is.path={Uri.EscapeDataString(DashboardServer.HostilePath)}");
        Assert.DoesNotContain("<script>window", chart);
        Assert.Equal("1", Figure(chart, "visitors"));
    }

    [Fact]
    public async Task A_file_holds_no_formula_and_every_row()
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.GetAsync($"/p/shop/by/utm_campaign.csv?{Days}");
        Assert.Equal("text/csv", answer.Content.Headers.ContentType!.MediaType);
        Assert.Equal("attachment", answer.Content.Headers.ContentDisposition!.DispositionType);
        var text = await answer.Content.ReadAsStringAsync();
        Assert.Contains("'=HYPERLINK", text);
        Assert.DoesNotContain("\n=", text);
        Assert.DoesNotContain("\n\"=", text);
    }

    [Fact]
    public async Task A_list_is_searched_and_sorted_by_its_address()
    {
        var page = DashboardServer.Read(await PageAsync($"/p/shop/by/path?{Days}&q=pri&sort=page_views"));
        Assert.Contains("/pricing", page);
        Assert.DoesNotContain("zero", Panels(page));
        Assert.Contains("Page views \u2193", page);
        var country = DashboardServer.Read(await PageAsync($"/p/shop/by/country?{Days}&q=germ"));
        Assert.Contains("Germany", country);
        Assert.DoesNotContain("Canada", Panels(country));
    }

    [Fact]
    public async Task A_note_is_pinned_shown_and_removed()
    {
        using var client = await server.SignedInAsync();
        var page = await client.GetStringAsync($"/p/shop?{Days}");
        using var pinned = await client.PostAsync("/p/shop/notes", Form(page, ("day", DashboardServer.Yesterday.ToString("yyyy-MM-dd")), ("text", "<b>Gone live</b>"), ("return", $"/p/shop?{Days}")));
        Assert.Equal($"/p/shop?{Days}", pinned.Headers.Location!.ToString());
        page = await client.GetStringAsync($"/p/shop?{Days}");
        Assert.Contains("&lt;b&gt;Gone live&lt;/b&gt;", page);
        Assert.Contains("\"notes\":[{\"at\":0,\"number\":1,", page);     // on the chart
        Assert.Contains("<small class=\"note-in-table\"><bdi>&lt;b&gt;Gone live", page);
        var remove = RemoveNote().Match(page).Groups[1].Value;
        using var changed = await client.PostAsync(remove[..^"/remove".Length], Form(page, ("day", DashboardServer.Yesterday.ToString("yyyy-MM-dd")), ("text", "Gone live at nine"), ("return", "/p/shop")));
        Assert.Equal(HttpStatusCode.SeeOther, changed.StatusCode);
        Assert.Contains("Gone live at nine", await client.GetStringAsync($"/p/shop?{Days}"));
        using var empty = await client.PostAsync(remove[..^"/remove".Length], Form(page, ("day", "2026-13-01"), ("text", "x")));
        Assert.Equal(HttpStatusCode.BadRequest, empty.StatusCode);
        using var removed = await client.PostAsync(remove, Form(page, ("return", "/p/shop")));
        Assert.DoesNotContain("Gone live", await client.GetStringAsync($"/p/shop?{Days}"));
        using var gone = await client.PostAsync(remove[..^"/remove".Length], Form(page, ("day", DashboardServer.Yesterday.ToString("yyyy-MM-dd")), ("text", "x")));
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Fact]
    public async Task A_day_is_counted_anew_by_a_button()
    {
        using var client = await server.SignedInAsync();
        var day = DashboardServer.Yesterday.ToString("yyyy-MM-dd");
        await using (var spoil = server.Api.Database.Source.CreateCommand($"update daily_metric_rollups set page_views = 999 where property_id = 'blog' and day = '{day}'")) await spoil.ExecuteNonQueryAsync(TestContext.Current.CancellationToken);
        using var answer = await client.PostAsync("/p/blog/health/recount", Form(await client.GetStringAsync("/p/blog/health"), ("day", day)));
        Assert.Equal($"/p/blog/health?done={day}", answer.Headers.Location!.ToString());
        Assert.Contains($"{day} was counted anew", await client.GetStringAsync(answer.Headers.Location!.ToString()));
        Assert.Equal("1", Figure(await client.GetStringAsync($"/p/blog?{Days}"), "page_views"));
    }

    [Theory]
    [InlineData("new.example", "new.example")]
    [InlineData("https://www.New2.example/path?x=1", "new2.example")]
    public async Task A_site_is_named_gets_its_snippet_and_waits(string typed, string property)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.PostAsync("/welcome", Form(await client.GetStringAsync("/welcome"), ("host", typed), ("name", "New <site>")));
        Assert.Equal($"/welcome?property={property}", answer.Headers.Location!.ToString());
        var page = DashboardServer.Read(await client.GetStringAsync(answer.Headers.Location!.ToString()));
        Assert.Contains($"data-property=\"{property}\"></script>", page);
        Assert.Contains($"Waiting for the first event of {property}", page);
        Assert.Contains("Nothing has been counted yet", await client.GetStringAsync($"/p/{property}"));
    }

    [Theory]
    [InlineData("not a host")]
    [InlineData("<script>")]
    [InlineData("[::1]")]
    public async Task What_is_no_host_is_told_so(string typed)
    {
        using var client = await server.SignedInAsync();
        using var answer = await client.PostAsync("/welcome", Form(await client.GetStringAsync("/welcome"), ("host", typed)));
        Assert.Equal(HttpStatusCode.BadRequest, answer.StatusCode);
        Assert.Contains("That is no host", await answer.Content.ReadAsStringAsync());
    }

    [Fact]
    public async Task All_of_a_page_takes_less_than_150_KB()
    {
        using var client = await server.SignedInAsync();
        client.DefaultRequestHeaders.AcceptEncoding.ParseAdd("br");
        var bytes = 0;
        foreach (var path in new[] { "/p/shop", Files("app.js"), Files("chart.js"), Files("dashboard.css") })
        {
            using var answer = await client.GetAsync(path);
            Assert.Equal("br", Assert.Single(answer.Content.Headers.ContentEncoding));
            bytes += (await answer.Content.ReadAsByteArrayAsync()).Length;
        }
        Assert.True(bytes < 150_000, $"{bytes} bytes");
        static string Files(string name) => Footfall.Dashboard.Files.Address(name);
    }

    private async Task<string> PageAsync(string path)
    {
        using var client = await server.SignedInAsync(ApiServer.DashboardToken);
        using var answer = await client.GetAsync(path);
        var page = await answer.Content.ReadAsStringAsync();
        Assert.True(answer.StatusCode == HttpStatusCode.OK, $"{answer.StatusCode}: {page}");
        return page;
    }

    private static FormUrlEncodedContent Form(string page, params (string Name, string Value)[] fields) =>
        new(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)).Prepend(KeyValuePair.Create("form_token", DashboardServer.TokenOf(page))));

    private static string Figure(string page, string key) => Regex.Match(page, $"id=\"kpi-{key}\".*?class=\"value\"[^>]*>\\s*([^<\\s]*)", RegexOptions.Singleline).Groups[1].Value;

    private static string Row(string page, string link) =>
        Regex.Match(page, $"href=\"{Regex.Escape(link.Replace("&", "&amp;"))}\".*?class=\"number\" role=\"cell\"[^>]*>([^<]*)", RegexOptions.Singleline).Groups[1].Value;

    private static string Panels(string page) => page[page.IndexOf("<main", StringComparison.Ordinal)..];

    [GeneratedRegex("(?:href|src|action)=\"([^\"]+)\"")]
    private static partial Regex Link();

    [GeneratedRegex("\"[^\"]*\"")]
    private static partial Regex Quoted();

    [GeneratedRegex("action=\"([^\"]+/notes/[^\"]+/remove)\"")]
    private static partial Regex RemoveNote();
}
