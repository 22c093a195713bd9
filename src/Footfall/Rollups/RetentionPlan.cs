using Npgsql;

namespace Footfall.Rollups;

/// <summary>What retention removes of one property.</summary>
/// <param name="RawBefore">Raw rows of days before this one go.</param>
/// <param name="HeldBy">A day that would go too, but still waits to be rolled up, and holds it and all later ones; null when none does.</param>
/// <param name="RollupsBefore">Rollups of days before this one go; null keeps all.</param>
internal sealed record PropertyRetention(string PropertyId, DateOnly RawBefore, DateOnly? HeldBy, DateOnly? RollupsBefore);

/// <summary>Decides what is old enough, and rolled up.</summary>
internal static class RetentionPlan
{
    private const string Select = """
        select p.id, coalesce(p.raw_days, @raw_days), coalesce(p.rollup_months, @rollup_months), w.through,
               (select min(d.day) from dirty_days d where d.property_id = p.id and (w.through is null or d.day > w.through))
        from properties p
        left join purged_days w on w.property_id = p.id
        order by p.id
        """;

    public static async Task<List<PropertyRetention>> ReadAsync(NpgsqlConnection connection, RetentionOptions options, DateOnly today, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Select, connection);
        command.Parameters.AddWithValue("raw_days", options.RawDays);
        command.Parameters.AddWithValue("rollup_months", options.RollupMonths);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PropertyRetention> plan = [];
        while (await rows.ReadAsync(cancellationToken))
        {
            var before = today.AddDays(-Math.Min(rows.GetInt32(1), today.DayNumber));
            var months = rows.GetInt32(2);
            // What is gone stays gone, even if more days are kept from now on.
            if (!rows.IsDBNull(3) && rows.GetFieldValue<DateOnly>(3) >= before) before = rows.GetFieldValue<DateOnly>(3).AddDays(1);
            DateOnly? waiting = rows.IsDBNull(4) ? null : rows.GetFieldValue<DateOnly>(4);
            var held = waiting < before ? waiting : null;
            plan.Add(new PropertyRetention(rows.GetString(0), held ?? before, held, months == 0 ? null : today.AddMonths(-months)));
        }
        return plan;
    }
}
