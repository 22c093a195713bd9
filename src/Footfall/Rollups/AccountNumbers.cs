using Npgsql;

namespace Footfall.Rollups;

/// <summary>Dense numbers of accounts, given when an account's first day is rolled up.</summary>
internal static class AccountNumbers
{
    private const string Number = """
        insert into account_numbers (account_id, number)
        select account_id, nextval('account_number_sequence')
        from (select distinct e.account_id
              from events e
              left join account_numbers n on n.account_id = e.account_id
              where e.property_id = @property
                and e.occurred_at >= @day_start and e.occurred_at < @day_end
                and e.session_id is not null and e.device_type <> 'bot' and e.account_id is not null
                and n.account_id is null) new
        """;

    /// <summary>Every account of the day has a number afterwards.</summary>
    public static async Task EnsureAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Number, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
