using System.Net;
using Footfall.Definitions;
using Footfall.Tests.Infrastructure;
using Xunit;

namespace Footfall.Tests.Dashboard;

/// <summary>Funnels and experiments as admins define them by forms, and what their pages then say.</summary>
public sealed class DefinitionFormTests(DashboardServer server) : IClassFixture<DashboardServer>
{
    private static readonly string Days = $"from={DashboardServer.Yesterday:yyyy-MM-dd}&to={DashboardServer.Yesterday:yyyy-MM-dd}";
    private static CancellationToken Stop => TestContext.Current.CancellationToken;

    [Fact]
    public async Task A_funnel_is_defined_counted_shown_changed_and_removed()
    {
        using var client = await server.SignedInAsync();
        var sent = await PostAsync(client, "/p/shop/new/funnel", ("name", "pricing_home"), ("hours", "24"), ("step", "pricing"), ("events", ""), ("path", "/pricing*"), ("props", ""), ("step", ""), ("events", "page_view, tap"), ("path", "/"), ("props", ""), ("step", ""), ("events", ""), ("path", ""), ("props", ""));
        Assert.Equal((HttpStatusCode.SeeOther, "/p/shop/funnels?done=defined"), (sent.Status, sent.Location));
        var funnel = (await server.Service<FunnelStore>().ListAsync("shop", Stop)).Single(f => f.Name == "pricing_home");
        Assert.Equal(["pricing", "step_2"], funnel.Steps.Select(s => s.Name));
        Assert.Equal(["page_view"], funnel.Steps[0].EventTypes);
        Assert.Equal(["page_view", "tap"], funnel.Steps[1].EventTypes);

        await server.Api.RollUpAsync();
        var list = DashboardServer.Read(await client.GetStringAsync($"/p/shop/funnels?{Days}", Stop));
        Assert.Contains("Pricing home", list);
        Assert.Contains("<b>12</b>", list);
        var page = DashboardServer.Read(await client.GetStringAsync($"/p/shop/funnels/pricing_home?{Days}&by=device", Stop));
        Assert.Contains("half of them within 40s", page);
        Assert.Matches("Mobile(?s:.*?)class=\"number \">6 ", page);
        Assert.Contains("<b>4</b>", DashboardServer.Read(await client.GetStringAsync($"/p/shop/funnels/pricing_home?{Days}&is.country=CA", Stop)));

        var form = await client.GetStringAsync("/p/shop/funnels/pricing_home/edit", Stop);
        Assert.Contains("value=\"/pricing*\"", form);
        sent = await PostAsync(client, "/p/shop/funnels/pricing_home/edit", ("hours", "1"), ("step", "a"), ("events", "page_view"), ("path", "/pricing"), ("props", ""), ("step", "b"), ("events", "purchase"), ("path", ""), ("props", "plan=pro, size=L"));
        Assert.Equal("/p/shop/funnels?done=changed", sent.Location);
        funnel = (await server.Service<FunnelStore>().ListAsync("shop", Stop)).Single(f => f.Name == "pricing_home");
        Assert.Equal((1, "L"), (funnel.WindowHours, funnel.Steps[1].Props!["size"]));

        sent = await PostAsync(client, "/p/shop/funnels/pricing_home/remove", ("typed", "pricing"));
        Assert.Equal(HttpStatusCode.BadRequest, sent.Status);
        Assert.Contains("That is not its name. Nothing was removed.", sent.Body);
        sent = await PostAsync(client, "/p/shop/funnels/pricing_home/remove", ("typed", "pricing_home"));
        Assert.Equal("/p/shop/funnels?done=removed", sent.Location);
        Assert.DoesNotContain(await server.Service<FunnelStore>().ListAsync("shop", Stop), f => f.Name == "pricing_home");
        using var gone = await client.GetAsync("/p/shop/funnels/pricing_home/edit", Stop);
        Assert.Equal(HttpStatusCode.NotFound, gone.StatusCode);
    }

