using Footfall.Definitions;
using Footfall.Metrics;
using Xunit;

namespace Footfall.Tests.Metrics;

public sealed class ExperimentStatisticsTests
{
    // Cookie Cats, a mobile game by Tactile Entertainment: does moving the first gate from level 30 to 40 keep players? Counts and
    // day-1 test as published by P. Shinde (github.com/PrernaShinde/cookiecats-ab-test), day-7 figures as published by
    // D. Alkan (dorukalkan.com/projects/cookie-cats-ab-test).
    private static readonly VariantCounts Gate30Day1 = new(44_700, 20_034), Gate40Day1 = new(45_489, 20_119);
    private static readonly VariantCounts Gate30Day7 = new(44_700, 8_502), Gate40Day7 = new(45_489, 8_279);

    [Fact]
    public void The_published_result_of_a_real_experiment_comes_out_of_its_counts()
    {
        Assert.Equal(0.07440965529691913, ExperimentStatistics.PValue(Gate30Day1, Gate40Day1)!.Value, 10);
        Assert.Equal(-0.01317565585974659, ExperimentStatistics.Lift(Gate30Day1, Gate40Day1)!.Value, 12);
        Assert.Equal(-0.005905169787341458, ExperimentStatistics.Difference(Gate30Day1, Gate40Day1)!.Value, 12);

        // Published for day 7: 19.02 % and 18.20 %, difference -0.82 points with interval -1.33 to -0.31, p 0.0016, relative change -4.31 %.
        Assert.Equal((0.1902, 0.1820), (Math.Round(Gate30Day7.Rate, 4), Math.Round(Gate40Day7.Rate, 4)));
        var difference = ExperimentStatistics.Difference(Gate30Day7, Gate40Day7)!;
        Assert.Equal((-0.0082, -0.0133, -0.0031), (Math.Round(difference.Value, 4), Math.Round(difference.Low, 4), Math.Round(difference.High, 4)));
        Assert.Equal(0.0016, ExperimentStatistics.PValue(Gate30Day7, Gate40Day7)!.Value, 4);
        Assert.Equal(-0.0431, ExperimentStatistics.Lift(Gate30Day7, Gate40Day7)!.Value, 4);
        // With flat priors and these numbers the posterior is the sampling distribution: 1 - p/2 of a one-sided test, to a digit or three.
        var bayes = ExperimentStatistics.Bayes([Gate30Day7, Gate40Day7]);
        Assert.Equal(1 - 0.0016 / 2, bayes[0].ProbabilityToBeBest, 3);
        Assert.Equal(0.0082, bayes[1].ExpectedLoss, 4);
    }

    [Fact]
    public void The_interval_of_a_lift_is_that_of_the_logarithm_of_the_ratio()
    {
        // 100 of 1000 and 120 of 1000: ratio 1.2; se = sqrt(0.88/120 + 0.9/100) = sqrt(0.0163333) = 0.1278020;
        // 1.2 * exp(-1.959964 * 0.127802) - 1 = 1.2 * 0.778424 - 1 = -0.065891; 1.2 * 1.284647 - 1 = 0.541576.
        var lift = ExperimentStatistics.Lift(new(1000, 100), new(1000, 120))!;
        Assert.Equal(0.2, lift.Value, 12);
        Assert.Equal(-0.0659, lift.Low, 4);
        Assert.Equal(0.5416, lift.High, 4);
        // Pooled rate 0.11: se = sqrt(0.11 * 0.89 * 2/1000) = 0.0139929; z = 0.02 / 0.0139929 = 1.429301; two-sided p = 0.15291.
        Assert.Equal(0.1529, ExperimentStatistics.PValue(new(1000, 100), new(1000, 120))!.Value, 4);
    }

