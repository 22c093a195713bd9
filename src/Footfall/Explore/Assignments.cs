using Footfall.Segments;
using Npgsql;

namespace Footfall.Explore;

/// <summary>The variant of each visitor of an experiment: of the first assignment of the visitor or of the visitor's account, by visitor number.</summary>
/// <param name="Of">A code of <paramref name="Words"/> and the day (its number) of the assignment.</param>
internal sealed record VisitorVariants(IReadOnlyDictionary<int, (int Variant, int Day)> Of, Words Words)
{
    /// <summary>0 for who had not been assigned by the end of the day.</summary>
    public int On(int visitor, DateOnly day) => Of.TryGetValue(visitor, out var assigned) && assigned.Day <= day.DayNumber ? assigned.Variant : 0;
}

/// <summary>Reads who is in which variant; segments do not hold it.</summary>
internal sealed class Assignments(NpgsqlDataSource database)
{
    /// <summary>Beyond, raw rows answer.</summary>
    private const int Most = 2_000_000;

    // A user is an account where the number is odd, else a visitor.
    private const string Select = """
        select number, variant_id, day
        from (
            select x.user_number / 2 as number, x.variant_id, x.day, x.assigned_at
            from experiment_assignments x
            where x.property_id = @property and x.experiment_id = @experiment and x.user_number % 2 = 0
            union all
            select v.number, x.variant_id, x.day, x.assigned_at
            from experiment_assignments x
            join account_numbers a on a.number * 2 + 1 = x.user_number
            join visitors v on v.account_id = a.account_id
            where x.property_id = @property and x.experiment_id = @experiment and x.user_number % 2 = 1) assigned
        order by assigned_at, variant_id collate "C"
        limit @limit
        """;

    /// <summary>Null where there are too many to hold.</summary>
    public async Task<VisitorVariants?> ReadAsync(string propertyId, string experiment, CancellationToken cancellationToken)
    {
        var (of, words) = (new Dictionary<int, (int, int)>(), new Words());
        await using var command = database.CreateCommand(Select);
        command.Parameters.AddWithValue("property", propertyId);
        command.Parameters.AddWithValue("experiment", experiment);
        command.Parameters.AddWithValue("limit", Most + 1);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        var count = 0;
        while (await rows.ReadAsync(cancellationToken))
        {
            if (++count > Most) return null;
            of.TryAdd(rows.GetInt32(0), (words.Add(rows.GetString(1)), rows.GetFieldValue<DateOnly>(2).DayNumber));   // the first of each
        }
        return new VisitorVariants(of, words);
    }
}
