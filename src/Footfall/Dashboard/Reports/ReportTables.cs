using Footfall.Dashboard.Experiments;
using Footfall.Dashboard.Funnels;
using Footfall.Dashboard.Health;
using Footfall.Dashboard.Overview;
using Footfall.Dashboard.Returning;
using Footfall.Dashboard.WebVitals;
using Footfall.Explore;
using Footfall.Hosting;

namespace Footfall.Dashboard.Reports;

/// <summary>The tables of the pages as files, with every digit.</summary>
internal sealed class ReportTables(IServiceProvider services, CurrentPage page)
{
    public async Task<CsvTable> ReadAsync(string table, CancellationToken cancellationToken) => table switch
    {
        "overview" => Overview(await Get<OverviewReader>().ReadAsync(cancellationToken)),
        "notes" => Notes(await Get<NoteStore>().ReadAsync(page.Property.Id, page.Period.Days, cancellationToken)),
        "funnels" => Funnels(await Get<FunnelsOverview>().ReadAsync(cancellationToken)),
        "experiments" => Experiments(await Get<ExperimentsOverview>().ReadAsync(cancellationToken)),
        "vitals-days" => VitalDays(await Get<VitalsReader>().ReadAsync(cancellationToken)),
        "vitals" => Vitals(await Get<VitalsReader>().ReadAsync(cancellationToken)),
        "retention" => Retention(await Get<RetentionOverview>().ReadAsync(cancellationToken)),
        "ingest" => Ingest(await Get<HealthReader>().ReadAsync(cancellationToken)),
        "refused" => Refused(await Get<HealthReader>().ReadAsync(cancellationToken)),
        "jobs" => Jobs(await Get<HealthReader>().ReadAsync(cancellationToken)),
        _ => throw new ArgumentOutOfRangeException(nameof(table), table, null),
    };

    private T Get<T>() where T : notnull => services.GetRequiredService<T>();

    private static CsvTable Overview(OverviewModel model)
    {
        var table = new CsvTable(["start", .. KpiInfo.All.Select(k => k.Unit == Unit.Seconds ? $"{k.Key}_seconds" : k.Key)]);
        foreach (var piece in model.Now.Series) table.Add([model.Interval == Interval.Hour ? piece.Start : (object)DateOnly.FromDateTime(piece.Start.UtcDateTime), .. piece.Values.Select(v => (object?)v)]);
        return table;
    }

    private static CsvTable Notes(List<DayNote> notes)
    {
        var table = new CsvTable("day", "text");
        foreach (var note in notes) table.Add(note.Day, note.Text);
        return table;
    }

    private static CsvTable Funnels(FunnelsModel model)
    {
        var table = new CsvTable("funnel", "experiment", "variant", "step", "step_name", "users", "of_previous", "of_first");
        foreach (var funnel in model.Funnels)
        {
            foreach (var answer in funnel.ByVariant.Prepend(funnel.Overall).OfType<Metrics.FunnelAnswer>())
            {
                foreach (var step in answer.Steps) table.Add(answer.Name, answer.ExperimentId, answer.VariantId, step.Index, step.Name, step.Users, step.FromPrevious, step.FromFirst);
            }
        }
        return table;
    }

    private static CsvTable Experiments(ExperimentsModel model)
    {
        var table = new CsvTable("experiment", "name", "variant", "is_control", "users", "converted", "rate", "difference", "difference_low", "difference_high", "probability_to_be_best", "verdict");
        foreach (var experiment in model.Defined)
        {
            var verdict = Verdict.Of(experiment).Text;
            foreach (var v in experiment.Variants)
                table.Add(experiment.Definition.Id, experiment.Definition.Name, v.Id, v.IsControl ? "yes" : "no", v.Users, v.Converted, v.Rate, v.Difference?.Value, v.Difference?.Low, v.Difference?.High, v.ProbabilityToBeBest, verdict);
        }
        foreach (var experiment in model.Undefined)
        {
            foreach (var (variant, users) in experiment.Variants) table.Add(experiment.Id, null, variant, null, users, null, null, null, null, null, null, null);
        }
        return table;
    }

    private static CsvTable Retention(RetentionModel model)
    {
        var table = new CsvTable([model.Per.ToString().ToLowerInvariant(), "visitors", .. model.Mean.Select((_, i) => $"came_back_after_{i}")]);
        foreach (var cohort in model.Cohorts) table.Add([cohort.Start, cohort.Visitors, .. Enumerable.Range(0, model.Mean.Count).Select(i => i < cohort.Cells.Count ? (object?)cohort.Cells[i].Visitors : null)]);
        return table;
    }

    private static CsvTable Vitals(VitalsModel model)
    {
        var vitals = Enum.GetValues<Vital>();
        var table = new CsvTable(["path", "device", .. vitals.SelectMany(v => new[] { $"{VitalsReader.Key(v)}_p75", $"{VitalsReader.Key(v)}_measured" })]);
        foreach (var row in model.Rows) table.Add([row.Path, row.Device, .. vitals.SelectMany(v => new object?[] { row.Spreads[(int)v]?.P75, row.Spreads[(int)v]?.Samples })]);
        return table;
    }

    private static CsvTable VitalDays(VitalsModel model)
    {
        var table = new CsvTable("day", $"{VitalsReader.Key(model.Chosen)}_p75", "good", "needs_improvement", "poor");
        foreach (var day in model.Days) table.Add(day.Day, day.P75, day.Good, day.Middling, day.Poor);
        return table;
    }

    private static CsvTable Ingest(HealthModel model)
    {
        var table = new CsvTable("day", "accepted", "rejected", "duplicates", "bots", "left_out", "delay_p50_ms", "delay_p95_ms");
        foreach (var (day, lag) in model.Days.Zip(model.Lag)) table.Add(day.Day, day.EventsAccepted, day.EventsRejected, day.EventsDuplicate, day.EventsBot, day.EventsDropped, lag.IngestionLagP50Ms, lag.IngestionLagP95Ms);
        return table;
    }

    private static CsvTable Refused(HealthModel model)
    {
        var table = new CsvTable("reason", "kind", "events");
        foreach (var row in model.Ingest.LeftOut) table.Add(row.Reason, row.Kind, row.Events);
        return table;
    }

    private static CsvTable Jobs(HealthModel model)
    {
        var table = new CsvTable("job", "status", "from", "to", "started_at", "finished_at", "rows", "error");
        foreach (var job in model.Jobs) table.Add(job.Name, job.Run?.Status, job.Run?.From, job.Run?.To, job.Run?.StartedAt, job.Run?.FinishedAt, job.Run?.RowsWritten, job.Run?.Error);
        return table;
    }
}
