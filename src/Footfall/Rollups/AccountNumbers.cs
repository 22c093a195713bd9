using Npgsql;

namespace Footfall.Rollups;

/// <summary>Dense numbers of accounts, given when an account's first day is rolled up.</summary>
internal static class AccountNumbers
{
    private const string Number = """
        insert into account_numbers (account_id, number)
        select account_id, nextval('account_number_sequence')
        from (select distinct account_id
              from events
              where property_id = @property
                and occurred_at >= @day_start and occurred_at < @day_end
                and session_id is not null and device_type <> 'bot' and account_id is not null) seen
        where not exists (select from account_numbers n where n.account_id = seen.account_id)
        """;

    /// <summary>Every account of the day has a number afterwards.</summary>
    public static async Task EnsureAsync(NpgsqlConnection connection, DayScope scope, CancellationToken cancellationToken)
    {
        await using var command = scope.Command(Number, connection);
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
