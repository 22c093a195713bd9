using System.ComponentModel.DataAnnotations;
using Quartz;

namespace Footfall.Rollups;

/// <summary>Section <c>Rollups</c>. Schedules are cron expressions with seconds, in UTC.</summary>
internal sealed class RollupsOptions : IValidatableObject
{
    /// <summary>How many days the nightly run recomputes, today included. Also ROLLUP_BATCH_DAYS.</summary>
    [Range(1, 3660, ErrorMessage = "Rollups:BatchDays (ROLLUP_BATCH_DAYS) must be between 1 and 3660.")]
    public int BatchDays { get; set; } = 7;

    /// <summary>When days that changed are recomputed.</summary>
    public string DirtySchedule { get; set; } = "0/10 * * * * ?";

    /// <summary>When the last <see cref="BatchDays"/> are recomputed whether they changed or not.</summary>
    public string NightlySchedule { get; set; } = "0 0 4 * * ?";

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

    /// <summary>Jobs run in this process. Off for a server that only captures and answers beside another one.</summary>
    public bool Enabled { get; set; } = true;

    public IEnumerable<ValidationResult> Validate(ValidationContext validationContext)
    {
        (string Key, string Value)[] schedules =
        [
            (nameof(DirtySchedule), DirtySchedule), (nameof(NightlySchedule), NightlySchedule),
            (nameof(SealSchedule), SealSchedule), (nameof(PartitionsSchedule), PartitionsSchedule),
            (nameof(ConsentSchedule), ConsentSchedule), (nameof(LinksSchedule), LinksSchedule),
            (nameof(RetentionSchedule), RetentionSchedule), (nameof(DiscrepancySchedule), DiscrepancySchedule),
        ];
        return schedules
            .Where(s => !CronExpression.TryParse(s.Value, out _))
            .Select(s => new ValidationResult($"Rollups:{s.Key} is '{s.Value}', which is no cron expression of six or seven fields (seconds first), such as '0 0 4 * * ?'."));
    }
}