    [Theory]
    [InlineData("no spaces", "24", "page_view", "", "page_view", "", "A funnel's name must have")]
    [InlineData("f", "0", "page_view", "", "page_view", "", "Hours must be a whole number")]
    [InlineData("f", "a day", "page_view", "", "page_view", "", "Hours must be a whole number")]
    [InlineData("f", "24", "page_view", "", "", "", "must have 2 to 20 steps")]
    [InlineData("f", "24", "page_view", "cart", "page_view", "", "Step 1: A path begins with /")]
    [InlineData("f", "24", "page_view", "", "page_view", "plan", "Step 2: write props as name=value")]
    [InlineData("..", "24", "page_view", "", "page_view", "", "must have something beside dots")]
    [InlineData("<script>window.harmed=1</script>", "24", "page_view", "", "page_view", "", "A funnel's name must have")]
    public async Task A_funnel_that_cannot_be_is_told_beside_what_was_typed(string name, string hours, string first, string path, string second, string props, string said)
    {
        using var client = await server.SignedInAsync();
        var sent = await PostAsync(client, "/p/shop/new/funnel", ("name", name), ("hours", hours), ("step", "one"), ("events", first), ("path", path), ("props", ""), ("step", second.Length > 0 ? "two" : ""), ("events", second), ("path", ""), ("props", props));
        Assert.Equal(HttpStatusCode.BadRequest, sent.Status);
        Assert.Contains(said, DashboardServer.Read(sent.Body));
        Assert.Contains($"name=\"name\" value=\"{WebUtility.HtmlEncode(name)}\"", sent.Body.Replace("&#x27;", "&#39;", StringComparison.Ordinal));
        Assert.DoesNotContain("<script>window", sent.Body);
    }

