using System.Text.Json;
using System.Text.RegularExpressions;
using Footfall.Telemetry;
using Footfall.Tests.Infrastructure;
using Microsoft.Extensions.DependencyInjection;
using Xunit;

namespace Footfall.Tests.Deploy;

/// <summary>Alerts, the dashboard and the guide speak of figures that the server has.</summary>
public sealed partial class DashboardFileTests(ApiServer server) : IClassFixture<ApiServer>
{
    [Fact]
    public async Task Alerts_name_figures_that_there_are()
    {
        var names = await NamesAsync();
        var groups = (List<object>)DeployFiles.Yaml("prometheus/alerts.yaml")["groups"];
        var rules = ((List<object>)((Dictionary<object, object>)Assert.Single(groups))["rules"]).Cast<Dictionary<object, object>>().ToList();
        Assert.Equal(rules.Count, rules.Select(r => (string)r["alert"]).Distinct().Count());
        foreach (var rule in rules)
        {
            var expression = (string)rule["expr"];
            Assert.All(Figures(expression), f => Assert.True(names.Contains(f), $"{rule["alert"]} asks for {f}, which there is not."));
            Assert.Contains((string)rule.Map("labels")["severity"], (string[])["page", "ticket"]);
            Assert.Equal(["summary", "description"], rule.Map("annotations").Names());
            Assert.Equal(expression.Count(c => c == '('), expression.Count(c => c == ')'));
        }
        Assert.NotEmpty((List<object>)DeployFiles.Yaml("prometheus/scrape.yaml")["scrape_configs"]);
    }

    [Fact]
    public async Task The_dashboard_shows_figures_that_there_are()
    {
        var names = await NamesAsync();
        using var dashboard = JsonDocument.Parse(DeployFiles.Text("grafana/footfall.json"));
        var panels = dashboard.RootElement.GetProperty("panels").EnumerateArray().ToList();
        Assert.Equal(panels.Count, panels.Select(p => p.GetProperty("id").GetInt32()).Distinct().Count());
        HashSet<(int, int)> taken = [];
        foreach (var panel in panels)
        {
            var title = panel.GetProperty("title").GetString();
            var at = panel.GetProperty("gridPos");
            var (x, y, w, h) = (at.GetProperty("x").GetInt32(), at.GetProperty("y").GetInt32(), at.GetProperty("w").GetInt32(), at.GetProperty("h").GetInt32());
            Assert.InRange(x + w, 1, 24);
            for (var column = x; column < x + w; column++)
            {
                for (var row = y; row < y + h; row++) Assert.True(taken.Add((column, row)), $"{title} lies on another panel.");
            }
            foreach (var target in panel.GetProperty("targets").EnumerateArray())
            {
                var figures = Figures(target.GetProperty("expr").GetString()!);
                Assert.NotEmpty(figures);
                Assert.All(figures, f => Assert.True(names.Contains(f), $"{title} asks for {f}, which there is not."));
            }
        }
    }

    [Fact]
    public async Task The_guide_names_every_figure_and_no_other()
    {
        var families = (await FamiliesAsync()).ToHashSet();
        var guide = Repository.Text("docs", "operations.md");
        var told = Figure().Matches(guide).Select(m => m.Value).ToHashSet();
        Assert.True(families.IsSubsetOf(told), $"docs/operations.md lacks {string.Join(", ", families.Except(told))}.");
        Assert.True(told.IsSubsetOf(families.Append("db_client_connection_state")), $"docs/operations.md names {string.Join(", ", told.Except(families))}, which the server has not.");
    }

    /// <summary>Names as queries use them: a histogram's are three.</summary>
    private async Task<HashSet<string>> NamesAsync() => [.. (await FamiliesAsync()).SelectMany(f => (string[])[f, f + "_bucket", f + "_sum", f + "_count"])];

    private async Task<IReadOnlyList<string>> FamiliesAsync()
    {
        // The driver makes its instruments when it is first used, the scheduler its own when it runs, which it does not here.
        using (await server.Client.GetAsync("/v1/readyz")) { }
        return [.. server.Services.GetRequiredService<MetricStore>().Names(), "footfall_job_last_success_seconds", "footfall_job_failing"];
    }

    private static List<string> Figures(string expression) => [.. Figure().Matches(expression).Select(m => m.Value).Where(f => f != "db_client_connection_state").Distinct()];

    [GeneratedRegex("(?<![\\w.\"/-])(?:footfall|db_client|dotnet|kestrel)_[a-z0-9_]+")]
    private static partial Regex Figure();
}