    [Fact]
    public void Small_posteriors_are_those_of_the_closed_form()
    {
        // Flat priors, no data: each of two is best with 1/2. E[max of two uniforms] = 2/3, so the loss of either is 2/3 - 1/2 = 1/6.
        var nothing = ExperimentStatistics.Bayes([new(0, 0), new(0, 0)]);
        Assert.Equal([0.5, 0.5], nothing.Select(b => Math.Round(b.ProbabilityToBeBest, 10)));
        Assert.Equal(1.0 / 6, nothing[0].ExpectedLoss, 10);
        // One user who converted (density 2x) against none known (uniform): P = integral of 2x * x = 2/3. E[max] = integral of 1 - x^2 * x = 3/4; losses 3/4 - 2/3 and 3/4 - 1/2.
        var one = ExperimentStatistics.Bayes([new(1, 1), new(0, 0)]);
        Assert.Equal(2.0 / 3, one[0].ProbabilityToBeBest, 10);
        Assert.Equal(1.0 / 12, one[0].ExpectedLoss, 10);
        Assert.Equal(1.0 / 4, one[1].ExpectedLoss, 10);
        // Three alike: 1/3 each; E[max of three uniforms] = 3/4.
        var three = ExperimentStatistics.Bayes([new(0, 0), new(0, 0), new(0, 0)]);
        Assert.All(three, b => Assert.Equal(1.0 / 3, b.ProbabilityToBeBest, 10));
        Assert.Equal(1.0 / 4, three[2].ExpectedLoss, 10);
    }

    [Theory]
    [InlineData(0, 0, 5, 5)]
    [InlineData(10, 10, 1_000_000, 1)]
    [InlineData(3, 0, 2_000_000, 1_999_999)]
    [InlineData(1, 1, 1, 0)]
    [InlineData(50_000_000, 25_000_000, 50_000_000, 25_001_000)]
    public void Probabilities_add_up_to_one_however_uneven_the_counts(long users, long converted, long otherUsers, long otherConverted)
    {
        var bayes = ExperimentStatistics.Bayes([new(users, converted), new(otherUsers, otherConverted)]);
        Assert.Equal(1, bayes.Sum(b => b.ProbabilityToBeBest), 6);
        Assert.All(bayes, b => Assert.InRange(b.ExpectedLoss, 0, 1));
    }

    [Fact]
    public void A_broken_split_is_told_by_chi_squared()
    {
        // 1000 and 1100 for halves: expected 1050 each; chi2 = 2 * 50^2 / 1050 = 4.7619, one degree of freedom: p = 0.02910.
        Assert.Equal(0.0291, ExperimentStatistics.SampleRatio([(1000, 1), (1100, 1)])!.Value, 4);
        // The gate experiment: 44,700 and 45,489; chi2 = 789^2 / 90,189 = 6.9024, p = 0.0086: odd, but no alarm.
        Assert.Equal(0.0086, ExperimentStatistics.SampleRatio([(44_700, 1), (45_489, 1)])!.Value, 4);
        // 3:1 as expected is no mismatch at all; the same against halves is beyond doubt.
        Assert.Equal(1, ExperimentStatistics.SampleRatio([(3000, 3), (1000, 1)]));
        Assert.True(ExperimentStatistics.SampleRatio([(3000, 1), (1000, 1)]) < 1e-100);
        // Three variants, 90, 100, 110: chi2 = 1 + 0 + 1 = 2, two degrees of freedom: p = exp(-1).
        Assert.Equal(Math.Exp(-1), ExperimentStatistics.SampleRatio([(90, 1), (100, 1), (110, 1)])!.Value, 10);
    }

    [Fact]
    public void The_sequential_p_never_grows_and_is_more_careful_than_the_p_of_one_look()
    {
        (VariantCounts, VariantCounts)[] looks = [(new(500, 50), new(500, 80)), (new(2500, 250), new(2500, 250)), (default, default)];
        // First look: rates 0.1, 0.16; variance 0.00018 + 0.0002688 = 0.0004488; z2 = 0.0036 / 0.0004488 = 8.0214.
        // rho2 = (-2 ln 0.05 + ln(-2 ln 0.05 + 1)) / 5000 = (5.991465 + 1.944690) / 5000 = 0.00158723; information = 1000 * rho2 = 1.58723.
        // p = sqrt(2.58723) * exp(-8.0214 * 1.58723 / (2 * 2.58723)) = 1.608487 * exp(-2.46049) = 1.608487 * 0.085393 = 0.13735.
        Assert.Equal(0.1374, ExperimentStatistics.SequentialPValue(looks[..1]), 4);
        Assert.Equal(ExperimentStatistics.SequentialPValue(looks[..1]), ExperimentStatistics.SequentialPValue(looks));
        Assert.True(ExperimentStatistics.PValue(looks[0].Item1, looks[0].Item2) < 0.01);
        Assert.Equal(1, ExperimentStatistics.SequentialPValue([]));
    }

