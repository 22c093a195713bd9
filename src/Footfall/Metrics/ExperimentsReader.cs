using Footfall.Definitions;
using Npgsql;
using NpgsqlTypes;

namespace Footfall.Metrics;

/// <param name="Rate">Null without users.</param>
/// <param name="Lift">Relative to control (0.1: a tenth more); null for control itself, and where one has no conversion.</param>
/// <param name="Difference">Of the rates, in absolute terms; null for control itself.</param>
/// <param name="PValue">Two-sided, for one look at the end.</param>
/// <param name="SequentialPValue">Valid however often one looks.</param>
/// <param name="ExpectedLoss">Rate that one is expected to give up by choosing this variant.</param>
internal sealed record VariantAnswer(
    string Id, bool IsControl, long Users, long Converted, double? Rate, Estimate? Lift, Estimate? Difference, double? PValue, double? SequentialPValue,
    double? ProbabilityToBeBest, double? ExpectedLoss, long ActiveD1, long SessionsSubmittedD7, double? LoggingRate24h, long Contaminated, double ExpectedShare);

/// <param name="PValue">Null while nobody is assigned.</param>
/// <param name="Mismatch">True when the split is so unlikely that the figures should not be trusted.</param>
internal sealed record SampleRatioAnswer(double? PValue, bool Mismatch);

/// <param name="UnknownVariants">Users whom events assigned to variants that the definition does not have; in no other figure.</param>
internal sealed record ExperimentAnswer(
    ExperimentDefinition Definition, Window? Counted, IReadOnlyList<VariantAnswer> Variants, SampleRatioAnswer SampleRatio,
    long ContaminatedUsers, long UnknownVariants, DateTimeOffset? GeneratedAt);

internal sealed record ExperimentDayRow(DateOnly Day, string ExperimentId, string VariantId, string MetricName, double Value);

/// <summary>Answers experiments from day rows.</summary>
internal sealed class ExperimentsReader(NpgsqlDataSource database, ExperimentStore definitions)
{
    private const string Rows = """
        select day, experiment_id, variant_id, metric_name, value, generated_at
        from experiment_metric_rollups
        where property_id = @property and day between @from and @to
          and (@experiment::text is null or experiment_id = @experiment)
        order by day, experiment_id collate "C", variant_id collate "C", metric_name
        """;

    private const string Ids = """
        select distinct experiment_id
        from experiment_metric_rollups
        where property_id = @property and day between @from and @to
        """;

