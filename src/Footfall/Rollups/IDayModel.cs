using Npgsql;

namespace Footfall.Rollups;

/// <summary>One read model that is recomputed a property's day at a time, from raw rows: the same rows give the same result, to the byte apart from generated_at.</summary>
internal interface IDayModel
{
    /// <summary>The job's name, as in <c>rollup_runs</c> and on the command line.</summary>
    string Job { get; }

    /// <summary>Replaces what is stored for the day. Runs in a transaction in which every statement sees the same rows.</summary>
    Task<DayOutcome> RollAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken);
}

/// <summary>A property's UTC day, half-open.</summary>
internal sealed record DayScope(string PropertyId, DateOnly Day, DateTimeOffset Now)
{
    public DateTimeOffset Start => new(Day.ToDateTime(TimeOnly.MinValue), TimeSpan.Zero);

    public DateTimeOffset End => Start.AddDays(1);

    /// <summary>A day before or after this one; at the calendar's ends its first or last.</summary>
    public DateOnly Shift(int days) => DateOnly.FromDayNumber(Math.Clamp(Day.DayNumber + days, 0, DateOnly.MaxValue.DayNumber));

    /// <summary>What several models of the day need, computed by the first of them that asks.</summary>
    public UserDay? Users { get; set; }

    /// <inheritdoc cref="Users"/>
    public IReadOnlyList<EntityView>? EntityViews { get; set; }

    /// <summary>How much of what a public address sends may become rows.</summary>
    public RollupLimits Limits { get; init; } = RollupLimits.Usual;

    /// <summary>What the limits left out of a job's figures, by job and reason.</summary>
    public Dictionary<(string Job, string Reason), long> LeftOut { get; } = [];

    /// <summary>Further days of the property that this one has changed, and marked; they are rolled up next.</summary>
    public HashSet<DateOnly> Dependents { get; } = [];

    /// <summary>A command with the parameters @property, @day, @day_start, @day_end and @now.</summary>
    public NpgsqlCommand Command(string sql, NpgsqlConnection connection)
    {
        var command = new NpgsqlCommand(sql, connection);
        command.Parameters.AddWithValue("property", PropertyId);
        command.Parameters.AddWithValue("day", Day);
        command.Parameters.AddWithValue("day_start", Start);
        command.Parameters.AddWithValue("day_end", End);
        command.Parameters.AddWithValue("now", Now);
        return command;
    }
}

/// <param name="Rows">Rows written.</param>
/// <param name="Ignored">Events of the day that were out of range and therefore left out.</param>
internal readonly record struct DayOutcome(int Rows, long Ignored);

/// <summary>
/// Anybody may send events, and so invent entities, experiments and types of events. A day keeps the most frequent of each; the
/// others are left out of its figures, and counted. Per day, so that the same rows come out in whatever order days are rolled up.
/// </summary>
/// <param name="Entities">Entities of a property and day.</param>
/// <param name="Experiments">Experiments of a property and day that nobody has defined; those that are defined always count.</param>
/// <param name="EventTypes">Types in a property's day of <c>event_volume_by_name</c>.</param>
internal sealed record RollupLimits(int Entities, int Experiments, int EventTypes)
{
    public const string EntityLimit = "entity_limit";
    public const string ExperimentLimit = "experiment_limit";
    public const string VariantLimit = "variant_limit";
    public const string EventTypeLimit = "event_type_limit";

    public static readonly RollupLimits Usual = new(20_000, 50, 500);
}