    [Fact]
    public void Looking_every_day_at_no_effect_alarms_in_fewer_than_one_of_twenty_experiments()
    {
        var random = new Random(20260302);
        var (alarms, naive) = (0, 0);
        for (var experiment = 0; experiment < 400; experiment++)
        {
            List<(VariantCounts, VariantCounts)> looks = [];
            VariantCounts control = default, variant = default;
            for (var day = 0; day < 60; day++)
            {
                for (var user = 0; user < 100; user++)
                {
                    control = new(control.Users + 1, control.Converted + (random.NextDouble() < 0.2 ? 1 : 0));
                    variant = new(variant.Users + 1, variant.Converted + (random.NextDouble() < 0.2 ? 1 : 0));
                }
                looks.Add((control, variant));
            }
            if (ExperimentStatistics.SequentialPValue(looks) < 0.05) alarms++;
            if (looks.Any(l => ExperimentStatistics.PValue(l.Item1, l.Item2) < 0.05)) naive++;
        }
        Assert.InRange(alarms, 0, 20);
        Assert.True(naive > 60, $"Looking daily at the p of one look should mislead often; it did {naive} times of 400, so this test tests nothing.");
    }

    [Fact]
    public void What_is_undefined_is_null()
    {
        Assert.Null(ExperimentStatistics.Lift(new(10, 0), new(10, 5)));
        Assert.Null(ExperimentStatistics.PValue(new(0, 0), new(10, 5)));
        Assert.Null(ExperimentStatistics.PValue(new(10, 0), new(10, 0)));
        Assert.Null(ExperimentStatistics.Difference(new(0, 0), new(10, 5)));
        Assert.Null(ExperimentStatistics.SampleRatio([(0, 1), (0, 1)]));
    }

    [Fact]
    public void An_analysis_sums_days_and_sets_unknown_variants_apart()
    {
        var definition = new ExperimentDefinition("app", "button", "Button", [new("red", 1), new("blue", 1)], "red", "purchase", 24, null, null);
        ExperimentDayRow Row(int day, string variant, string metric, double value) => new(new DateOnly(2026, 3, day), "button", variant, metric, value);
        var answer = ExperimentsReader.Analyse(definition,
        [
            Row(2, "red", "users_assigned", 100), Row(2, "red", "users_converted", 10), Row(3, "red", "users_assigned", 900), Row(3, "red", "users_converted", 90),
            Row(2, "blue", "users_assigned", 600), Row(2, "blue", "users_converted", 70), Row(3, "blue", "users_assigned", 400), Row(3, "blue", "users_converted", 50),
            Row(3, "blue", "users_contaminated", 4), Row(3, "blue", "users_logged_24h", 250), Row(3, "green", "users_assigned", 7),
        ], null);
        // red 100 of 1000, blue 120 of 1000 (as above); logging rate of blue 250 of 1000.
        var blue = answer.Variants[1];
        Assert.Equal((1000L, 120L, 0.12, 0.25, 4L), (blue.Users, blue.Converted, blue.Rate, blue.LoggingRate24h, blue.Contaminated));
        Assert.Equal(0.2, blue.Lift!.Value, 12);
        Assert.Null(answer.Variants[0].Lift);
        Assert.Equal((7L, 4L, false), (answer.UnknownVariants, answer.ContaminatedUsers, answer.SampleRatio.Mismatch));
        Assert.Equal(1, answer.Variants.Sum(v => v.ProbabilityToBeBest!.Value), 8);
    }
}