    [Fact]
    public async Task A_funnel_of_the_configuration_is_not_changed_here_and_a_name_is_not_taken_twice()
    {
        using var client = await server.SignedInAsync();
        using var configured = await client.GetAsync("/p/shop/funnels/core_journey/edit", Stop);
        Assert.Equal(HttpStatusCode.Conflict, configured.StatusCode);
        (string, string)[] funnel = [("name", "twice"), ("hours", "24"), ("step", "a"), ("events", "x"), ("path", ""), ("props", ""), ("step", "b"), ("events", "y"), ("path", ""), ("props", "")];
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(client, "/p/blog/new/funnel", funnel)).Status);
        var again = await PostAsync(client, "/p/blog/new/funnel", funnel);
        Assert.Equal(HttpStatusCode.BadRequest, again.Status);
        Assert.Contains("There is a funnel named twice already", again.Body);
    }

    [Theory]
    [InlineData("new")]
    [InlineData("edit")]
    [InlineData("steps.csv")]
    [InlineData("funnels.csv")]
    public async Task A_funnel_may_have_the_name_of_a_form_or_a_file(string name)
    {
        using var client = await server.SignedInAsync();
        (string, string)[] funnel = [("name", name), ("hours", "24"), ("step", "a"), ("events", ""), ("path", "/pricing"), ("props", ""), ("step", "b"), ("events", ""), ("path", "/"), ("props", "")];
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(client, "/p/shop/new/funnel", funnel)).Status);
        Assert.Contains($"/p/shop/funnels/{name}?", await client.GetStringAsync($"/p/shop/funnels?{Days}", Stop));
        Assert.Contains("half of them within 40s", DashboardServer.Read(await client.GetStringAsync($"/p/shop/funnels/{name}?{Days}", Stop)));
        Assert.Contains("value=\"/pricing\"", await client.GetStringAsync($"/p/shop/funnels/{name}/edit", Stop));
        Assert.Contains("(all visitors),2,b,12", await client.GetStringAsync($"/p/shop/funnels/{name}/steps.csv?{Days}", Stop));
        Assert.Equal("/p/shop/funnels?done=removed", (await PostAsync(client, $"/p/shop/funnels/{name}/remove", ("typed", name))).Location);
    }

    [Fact]
    public async Task An_experiment_may_be_called_new()
    {
        using var client = await server.SignedInAsync();
        var sent = await PostAsync(client, "/p/shop/new/experiment", ("id", "new"), ("name", ""), ("variant", "a"), ("weight", "1"), ("variant", "b"), ("weight", "1"), ("control", "0"), ("event", "x"), ("hours", "24"));
        Assert.Equal(HttpStatusCode.SeeOther, sent.Status);
        Assert.Contains("action=\"/p/shop/experiments/new/edit\"", await client.GetStringAsync("/p/shop/experiments/new/edit", Stop));
        Assert.Equal("/p/shop/experiments?done=removed", (await PostAsync(client, "/p/shop/experiments/new/remove", ("typed", "new"))).Location);
    }

    [Fact]
    public async Task A_funnels_own_page_tells_variants_and_sources_apart_and_every_choice_stays_on_it()
    {
        var day = DashboardServer.Yesterday.ToString("yyyy-MM-dd");
        static Footfall.Capture.CapturedEvent Saw(string who, string variant, string at) => Told.Event(who, at, type: "experiment_assigned", property: "split", props: $$"""{"experimentId":"hero","variantId":"{{variant}}"}""");
        List<Footfall.Capture.CapturedEvent> events = [Told.Event("none", $"{day}T10:00:00Z", property: "split", path: "/cart")];
        foreach (var (who, variant, pays) in new[] { ("v1", "calm", true), ("v2", "calm", false), ("v3", "bold", true), ("v4", "<b>odd", false) })
        {
            events.Add(Saw(who, variant, $"{day}T09:00:00Z"));
            events.Add(Told.Event(who, $"{day}T09:01:00Z", property: "split", path: "/cart"));
            if (pays) events.Add(Told.Event(who, $"{day}T09:02:00Z", property: "split", path: "/paid"));
        }
        await server.Api.StoreAsync(events);
        using var client = await server.SignedInAsync();
        Assert.Equal(HttpStatusCode.SeeOther, (await PostAsync(client, "/p/split/new/funnel", ("name", "pay"), ("hours", "24"), ("step", "cart"), ("events", ""), ("path", "/cart"), ("props", ""), ("step", "paid"), ("events", ""), ("path", "/paid"), ("props", ""))).Status);

        var plain = DashboardServer.Read(await client.GetStringAsync($"/p/split/funnels/pay?{Days}", Stop));
        Assert.Contains($"/p/split/funnels/pay?{Days}&by=variant:hero", plain);
        Assert.Contains($"/p/split/funnels/pay?{Days}&by=source", plain);
        // Days, comparison and filters stay with the funnel too.
        Assert.Contains("href=\"/p/split/funnels/pay?period=7d\"", plain);
        Assert.Contains("action=\"/p/split/funnels/pay\"", plain);
        using (var filtered = await client.GetAsync($"/p/split/funnels/pay?{Days}&add.dimension=path&add.kind=is&add.value=/cart", Stop))
            Assert.StartsWith("/p/split/funnels/pay?", filtered.Headers.Location!.ToString());

        var page = DashboardServer.Read(await client.GetStringAsync($"/p/split/funnels/pay?{Days}&by=variant:hero", Stop));
        Assert.Contains("Variant of hero", page);
        Assert.DoesNotContain("<b>odd", await client.GetStringAsync($"/p/split/funnels/pay?{Days}&by=variant:hero", Stop));
        var csv = await client.GetStringAsync($"/p/split/funnels/pay/steps.csv?{Days}&by=variant:hero", Stop);
        Assert.Contains("variant_hero,step,step_name,visitors", csv);
        foreach (var row in new[] { "(all visitors),1,cart,5", "(all visitors),2,paid,2", "calm,1,cart,2", "calm,2,paid,1", "bold,2,paid,1", "(none),1,cart,1" }) Assert.Contains(row, csv);
        // What is no experiment of the property is overlooked, as are dimensions that are not offered.
        Assert.DoesNotContain("Variant of nobody", await client.GetStringAsync($"/p/split/funnels/pay?{Days}&by=variant:nobody", Stop));
    }

    [Fact]
    public async Task An_experiment_is_defined_changed_until_it_has_users_and_removed()
    {
        var day = DashboardServer.Yesterday.ToString("yyyy-MM-dd");
        await server.Api.StoreAsync(
            Told.Event("x1", $"{day}T15:00:00Z", type: "experiment_assigned", property: "lab", props: """{"experimentId":"button","variantId":"red"}"""),
            Told.Event("x2", $"{day}T15:00:00Z", type: "experiment_assigned", property: "lab", props: """{"experimentId":"button","variantId":"blue"}"""));
        using var client = await server.SignedInAsync();
        Assert.Contains("/p/lab/new/experiment?id=button", await client.GetStringAsync("/p/lab/experiments", Stop));
        var form = await client.GetStringAsync("/p/lab/new/experiment?id=button", Stop);
        Assert.Contains("name=\"variant\" value=\"red\"", form);

        var sent = await PostAsync(client, "/p/lab/new/experiment", ("id", "button"), ("name", "Red or <b>blue</b>"), ("variant", "red"), ("weight", "1"), ("variant", "blue"), ("weight", "1"), ("variant", ""), ("weight", "1"), ("control", "1"), ("event", "purchase"), ("hours", "48"), ("start", ""), ("end", ""));
        Assert.Equal("/p/lab/experiments?done=defined", sent.Location);
        var store = server.Service<ExperimentStore>();
        var experiment = (await store.FindAsync("lab", "button", Stop))!;
        Assert.Equal(("blue", "purchase", 48), (experiment.Control, experiment.MetricEvent, experiment.MetricHours));
        Assert.Contains("Red or &lt;b&gt;blue&lt;/b&gt;", await client.GetStringAsync("/p/lab/experiments", Stop));

        sent = await PostAsync(client, "/p/lab/experiments/button/edit", ("name", "N"), ("variant", "red"), ("weight", "9"), ("variant", "blue"), ("weight", "1"), ("control", "0"), ("event", "purchase"), ("hours", "48"));
        Assert.Equal(HttpStatusCode.BadRequest, sent.Status);
        Assert.Contains("Users have been assigned already", sent.Body);
        sent = await PostAsync(client, "/p/lab/experiments/button/edit", ("name", "Shorter"), ("variant", "red"), ("weight", "1"), ("variant", "blue"), ("weight", "1"), ("control", "1"), ("event", "purchase"), ("hours", "24"), ("end", day));
        Assert.Equal("/p/lab/experiments?done=changed", sent.Location);
        Assert.Equal(("Shorter", 24, DashboardServer.Yesterday), ((await store.FindAsync("lab", "button", Stop))!.Name, (await store.FindAsync("lab", "button", Stop))!.MetricHours, (await store.FindAsync("lab", "button", Stop))!.EndsOn!.Value));

        Assert.Equal(HttpStatusCode.BadRequest, (await PostAsync(client, "/p/lab/experiments/button/remove", ("typed", "buton"))).Status);
        Assert.Equal("/p/lab/experiments?done=removed", (await PostAsync(client, "/p/lab/experiments/button/remove", ("typed", "button"))).Location);
        await server.Api.RollUpAsync();
        Assert.Contains("not defined", await client.GetStringAsync("/p/lab/experiments", Stop));      // its users are facts of events, and stay
    }

    [Theory]
    [InlineData("e", "a", "b", "9", "x", "24", "", "Choose which of the variants is the control")]
    [InlineData("e", "a", "", "0", "x", "24", "", "must have 2 to 20 variants")]
    [InlineData("e", "a", "a", "0", "x", "24", "", "Two variants have the id")]
    [InlineData("e", "a", "b", "0", "", "24", "", "Say which event converts")]
    [InlineData("e", "a", "b", "0", "x", "1e3", "", "Hours must be a whole number")]
    [InlineData("e", "a", "b", "0", "x", "24", "2026-02-30", "must be days such as")]
    [InlineData("..", "a", "b", "0", "x", "24", "", "must have something beside dots")]
    [InlineData("\"><script>", "a", "b", "0", "x", "24", "", "An experiment's id must have")]
    public async Task An_experiment_that_cannot_be_is_told(string id, string first, string second, string control, string type, string hours, string start, string said)
    {
        using var client = await server.SignedInAsync();
        var sent = await PostAsync(client, "/p/shop/new/experiment", ("id", id), ("name", ""), ("variant", first), ("weight", "1"), ("variant", second), ("weight", "1"), ("control", control), ("event", type), ("hours", hours), ("start", start), ("end", ""));
        Assert.Equal(HttpStatusCode.BadRequest, sent.Status);
        Assert.Contains(said, DashboardServer.Read(sent.Body));
        Assert.DoesNotContain("\"><script>", sent.Body);
    }

    [Theory]
    [InlineData("new/funnel")]
    [InlineData("funnels/core_journey/remove")]
    [InlineData("new/experiment")]
    [InlineData("experiments/x/edit")]
    public async Task A_reader_defines_nothing(string path)
    {
        using var client = await server.SignedInAsync(ApiServer.DashboardToken);
        using var answer = await client.GetAsync($"/p/shop/{path}", Stop);
        Assert.Equal(HttpStatusCode.Forbidden, answer.StatusCode);
        using var sent = await client.PostAsync($"/p/shop/{path}", new FormUrlEncodedContent([new("form_token", DashboardServer.TokenOf(await client.GetStringAsync("/p/shop", Stop)))]), Stop);
        Assert.Equal(HttpStatusCode.Forbidden, sent.StatusCode);
        Assert.DoesNotContain("/new/funnel", await client.GetStringAsync("/p/shop/funnels", Stop));
    }

    [Fact]
    public async Task Retention_says_who_came_back_week_by_week()
    {
        var monday = DashboardServer.Yesterday.AddDays(-21 - (((int)DashboardServer.Yesterday.DayOfWeek + 6) % 7));
        string At(int week) => $"{monday.AddDays(7 * week):yyyy-MM-dd}T10:00:00Z";
        await server.Api.StoreAsync(
            Told.Event("r1", At(0), property: "weeks"), Told.Event("r2", At(0), property: "weeks"), Told.Event("r3", At(0), property: "weeks"), Told.Event("r4", At(0), property: "weeks"),
            Told.Event("r1", At(1), property: "weeks"), Told.Event("r1", At(2), property: "weeks"), Told.Event("r2", At(2), property: "weeks"), Told.Event("r5", At(1), property: "weeks", country: "CA"), Told.Event("r5", At(2), property: "weeks", country: "CA"));
        using var client = await server.SignedInAsync();
        var page = DashboardServer.Read(await client.GetStringAsync("/p/weeks/retention", Stop));
        Assert.Contains("1 of 4, 1 week later", page);
        Assert.Contains("2 of 4, 2 weeks later", page);
        Assert.Contains("1 of 1, 1 week later", page);
        Assert.Equal(12, System.Text.RegularExpressions.Regex.Count(page, "<th scope=\"row\">") - 1);     // twelve weeks, and their mean
        // Of five visitors of two cohorts, two were there a week later.
        Assert.Matches($"All that are over(?s:.*?)<b>40{'\u00a0'}%</b>", page);
        Assert.Contains("1 of 1, 1 week later", DashboardServer.Read(await client.GetStringAsync("/p/weeks/retention?is.country=CA", Stop)));
        Assert.DoesNotContain("of 4,", await client.GetStringAsync("/p/weeks/retention?is.country=CA", Stop));
        var csv = await client.GetStringAsync("/p/weeks/retention.csv", Stop);
        Assert.Contains($"{monday:yyyy-MM-dd},4,4,1,2", csv);
        Assert.Contains("Nobody in these days matches the filters.", await client.GetStringAsync("/p/weeks/retention?is.country=XX", Stop));
    }

    private static async Task<(HttpStatusCode Status, string? Location, string Body)> PostAsync(HttpClient client, string path, params (string Name, string Value)[] fields)
    {
        var token = DashboardServer.TokenOf(await client.GetStringAsync("/p/shop", Stop));
        using var answer = await client.PostAsync(path, new FormUrlEncodedContent(fields.Select(f => KeyValuePair.Create(f.Name, f.Value)).Prepend(KeyValuePair.Create("form_token", token))), Stop);
        return (answer.StatusCode, answer.Headers.Location?.ToString(), await answer.Content.ReadAsStringAsync(Stop));
    }
}
