using Npgsql;
using NpgsqlTypes;

namespace Footfall.Capture;

/// <summary>The table through which servers agree on the day's key.</summary>
internal sealed class DayKeyStore(NpgsqlDataSource database)
{
    private const string Offer = """
        insert into visitor_day_keys (day, key)
        values ($1, $2)
        on conflict (day) do nothing
        """;

    private const string Read = """
        select key from visitor_day_keys where day = $1
        """;

    private const string Delete = """
        delete from visitor_day_keys where day <= $1
        """;

    /// <summary>Offers a key, and gives back the one that was first.</summary>
    public async Task<byte[]> AgreeAsync(DateOnly day, byte[] offered, CancellationToken cancellationToken)
    {
        await using var connection = await database.OpenConnectionAsync(cancellationToken);
        await using (var offer = new NpgsqlCommand(Offer, connection))
        {
            offer.Parameters.Add(new NpgsqlParameter { Value = day, NpgsqlDbType = NpgsqlDbType.Date });
            offer.Parameters.Add(new NpgsqlParameter { Value = offered, NpgsqlDbType = NpgsqlDbType.Bytea });
            await offer.ExecuteNonQueryAsync(cancellationToken);
        }
        await using var read = new NpgsqlCommand(Read, connection);
        read.Parameters.Add(new NpgsqlParameter { Value = day, NpgsqlDbType = NpgsqlDbType.Date });
        return (byte[])(await read.ExecuteScalarAsync(cancellationToken)
            ?? throw new InvalidOperationException($"The visitor key of {day:yyyy-MM-dd} was deleted while it was agreed on. Does this server's clock lag behind by days?"));
    }

    public async Task DeleteAsync(DateOnly last, CancellationToken cancellationToken)
    {
        await using var command = database.CreateCommand(Delete);
        command.Parameters.Add(new NpgsqlParameter { Value = last, NpgsqlDbType = NpgsqlDbType.Date });
        await command.ExecuteNonQueryAsync(cancellationToken);
    }
}
