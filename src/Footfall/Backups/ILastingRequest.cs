using Npgsql;

namespace Footfall.Backups;

/// <summary>What a room after this one was asked for once, and must hold also after a restore of an older backup. Each kind says it here, so that the list beside the database knows of it.</summary>
internal interface ILastingRequest
{
    /// <summary>As lists name it; never changes.</summary>
    string Kind { get; }

    /// <summary>What several are called, for the operator's eyes.</summary>
    string What { get; }

    /// <summary>The table that knows of them: older databases have none.</summary>
    string Table { get; }

    /// <summary>All that the connection's database knows.</summary>
    Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken);

    /// <summary>Meets it in the connection's open transaction, behind which no server is at work. False when there was nothing left to do.</summary>
    Task<bool> MeetAsync(NpgsqlConnection connection, PersonRequest request, CancellationToken cancellationToken);
}

/// <summary>Rows that are marked with when they were ended, and come back without that mark.</summary>
/// <param name="column">Holds the instant; null in a row that works.</param>
internal sealed class EndedRows(string kind, string what, string table, string column) : ILastingRequest
{
    public string Kind => kind;

    public string What => what;

    public string Table => table;

    public async Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"select id, {column} from {table} where {column} is not null", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PersonRequest> ended = [];
        while (await rows.ReadAsync(cancellationToken)) ended.Add(new PersonRequest(kind, rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1)));
        return ended;
    }

    public async Task<bool> MeetAsync(NpgsqlConnection connection, PersonRequest request, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand($"update {table} set {column} = @at where id = @id and ({column} is null or {column} > @at)", connection);
        command.Parameters.AddWithValue("id", request.Id);
        command.Parameters.AddWithValue("at", request.At);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
