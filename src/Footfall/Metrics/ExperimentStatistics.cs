using MathNet.Numerics;
using MathNet.Numerics.Distributions;
using MathNet.Numerics.Integration;

namespace Footfall.Metrics;

/// <summary>Users of a variant, and those of them who converted.</summary>
internal readonly record struct VariantCounts(long Users, long Converted)
{
    public double Rate => (double)Converted / Users;

    /// <summary>Of the rate, as estimated.</summary>
    public double Variance => Rate * (1 - Rate) / Users;
}

/// <summary>An estimate with its 95 % interval.</summary>
internal sealed record Estimate(double Value, double Low, double High);

/// <summary>What counts say about variants. All of it is computed, nothing simulated: the same counts give the same figures.</summary>
internal static class ExperimentStatistics
{
    /// <summary>Below it a split is taken for broken: assignment or capture loses users of one variant.</summary>
    public const double SampleRatioAlarm = 0.001;

    private const double Z95 = 1.959963984540054;

    /// <summary>The sequential test is sharpest at about this many users; it holds at any.</summary>
    private const double TunedFor = 5000;
    private const double Alpha = 0.05;

    /// <summary>Rate minus control's, with Wald's interval; null when one of them has no users.</summary>
    public static Estimate? Difference(VariantCounts control, VariantCounts variant)
    {
        if (control.Users == 0 || variant.Users == 0) return null;
        var (value, reach) = (variant.Rate - control.Rate, Z95 * Math.Sqrt(variant.Variance + control.Variance));
        return new Estimate(value, value - reach, value + reach);
    }

    /// <summary>Rate over control's, less one; interval by the logarithm of the ratio (Katz et al., Biometrics 34, 1978). Null when one of them has no conversion.</summary>
    public static Estimate? Lift(VariantCounts control, VariantCounts variant)
    {
        if (control.Converted == 0 || variant.Converted == 0) return null;
        var log = Math.Log(variant.Rate / control.Rate);
        var reach = Z95 * Math.Sqrt((1 - variant.Rate) / variant.Converted + (1 - control.Rate) / control.Converted);
        return new Estimate(Math.Exp(log) - 1, Math.Exp(log - reach) - 1, Math.Exp(log + reach) - 1);
    }

    /// <summary>Two-sided p of the two-proportion z-test with pooled variance; null where it is undefined. Valid for one look at the end.</summary>
    public static double? PValue(VariantCounts control, VariantCounts variant)
    {
        if (control.Users == 0 || variant.Users == 0) return null;
        var pooled = (double)(control.Converted + variant.Converted) / (control.Users + variant.Users);
        var variance = pooled * (1 - pooled) * (1.0 / control.Users + 1.0 / variant.Users);
        if (variance <= 0) return null;
        return SpecialFunctions.Erfc(Math.Abs(variant.Rate - control.Rate) / Math.Sqrt(variance) / Math.Sqrt(2));
    }

    /// <summary>
    /// The smallest p so far of a test that may be looked at every day: a normal mixture over the effect (Robbins 1970; as
    /// asymptotic confidence sequence: Waudby-Smith et al., "Time-uniform central limit theory", 2021). One where nothing can be said.
    /// </summary>
    /// <param name="looks">Cumulative counts at the end of each day, in order.</param>
    public static double SequentialPValue(IEnumerable<(VariantCounts Control, VariantCounts Variant)> looks)
    {
        var rho2 = (-2 * Math.Log(Alpha) + Math.Log(-2 * Math.Log(Alpha) + 1)) / TunedFor;
        var smallest = 1.0;
        foreach (var (control, variant) in looks)
        {
            if (control.Users == 0 || variant.Users == 0) continue;
            var variance = control.Variance + variant.Variance;
            if (variance <= 0) continue;
            var information = (control.Users + variant.Users) * rho2;
            var z2 = Math.Pow(variant.Rate - control.Rate, 2) / variance;
            smallest = Math.Min(smallest, Math.Sqrt(information + 1) * Math.Exp(-z2 * information / (2 * (information + 1))));
        }
        return smallest;
    }

    /// <summary>p that the users split as they do if they were assigned by the weights (chi-squared); null with fewer than two variants or no users.</summary>
    public static double? SampleRatio(IReadOnlyList<(long Users, double Weight)> variants)
    {
        var total = variants.Sum(v => (double)v.Users);
        var weights = variants.Sum(v => v.Weight);
        if (variants.Count < 2 || total == 0) return null;
        var chi2 = variants.Sum(v =>
        {
            var expected = total * v.Weight / weights;
            return Math.Pow(v.Users - expected, 2) / expected;
        });
        return chi2 == 0 ? 1 : SpecialFunctions.GammaUpperRegularized((variants.Count - 1) / 2.0, chi2 / 2);
    }

    /// <summary>
    /// For each variant, the probability that its rate is the highest, and the rate one is expected to give up by choosing it
    /// (the highest rate less its own). Posteriors from flat priors: Beta(1 + converted, 1 + not converted).
    /// </summary>
    public static IReadOnlyList<(double ProbabilityToBeBest, double ExpectedLoss)> Bayes(IReadOnlyList<VariantCounts> variants)
    {
        var posteriors = variants.Select(v => new Beta(1 + v.Converted, 1 + v.Users - v.Converted)).ToArray();
        var best = new double[posteriors.Length];
        var highest = 0.0;
        for (var i = 0; i < posteriors.Length; i++)
        {
            var mine = i;
            best[i] = OverMass(posteriors[i], x => Highest(mine, x));
            highest += OverMass(posteriors[i], x => x * Highest(mine, x));
        }
        // Integration leaves an error in the twelfth digit; a probability is none above one.
        return [.. posteriors.Select((p, i) => (Math.Clamp(best[i], 0, 1), Math.Max(0, highest - p.Mean)))];

        // The density of this rate being x and no other being higher.
        double Highest(int i, double x)
        {
            var density = posteriors[i].Density(x);
            for (var j = 0; j < posteriors.Length; j++)
            {
                if (j != i) density *= posteriors[j].CumulativeDistribution(x);
            }
            return density;
        }
    }

    /// <summary>Integrates over all that matters of the posterior, in pieces of one standard deviation.</summary>
    private static double OverMass(Beta posterior, Func<double, double> f)
    {
        const int reach = 40;
        var (mean, deviation) = (posterior.Mean, posterior.StdDev);
        var sum = 0.0;
        for (var piece = -reach; piece < reach; piece++)
        {
            var (from, to) = (Math.Max(0, mean + piece * deviation), Math.Min(1, mean + (piece + 1) * deviation));
            if (from < to) sum += GaussLegendreRule.Integrate(f, from, to, 20);
        }
        return sum;
    }
}
