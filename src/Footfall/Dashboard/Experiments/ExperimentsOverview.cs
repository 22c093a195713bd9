using Footfall.Definitions;
using Footfall.Metrics;

namespace Footfall.Dashboard.Experiments;

/// <summary>An experiment that events name and nobody has defined: how many users each variant has.</summary>
internal sealed record UndefinedExperiment(string Id, IReadOnlyList<(string Variant, long Users)> Variants);

/// <summary>Every experiment of the property.</summary>
internal sealed record ExperimentsModel(IReadOnlyList<ExperimentAnswer> Defined, IReadOnlyList<UndefinedExperiment> Undefined);

internal sealed class ExperimentsOverview(CurrentPage page, ExperimentStore definitions, ExperimentsReader reader)
{
    public async Task<ExperimentsModel> ReadAsync(CancellationToken cancellationToken)
    {
        List<ExperimentAnswer> defined = [];
        foreach (var definition in await definitions.ListAsync(page.Property.Id, cancellationToken))
        {
            if (await reader.AnalyseAsync(page.Property.Id, definition.Id, cancellationToken) is { } answer) defined.Add(answer);
        }
        var days = page.Period.Days;
        var rows = await reader.DaysAsync(page.Property.Id, new Window(days.From, days.To), null, cancellationToken);
        var undefined = rows.Where(r => r.MetricName == "users_assigned" && defined.All(d => d.Definition.Id != r.ExperimentId)).GroupBy(r => r.ExperimentId)
            .Select(g => new UndefinedExperiment(g.Key, [.. g.GroupBy(r => r.VariantId).Select(v => (v.Key, (long)v.Sum(r => r.Value)))])).ToList();
        return new ExperimentsModel(defined, undefined);
    }
}

/// <summary>What an experiment says, in one sentence.</summary>
/// <param name="Class">good, bad, warn or muted.</param>
internal sealed record Verdict(string Text, string Class)
{
    private const double Sure = 0.95;
    private const int LongestWait = 90;

    public static Verdict Of(ExperimentAnswer answer)
    {
        if (answer.Variants.All(v => v.Users == 0)) return new("Nobody has been assigned yet.", "muted");
        if (answer.SampleRatio.Mismatch) return new("Do not trust this: users are split in another way than defined, so that some of one variant are lost on the way. Look for what differs before the assignment.", "bad");
        if (answer.Variants.FirstOrDefault(v => v.Users == 0) is { } empty) return new($"Not yet: nobody has been assigned to {Labels.Visible(empty.Id)}.", "muted");
        var best = answer.Variants.MaxBy(v => v.ProbabilityToBeBest ?? 0)!;
        var control = answer.Variants.First(v => v.IsControl);
        var decided = best.IsControl
            ? answer.Variants.Where(v => !v.IsControl).All(v => v.SequentialPValue < 1 - Sure)
            : best.SequentialPValue < 1 - Sure;
        if (best.ProbabilityToBeBest >= Sure && decided)
            return best.IsControl ? new("Keep things as they are: control is better.", "good") : new($"{Labels.Visible(best.Id)} is better than control. It can be for everyone.", "good");
        var rival = best.IsControl ? answer.Variants.Where(v => !v.IsControl).MaxBy(v => v.ProbabilityToBeBest ?? 0)! : control;
        return DaysToGo(answer, best, rival) switch
        {
            null => new("Not yet: the variants do as well as each other so far.", "muted"),
            > LongestWait => new($"Not yet: {Labels.Visible(best.Id)} leads by so little that it would take over {LongestWait} more days to be sure. Consider stopping.", "warn"),
            var days => new($"Not yet: {Labels.Visible(best.Id)} leads. Keep running about {days} more {(days == 1 ? "day" : "days")}.", "muted"),
        };
    }

    // As many users of each variant as tell a difference of this size from none four times of five (n = 16 p (1 - p) / d^2, Lehr's
    // rule, Statistics in Medicine 11, 1992), at the pace so far. Null without a difference.
    private static int? DaysToGo(ExperimentAnswer answer, VariantAnswer best, VariantAnswer rival)
    {
        if (best.Rate is not { } leading || rival.Rate is not { } other || answer.Counted is not { } counted || Math.Abs(leading - other) < 1e-9) return null;
        var rate = (leading + other) / 2;
        var needed = 16 * rate * (1 - rate) / Math.Pow(leading - other, 2);
        var fewer = Math.Min(best.Users, rival.Users);
        var perDay = (double)fewer / counted.Days;
        return (int)Math.Clamp(Math.Ceiling(Math.Max(0, needed - fewer) / perDay), 1, 10_000);
    }
}
