using Footfall.Dashboard.Experiments;
using Footfall.Definitions;
using Footfall.Metrics;
using Xunit;

namespace Footfall.Tests.Dashboard;

public sealed class VerdictTests
{
    [Theory]
    [InlineData(0, 0, 0, 0, "Nobody has been assigned yet")]
    [InlineData(500, 50, 0, 0, "Do not trust this")]
    [InlineData(2_000, 200, 2_000, 300, "b is better than control")]
    [InlineData(2_000, 300, 2_000, 200, "control is better")]
    [InlineData(1_000, 100, 1_000, 130, "Keep running about 9 more days")]
    [InlineData(1_000, 100, 1_000, 101, "over 90 more days")]
    [InlineData(1_000, 100, 1_000, 100, "do as well as each other")]
    [InlineData(1_000, 100, 2_000, 200, "Do not trust this")]
    public void What_an_experiment_says_is_one_plain_sentence(long control, long controlConverted, long variant, long converted, string said)
    {
        var definition = new ExperimentDefinition("shop", "hero", "Hero", [new("a", 1), new("b", 1)], "a", "purchase", 24, null, null);
        var from = new DateOnly(2026, 11, 1);
        List<ExperimentDayRow> rows = [];
        for (var day = 0; day < 10; day++)
        {
            void Add(string v, string metric, long n) => rows.Add(new(from.AddDays(day), "hero", v, metric, (n / 10) + (day < n % 10 ? 1 : 0)));
            Add("a", "users_assigned", control);
            Add("a", "users_converted", controlConverted);
            Add("b", "users_assigned", variant);
            Add("b", "users_converted", converted);
        }
        Assert.Contains(said, Verdict.Of(ExperimentsReader.Analyse(definition, rows, null)).Text);
    }
}
