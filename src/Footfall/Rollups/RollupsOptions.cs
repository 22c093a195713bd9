using System.ComponentModel.DataAnnotations;
using Quartz;

namespace Footfall.Rollups;

/// <summary>Section <c>Rollups</c>. Schedules are cron expressions with seconds, in UTC.</summary>
internal sealed class RollupsOptions : IValidatableObject
{
    /// <summary>How many days the nightly run recomputes, today included. Also ROLLUP_BATCH_DAYS.</summary>
    [Range(1, 3660, ErrorMessage = "Rollups:BatchDays (ROLLUP_BATCH_DAYS) must be between 1 and 3660.")]
    public int BatchDays { get; set; } = 7;

    /// <summary>When days that changed are recomputed, with every model.</summary>
    public string DirtySchedule { get; set; } = "0/10 * * * * ?";

    /// <summary>When the last <see cref="BatchDays"/> are recomputed whether they changed or not, by the models that have no schedule of their own.</summary>
    public string NightlySchedule { get; set; } = "0 0 4 * * ?";

    /// <summary>Instead of <see cref="NightlySchedule"/>, for the model <c>daily</c>. Models that are due together share a pass over the days.</summary>
    public string? DailySchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? IngestSchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? HourlySchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? ProductSchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? ExperimentSchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? FunnelSchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? VisitorsSchedule { get; set; }

    /// <inheritdoc cref="DailySchedule"/>
    public string? SegmentsSchedule { get; set; }

    /// <summary>When sessions that have ended are closed.</summary>
    public string SealSchedule { get; set; } = "30 * * * * ?";

    /// <summary>When coming weeks get their partitions.</summary>
    public string PartitionsSchedule { get; set; } = "15 5 * * * ?";

    /// <summary>When implied consent that has ended is noted.</summary>
    public string ConsentSchedule { get; set; } = "45 0/10 * * * ?";

    /// <summary>When visitors who are likely the submitters of late forms are looked for once more.</summary>
    public string LinksSchedule { get; set; } = "20 * * * * ?";

    /// <summary>When raw rows and rollups past their time are removed.</summary>
    public string RetentionSchedule { get; set; } = "0 30 4 * * ?";

    /// <summary>When the last <see cref="BatchDays"/> are counted anew from raw rows and compared with the rollups.</summary>
    public string DiscrepancySchedule { get; set; } = "0 0 5 * * ?";

    /// <summary>When weekly reports that are due are sent.</summary>
    public string ReportsSchedule { get; set; } = "35 0/5 * * * ?";

    /// <summary>Jobs run in this process. Off for a server that only captures and answers beside another one.</summary>
    public bool Enabled { get; set; } = true;

    /// <summary>Entities of a property and day that get figures: the most viewed.</summary>
    [Range(1, 1_000_000, ErrorMessage = "Rollups:MaxEntities must be between 1 and 1000000.")]
    public int MaxEntities { get; set; } = RollupLimits.Usual.Entities;

    /// <summary>Experiments of a property and day that get figures though nobody has defined them: the most used.</summary>
    [Range(0, 10_000, ErrorMessage = "Rollups:MaxExperiments must be between 0 and 10000.")]
    public int MaxExperiments { get; set; } = RollupLimits.Usual.Experiments;

    /// <summary>Types of events of a property and day that get a volume of their own: the most frequent.</summary>
    [Range(1, 100_000, ErrorMessage = "Rollups:MaxEventTypes must be between 1 and 100000.")]
    public int MaxEventTypes { get; set; } = RollupLimits.Usual.EventTypes;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string Key, string? Value)[] schedules =
        [
            (nameof(DirtySchedule), DirtySchedule), (nameof(NightlySchedule), NightlySchedule),
            (nameof(DailySchedule), DailySchedule), (nameof(IngestSchedule), IngestSchedule), (nameof(HourlySchedule), HourlySchedule), (nameof(ProductSchedule), ProductSchedule),
            (nameof(ExperimentSchedule), ExperimentSchedule), (nameof(FunnelSchedule), FunnelSchedule), (nameof(VisitorsSchedule), VisitorsSchedule), (nameof(SegmentsSchedule), SegmentsSchedule),
            (nameof(SealSchedule), SealSchedule), (nameof(PartitionsSchedule), PartitionsSchedule),
            (nameof(ConsentSchedule), ConsentSchedule), (nameof(LinksSchedule), LinksSchedule),
            (nameof(RetentionSchedule), RetentionSchedule), (nameof(DiscrepancySchedule), DiscrepancySchedule), (nameof(ReportsSchedule), ReportsSchedule),
        ];
        return schedules
            .Where(s => s.Value is not null && !CronExpression.TryParse(s.Value, out _))
            .Select(s => new ValidationResult($"Rollups:{s.Key} is '{s.Value}', which is no cron expression of six or seven fields (seconds first), such as '0 0 4 * * ?'."));
    }
}
