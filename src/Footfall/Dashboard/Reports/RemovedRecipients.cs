using Footfall.Backups;
using Npgsql;

namespace Footfall.Dashboard.Reports;

/// <summary>Whom an operator took off the list of a report gets none after a restore of a backup that still has them. Put on it again, they have another id.</summary>
internal sealed class RemovedRecipients : ILastingRequest
{
    private const string Remove = """
        with known as (insert into removed_recipients (id, removed_at) values (@id, @at) on conflict (id) do nothing),
             unsent as (delete from report_deliveries where state = 'waiting' and recipient_id = @id)
        delete from report_recipients where id = @id
        """;

    public string Kind => "recipient-removal";

    public string What => "recipients taken off reports";

    public string Table => "removed_recipients";

    public async Task<IReadOnlyList<PersonRequest>> ReadAsync(NpgsqlConnection connection, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand("select id, removed_at from removed_recipients", connection);
        await using var rows = await command.ExecuteReaderAsync(cancellationToken);
        List<PersonRequest> removed = [];
        while (await rows.ReadAsync(cancellationToken)) removed.Add(new PersonRequest(Kind, rows.GetGuid(0), rows.GetFieldValue<DateTimeOffset>(1)));
        return removed;
    }

    public async Task<bool> MeetAsync(NpgsqlConnection connection, PersonRequest request, CancellationToken cancellationToken)
    {
        await using var command = new NpgsqlCommand(Remove, connection);
        command.Parameters.AddWithValue("id", request.Id);
        command.Parameters.AddWithValue("at", request.At);
        return await command.ExecuteNonQueryAsync(cancellationToken) > 0;
    }
}