    /// <summary>The experiments to which events assigned users in the window, defined or not.</summary>
    public async Task<List<string>> IdsAsync(string property, Window window, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Ids);
        command.Parameters.AddWithValue("property", property);
        command.Parameters.AddWithValue("from", window.From);
        command.Parameters.AddWithValue("to", window.To);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<string> ids = [];
        while (await rows.ReadAsync(cancellationToken)) ids.Add(rows.GetString(0));
        return ids;
    }

    /// <summary>The day rows themselves, of defined experiments and others, by day of assignment.</summary>
    public async Task<IReadOnlyList<ExperimentDayRow>> DaysAsync(string property, Window window, string? experimentId, CancellationToken cancellationToken) =>
        [.. (await ReadAsync(property, window, experimentId, cancellationToken)).Select(r => r.Row)];

    /// <summary>The analysis of a defined experiment over the days in which it ran; null when there is no such definition.</summary>
    public async Task<ExperimentAnswer?> AnalyseAsync(string property, string experimentId, CancellationToken cancellationToken)
    {
        if (await definitions.FindAsync(property, experimentId, cancellationToken) is not { } definition) return null;
        var window = new Window(definition.StartsOn ?? DateOnly.MinValue, definition.EndsOn ?? DateOnly.MaxValue);
        var rows = await ReadAsync(property, window, experimentId, cancellationToken);
        return Analyse(definition, [.. rows.Select(r => r.Row)], rows.Count == 0 ? null : rows.Max(r => r.At));
    }

    /// <param name="rows">The experiment's rows, by day.</param>
    internal static ExperimentAnswer Analyse(ExperimentDefinition definition, IReadOnlyList<ExperimentDayRow> rows, DateTimeOffset? generatedAt)
    {
        var sums = rows.GroupBy(r => (r.VariantId, r.MetricName)).ToDictionary(g => g.Key, g => g.Sum(r => r.Value));
        var control = Counts(definition.Control);
        var all = definition.Variants.Select(v => Counts(v.Id)).ToList();
        var bayes = all.All(v => v.Users > 0) ? ExperimentStatistics.Bayes(all) : null;
        var weights = definition.Variants.Sum(v => (double)v.Weight);
        var variants = definition.Variants.Select((v, i) =>
        {
            var (counts, isControl) = (all[i], v.Id == definition.Control);
            return new VariantAnswer(
                v.Id, isControl, counts.Users, counts.Converted, WindowTotals.Ratio(counts.Converted, counts.Users),
                isControl ? null : ExperimentStatistics.Lift(control, counts),
                isControl ? null : ExperimentStatistics.Difference(control, counts),
                isControl ? null : ExperimentStatistics.PValue(control, counts),
                isControl ? null : ExperimentStatistics.SequentialPValue(Looks(rows, definition.Control, v.Id)),
                bayes?[i].ProbabilityToBeBest, bayes?[i].ExpectedLoss,
                Sum(v.Id, "users_active_d1"), Sum(v.Id, "sessions_submitted_d7"), WindowTotals.Ratio(Sum(v.Id, "users_logged_24h"), counts.Users),
                Sum(v.Id, "users_contaminated"), v.Weight / weights);
        }).ToList();
        var ratio = ExperimentStatistics.SampleRatio([.. definition.Variants.Select((v, i) => (all[i].Users, (double)v.Weight))]);
        return new ExperimentAnswer(
            definition, rows.Count == 0 ? null : new Window(rows.Min(r => r.Day), rows.Max(r => r.Day)), variants,
            new SampleRatioAnswer(ratio, ratio < ExperimentStatistics.SampleRatioAlarm),
            variants.Sum(v => v.Contaminated),
            (long)sums.Where(s => s.Key.MetricName == "users_assigned" && definition.Variants.All(v => v.Id != s.Key.VariantId)).Sum(s => s.Value),
            generatedAt);

        VariantCounts Counts(string variant) => new(Sum(variant, "users_assigned"), Sum(variant, "users_converted"));

        long Sum(string variant, string metric) => (long)sums.GetValueOrDefault((variant, metric));
    }

    /// <summary>What was known at the end of each day of assignment.</summary>
    private static IEnumerable<(VariantCounts Control, VariantCounts Variant)> Looks(IReadOnlyList<ExperimentDayRow> rows, string control, string variant)
    {
        VariantCounts ofControl = default, ofVariant = default;
        foreach (var day in rows.GroupBy(r => r.Day).OrderBy(g => g.Key))
        {
            foreach (var row in day)
            {
                if (row.VariantId == control) ofControl = Added(ofControl, row);
                else if (row.VariantId == variant) ofVariant = Added(ofVariant, row);
            }
            yield return (ofControl, ofVariant);
        }

        static VariantCounts Added(VariantCounts counts, ExperimentDayRow row) => row.MetricName switch
        {
            "users_assigned" => counts with { Users = counts.Users + (long)row.Value },
            "users_converted" => counts with { Converted = counts.Converted + (long)row.Value },
            _ => counts,
        };
    }

    private async Task<List<(ExperimentDayRow Row, DateTimeOffset At)>> ReadAsync(string property, Window window, string? experimentId, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using var command = WindowCommand.Of(connection, Rows, property, window);
        command.Parameters.Add(new NpgsqlParameter("experiment", NpgsqlDbType.Text) { Value = (object?)experimentId ?? DBNull.Value });
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<(ExperimentDayRow, DateTimeOffset)> found = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            found.Add((new(rows.GetFieldValue<DateOnly>(0), rows.GetString(1), rows.GetString(2), rows.GetString(3), rows.GetDouble(4)), rows.GetFieldValue<DateTimeOffset>(5)));
        }
        return found;
    }
}
